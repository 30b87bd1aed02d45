"""What the last cycle before a day said: signal states, scores, tiers, and the overrides in force."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVarTuple

import numpy as np
from sqlalchemy import Select, SQLColumnExpression, func, null, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.definitions.bundle import Bundle
from engine.evaluation.columns import Bytes, Floats, Ints
from engine.evaluation.facts import Before, ScoreOverride, Subjects
from engine.evaluation.scoring import TIERS
from engine.store import states
from engine.store.account_columns import rows_of, texts
from engine.store.decision_tables import ScoreOverrideRow, ScoreRow, SubjectScoreRow
from engine.store.name_lists import names_of
from engine.store.packing import lines_table
from engine.store.plain_rows import plain_rows
from engine.store.subject_ranges import of_subjects

Ts = TypeVarTuple("Ts")
DAY_ZERO = datetime(1970, 1, 1, tzinfo=UTC)


_NOBODY: Ints = np.zeros(0, dtype=np.int64)
_NO_LINES: SQLColumnExpression[Any] = null()
"""In place of a score's lines: they are long, and only the week-old ones are read."""
_TIERS: dict[str | None, int] = {None: -1} | {tier.value: index for index, tier in enumerate(TIERS)}


def end_of(day: int) -> datetime:
    """The moment a day (since 1970-01-01) ends, in UTC."""
    return DAY_ZERO + timedelta(days=day + 1)


def load_before(
    session: Session, bundle: Bundle, subjects: Subjects, at: int, contacts: Ints = _NOBODY, products: Ints = _NOBODY
) -> Before:
    """The states an evaluation on day ``at`` continues from: those of the day that was evaluated before it.

    Signal states are only kept for the present: an evaluation of a day before the last cycle starts without them.
    ``contacts`` and ``products``: the ids of those of the accounts, for scorecards of theirs.
    """
    whose = {"account": subjects.ids, "contact": contacts, "product": products}
    cards = {name: whose[card.of] for name, card in bundle.scorecards.items()}
    newest = {name: _Day(session, name, ids, at - 1, of=bundle.scorecards[name].of) for name, ids in cards.items()}
    mine = [name for name, card in bundle.scorecards.items() if card.of == "account"]
    week_ago = {name: _Day(session, name, subjects.ids, at - 7, with_lines=True) for name in mine}
    signals = [f"{rule.name}.{signal}" for rule in bundle.rules.values() for signal in rule.signals]
    return replace(
        states.load(session, signals, subjects, at),
        tiers={name: found.tiers for name, found in newest.items()},
        pending={name: found.pending for name, found in newest.items()},
        scores={name: newest[name].scores for name in mine},
        scores_week_ago={name: found.scores for name, found in week_ago.items()},
        causes={name: newest[name].causes for name in mine},
        contributions_week_ago={name: found.contributions(session) for name, found in week_ago.items()},
    )


def score_table(of: str) -> tuple[type[ScoreRow | SubjectScoreRow], InstrumentedAttribute[int]]:
    """Where the scores of accounts, contacts or products are, and the column that says whose."""
    return (ScoreRow, ScoreRow.account_id) if of == "account" else (SubjectScoreRow, SubjectScoreRow.subject_id)


class _Day:
    """The newest scores of one scorecard up to a day, by row of ascending ``ids``; nothing known where there are none.

    The newest day is the same for all of them, so that what is read is one range of the key.
    """

    def __init__(
        self, session: Session, scorecard: str, ids: Ints, day: int, *, of: str = "account", with_lines: bool = False
    ) -> None:
        row, subject = (
            (ScoreRow, ScoreRow.account_id) if of == "account" else (SubjectScoreRow, SubjectScoreRow.subject_id)
        )
        of_card = row.scorecard == scorecard
        newest = session.scalar(select(func.max(row.day)).where(of_card, row.day <= day))
        packed = row.packed if with_lines else _NO_LINES
        cause = ScoreRow.cause if of == "account" else _NO_LINES
        query: Select[*tuple[Any, ...]] = select(
            subject, row.effective, row.last_tier, row.pending, cause, row.names_id, packed
        ).where(of_card, row.day == newest)
        self._size = len(ids)
        found = plain_rows(session, of_subjects(query, subject, ids)) if newest and len(ids) else []
        columns: Sequence[Sequence[Any]] = list(zip(*found, strict=True)) if found else [()] * 7
        subjects, micro, tiers, pending, causes, self._lists, self._packed = columns
        places = rows_of(ids, np.array(subjects, dtype=np.int64))
        self._places, self._kept = places[places >= 0], np.flatnonzero(places >= 0)
        self.scores: Floats = self._spread(np.nan, micro, np.float64)  # None becomes NaN
        self.tiers: Bytes = self._spread(-1, [_TIERS[tier] for tier in tiers], np.int8)
        self.pending: Bytes = self._spread(0, pending, np.int8)
        self.causes = texts(self._spread(None, causes, object).tolist())

    def contributions(self, session: Session) -> dict[str, Floats]:
        """What each metric added: metric → micro-points float64[N], NaN where there was no score."""
        parts: dict[str, Floats] = {}
        lists = np.array(self._lists, dtype=np.int64)[self._kept]
        for number in np.unique(lists).tolist():
            mine = np.flatnonzero((lists == number) & ~np.isnan(self.scores[self._places]))
            table = lines_table([self._packed[at] for at in self._kept[mine].tolist()])
            for at, name in enumerate(names_of(session, number) if len(mine) else ()):
                parts.setdefault(name, np.full(self._size, np.nan))[self._places[mine]] = table[:, at, 3]
        return parts

    def _spread(self, nothing: Any, values: Sequence[Any], kind: Any) -> Any:
        found = np.full(self._size, nothing, dtype=kind)
        found[self._places] = np.array(values, dtype=kind)[self._kept]
        return found


def only(query: Select[*Ts], account: InstrumentedAttribute[int], subjects: Subjects) -> Select[*Ts]:
    """`of_subjects` for the accounts of ``subjects``."""
    return of_subjects(query, account, subjects.ids)


def load_overrides(session: Session, subjects: Subjects, moment: datetime) -> tuple[ScoreOverride, ...]:
    """The overrides of scores and tiers in force at ``moment``; the newest of one account wins."""
    query = select(ScoreOverrideRow).where(
        ScoreOverrideRow.created_at <= moment,
        ScoreOverrideRow.expires_at > moment,
        (ScoreOverrideRow.ended_at.is_(None)) | (ScoreOverrideRow.ended_at > moment),
    )
    found = session.scalars(only(query, ScoreOverrideRow.account_id, subjects).order_by(ScoreOverrideRow.id)).all()
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
