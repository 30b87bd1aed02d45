"""Read model: the records behind a metric of one account, so that a score can be followed down to what was sent in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store.account_page import owned
from engine.store.tables import ContactRow, CorrectionRow, EventRow, MetricRow, PointRow

POINTS = 400
EVENTS = 100


@dataclass(frozen=True, slots=True)
class Point:
    """One dated value; ``contact`` names the person it is about, empty: the account."""

    day: int
    value: float
    recorded_at: datetime
    contact: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """A value that was corrected."""

    day: int
    value: float
    recorded_at: datetime
    replaced_at: datetime


@dataclass(frozen=True, slots=True)
class Happened:
    """One event."""

    key: str
    name: str
    at: datetime
    contact: str


@dataclass(frozen=True, slots=True)
class Sources:
    """What a metric's values come from, newest first."""

    points: tuple[Point, ...]
    replaced: tuple[Replaced, ...]
    happened: tuple[Happened, ...]


def sources(session: Session, account_id: int, scope: str | None, metric: str, events: tuple[str, ...] = ()) -> Sources:
    """The newest points, corrections and (of a metric from events) events of an account. Raises `NotFound`."""
    owned(session, account_id, scope)
    metric_id = session.scalar(select(MetricRow.id).where(MetricRow.name == metric))
    named = select(ContactRow.id, ContactRow.name).where(ContactRow.account_id == account_id)
    people = dict(session.execute(named).all())
    subjects = [account_id, *people]
    return Sources(
        _points(session, metric_id, subjects, people),
        _replaced(session, metric_id, subjects),
        _happened(session, account_id, events, people),
    )


def _points(session: Session, metric_id: int | None, subjects: list[int], people: dict[int, str]) -> tuple[Point, ...]:
    rows = session.scalars(
        select(PointRow)
        .where(PointRow.metric_id == metric_id, PointRow.subject_id.in_(subjects))
        .order_by(PointRow.day.desc(), PointRow.subject_id)
        .limit(POINTS)
    )
    return tuple(Point(row.day, row.value, row.recorded_at, people.get(row.subject_id, "")) for row in rows)


def _replaced(session: Session, metric_id: int | None, subjects: list[int]) -> tuple[Replaced, ...]:
    rows = session.scalars(
        select(CorrectionRow)
        .where(CorrectionRow.metric_id == metric_id, CorrectionRow.subject_id.in_(subjects))
        .order_by(CorrectionRow.id.desc())
        .limit(EVENTS)
    )
    return tuple(Replaced(row.day, row.value, row.recorded_at, row.replaced_at) for row in rows)


def _happened(
    session: Session, account_id: int, events: tuple[str, ...], people: dict[int, str]
) -> tuple[Happened, ...]:
    rows = session.scalars(
        select(EventRow)
        .where(EventRow.account_id == account_id, EventRow.name.in_(events))
        .order_by(EventRow.at.desc())
        .limit(EVENTS)
    )
    return tuple(Happened(row.key, row.name, row.at, people.get(row.contact_id or 0, "")) for row in rows)
