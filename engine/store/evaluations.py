"""Writing what an evaluation said: the signal states, the day's scores, the cycle itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.scorecard import Scorecard
from engine.errors import Refused
from engine.evaluation.columns import Bytes, Column, Flags, Ints, Texts
from engine.evaluation.deciding import Plan
from engine.evaluation.evaluation import Evaluation, Scored
from engine.evaluation.rolling_up import by_priority, leading
from engine.evaluation.scoring import TIERS
from engine.evaluation.wording import day_text
from engine.store import states
from engine.store.accounts import parts
from engine.store.before import score_table
from engine.store.bulk import upsert
from engine.store.decision_tables import CycleRow
from engine.store.decisions import waiting_for_word
from engine.store.name_lists import number_of
from engine.store.packing import pack_lines
from engine.store.subject_ranges import of_subjects

_LAST = select(CycleRow).order_by(CycleRow.id.desc()).limit(1)
_ADDED = ("starts", "refusals", "hold_outs", "woken")


def save_evaluation(session: Session, bundle: Bundle, evaluation: Evaluation) -> None:
    """Write the signal states and the day's scores of the evaluated accounts; the same day again replaces them."""
    states.save(session, evaluation)
    first = leading(bundle.scorecards, evaluation.scores, len(evaluation.facts.accounts))
    order = by_priority(bundle.scorecards)
    for name, scored in evaluation.every_score.items():
        leads = first == order.index(name) if name in order else None
        _save_scores(session, bundle.fingerprint, evaluation, bundle.scorecards[name], scored, leads)


def save_cycle(session: Session, bundle: Bundle, plan: Plan, day: int, counts: Mapping[str, int]) -> None:
    """Record that a cycle ran: which rules are known from now on, what was unknown, what a member is still asked."""
    applied = {name for name in bundle.rules if plan.unknown.get(name, 0) < counts["accounts"]}
    session.add(
        CycleRow(
            day=day,
            decided_at=plan.at,
            bundle=bundle.fingerprint,
            rules=sorted(known_rules(session) | applied),
            unknown=dict(plan.unknown),
            asks=_still_asked(session, bundle) | dict(plan.asks),
            counts=dict(counts),
        )
    )


def extend_cycle(session: Session, bundle: Bundle, plan: Plan, counts: Mapping[str, int]) -> None:
    """Add what was decided about a part of the accounts to the last cycle, which was of the same day and bundle.

    For how many accounts rules are unknown stays as it was counted over all of them.
    """
    row = session.scalars(_LAST).one()
    applied = {name for name in bundle.rules if plan.unknown.get(name, 0) < counts["accounts"]}
    row.rules = sorted(set(row.rules) | applied)
    row.asks = _still_asked(session, bundle) | dict(plan.asks)
    row.counts = row.counts | {name: row.counts.get(name, 0) + counts[name] for name in _ADDED}


def is_current(session: Session, fingerprint: str, day: int) -> bool:
    """Whether the last cycle over all accounts was of this day and this bundle, so that a part can be added to it."""
    row = session.scalar(_LAST)
    return row is not None and (row.day, row.bundle) == (day, fingerprint)


def last_decided(session: Session) -> datetime | None:
    """When the last cycle over all accounts decided; None before the first."""
    row = session.scalar(_LAST)
    return None if row is None else row.decided_at


def refuse_past(session: Session, day: int) -> None:
    """Raise Refused where a cycle has decided on a later day: what followed from that cannot be taken back."""
    last = session.scalar(select(func.max(CycleRow.day)))
    if last is not None and day < last:
        asked = day_text(day)
        raise Refused(
            f"A cycle has decided on {day_text(last)} already, so nothing is decided any more on {asked}. "
            f"`backcast plan --at {asked}` shows what would have been."
        )


def _still_asked(session: Session, bundle: Bundle) -> dict[str, Any]:
    """The questions of the last cycle that nobody has answered, where somebody still waits for the answer."""
    asked = session.scalar(select(CycleRow.asks).order_by(CycleRow.id.desc()).limit(1)) or {}
    waiting = {rule for rule, _ in waiting_for_word(session, bundle.rules.keys() & asked.keys())} if asked else set()
    return {rule: sentence for rule, sentence in asked.items() if rule in waiting}


def known_rules(session: Session, until: int | None = None) -> set[str]:
    """The rules of which some cycle (up to the day ``until``) knew for at least one account whether they hold.

    One that was never anything but unknown has not been applied yet: nobody was inside or outside.
    """
    newest = select(CycleRow.rules).order_by(CycleRow.id.desc()).limit(1)
    return set(session.scalar(newest if until is None else newest.where(CycleRow.day <= until)) or ())


def _save_scores(
    session: Session, fingerprint: str, evaluation: Evaluation, card: Scorecard, scored: Scored, leads: Flags | None
) -> None:
    ids = _subjects(evaluation, card)
    rows = np.flatnonzero(scored.applies)
    _forget(session, card, evaluation.facts.at, ids, ids[rows])
    lines = np.stack([scored.values, scored.normalised, scored.shares, scored.contributions], axis=2)
    size = len(rows)
    columns: dict[str, Sequence[Any]] = {
        "day": [evaluation.facts.at] * size,
        "scorecard": [card.name] * size,
        "subject_id" if leads is None else "account_id": ids[rows].tolist(),
        "computed": _micro(scored.computed[rows]),
        "effective": _micro(scored.effective[rows]),
        "coverage": scored.coverage[rows].tolist(),
        "raw_tier": _tiers(scored.raw_tier[rows]),
        "computed_tier": _tiers(scored.computed_tier[rows]),
        "tier": _tiers(scored.tier[rows]),
        "last_tier": _tiers(scored.last_tier[rows]),
        "pending": scored.pending[rows].tolist(),
        "names_id": [number_of(session, scored.metrics)] * size,
        "packed": pack_lines(lines[rows]),
        "bundle": [fingerprint] * size,
    }
    if leads is not None:
        columns["cause"] = _words(evaluation.columns[f"cause.{card.name}"], rows)
        columns["leads"] = leads[rows].tolist()
    upsert(session, score_table(card.of)[0], columns)


def _subjects(evaluation: Evaluation, card: Scorecard) -> Ints:
    facts = evaluation.facts
    return {"account": facts.accounts.ids, "contact": facts.contacts.ids, "product": facts.products.ids}[card.of]


def _forget(session: Session, card: Scorecard, day: int, subjects: Ints, scored: Ints) -> None:
    """Take away the day's scores of subjects that the scorecard applied to earlier on the day and does not any more."""
    row, subject = score_table(card.of)
    mine = (row.day == day, row.scorecard == card.name)
    there = session.scalars(of_subjects(select(subject).where(*mine), subject, subjects))
    gone = np.setdiff1d(np.intersect1d(np.array(there.all(), dtype=np.int64), subjects), scored)
    for some in parts(gone.tolist()):
        session.execute(delete(row).where(*mine, subject.in_(some)))


def _words(column: Column, rows: Ints) -> Sequence[str | None]:
    if not isinstance(column, Texts):
        return [None] * len(rows)
    return [column.words[code] if code >= 0 else None for code in column.codes[rows].tolist()]


def _micro(values: Ints) -> list[int | None]:
    return [None if value < 0 else value for value in values.tolist()]


def _tiers(codes: Bytes) -> list[str | None]:
    return [_TIER_WORDS[code] for code in codes.tolist()]


_TIER_WORDS = {-1: None} | {index: tier.value for index, tier in enumerate(TIERS)}
