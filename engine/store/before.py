"""What the last cycle before a day said: signal states, scores, tiers, and the overrides in force."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVarTuple

import numpy as np
from sqlalchemy import Select, SQLColumnExpression, func, null, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.definitions.bundle import Bundle
from engine.evaluation.columns import Bytes, Floats, Ints
from engine.evaluation.facts import Before, ScoreOverride, Subjects
from engine.evaluation.scoring import TIERS
from engine.store.account_columns import rows_of, texts
from engine.store.decision_tables import CycleRow, ScoreOverrideRow, ScoreRow, SignalStateRow
from engine.terms import Tier

FEW = 200
Ts = TypeVarTuple("Ts")
DAY_ZERO = datetime(1970, 1, 1, tzinfo=UTC)


_NO_LINES: SQLColumnExpression[Any] = null()
"""In place of a score's lines: they are long, and only the week-old ones are read."""


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
    newest = {name: _Day(session, name, subjects, at - 1) for name in bundle.scorecards}
    week_ago = {name: _Day(session, name, subjects, at - 7, ScoreRow.lines) for name in bundle.scorecards}
    return Before(
        firing=_firing(session, bundle, subjects) if last <= at else {},
        tiers={name: found.tiers for name, found in newest.items()},
        scores={name: found.scores for name, found in newest.items()},
        scores_week_ago={name: found.scores for name, found in week_ago.items()},
        causes={name: found.causes for name, found in newest.items()},
        contributions_week_ago={name: found.contributions() for name, found in week_ago.items()},
    )


def _firing(session: Session, bundle: Bundle, subjects: Subjects) -> dict[str, Bytes]:
    found = {
        f"{rule.name}.{signal}": np.zeros(len(subjects), dtype=np.int8)
        for rule in bundle.rules.values()
        for signal in rule.signals
    }
    query = select(SignalStateRow.account_id, SignalStateRow.rule, SignalStateRow.signal, SignalStateRow.known)
    states = session.execute(only(query, SignalStateRow.account_id, subjects)).all()
    rows = rows_of(subjects.ids, np.array([state[0] for state in states], dtype=np.int64)).tolist()
    for (_, rule, signal, known), row in zip(states, rows, strict=True):
        if row >= 0 and f"{rule}.{signal}" in found:
            found[f"{rule}.{signal}"][row] = known
    return found


class _Day:
    """The newest scores of one scorecard up to a day, by row of ``subjects``; nothing known where there are none."""

    def __init__(
        self,
        session: Session,
        scorecard: str,
        subjects: Subjects,
        day: int,
        lines: SQLColumnExpression[Any] = _NO_LINES,
    ) -> None:
        of_card = ScoreRow.scorecard == scorecard
        newest = select(func.max(ScoreRow.day)).where(of_card, ScoreRow.day <= day).scalar_subquery()
        query: Select[*tuple[Any, ...]] = select(
            ScoreRow.account_id, ScoreRow.effective, ScoreRow.computed_tier, ScoreRow.cause, lines.label("lines")
        ).where(of_card, ScoreRow.day == newest)
        self._size = len(subjects)
        found = session.execute(only(query, ScoreRow.account_id, subjects)).all()
        rows = _rows(subjects, [row.account_id for row in found]).tolist()
        self._found = [(row, place) for row, place in zip(found, rows, strict=True) if place >= 0]
        self.scores: Floats = np.full(self._size, np.nan)
        self.tiers: Bytes = np.full(self._size, -1, dtype=np.int8)
        causes: list[str | None] = [None] * self._size
        for row, place in self._found:
            self.scores[place] = np.nan if row.effective is None else row.effective
            self.tiers[place] = -1 if row.computed_tier is None else TIERS.index(Tier(row.computed_tier))
            causes[place] = row.cause
        self.causes = texts(causes)

    def contributions(self) -> dict[str, Floats]:
        """What each metric added: metric → micro-points float64[N], NaN where there was no score."""
        parts: dict[str, Floats] = {}
        for row, place in self._found:
            if row.effective is None:
                continue
            for name, _, _, _, part in row.lines or ():
                parts.setdefault(name, np.full(self._size, np.nan))[place] = part
        return parts


def only(query: Select[*Ts], account: InstrumentedAttribute[int], subjects: Subjects) -> Select[*Ts]:
    """The query for a few subjects alone; for many, reading everything is faster than naming them."""
    return query.where(account.in_(subjects.ids.tolist())) if len(subjects) <= FEW else query


def load_overrides(session: Session, subjects: Subjects, moment: datetime) -> tuple[ScoreOverride, ...]:
    """The overrides of scores and tiers in force at ``moment``; the newest of one account wins."""
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
