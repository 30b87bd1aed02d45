"""Read models of scores beside the leading one: by every scorecard, over time, and of contacts and products."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from engine.store.account_page import owned
from engine.store.decision_tables import ScoreRow, SubjectScoreRow
from engine.store.glances import id_of
from engine.store.tables import ContactRow, ProductRow
from engine.terms import Tier

MOST: Final = 5_000
"""No list is longer: of an account's contacts the lowest scores come first."""


@dataclass(frozen=True, slots=True)
class StoredScore:
    """A score as it was kept: micro-points (None: insufficient data) and its lines ``(metric, value, normalised,
    share, contribution)``. ``subject``: the contact's key or the product's name, empty for the account itself.
    ``last_tier``: the tier, or where there is none the last there was. ``leads``: it is the score of the account."""

    scorecard: str
    subject: str
    day: int
    computed: int | None
    effective: int | None
    coverage: float
    tier: Tier | None
    last_tier: Tier | None
    leads: bool
    lines: tuple[tuple[str, float | None, float | None, float, int], ...]


def account_scores(session: Session, key: str, scope: str | None, scorecard: str = "") -> Sequence[StoredScore]:
    """An account's scores by every scorecard on its last day, the leading one first; with the name of one
    ``scorecard`` all it has ever said of it, newest first. Raises `NotFound`, foreign or missing alike."""
    account = owned(session, id_of(session, key), scope).id
    mine = select(ScoreRow).where(ScoreRow.account_id == account)
    if scorecard:
        query = mine.where(ScoreRow.scorecard == scorecard).order_by(ScoreRow.day.desc()).limit(MOST)
    else:
        last = select(func.max(ScoreRow.day)).where(ScoreRow.account_id == account).scalar_subquery()
        query = mine.where(ScoreRow.day == last).order_by(ScoreRow.leads.desc(), ScoreRow.scorecard)
    return [_stored(row, "", leads=row.leads) for row in session.scalars(query)]


def subject_scores(
    session: Session, key: str, scope: str | None, scorecard: str, subject: str = ""
) -> Sequence[StoredScore]:
    """The last scores of an account's contacts or products, lowest first; of one ``subject``, by the contact's key or
    the product's name, all it has ever had, newest first. Raises `NotFound`, foreign or missing alike."""
    account = owned(session, id_of(session, key), scope).id
    row, named = SubjectScoreRow, func.coalesce(ContactRow.key, ProductRow.name)
    query: Select[*tuple[Any, ...]] = (
        select(row, named)
        .outerjoin(ContactRow, ContactRow.id == row.subject_id)
        .outerjoin(ProductRow, ProductRow.id == row.subject_id)
        .where(row.scorecard == scorecard, func.coalesce(ContactRow.account_id, ProductRow.account_id) == account)
    )
    if subject:
        query = query.where(named == subject).order_by(row.day.desc())
    else:
        last = select(func.max(SubjectScoreRow.day)).where(SubjectScoreRow.scorecard == scorecard).scalar_subquery()
        query = query.where(row.day == last).order_by(row.effective.is_(None), row.effective, row.subject_id)
    return [_stored(found, name, leads=False) for found, name in session.execute(query.limit(MOST))]


def _stored(row: ScoreRow | SubjectScoreRow, subject: str, *, leads: bool) -> StoredScore:
    return StoredScore(
        scorecard=row.scorecard,
        subject=subject,
        day=row.day,
        computed=row.computed,
        effective=row.effective,
        coverage=row.coverage,
        tier=Tier(row.tier) if row.tier else None,
        last_tier=Tier(row.last_tier) if row.last_tier else None,
        leads=leads,
        lines=tuple(row.lines),
    )
