"""Reading what an evaluation needs, as columns. The counterpart of `engine.evaluation.facts`."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.evaluation.evaluation import needs
from engine.evaluation.facts import Agreed, Contacts, Facts, Happenings, Needs, Subjects
from engine.store.account_columns import ContactTuple, account_fields, column, contact_columns, rows_of
from engine.store.before import end_of, load_before, load_overrides, only
from engine.store.point_series import PointTable
from engine.store.tables import AccountRow, ContactRow, EventRow, GoalRow


def load_facts(
    session: Session,
    bundle: Bundle,
    at: int,
    account_ids: Sequence[int] | None = None,
    *,
    moment: datetime | None = None,
    late: int = 0,
) -> Facts:
    """Everything `evaluate` reads, as of the end of day ``at``; of all accounts, or only of those named.

    ``moment`` (default: the end of the day) is when overrides must be in force: they end at a time of day. ``late``:
    how many days ago the earliest outcome that is to be judged was due.
    """
    wanted = needs(bundle, late)
    accounts = _accounts(session, account_ids)
    subjects = Subjects(np.array([row.id for row in accounts], dtype=np.int64), tuple(row.key for row in accounts))
    contacts = contact_columns(_contacts(session, account_ids), subjects, at)
    only = None if account_ids is None else [*subjects.ids.tolist(), *contacts.ids.tolist()]
    points = PointTable(session, wanted, at, only)
    return Facts(
        at=at,
        accounts=subjects,
        fields=account_fields(accounts),
        series=points.series(wanted.metrics, subjects.ids),
        contacts=contacts,
        contact_series=points.series(wanted.contact_metrics, contacts.ids),
        events={name: _happenings(session, bundle, wanted, name, at, subjects, contacts) for name in wanted.events},
        goals={goal: _agreed(session, goal, subjects) for goal in wanted.goals},
        before=load_before(session, bundle, subjects, at),
        overrides=load_overrides(session, subjects, end_of(at) if moment is None else moment),
    )


def _accounts(session: Session, account_ids: Sequence[int] | None) -> Sequence[AccountRow]:
    query = select(AccountRow).order_by(AccountRow.id)
    return session.scalars(query if account_ids is None else query.where(AccountRow.id.in_(account_ids))).all()


def _contacts(session: Session, account_ids: Sequence[int] | None) -> Sequence[ContactTuple]:
    # Columns instead of objects: there are several contacts to an account, and every cycle reads them all.
    query = select(
        ContactRow.id, ContactRow.key, ContactRow.account_id, ContactRow.roles, ContactRow.departed_on
    ).order_by(ContactRow.id)
    return session.execute(query if account_ids is None else query.where(ContactRow.account_id.in_(account_ids))).all()


def _happenings(
    session: Session, bundle: Bundle, wanted: Needs, name: str, at: int, subjects: Subjects, contacts: Contacts
) -> Happenings:
    span = wanted.spans.get(name, wanted.days)
    query = select(EventRow).where(EventRow.name == name, EventRow.day > at - span, EventRow.day <= at)
    query = only(query, EventRow.account_id, subjects)
    found = session.scalars(query.order_by(EventRow.account_id, EventRow.day, EventRow.id)).all()
    rows = rows_of(subjects.ids, np.array([row.account_id for row in found], dtype=np.int64))
    kept = [row for row, place in zip(found, rows.tolist(), strict=True) if place >= 0]
    named = np.array([-1 if row.contact_id is None else row.contact_id for row in kept], dtype=np.int64)
    return Happenings(
        ids=np.array([row.id for row in kept], dtype=np.int64),
        rows=rows[rows >= 0],
        contact_rows=rows_of(contacts.ids, named),
        days=np.array([row.day for row in kept], dtype=np.int64),
        fields={field: column([row.fields.get(field) for row in kept]) for field in bundle.catalog.events[name].fields},
        times=np.array([int(row.at.timestamp()) for row in kept], dtype=np.int64),
    )


def _agreed(session: Session, goal: str, subjects: Subjects) -> Agreed:
    table = np.full((4, len(subjects)), np.nan)
    query = select(GoalRow.account_id, GoalRow.target, GoalRow.start_value, GoalRow.start_day, GoalRow.end_day).where(
        GoalRow.goal == goal
    )
    found = session.execute(only(query, GoalRow.account_id, subjects)).all()
    rows = rows_of(subjects.ids, np.array([row[0] for row in found], dtype=np.int64))
    for row, place in zip(found, rows.tolist(), strict=True):
        if place >= 0:
            table[:, place] = row[1:]
    return Agreed(table[0], table[1], table[2], table[3])
