"""Exclusions: a rule starts nothing for an account, for good or until a day. Ended, never deleted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.errors import NotFound, Refused
from engine.store import changed
from engine.store.member_tables import ExclusionRow
from engine.store.naming import one_of
from engine.store.tables import AccountRow


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One exclusion. ``expires_at`` None: for good, until a member ends it."""

    id: int
    account_id: int
    rule: str
    reason: str
    author: str
    at: datetime
    expires_at: datetime | None

    @property
    def sentence(self) -> str:
        """Who excluded the account until when and why, without a full stop."""
        until = f" until {self.expires_at:%Y-%m-%d}" if self.expires_at else ""
        return f"{self.author} excluded the account from this rule{until}: {self.reason}"


def exclude(
    session: Session,
    bundle: Bundle,
    account_id: int,
    rule: str,
    *,
    reason: str,
    member: str,
    expires_at: datetime | None,
    at: datetime,
) -> int:
    """Let a rule start nothing for an account, until ``expires_at`` or for good. Returns the exclusion's id.

    Raises NotFound for an unknown account or rule; Refused without a reason, for a day that is past, or while the
    account is excluded already.
    """
    if session.get(AccountRow, account_id) is None:
        raise NotFound(f"There is no account {account_id}.")
    if rule not in bundle.rules:
        raise NotFound(f'There is no rule "{rule}" in force.')
    wrong = [] if reason.strip() else ["Say why you exclude it: the reason stands in the timeline."]
    if expires_at is not None and expires_at <= at:
        wrong.append("An exclusion ends on a day after today, or not at all.")
    if wrong:
        raise Refused(" ".join(wrong))
    same = (ExclusionRow.account_id == account_id, ExclusionRow.rule == rule)
    if other := session.scalar(_in_force(at, *same).limit(1)):
        raise Refused(f"Nothing was changed: {_exclusion(other).sentence}.")
    row = ExclusionRow(
        account_id=account_id,
        rule=rule,
        reason=reason.strip()[:2_000],
        author=member,
        at=at,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return row.id


def end(session: Session, exclusion_id: int, member: str, at: datetime) -> None:
    """Let the rule start again. Raises NotFound; Refused when the exclusion is over already."""
    row = session.get(ExclusionRow, exclusion_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("There is no such exclusion.")
    if row.ended_at is not None:
        raise Refused(f"{row.ended_by} ended this exclusion at {row.ended_at:%Y-%m-%d %H:%M} UTC.")
    if row.expires_at is not None and row.expires_at <= at:
        raise Refused(f"This exclusion was over at {row.expires_at:%Y-%m-%d %H:%M} UTC.")
    row.ended_at, row.ended_by = at, member
    changed.mark(session, [row.account_id])


def in_force(session: Session, account_id: int, at: datetime) -> tuple[Exclusion, ...]:
    """Which rules start nothing for an account at ``at``, by name."""
    rows = session.scalars(_in_force(at, ExclusionRow.account_id == account_id).order_by(ExclusionRow.rule))
    return tuple(_exclusion(row) for row in rows)


def load(session: Session, at: datetime, accounts: Collection[int] | None) -> dict[tuple[str, int], str]:
    """(rule, account) → why it is excluded at ``at``, as the end of a sentence; of all accounts or of those named."""
    wanted = [] if accounts is None else [one_of(ExclusionRow.account_id, accounts)]
    rows = session.scalars(_in_force(at, *wanted))
    return {(row.rule, row.account_id): _exclusion(row).sentence for row in rows}


def _in_force(at: datetime, *wanted: ColumnElement[bool]) -> Select[ExclusionRow]:
    ended_later = or_(ExclusionRow.ended_at.is_(None), ExclusionRow.ended_at > at)
    not_over = or_(ExclusionRow.expires_at.is_(None), ExclusionRow.expires_at > at)
    return select(ExclusionRow).where(ExclusionRow.at <= at, ended_later, not_over, *wanted)


def _exclusion(row: ExclusionRow) -> Exclusion:
    return Exclusion(row.id, row.account_id, row.rule, row.reason, row.author, row.at, row.expires_at)
