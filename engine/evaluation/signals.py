"""Observing signals: what each measure says of every account today, held for days, and cleared with hysteresis.

A verdict is three-valued; what cannot be measured is unknown. Limits are strict or not as their words say
(``below`` is strict, ``at_most`` is not).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.definitions.condition import Compare
from engine.definitions.feature import Feature, Window
from engine.definitions.rule import (
    ConditionMeasure,
    EventMeasure,
    GoalMeasure,
    Limit,
    Measure,
    Signal,
    SilenceMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.evaluation.columns import Bytes, Column, Flags, Floats, Ints, Numbers, Planes
from engine.evaluation.counting import with_roles
from engine.evaluation.facts import Facts, Happenings
from engine.evaluation.features import Features, OwnNames, relative_change, taken
from engine.evaluation.goals import attainment
from engine.evaluation.program import compute, evaluate_condition

_BOUNDS: Final[Mapping[str, Callable[[Floats, float], Flags]]] = {
    "below": lambda values, limit: values < limit,
    "at_most": lambda values, limit: values <= limit,
    "above": lambda values, limit: values > limit,
    "at_least": lambda values, limit: values >= limit,
}


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """One signal over all accounts: ``verdicts`` int8[N]; ``values`` float64[N], what was measured (NaN unknown);
    ``sources`` int64[N]: the event that made it fire, -1 none."""

    verdicts: Bytes
    values: Floats
    sources: Ints


def observe(rule: str, signal: Signal, features: Features, firing: Bytes | None) -> Observed:
    """Observe one signal of ``rule``. ``firing``: its last known verdicts (None: never observed)."""
    today = measured(signal.measure, features, rule)
    verdicts = today.verdicts
    for age in range(1, signal.lasting):
        earlier = measured(signal.measure, features.as_of(features.day - age), rule).verdicts
        verdicts = np.minimum(verdicts, earlier)
    if signal.clears is not None and firing is not None:
        verdicts = _kept(verdicts, against(signal.clears, today.values), firing)
    return Observed(verdicts, today.values, np.where(verdicts == 1, today.sources, -1))


def against(limit: Limit, values: Floats) -> Bytes:
    """Verdicts int8[N] of values against a limit; NaN is unknown."""
    holds = _BOUNDS[limit.bound](values, limit.value)
    return Planes(holds, holds | np.isnan(values)).verdicts


def measured(measure: Measure, features: Features, rule: str = "") -> Observed:
    """What one measure of ``rule`` says on the day of ``features``, without memory."""
    match measure:
        case ThresholdMeasure(feature, limit):
            values = features.value(feature)
            return _plain(against(limit, values), values)
        case TrendMeasure():
            return _trend(measure, features)
        case GoalMeasure():
            values = attainment(measure, features)
            return _plain(against(Limit("below", measure.attained_below), values), values)
        case SilenceMeasure(feature, longer_than):
            values = _silence(feature, features)
            return _plain(against(Limit("above", longer_than), values), values)
        case EventMeasure():
            return _event(measure, features)
        case ConditionMeasure():
            return _condition(measure, OwnNames(rule, features), features.size)
    return _plain(np.zeros(features.size, dtype=np.int8), np.full(features.size, np.nan))


def contacts_of(measure: EventMeasure, facts: Facts, columns: Mapping[str, Column]) -> Mapping[int, tuple[int, ...]]:
    """Account row → rows of the contacts whose events make the measure hold today, ascending."""
    happenings = facts.events.get(measure.event)
    if happenings is None:
        return {}
    named = matching(measure, happenings, facts, columns, facts.at).holds & (happenings.contact_rows >= 0)
    found: dict[int, set[int]] = {}
    for row, contact in zip(happenings.rows[named].tolist(), happenings.contact_rows[named].tolist(), strict=True):
        found.setdefault(row, set()).add(contact)
    return {row: tuple(sorted(contacts)) for row, contacts in found.items()}


def matching(
    measure: EventMeasure, happenings: Happenings, facts: Facts, columns: Mapping[str, Column], day: int
) -> Planes:
    """Which events the measure means on ``day``: in time, to the right person, and ``where`` holds (bool[K] twice)."""
    ages = day - happenings.days
    wanted = (ages >= 0) & (ages < measure.within) & with_roles(happenings, facts, measure.roles)
    if measure.where is None:
        return Planes(wanted, wanted)
    read: dict[str, Column] = {}
    for name in measure.where.names:
        found = _of_events(name, happenings, columns)
        if found is not None:
            read[name] = found
    where = evaluate_condition(measure.where.tree, read, len(happenings.rows))
    return Planes(wanted & where.holds, wanted & where.possible)


def _of_events(name: str, happenings: Happenings, columns: Mapping[str, Column]) -> Column | None:
    if name.startswith("event."):
        return happenings.fields.get(name.removeprefix("event."))
    column = columns.get(name)
    return None if column is None else taken(column, happenings.rows)


def _plain(verdicts: Bytes, values: Floats) -> Observed:
    return Observed(verdicts, values, np.full(len(values), -1, dtype=np.int64))


def _kept(verdicts: Bytes, cleared: Bytes, firing: Bytes) -> Bytes:
    # Once firing it stays so until `clears` certainly holds; where that is unknown, so is the signal.
    kept = np.where(verdicts == 1, 1, -cleared)
    return np.where(firing == 1, kept, verdicts).astype(np.int8)


def _trend(measure: TrendMeasure, features: Features) -> Observed:
    before = features.value(Feature(measure.metric, Window.PREVIOUS, measure.over))
    now = features.value(Feature(measure.metric, Window.MEAN, measure.over))
    values = np.where(before < measure.min_base, np.nan, relative_change(before, now))
    bound = Limit("at_most" if measure.change < 0 else "at_least", measure.change)
    return _plain(against(bound, values), values)


def _silence(feature: Feature, features: Features) -> Floats:
    source = features.catalog.metrics[feature.metric].from_events
    if feature.window is Window.DAYS_SINCE or (source is not None and source.silence):
        return features.value(feature)
    return features.value(Feature(feature.metric, Window.DAYS_SINCE))


def _event(measure: EventMeasure, features: Features) -> Observed:
    facts, size = features.facts, features.size
    happenings = facts.events.get(measure.event)
    if happenings is None:
        return _plain(np.full(size, -1, dtype=np.int8), np.full(size, np.nan))
    planes = matching(measure, happenings, facts, features, features.day)
    holds = np.bincount(happenings.rows[planes.holds], minlength=size) > 0
    possible = np.bincount(happenings.rows[planes.possible], minlength=size) > 0
    ages, sources = np.full(size, np.nan), np.full(size, -1, dtype=np.int64)
    # Events are sorted by day within an account, so the last assignment is the latest event.
    ages[happenings.rows[planes.holds]] = (features.day - happenings.days[planes.holds]).astype(np.float64)
    sources[happenings.rows[planes.holds]] = happenings.ids[planes.holds]
    return Observed(Planes(holds, possible).verdicts, ages, sources)


def _condition(measure: ConditionMeasure, columns: Mapping[str, Column], size: int) -> Observed:
    tree = measure.condition.tree
    verdicts = evaluate_condition(tree, columns, size).verdicts
    values = np.full(size, np.nan)
    if isinstance(tree, Compare) and tree.left.type.is_numeric:
        left = compute(tree.left, columns, size)
        values = left.values if isinstance(left, Numbers) else values
    return _plain(verdicts, values)
