"""Snoozes: a member leaves a rule alone for an account until a day. It ends early when the rule gets worse.

While it lasts the rule starts nothing for the account; when it is over, and the rule still fires, it is decided anew.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.errors import NotFound, Refused
from engine.evaluation.past import Snoozed
from engine.store import changed, states
from engine.store.decision_tables import EpisodeRow
from engine.store.member_tables import SnoozeRow
from engine.store.naming import one_of
from engine.store.tables import AccountRow
from engine.terms import Verdict

LONGEST: Final = timedelta(days=30)
ENGINE: Final = "engine"
"""Who ends a snooze that a worsening signal woke."""
REASONS: Final = ("known already", "waiting for the customer", "wrong moment", "being handled otherwise", "other")
"""The managed list of reasons; ``other`` wants a text of one's own."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """One snooze. ``severity`` as in `Snoozed`; ``ended_by`` a member, or ``engine`` where it got worse."""

    id: int
    account_id: int
    rule: str
    reason: str
    severity: int
    author: str
    at: datetime
    until: datetime
    ended_at: datetime | None
    ended_by: str


def snooze(
    session: Session,
    bundle: Bundle,
    account_id: int,
    rule: str,
    *,
    reason: str,
    text: str,
    member: str,
    until: datetime,
    at: datetime,
) -> int:
    """Leave a rule alone for an account until a moment. ``reason`` is a word of `REASONS`. Returns the snooze's id.

    Raises NotFound for an unknown account or rule; Refused with everything that is wrong with reason and day, or while
    the rule is snoozed already.
    """
    if session.get(AccountRow, account_id) is None:
        raise NotFound(f"There is no account {account_id}.")
    if rule not in bundle.rules:
        raise NotFound(f'There is no rule "{rule}" in force.')
    if wrong := _wrong(reason, text, until, at):
        raise Refused(" ".join(wrong))
    if other := session.scalar(_in_force(at, SnoozeRow.account_id == account_id, SnoozeRow.rule == rule).limit(1)):
        raise Refused(f"{other.author} snoozed this until {other.until:%Y-%m-%d} already: {other.reason}.")
    said = "; ".join(part for part in (reason if reason != "other" else "", text.strip()) if part)
    row = SnoozeRow(
        account_id=account_id,
        rule=rule,
        reason=said[:2_000],
        severity=_severity(session, account_id, rule),
        author=member,
        at=at,
        until=until,
    )
    session.add(row)
    session.flush()
    return row.id


def end(session: Session, snooze_id: int, member: str, at: datetime) -> None:
    """Wake a rule by hand. Raises NotFound; Refused when it is awake already."""
    row = session.get(SnoozeRow, snooze_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("There is no such snooze.")
    if row.ended_at is not None or row.until <= at:
        by = f"{row.ended_by} ended it" if row.ended_at else "it was over"
        raise Refused(f"This is not snoozed any more: {by} at {row.ended_at or row.until:%Y-%m-%d %H:%M} UTC.")
    row.ended_at, row.ended_by = at, member
    changed.mark(session, [row.account_id])


def in_force(session: Session, account_id: int, at: datetime) -> tuple[Snooze, ...]:
    """What is snoozed for an account at ``at``, the first to be over first."""
    rows = session.scalars(_in_force(at, SnoozeRow.account_id == account_id))
    return tuple(sorted((_snooze(row) for row in rows), key=lambda one: one.until))


def load(session: Session, at: datetime, accounts: Collection[int] | None) -> dict[tuple[str, int], Snoozed]:
    """(rule, account) → the snooze in force at ``at``, of all accounts or of those named."""
    wanted = [] if accounts is None else [one_of(SnoozeRow.account_id, accounts)]
    return {
        (row.rule, row.account_id): Snoozed(row.id, row.until, row.severity, row.author, row.reason)
        for row in session.scalars(_in_force(at, *wanted))
    }


def note_severity(session: Session, found: Collection[tuple[int, str, int]]) -> None:
    """(account, rule, severity): rules that began to fire while they are snoozed. What is more than this wakes them."""
    for account, rule, severity in found:
        unknown = (SnoozeRow.account_id == account, SnoozeRow.rule == rule, SnoozeRow.severity == 0)
        session.execute(update(SnoozeRow).where(*unknown, SnoozeRow.ended_at.is_(None)).values(severity=severity))


def wake(session: Session, ids: Collection[int], at: datetime) -> None:
    """End the snoozes that got worse."""
    for number in ids:
        still = (SnoozeRow.id == number, SnoozeRow.ended_at.is_(None))
        session.execute(update(SnoozeRow).where(*still).values(ended_at=at, ended_by=ENGINE))


def _wrong(reason: str, text: str, until: datetime, at: datetime) -> list[str]:
    wrong: list[str] = []
    if reason not in REASONS:
        wrong.append(f'"{reason}" is no reason to snooze: choose one of {", ".join(REASONS)}.')
    elif reason == "other" and not text.strip():
        wrong.append("Say why in a few words: the reason stands in the timeline.")
    if not at < until <= at + LONGEST:
        wrong.append(f"A snooze ends on a day between tomorrow and {at + LONGEST:%Y-%m-%d}.")
    return wrong


def _severity(session: Session, account_id: int, rule: str) -> int:
    """How many signals of the rule fire; 0 where it has no open episode, so that nothing is to be compared with."""
    opened = (EpisodeRow.account_id == account_id, EpisodeRow.rule == rule, EpisodeRow.closed_on.is_(None))
    if session.scalar(select(EpisodeRow.id).where(*opened)) is None:
        return 0
    firing = [one for one in states.of_accounts(session, [account_id]) if one.rule == rule]
    return sum(one.verdict == Verdict.HOLDS for one in firing)


def _in_force(at: datetime, *wanted: ColumnElement[bool]) -> Select[SnoozeRow]:
    ended_later = or_(SnoozeRow.ended_at.is_(None), SnoozeRow.ended_at > at)
    return select(SnoozeRow).where(SnoozeRow.at <= at, SnoozeRow.until > at, ended_later, *wanted)


def _snooze(row: SnoozeRow) -> Snooze:
    return Snooze(
        id=row.id,
        account_id=row.account_id,
        rule=row.rule,
        reason=row.reason,
        severity=row.severity,
        author=row.author,
        at=row.at,
        until=row.until,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
