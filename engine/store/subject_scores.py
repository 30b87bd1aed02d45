"""Reading the scores of contacts and products: the newest of everybody, or the history of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from engine.definitions.scorecard import Scorecard
from engine.store.decision_tables import SubjectScoreRow
from engine.store.tables import AccountRow, ContactRow, ProductRow
from engine.terms import Tier


@dataclass(frozen=True, slots=True)
class SubjectScore:
    """The score of one contact or product on one day: micro-points (None: insufficient data), tier, and its lines
    ``(metric, value, normalised, share, contribution)``."""

    account: str
    subject: str
    day: int
    computed: int | None
    coverage: float
    tier: Tier | None
    lines: tuple[tuple[str, float | None, float | None, float, int], ...]


def newest_scores(session: Session, card: Scorecard, account: str = "", most: int = 10_000) -> Sequence[SubjectScore]:
    """The scores of the last day by a scorecard of contacts or products, lowest first; ``account``: of one, by key."""
    last = select(func.max(SubjectScoreRow.day)).where(SubjectScoreRow.scorecard == card.name).scalar_subquery()
    row = SubjectScoreRow
    query = _scores(card).where(row.day == last)
    query = query.where(AccountRow.key == account) if account else query
    return _read(session, query.order_by(row.computed.is_(None), row.computed, row.subject_id).limit(most))


def score_history(session: Session, card: Scorecard, account: str, subject: str) -> Sequence[SubjectScore]:
    """All scores of one contact (by key) or product (by name) of an account, newest first."""
    query = _scores(card).where(AccountRow.key == account, _key(card) == subject)
    return _read(session, query.order_by(SubjectScoreRow.day.desc()))


def _key(card: Scorecard) -> Any:
    return ContactRow.key if card.of == "contact" else ProductRow.name


def _scores(card: Scorecard) -> Select[*tuple[Any, ...]]:
    of: Any = ContactRow if card.of == "contact" else ProductRow
    return (
        select(SubjectScoreRow, AccountRow.key, _key(card))
        .join(of, of.id == SubjectScoreRow.subject_id)
        .join(AccountRow, AccountRow.id == of.account_id)
        .where(SubjectScoreRow.scorecard == card.name)
    )


def _read(session: Session, query: Select[*tuple[Any, ...]]) -> Sequence[SubjectScore]:
    return [
        SubjectScore(
            account=account,
            subject=subject,
            day=row.day,
            computed=row.computed,
            coverage=row.coverage,
            tier=Tier(row.tier) if row.tier else None,
            lines=tuple(row.lines),
        )
        for row, account, subject in session.execute(query)
    ]
