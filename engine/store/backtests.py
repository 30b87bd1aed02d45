"""Running a backtest against the store: the facts of each cutoff, and what happened to the accounts later."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition
from engine.effect.backtest import Backtest, Frame, backtest, entries, falls, features_of
from engine.effect.foretold import Happened
from engine.errors import Refused
from engine.evaluation.columns import Numbers, Texts
from engine.evaluation.facts import Facts
from engine.evaluation.narrowing import card_names, narrowed, rule_names, todays
from engine.evaluation.replaying import Replay, replay
from engine.store.account_columns import rows_of
from engine.store.before import end_of
from engine.store.facts import load_facts
from engine.store.tables import CorrectionRow, EventRow, PointRow

TIER: Final = "tier."
YEAR: Final = 365


@dataclass(frozen=True, slots=True)
class Asked:
    """What to test: ``rules`` and ``cards`` by name, cutoffs ``first`` to ``last`` (days) ``every`` so many days.

    ``outcome``: a stage, an event, or ``tier.<scorecard>`` (it falls); or ``condition``. ``as_today``: whether fields
    of which only today's value is known may stand for the past. ``as_known``: points and events as they were known at
    each cutoff, without what was recorded or corrected later.
    """

    rules: tuple[str, ...]
    cards: tuple[str, ...]
    first: int
    last: int
    outcome: str
    within: int = 90
    every: int = 7
    as_today: bool = False
    condition: Condition | None = None
    as_known: bool = False

    @property
    def days(self) -> range:
        """The cutoffs."""
        return range(self.first, self.last + 1, self.every)


def run(session: Session, bundle: Bundle, asked: Asked, progress: Callable[[int], None] | None = None) -> Backtest:
    """Replay the definitions over the history and hold against it what happened.

    ``progress`` is told each cutoff. Raises `Refused` where all that is asked for reads what only today is known of.
    """
    lived = live(session, bundle, asked, progress)
    small, rules, cards, untested = lived.bundle, lived.rules, lived.cards, lived.untested
    past, outcomes, undated, seen = lived.past, lived.outcomes, lived.undated, lived.facts
    shown = replace(small, rules={name: small.rules[name] for name in rules})
    shown = replace(shown, scorecards={name: small.scorecards[name] for name in cards})
    corrected = 0 if asked.as_known else _corrected(session, asked)
    frame = replace(_frame(asked, seen), corrected=corrected)
    return backtest(shown, past, outcomes, frame, undated=undated, untested=untested)


@dataclass(frozen=True, slots=True, eq=False)
class Lived:
    """A replay and what happened in it. ``rules`` and ``cards``: what could be tested; ``untested``: what could not,
    with what it reads; ``undated``: accounts whose outcome has no day; ``facts``: of the first cutoff."""

    bundle: Bundle
    rules: list[str]
    cards: list[str]
    untested: Mapping[str, tuple[str, ...]]
    past: Replay
    outcomes: Happened
    undated: int
    facts: Facts


def live(session: Session, bundle: Bundle, asked: Asked, progress: Callable[[int], None] | None = None) -> Lived:
    """Replay what is asked for, and see what happened. Raises `Refused` where nothing can be tested."""
    untested = _untested(bundle, asked)
    rules = [name for name in asked.rules if name not in untested]
    cards = [name for name in asked.cards if name not in untested]
    _refuse_nothing(rules, cards, untested)
    falling = (asked.outcome.removeprefix(TIER),) if asked.outcome.startswith(TIER) else ()
    small = narrowed(bundle, rules, (*cards, *falling))
    metrics = features_of(bundle, _names(bundle, rules, cards))
    seen: list[Facts] = []
    past = replay(small, _facts(session, small, asked, seen, progress), metrics, asked.condition)
    outcomes, undated = _outcomes(session, asked, past, seen[0])
    return Lived(small, rules, cards, untested, past, outcomes, undated, seen[0])


def replayed(session: Session, bundle: Bundle, days: range) -> Replay:
    """What all rules and scorecards would have said on these days; fields of accounts are today's."""
    small = narrowed(bundle, bundle.rules, bundle.scorecards)
    names = _names(bundle, list(bundle.rules), list(bundle.scorecards))
    return replay(small, (load_facts(session, small, day) for day in days), features_of(bundle, names))


def _untested(bundle: Bundle, asked: Asked) -> Mapping[str, tuple[str, ...]]:
    if asked.as_today:
        return {}
    named = {name: rule_names(bundle.rules[name]) for name in asked.rules}
    named |= {name: card_names(bundle.scorecards[name]) for name in asked.cards}
    return {name: found for name, names in named.items() if (found := todays(bundle, names))}


