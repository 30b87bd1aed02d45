"""Reading events as columns."""

from collections.abc import Collection, Mapping
from datetime import datetime

import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    ScalarSelect,
    Text,
    cast as sql_cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.evaluation.facts import Contacts, Happenings, Needs, Subjects
from engine.store.account_columns import column, parsed, rows_of
from engine.store.subject_ranges import of_subjects
from engine.store.tables import EventRow


def needed(
    session: Session,
    catalog: Catalog,
    wanted: Needs,
    subjects: Subjects,
    contacts: Contacts,
    at: int,
    known_at: datetime | None = None,
) -> Mapping[str, Happenings]:
    """All kinds of events that are wanted, each as far back from day ``at`` as it is wanted."""
    found = {}
    for name in wanted.events:
        days = range(at - wanted.spans.get(name, wanted.days) + 1, at + 1)
        found[name] = happenings(session, name, catalog.events[name].fields, subjects, contacts, days, known_at)
    return found


def newest(
    session: Session, catalog: Catalog, wanted: Needs, at: int, known_at: datetime | None = None
) -> Mapping[str, int]:
    """The last day up to ``at`` with an event of a kind, whosever it was: of the kinds that the wanted metrics are made
    of. The newest row of an index for each, all in one statement."""
    names = wanted.metrics | wanted.contact_metrics | wanted.product_metrics
    made = [source for name in names if (source := catalog.metrics[name].from_events)]
    kinds = sorted(wanted.events | {event for source in made for event in source.loaded})
    if not kinds:
        return {}
    found = session.execute(select(*(_last_day(kind, at, known_at) for kind in kinds))).one()
    return {kind: day for kind, day in zip(kinds, found, strict=True) if day is not None}


def _last_day(kind: str, at: int, known_at: datetime | None) -> ScalarSelect[int]:
    query = select(func.max(EventRow.day)).where(EventRow.name == kind, EventRow.day <= at)
    return (query if known_at is None else query.where(EventRow.recorded_at <= known_at)).scalar_subquery()


def happenings(
    session: Session,
    name: str,
    fields: Collection[str],
    subjects: Subjects,
    contacts: Contacts,
    days: range,
    known_at: datetime | None = None,
) -> Happenings:
    """The events of one kind on ``days``, with these of their fields; as known at a moment (default: now)."""
    # Plain numbers and texts, no objects: there are many events, and mostly few different contents.
    content = sql_cast(EventRow.fields, Text) if fields else literal("")
    query = (
        select(EventRow.account_id, EventRow.id, EventRow.contact_id, EventRow.day, _seconds(session), content)
        .where(EventRow.name == name, EventRow.day >= days.start, EventRow.day < days.stop)
        .order_by(EventRow.account_id, EventRow.day, EventRow.id)
    )
    if known_at is not None:
        query = query.where(EventRow.recorded_at <= known_at)
    found = session.execute(of_subjects(query, EventRow.account_id, subjects.ids)).all()
    owners, ids, people, on, times, texts = zip(*found, strict=True) if found else ((),) * 6
    rows = rows_of(subjects.ids, np.array(owners, dtype=np.int64))
    kept = rows >= 0
    named = np.array([-1 if person is None else person for person in people], dtype=np.int64)[kept]
    said = parsed([text for text, keep in zip(texts, kept.tolist(), strict=True) if keep and fields])
    return Happenings(
        ids=np.array(ids, dtype=np.int64)[kept],
        rows=rows[kept],
        contact_rows=rows_of(contacts.ids, named),
        days=np.array(on, dtype=np.int64)[kept],
        fields={field: column([each.get(field) for each in said]) for field in fields},
        times=np.array(times, dtype=np.int64)[kept],
    )


def _seconds(session: Session) -> ColumnElement[int]:
    """The moment of an event in whole seconds since 1970-01-01, computed by the database."""
    if session.get_bind().dialect.name == "postgresql":
        return sql_cast(func.floor(func.extract("epoch", EventRow.at)), BigInteger)
    return sql_cast(func.strftime("%s", func.substr(type_coerce(EventRow.at, Text), 1, 19)), Integer)
