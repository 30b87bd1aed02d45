"""Metrics made of events: their daily counts, worked out again from the events wherever something was touched.

A day's count depends on the stored events of that day only, so the points are the same in whatever order, and
however often, the events came. A day without events has no point.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

import numpy as np
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog, FromEvents, Metric
from engine.evaluation.counting import amounts
from engine.evaluation.happened import Entries, event_columns
from engine.evaluation.program import evaluate_condition
from engine.store import points
from engine.store.account_columns import column
from engine.store.points import PointColumns
from engine.store.portions import parts
from engine.store.tables import ContactRow, EventRow

Happened: TypeAlias = "Row[str, int, int | None, int, datetime, dict[str, Any]]"
_EVENTS: Final = select(
    EventRow.name, EventRow.account_id, EventRow.contact_id, EventRow.day, EventRow.at, EventRow.fields
)


@dataclass(frozen=True, slots=True)
class Touched:
    """Events of these names, of one account and day, have changed."""

    account_id: int
    day: int


def recount(session: Session, catalog: Catalog, names: Iterable[str], touched: Iterable[Touched], at: datetime) -> None:
    """Bring the points of every metric that counts one of the named events up to date, where they were touched."""
    wanted = frozenset(names)
    metrics = [
        m
        for m in catalog.metrics.values()
        if m.from_events and m.is_stored and not wanted.isdisjoint(m.from_events.events)
    ]
    places = frozenset(touched)
    if not metrics or not places:
        return
    happened = _happened(session, metrics, places)
    roles = _roles(session, {row.contact_id for row in happened if row.contact_id is not None})
    numbers = points.metric_ids(session, [metric.name for metric in metrics])
    for metric in metrics:
        counts = _counts(metric, happened, roles)
        subjects = _subjects(session, metric, places)
        _write(session, numbers[metric.name], counts, subjects, at)


def recount_contacts(session: Session, catalog: Catalog, contact_ids: Sequence[int], at: datetime) -> None:
    """The same for everything that happened to contacts whose roles have changed."""
    places: set[Touched] = set()
    names: set[str] = set()
    for some in parts(contact_ids):
        found = select(EventRow.account_id, EventRow.day, EventRow.name).where(EventRow.contact_id.in_(some)).distinct()
        for row in session.execute(found):
            places.add(Touched(row.account_id, row.day))
            names.add(row.name)
    recount(session, catalog, names, places, at)


def recount_metrics(session: Session, catalog: Catalog, metrics: Iterable[Metric], at: datetime) -> None:
    """The same for all days of metrics whose definition is new or has changed."""
    names = {
        name for metric in metrics if metric.from_events and metric.is_stored for name in metric.from_events.events
    }
    if names:
        found = select(EventRow.account_id, EventRow.day).where(EventRow.name.in_(names)).distinct()
        recount(session, catalog, names, [Touched(*row) for row in session.execute(found)], at)


def _happened(session: Session, metrics: Sequence[Metric], places: frozenset[Touched]) -> list[Happened]:
    names = sorted({name for metric in metrics if metric.from_events for name in metric.from_events.events})
    days = sorted({place.day for place in places})
    accounts = sorted({place.account_id for place in places})
    query = _EVENTS.where(EventRow.name.in_(names), EventRow.day.between(days[0], days[-1]))
    found: list[Happened] = []
    if len(accounts) > 20_000:  # so many that reading all is quicker than naming them
        found += session.execute(query).all()
    else:
        for some in parts(accounts):
            found += session.execute(query.where(EventRow.account_id.in_(some))).all()
    return [row for row in found if Touched(row.account_id, row.day) in places]


def _roles(session: Session, contact_ids: set[int]) -> dict[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    for some in parts(sorted(contact_ids)):
        rows = session.execute(select(ContactRow.id, ContactRow.roles).where(ContactRow.id.in_(some)))
        found |= {row.id: frozenset(row.roles) for row in rows}
    return found


def _counts(
    metric: Metric, happened: Iterable[Happened], roles: Mapping[int, frozenset[str]]
) -> dict[tuple[int, int], float]:
    """Value by subject and day."""
    how = metric.from_events
    if how is None:
        return {}
    of_contact = metric.of == "contact"
    rows = [
        row
        for row in happened
        if row.name in how.events
        and (row.contact_id is not None or not of_contact)
        and _in_role(how, row.contact_id, roles)
    ]
    rows = _passing(how, rows)
    subjects = np.array([row.contact_id if of_contact else row.account_id for row in rows], dtype=np.int64)
    found = amounts(how, subjects, _entries(how, rows))
    places = zip(found.subjects.tolist(), found.days.tolist(), strict=True)
    return dict(zip(places, found.values.tolist(), strict=True))


def _in_role(how: FromEvents, contact_id: int | None, roles: Mapping[int, frozenset[str]]) -> bool:
    return not how.with_roles or (contact_id is not None and not roles[contact_id].isdisjoint(how.with_roles))


def _passing(how: FromEvents, rows: list[Happened]) -> list[Happened]:
    """Those of which the metric's condition holds."""
    if how.where is None or not rows:
        return rows
    names = [name.removeprefix("event.") for name in how.where.names]
    fields = {name: column([row.fields.get(name) for row in rows]) for name in names}
    holds = evaluate_condition(how.where.tree, event_columns(fields), len(rows)).holds
    return [row for row, good in zip(rows, holds.tolist(), strict=True) if good]


def _entries(how: FromEvents, rows: Sequence[Happened]) -> Entries:
    values = [row.fields.get(how.field) for row in rows]
    return Entries(
        rows=np.array([row.account_id for row in rows], dtype=np.int64),
        who=np.array([-1 if row.contact_id is None else row.contact_id for row in rows], dtype=np.int64),
        days=np.array([row.day for row in rows], dtype=np.int64),
        times=np.array([int(row.at.timestamp()) for row in rows], dtype=np.int64),
        ids=np.zeros(len(rows), dtype=np.int64),
        values=np.array([float(v) if isinstance(v, int | float) else np.nan for v in values], dtype=np.float64),
    )


def _subjects(session: Session, metric: Metric, places: frozenset[Touched]) -> set[tuple[int, int]]:
    """Every subject and day whose point may have changed, among them those that count nothing any more."""
    if metric.of != "contact":
        return {(place.account_id, place.day) for place in places}
    found: set[tuple[int, int]] = set()
    days: dict[int, set[int]] = defaultdict(set)
    for place in places:
        days[place.account_id].add(place.day)
    for some in parts(sorted(days)):
        rows = session.execute(select(ContactRow.id, ContactRow.account_id).where(ContactRow.account_id.in_(some)))
        found |= {(row.id, day) for row in rows for day in days[row.account_id]}
    return found


def _write(
    session: Session,
    number: int,
    counts: Mapping[tuple[int, int], float],
    subjects: set[tuple[int, int]],
    at: datetime,
) -> None:
    points.add(session, _columns(number, counts), at)
    gone = dict.fromkeys(subjects - counts.keys(), 0.0)
    points.remove(session, _columns(number, gone), at)


def _columns(number: int, values: Mapping[tuple[int, int], float]) -> PointColumns:
    keys = np.array(list(values), dtype=np.int64).reshape(len(values), 2)
    metrics = np.full(len(values), number, dtype=np.int64)
    return PointColumns(keys[:, 0], metrics, keys[:, 1], np.array(list(values.values()), dtype=np.float64))
