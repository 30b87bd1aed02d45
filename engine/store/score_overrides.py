"""People's overrides of a score or a tier: with reason, author and expiry; ended, never deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.store import changed
from engine.store.decision_tables import ScoreOverrideRow
from engine.store.tables import AccountRow
from engine.terms import MICRO, Tier

LONGEST: Final = timedelta(days=90)
"""An override says something of now; after this it has to be said again (semantics D.5)."""


@dataclass(frozen=True, slots=True)
class Override:
    """One override. ``micro`` in micro-points. ``ended_at``: a member took it back before it expired."""

    id: int
    account_id: int
    scorecard: str
    micro: int | None
    tier: Tier | None
    reason: str
    author: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


def override(
    session: Session,
    account_id: int,
    scorecard: str,
    *,
    score: float | None,
    tier: Tier | None,
    reason: str,
    member: str,
    expires_at: datetime,
    at: datetime,
) -> int:
    """Say that an account's score (0–100) or tier is another one until ``expires_at``. Returns the override's id.

    An override of the account in force for the scorecard ends. The computed score is kept. Raises NotFound; Refused
    without a reason or a value, for a score off the scale, or an expiry that is past or more than 90 days away.
    """
    if session.get(AccountRow, account_id) is None:
        raise NotFound(f"There is no account {account_id}.")
    if wrong := _wrong(score, tier, reason, expires_at, at):
        raise Refused(" ".join(wrong))
    for older in _in_force(session, account_id, at):
        if older.scorecard == scorecard:
            older.ended_at = at
    row = ScoreOverrideRow(
        account_id=account_id,
        scorecard=scorecard,
        score=None if score is None else round(score * MICRO),
        tier=None if tier is None else tier.value,
        reason=reason.strip(),
        author=member,
        created_at=at,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    changed.mark(session, [account_id])
    return row.id


def end(session: Session, override_id: int, member: str, at: datetime) -> None:
    """Take an override back. Raises NotFound; Refused when it is not in force any more."""
    row = session.get(ScoreOverrideRow, override_id)
    if row is None:
        raise NotFound(f"There is no override {override_id}.")
    if row.ended_at is not None or row.expires_at <= at:
        raise Refused("This override is not in force any more.")
    row.ended_at = at
    changed.mark(session, [row.account_id])
    row.reason = f"{row.reason} (ended by {member})"[:2000]


def in_force(session: Session, account_id: int, at: datetime) -> tuple[Override, ...]:
    """What is overridden for an account at ``at``."""
    return tuple(_override(row) for row in _in_force(session, account_id, at))


def _in_force(session: Session, account_id: int, at: datetime) -> Sequence[ScoreOverrideRow]:
    query = select(ScoreOverrideRow).where(
        ScoreOverrideRow.account_id == account_id,
        ScoreOverrideRow.created_at <= at,
        ScoreOverrideRow.expires_at > at,
        ScoreOverrideRow.ended_at.is_(None),
    )
    return session.scalars(query).all()


def wrong_about(reason: str, expires_at: datetime, at: datetime, beside: str = "value") -> list[str]:
    """What is wrong with the reason and the expiry of a person's word; empty where nothing is."""
    wrong = [] if reason.strip() else [f"Say why: the reason stands beside the {beside}."]
    if not at < expires_at <= at + LONGEST:
        wrong.append(f"An override ends on a day between tomorrow and {at + LONGEST:%Y-%m-%d}.")
    return wrong


def _wrong(score: float | None, tier: Tier | None, reason: str, expires_at: datetime, at: datetime) -> list[str]:
    wrong: list[str] = []
    if score is None and tier is None:
        wrong.append("Give a score or a tier.")
    if score is not None and not 0 <= score <= 100:
        wrong.append(f"A score is between 0 and 100, not {score:g}.")
    return [*wrong, *wrong_about(reason, expires_at, at, "score")]


def _override(row: ScoreOverrideRow) -> Override:
    return Override(
        id=row.id,
        account_id=row.account_id,
        scorecard=row.scorecard,
        micro=row.score,
        tier=None if row.tier is None else Tier(row.tier),
        reason=row.reason,
        author=row.author,
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )
