"""Observing signals: what each measure says of every account today, held for days, and cleared with hysteresis.

A verdict is three-valued; what cannot be measured is unknown. Limits are strict or not as their words say
(``below`` is strict, ``at_most`` is not). What a measure said on earlier days is worked out anew from the points;
where it rests on scores, tiers, causes, other signals or ranks, it is remembered instead: the last known days count.
"""

from collections.abc import Mapping

import numpy as np

from engine.definitions.calendar import WEEKDAYS_ONLY, Calendars
from engine.definitions.condition import Compare, Condition
from engine.definitions.measure import (
    ClockMeasure,
    ConditionMeasure,
    ContactsMeasure,
    EventMeasure,
    Limit,
    Measure,
    ScheduleMeasure,
    SlipMeasure,
    is_remembered as is_remembered,
)
from engine.definitions.rule import Rule, Signal
from engine.evaluation import history
from engine.evaluation.columns import Bytes, Column, Numbers, Planes
from engine.evaluation.counting import with_roles
from engine.evaluation.facts import Facts, Happenings
from engine.evaluation.features import Features, OwnNames, taken
from engine.evaluation.metric_measures import of_metric
from engine.evaluation.observed import Observed as Observed, against as against, plain
from engine.evaluation.program import compute, evaluate_condition
from engine.evaluation.quantifiers import of_contacts, slip
from engine.evaluation.schedules import on_clock, on_schedule


def observe(rule: Rule, signal: Signal, features: Features, calendars: Calendars = WEEKDAYS_ONLY) -> Observed:
    """Observe one signal of ``rule`` on the day of ``features``, continuing from what its facts say of before."""
    name, before = f"{rule.name}.{signal.name}", features.facts.before
    today = measured(signal.measure, features, rule.name, calendars)
    verdicts, own = _lasting(rule.name, signal, features, calendars, today.verdicts), None
    if signal.lasting > 1 and is_remembered(signal.measure):
        own = today.verdicts
        verdicts = history.held(before.history.get(name), own, signal.lasting)
    firing = before.firing.get(name)
    if signal.clears is not None and firing is not None:
        verdicts = _kept(verdicts, _cleared(signal.clears, today, rule.name, features), firing)
    steady = verdicts if own is None else own
    limits = rule.guard.flapping
    flapping = None
    if limits is not None and name in before.history:
        flapping = history.is_flapping(history.lengthened(before.history[name], steady), limits)
        verdicts = np.where(flapping, 0, verdicts).astype(np.int8)
    sources = np.where(verdicts == 1, today.sources, -1)
    return Observed(verdicts, today.values, sources, today.parts, today.people, steady, flapping)


def measured(measure: Measure, features: Features, rule: str = "", calendars: Calendars = WEEKDAYS_ONLY) -> Observed:
    """What one measure of ``rule`` says on the day of ``features``, without memory."""
    match measure:
        case EventMeasure():
            return _event(measure, features)
        case ConditionMeasure():
            return _condition(measure, OwnNames(rule, features), features.size)
        case ContactsMeasure():
            return of_contacts(measure, features)
        case SlipMeasure():
            return slip(measure, features)
        case ScheduleMeasure():
            return on_schedule(measure, features, calendars)
        case ClockMeasure():
            return on_clock(measure, features, calendars)
    return of_metric(measure, features)


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


def _lasting(rule: str, signal: Signal, features: Features, calendars: Calendars, verdicts: Bytes) -> Bytes:
    if is_remembered(signal.measure):
        return verdicts
    for age in range(1, signal.lasting):
        earlier = measured(signal.measure, features.as_of(features.day - age), rule, calendars).verdicts
        verdicts = np.minimum(verdicts, earlier)
    return verdicts


def _cleared(clears: Limit | Condition, today: Observed, rule: str, features: Features) -> Bytes:
    if isinstance(clears, Limit):
        return against(clears, today.values)
    return evaluate_condition(clears.tree, OwnNames(rule, features), features.size).verdicts


def _kept(verdicts: Bytes, cleared: Bytes, firing: Bytes) -> Bytes:
    # Once firing it stays so until `clears` certainly holds; where that is unknown, so is the signal.
    kept = np.where(verdicts == 1, 1, -cleared)
    return np.where(firing == 1, kept, verdicts).astype(np.int8)


def _event(measure: EventMeasure, features: Features) -> Observed:
    facts, size = features.facts, features.size
    happenings = facts.events.get(measure.event)
    if happenings is None:
        return plain(np.full(size, -1, dtype=np.int8), np.full(size, np.nan))
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
    return plain(verdicts, values)
