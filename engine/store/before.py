"""What the last cycle before a day said: signal states, scores, tiers, and the overrides in force."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.evaluation.columns import Bytes, Floats, Ints
from engine.evaluation.facts import Before, ScoreOverride, Subjects
from engine.evaluation.scoring import TIERS
from engine.store.account_columns import rows_of
from engine.store.decision_tables import CycleRow, ScoreOverrideRow, ScoreRow, SignalStateRow

DAY_ZERO = datetime(1970, 1, 1, tzinfo=UTC)


def end_of(day: int) -> datetime:
    """The moment a day (since 1970-01-01) ends, in UTC."""
    return DAY_ZERO + timedelta(days=day + 1)


def load_before(session: Session, bundle: Bundle, subjects: Subjects, at: int) -> Before:
    """The states an evaluation on day ``at`` continues from.

    Signal states are only kept for the present: an evaluation of a day before the last cycle starts without them.
    """
    last = session.scalar(select(func.max(CycleRow.day)))
    if last is None:
        return Before()
    scores, tiers, week_ago = {}, {}, {}
    for name in bundle.scorecards:
        scores[name], tiers[name] = _scores(session, name, subjects, at - 1)
        week_ago[name], _ = _scores(session, name, subjects, at - 7)
    return Before(
        firing=_firing(session, bundle, subjects) if last <= at else {},
        tiers=tiers,
        scores=scores,
        scores_week_ago=week_ago,
    )


def _firing(session: Session, bundle: Bundle, subjects: Subjects) -> dict[str, Bytes]:
    found = {
        f"{rule.name}.{signal}": np.zeros(len(subjects), dtype=np.int8)
        for rule in bundle.rules.values()
        for signal in rule.signals
    }
    states = session.execute(
        select(SignalStateRow.account_id, SignalStateRow.rule, SignalStateRow.signal, SignalStateRow.verdict)
    ).all()
    rows = rows_of(subjects.ids, np.array([state[0] for state in states], dtype=np.int64)).tolist()
    for (_, rule, signal, verdict), row in zip(states, rows, strict=True):
        if row >= 0 and f"{rule}.{signal}" in found:
            found[f"{rule}.{signal}"][row] = verdict
    return found


def _scores(session: Session, scorecard: str, subjects: Subjects, day: int) -> tuple[Floats, Bytes]:
    micro = np.full(len(subjects), np.nan)
    tiers = np.full(len(subjects), -1, dtype=np.int8)
    newest = session.scalar(select(func.max(ScoreRow.day)).where(ScoreRow.scorecard == scorecard, ScoreRow.day <= day))
    if newest is None:
        return micro, tiers
    found = session.execute(
        select(ScoreRow.account_id, ScoreRow.effective, ScoreRow.computed_tier).where(
            ScoreRow.scorecard == scorecard, ScoreRow.day == newest
        )
    ).all()
    rows = _rows(subjects, [account for account, _, _ in found])
    for (_, effective, tier), row in zip(found, rows.tolist(), strict=True):
        if row >= 0:
            micro[row] = np.nan if effective is None else effective
            tiers[row] = -1 if tier is None else TIERS.index(tier)
    return micro, tiers


def load_overrides(session: Session, subjects: Subjects, at: int) -> tuple[ScoreOverride, ...]:
    """The overrides of scores and tiers in force at the end of day ``at``; the newest of one account wins."""
    moment = end_of(at)
    found = session.scalars(
        select(ScoreOverrideRow)
        .where(
            ScoreOverrideRow.created_at <= moment,
            ScoreOverrideRow.expires_at > moment,
            (ScoreOverrideRow.ended_at.is_(None)) | (ScoreOverrideRow.ended_at > moment),
        )
        .order_by(ScoreOverrideRow.id)
    ).all()
    rows = _rows(subjects, [row.account_id for row in found]).tolist()
    return tuple(
        ScoreOverride(
            account_row=place,
            scorecard=row.scorecard,
            reason=row.reason,
            author=row.author,
            expires=row.expires_at.date().isoformat(),
            micro=row.score,
            tier=row.tier,
        )
        for row, place in zip(found, rows, strict=True)
        if place >= 0
    )


def _rows(subjects: Subjects, ids: Sequence[int]) -> Ints:
    return rows_of(subjects.ids, np.array(ids, dtype=np.int64))
