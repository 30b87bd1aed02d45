"""Replaying evaluations at earlier moments, each with nothing but what was so then.

Points and events are dated, so a cutoff leaves out what came later. Fields of an account are not: of most of them only
today's value is known. `as_then` keeps what has a date of its own (the stage since `stage_since`, when the account
began, when a goal was agreed) and forgets it where that date is later; `todays` names the rest a definition reads.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition
from engine.evaluation.columns import Bytes, Column, Flags, Floats, Ints, Numbers, Texts
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.facts import Agreed, Facts
from engine.evaluation.program import evaluate_condition
from engine.evaluation.remembering import remember
from engine.terms import MICRO

CHURNED: Final = "churned"
DATED: Final = frozenset({"key", "name", "stage", "stage_since", "days_in_stage", "onboarded_on"})
"""Fields of an account whose past is known, or that have none."""
WEEK: Final = 7


Kind = TypeVar("Kind", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """What definitions would have said of N accounts on T days, ascending.

    ``here`` bool[T, N]: the account was a customer then. ``rules`` and ``signals`` (by ``<rule>.<signal>``): verdicts
    int8[T, N]. ``scores`` float64[T, N] points, NaN none; ``tiers`` int8[T, N], -1 none. ``metrics`` float64[T, N]:
    the values asked for. ``condition`` int8[T, N]: what the condition that was asked for said, if one was.
    """

    days: Ints
    keys: tuple[str, ...]
    here: Flags
    rules: Mapping[str, NDArray[np.int8]]
    signals: Mapping[str, NDArray[np.int8]]
    scores: Mapping[str, NDArray[np.float64]]
    tiers: Mapping[str, NDArray[np.int8]]
    metrics: Mapping[str, NDArray[np.float64]]
    condition: NDArray[np.int8] | None = None


def replay(
    bundle: Bundle, facts: Iterable[Facts], metrics: Iterable[str] = (), condition: Condition | None = None
) -> Replay:
    """Evaluate ``bundle`` over facts of ascending days, the same accounts each time; each remembers the one before.

    ``metrics`` are the numeric names to keep. Raises ValueError where there is no day at all.
    """
    wanted = tuple(metrics)
    keys: tuple[str, ...] = ()
    seen: list[_Seen] = []
    for found, here in _evaluations(bundle, facts):
        keys = found.facts.accounts.keys
        seen.append(_seen(found, here, wanted, condition))
    if not seen:
        raise ValueError("there is no day to replay")
    return Replay(
        days=np.array([one.day for one in seen], dtype=np.int64),
        keys=keys,
        here=np.stack([one.here for one in seen]),
        rules=_stacked([one.rules for one in seen]),
        signals=_stacked([one.signals for one in seen]),
        scores=_stacked([one.scores for one in seen]),
        tiers=_stacked([one.tiers for one in seen]),
        metrics=_stacked([one.metrics for one in seen]),
        condition=None if condition is None else np.stack([one.condition for one in seen]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One day's columns; the evaluation itself, with all its features, is let go of."""

    day: int
    here: Flags
    rules: Mapping[str, Bytes]
    signals: Mapping[str, Bytes]
    scores: Mapping[str, Floats]
    tiers: Mapping[str, Bytes]
    metrics: Mapping[str, Floats]
    condition: Bytes


def _seen(found: Evaluation, here: Flags, metrics: tuple[str, ...], condition: Condition | None) -> _Seen:
    size = len(found.facts.accounts)
    said = evaluate_condition(condition.tree, found.columns, size).verdicts if condition else np.zeros(0, np.int8)
    return _Seen(
        day=found.facts.at,
        here=here,
        rules=dict(found.rules),
        signals={name: observed.verdicts for name, observed in found.signals.items()},
        scores={name: np.where(one.computed >= 0, one.computed / MICRO, np.nan) for name, one in found.scores.items()},
        tiers={name: one.computed_tier for name, one in found.scores.items()},
        metrics={name: _numbers(found.columns.get(name), size) for name in metrics},
        condition=said,
    )


def _numbers(column: Column | None, size: int) -> Floats:
    return column.values if isinstance(column, Numbers) else np.full(size, np.nan)


def _stacked(parts: list[Mapping[str, NDArray[Kind]]]) -> dict[str, NDArray[Kind]]:
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def _evaluations(bundle: Bundle, facts: Iterable[Facts]) -> Iterator[tuple[Evaluation, Flags]]:
    kept: dict[int, Evaluation] = {}
    last: Evaluation | None = None
    for now in facts:
        then = as_then(now)
        if last is not None:
            then = replace(then, before=remember(last, kept.get(then.at - WEEK)))
        last = evaluate(bundle, then)
        kept = {day: one for day, one in kept.items() if day > then.at - WEEK} | {then.at: last}
        yield last, customers(now)


def as_then(facts: Facts) -> Facts:
    """The facts without what had not begun by their day, and without what people have changed by hand."""
    return replace(
        facts,
        fields=_fields_then(facts),
        goals={name: _agreed_then(goal, facts.at) for name, goal in facts.goals.items()},
        contacts=replace(facts.contacts, departed=facts.contacts.departed | ~_joined(facts)),
        before=type(facts.before)(),
        overrides=(),
        metric_overrides=(),
    )


def _fields_then(facts: Facts) -> Mapping[str, Column]:
    fields = dict(facts.fields)
    since = fields.get("stage_since")
    begun = since.values <= facts.at if isinstance(since, Numbers) else np.zeros(len(facts.accounts), dtype=np.bool_)
    for name in ("stage", "stage_since"):
        if name in fields:
            fields[name] = _where(begun, fields[name])
    if isinstance(started := fields.get("onboarded_on"), Numbers):
        fields["onboarded_on"] = _where(started.values <= facts.at, started)
    return fields


def _where(kept: Flags, column: Column) -> Column:
    if isinstance(column, Texts):
        return Texts(np.where(kept, column.codes, -1), column.words)
    return Numbers(np.where(kept, column.values, np.nan))


def _agreed_then(goal: Agreed, at: int) -> Agreed:
    known = goal.start_day <= at
    return Agreed(
        *(np.where(known, part, np.nan) for part in (goal.target, goal.start_value, goal.start_day, goal.end_day))
    )


def _joined(facts: Facts) -> Flags:
    """Contacts that were there on the day: who joined later was not; of whom no day is known, it is supposed."""
    joined = facts.contacts.fields.get("joined_on")
    if not isinstance(joined, Numbers):
        return np.ones(len(facts.contacts.ids), dtype=np.bool_)
    return ~(joined.values > facts.at)


def customers(facts: Facts) -> Flags:
    """Who was a customer on the day of the facts: begun, where that is known, and not churned by then.

    Who churned on a day that nobody wrote down is left out of everything.
    """
    here = np.ones(len(facts.accounts), dtype=np.bool_)
    started, since, stage = (facts.fields.get(name) for name in ("onboarded_on", "stage_since", "stage"))
    if isinstance(started, Numbers):
        here &= ~(started.values > facts.at)
    if isinstance(stage, Texts) and CHURNED in stage.words:
        churned = stage.codes == stage.words.index(CHURNED)
        later = since.values > facts.at if isinstance(since, Numbers) else np.zeros_like(here)
        here &= ~churned | later
    return here
