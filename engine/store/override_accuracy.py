"""Overridden scores whose time is up, with what was computed when they were said and what became of the account."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.evaluation.override_accuracy import Overridden, OverrideAccuracy, judge
from engine.store.decision_tables import ScoreOverrideRow, ScoreRow
from engine.store.tables import AccountRow

AFTER: Final = timedelta(days=90)
"""So long after it was said an override is judged: whether the account had churned by then."""
_EPOCH: Final = date(1970, 1, 1)
_CHURNED: Final = "churned"


def override_accuracy(session: Session, scorecard: str, at: datetime) -> OverrideAccuracy:
    """Whether people or the scorecard were right, over all its overridden scores of 90 days ago and before."""
    return judge(overridden(session, scorecard, at))


def overridden(session: Session, scorecard: str, at: datetime) -> list[Overridden]:
    """The overridden scores that can be judged at ``at``, in the order they were said.

    Overrides of a tier alone give no number and are left out, as are those of accounts that had left already.
    """
    query = (
        select(ScoreOverrideRow, AccountRow.stage, AccountRow.stage_since)
        .join(AccountRow, AccountRow.id == ScoreOverrideRow.account_id)
        .where(
            ScoreOverrideRow.scorecard == scorecard,
            ScoreOverrideRow.score.is_not(None),
            ScoreOverrideRow.created_at <= at - AFTER,
        )
        .order_by(ScoreOverrideRow.id)
    )
    found = []
    for row, stage, since in session.execute(query):
        said_on = (row.created_at.astimezone(UTC).date() - _EPOCH).days
        left_on = since if stage == _CHURNED else None
        computed = _computed(session, row, said_on)
        if row.score is None or computed is None or (stage == _CHURNED and (left_on is None or left_on <= said_on)):
            continue
        found.append(Overridden(computed, row.score, stayed=left_on is None or left_on > said_on + AFTER.days))
    return found


def _computed(session: Session, row: ScoreOverrideRow, day: int) -> int | None:
    """What the scorecard said when the person said otherwise."""
    mine = select(ScoreRow.computed).where(ScoreRow.account_id == row.account_id, ScoreRow.scorecard == row.scorecard)
    return session.scalar(mine.where(ScoreRow.day <= day).order_by(ScoreRow.day.desc()).limit(1))
