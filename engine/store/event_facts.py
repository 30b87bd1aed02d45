"""Reading events as columns."""

from collections.abc import Collection, Mapping
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.evaluation.facts import Contacts, Happenings, Needs, Subjects
from engine.store.account_columns import column, rows_of
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
    query = (
        select(EventRow.account_id, EventRow.id, EventRow.contact_id, EventRow.day, EventRow.at, EventRow.fields)
        .where(EventRow.name == name, EventRow.day >= days.start, EventRow.day < days.stop)
        .order_by(EventRow.account_id, EventRow.day, EventRow.id)
    )
    if known_at is not None:
        query = query.where(EventRow.recorded_at <= known_at)
    found = session.execute(of_subjects(query, EventRow.account_id, subjects.ids)).all()
    rows = rows_of(subjects.ids, np.array([row.account_id for row in found], dtype=np.int64))
    kept = [row for row, place in zip(found, rows.tolist(), strict=True) if place >= 0]
    named = np.array([-1 if row.contact_id is None else row.contact_id for row in kept], dtype=np.int64)
    return Happenings(
        ids=np.array([row.id for row in kept], dtype=np.int64),
        rows=rows[rows >= 0],
        contact_rows=rows_of(contacts.ids, named),
        days=np.array([row.day for row in kept], dtype=np.int64),
        fields={field: column([row.fields.get(field) for row in kept]) for field in fields},
        times=np.array([int(row.at.timestamp()) for row in kept], dtype=np.int64),
    )
