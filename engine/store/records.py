"""The source records behind a metric of an account: points with when they were recorded and what they replaced, events.

A formula leads to the metrics it is made of, a metric of contacts to theirs, a metric of events to the events.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal as Choice

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog, Metric
from engine.errors import NotFound
from engine.evaluation.features import feature_named
from engine.store.account_page import owned
from engine.store.glances import id_of
from engine.store.tables import ContactRow, CorrectionRow, EventRow, MetricRow, PointRow, ProductRow

MOST: Final = 200
"""So many of each kind, the newest first."""


@dataclass(frozen=True, slots=True)
class Record:
    """One source record. ``kind``: a point in force, one that was replaced (``replaced_at``), or an event.

    ``name``: the metric's or the event's; ``of``: the contact's key or the product's name, empty for the account.
    ``id``: the event's key as its sender named it.
    """

    kind: Choice["point", "correction", "event"]
    name: str
    of: str
    day: int
    value: float | None
    recorded_at: datetime
    replaced_at: datetime | None = None
    id: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


def records(
    session: Session, catalog: Catalog, key: str, scope: str | None, name: str, since: int, until: int
) -> tuple[Record, ...]:
    """The records of a metric (or a feature of it) of one account on the days from ``since`` to ``until``, newest
    first. Raises `NotFound` for an account that is missing or another owner's, and for a metric that does not exist."""
    account = owned(session, id_of(session, key), scope).id
    feature = feature_named(catalog, name)
    if feature is None:
        raise NotFound(f'There is no metric "{name}".')
    behind = tuple(dict.fromkeys(_stored(catalog, feature.metric, frozenset())))
    whose = _subjects(session, account)
    days = since, until
    found = [*_points(session, behind, whose, days), *_corrections(session, behind, whose, days)]
    found += _events(session, {kind for each in behind for kind in _kinds(each)}, account, days)
    return tuple(sorted(found, key=lambda one: (-one.day, one.kind != "point", one.name, one.of))[:MOST])


def _stored(catalog: Catalog, name: str, met: frozenset[str]) -> Iterator[Metric]:
    """The metrics that a metric is made of in the end."""
    metric = catalog.metrics.get(name)
    if metric is None or name in met:
        return
    if metric.formula is None and metric.from_contacts is None:
        yield metric
    names = metric.formula.names if metric.formula else frozenset[str]()
    if metric.from_contacts is not None and metric.from_contacts.metric is not None:
        names |= {metric.from_contacts.metric.metric}
    for each in sorted(names):
        below = feature_named(catalog, each.removeprefix("contact."))
        if below is not None:
            yield from _stored(catalog, below.metric, met | {name})


def _kinds(metric: Metric) -> Iterable[str]:
    return metric.from_events.loaded if metric.from_events else ()


def _subjects(session: Session, account: int) -> dict[int, str]:
    """The account, its contacts and its products: id → contact's key or product's name."""
    people = session.execute(select(ContactRow.id, ContactRow.key).where(ContactRow.account_id == account))
    parts = session.execute(select(ProductRow.id, ProductRow.name).where(ProductRow.account_id == account))
    return {account: "", **{row.id: row.key for row in people}, **{row.id: row.name for row in parts}}


def _points(
    session: Session, behind: Iterable[Metric], whose: dict[int, str], days: tuple[int, int]
) -> Iterator[Record]:
    query = (
        select(PointRow, MetricRow.name)
        .join(MetricRow, MetricRow.id == PointRow.metric_id)
        .where(PointRow.day.between(*days), PointRow.subject_id.in_(whose), MetricRow.name.in_(_names(behind)))
        .order_by(PointRow.day.desc())
        .limit(MOST)
    )
    for row, name in session.execute(query):
        yield Record("point", name, whose[row.subject_id], row.day, row.value, row.recorded_at)


def _corrections(
    session: Session, behind: Iterable[Metric], whose: dict[int, str], days: tuple[int, int]
) -> Iterator[Record]:
    row = CorrectionRow
    query = (
        select(row, MetricRow.name)
        .join(MetricRow, MetricRow.id == row.metric_id)
        .where(row.day.between(*days), row.subject_id.in_(whose), MetricRow.name.in_(_names(behind)))
        .order_by(row.day.desc())
        .limit(MOST)
    )
    for one, name in session.execute(query):
        yield Record(
            "correction", name, whose[one.subject_id], one.day, one.value, one.recorded_at, replaced_at=one.replaced_at
        )


def _events(session: Session, kinds: Iterable[str], account: int, days: tuple[int, int]) -> Iterator[Record]:
    wanted = [EventRow.name == kind for kind in sorted(kinds)]
    if not wanted:
        return
    query = (
        select(EventRow, ContactRow.key)
        .outerjoin(ContactRow, ContactRow.id == EventRow.contact_id)
        .where(EventRow.account_id == account, EventRow.day.between(*days), or_(*wanted))
        .order_by(EventRow.day.desc())
        .limit(MOST)
    )
    for row, contact in session.execute(query):
        yield Record(
            "event", row.name, contact or "", row.day, None, row.recorded_at, id=row.key, fields=dict(row.fields)
        )


def _names(behind: Iterable[Metric]) -> list[str]:
    return [metric.name for metric in behind]
