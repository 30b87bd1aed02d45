"""Whether scores look right to the people who know the account; counted per version of the model, listed for review."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal as Choice, TypeAlias

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.errors import NotFound, Refused
from engine.store.decision_tables import ScoreRow
from engine.store.person_tables import FeedbackRow
from engine.store.tables import AccountRow, BundleRow
from engine.terms import MICRO

Looks: TypeAlias = Choice["right", "wrong"]

MOST: Final = 200
"""So many are listed for review, the newest first."""


@dataclass(frozen=True, slots=True)
class Said:
    """One member's word. ``account``: its key, empty where it is about the scorecard as such; ``score``: what was shown
    to them, 0–100, None without one. ``bundle``: the version of the model it is about."""

    account: str
    scorecard: str
    bundle: str
    looks: Looks
    score: float | None
    reason: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """How the scores of one version of the model looked to people. ``since``: when it was put in force."""

    bundle: str
    since: datetime | None
    right: int
    wrong: int


def say(
    session: Session,
    bundle: Bundle,
    scorecard: str,
    *,
    looks: Looks,
    reason: str,
    member: str,
    at: datetime,
    account_id: int | None = None,
) -> None:
    """Keep what a member says of an account's score, or without an account of the scorecard as such.

    It is about the version that made the score that is shown. Raises NotFound; Refused where a score looks wrong
    without a reason, and where there is none to speak of.
    """
    if scorecard not in bundle.scorecards:
        raise NotFound(f'There is no scorecard "{scorecard}"; there are: {", ".join(sorted(bundle.scorecards))}.')
    if looks == "wrong" and not reason.strip():
        raise Refused("Say what is wrong: whoever changes the scorecard reads it.")
    shown = None if account_id is None else _shown(session, account_id, scorecard)
    row = FeedbackRow(
        account_id=account_id,
        scorecard=scorecard,
        bundle=bundle.fingerprint if shown is None else shown.bundle,
        looks=looks,
        score=None if shown is None else shown.effective,
        reason=reason.strip(),
        author=member,
        at=at,
    )
    session.add(row)
    session.flush()


def versions(session: Session, scorecard: str) -> Sequence[Version]:
    """How often scores of each version looked right and wrong, the version put in force last first."""
    counted = [func.sum(case((FeedbackRow.looks == looks, 1), else_=0)) for looks in ("right", "wrong")]
    query = (
        select(FeedbackRow.bundle, BundleRow.applied_at, *counted)
        .outerjoin(BundleRow, BundleRow.fingerprint == FeedbackRow.bundle)
        .where(FeedbackRow.scorecard == scorecard)
        .group_by(FeedbackRow.bundle, BundleRow.applied_at)
        .order_by(func.max(FeedbackRow.at).desc(), FeedbackRow.bundle)
    )
    return [Version(bundle, since, int(right), int(wrong)) for bundle, since, right, wrong in session.execute(query)]


def listed(session: Session, scorecard: str, owner: str | None = None) -> Sequence[Said]:
    """What was said, newest first. ``owner``: only of their accounts, and of the scorecard as such."""
    query = (
        select(FeedbackRow, AccountRow.key)
        .outerjoin(AccountRow, AccountRow.id == FeedbackRow.account_id)
        .where(FeedbackRow.scorecard == scorecard)
        .order_by(FeedbackRow.id.desc())
        .limit(MOST)
    )
    if owner is not None:
        query = query.where((AccountRow.owner == owner) | FeedbackRow.account_id.is_(None))
    return [
        Said(
            key or "",
            row.scorecard,
            row.bundle,
            "wrong" if row.looks == "wrong" else "right",
            None if row.score is None else row.score / MICRO,
            row.reason,
            row.author,
            row.at,
        )
        for row, key in session.execute(query)
    ]


def _shown(session: Session, account_id: int, scorecard: str) -> ScoreRow:
    query = select(ScoreRow).where(ScoreRow.account_id == account_id, ScoreRow.scorecard == scorecard)
    row = session.scalar(query.order_by(ScoreRow.day.desc()).limit(1))
    if row is None:
        raise Refused(f'The scorecard "{scorecard}" has not scored this account yet: there is nothing to speak of.')
    return row