def _refuse_nothing(rules: list[str], cards: list[str], untested: Mapping[str, tuple[str, ...]]) -> None:
    if rules or cards:
        return
    reads = "; ".join(f"{name} reads {', '.join(found)}" for name, found in untested.items())
    raise Refused(
        f"Nothing is left to test, because only today's value of some fields is known: {reads or 'there is no rule'}. "
        "--todays-fields takes today's values for the past, which looks ahead."
    )


def _names(bundle: Bundle, rules: list[str], cards: list[str]) -> frozenset[str]:
    found = frozenset[str]()
    return found.union(
        *(rule_names(bundle.rules[name]) for name in rules), *(card_names(bundle.scorecards[name]) for name in cards)
    )


def _facts(
    session: Session, bundle: Bundle, asked: Asked, seen: list[Facts], progress: Callable[[int], None] | None
) -> Iterator[Facts]:
    """The facts of each cutoff; the first of them is kept in ``seen``, to say who the accounts are."""
    for day in asked.days:
        found = load_facts(session, bundle, day, known_at=end_of(day) if asked.as_known else None)
        if not seen:
            seen.append(found)
        if progress is not None:
            progress(day)
        yield found


def _outcomes(session: Session, asked: Asked, past: Replay, facts: Facts) -> tuple[Happened, int]:
    """What happened, and to how many accounts it did on a day that nobody wrote down."""
    if asked.condition is not None and past.condition is not None:
        return entries(np.where(past.here, past.condition, 0), past.days, asked.last), 0
    if asked.outcome.startswith(TIER):
        tiers = np.where(past.here, past.tiers[asked.outcome.removeprefix(TIER)], -1)
        return falls(tiers, past.days, asked.last), 0
    until = seen_until(session)
    stage, since = facts.fields.get("stage"), facts.fields.get("stage_since")
    if isinstance(stage, Texts) and asked.outcome in stage.words and isinstance(since, Numbers):
        there = stage.codes == stage.words.index(asked.outcome)
        rows = np.flatnonzero(there & ~np.isnan(since.values))
        return Happened(rows, since.values[rows].astype(np.int64), until), int((there & np.isnan(since.values)).sum())
    return _events(session, asked, facts, until), 0


def _events(session: Session, asked: Asked, facts: Facts, until: int) -> Happened:
    query = select(EventRow.account_id, EventRow.day).where(EventRow.name == asked.outcome).distinct()
    found = session.execute(query.order_by(EventRow.account_id, EventRow.day)).all()
    rows = rows_of(facts.accounts.ids, np.array([row[0] for row in found], dtype=np.int64))
    days = np.array([row[1] for row in found], dtype=np.int64)
    return Happened(rows[rows >= 0], days[rows >= 0], until)


def seen_until(session: Session) -> int:
    """The last day of which anything is known: what comes after it has not happened as far as anybody knows."""
    latest = [session.scalar(select(func.max(column))) for column in (PointRow.day, EventRow.day)]
    return max((day for day in latest if day is not None), default=-1)


def seen_from(session: Session) -> int:
    """The first day of which there are points (or else events); -1 where there is nothing."""
    first = (session.scalar(select(func.min(column))) for column in (PointRow.day, EventRow.day))
    return next((day for day in first if day is not None), -1)


def _corrected(session: Session, asked: Asked) -> int:
    """How many points of the time that is replayed got another value after their day: the replay sees the last one."""
    span = CorrectionRow.day.between(asked.first - YEAR, asked.last)
    days = session.execute(select(CorrectionRow.day, CorrectionRow.replaced_at).where(span)).all()
    return sum(replaced >= end_of(day) for day, replaced in days)


def _frame(asked: Asked, facts: Facts) -> Frame:
    keys, arr = facts.accounts.keys, facts.fields.get("arr")
    names = _words(facts, "name")
    return Frame(
        first=asked.first,
        last=asked.last,
        every=asked.every,
        within=asked.within,
        outcome=asked.outcome,
        keys=keys,
        names=tuple(name or key for name, key in zip(names, keys, strict=True)),
        arr=arr.values if isinstance(arr, Numbers) else np.full(len(keys), np.nan),
        owners=_words(facts, "owner"),
    )


def _words(facts: Facts, field: str) -> tuple[str, ...]:
    column = facts.fields.get(field)
    if not isinstance(column, Texts):
        return ("",) * len(facts.accounts)
    return tuple(column.words[code] if code >= 0 else "" for code in column.codes.tolist())
