"""Reading accounts, their contacts and their products as columns."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Select, Text, cast, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.evaluation.columns import Column, Ints
from engine.evaluation.facts import NO_PRODUCTS, Contacts, Products, Subjects
from engine.store.account_columns import (
    ACCOUNT_NUMBERS,
    ACCOUNT_TEXTS,
    AccountColumns,
    account_fields,
    contact_columns,
    parsed,
    rows_of,
)
from engine.store.subject_ranges import of_subjects
from engine.store.tables import AccountRow, ContactRow, ProductRow

_ACCOUNT = ("id", "parent_id", *ACCOUNT_NUMBERS, *ACCOUNT_TEXTS)
_CONTACT = (
    ContactRow.id,
    ContactRow.key,
    ContactRow.account_id,
    cast(ContactRow.roles, Text).label("roles"),
    ContactRow.departed_on,
    ContactRow.seniority,
    ContactRow.department,
    ContactRow.joined_on,
)


class People(NamedTuple):
    """Accounts with their fields, contacts and products."""

    accounts: Subjects
    fields: Mapping[str, Column]
    contacts: Contacts
    products: Products


def people(session: Session, at: int, ids: Ints | None) -> People:
    """The accounts with ascending ``ids`` (None: all) and who and what belongs to them, as of day ``at``."""
    rows = accounts(session, ids)
    subjects = Subjects(np.array(rows["id"], dtype=np.int64), tuple(rows["key"]))
    return People(
        subjects,
        account_fields(rows, parents(session, rows)),
        contacts(session, subjects, at, ids),
        products(session, subjects, ids),
    )


def accounts(session: Session, ids: Ints | None) -> AccountColumns:
    """The accounts with ascending ``ids``, those that there are; None: all."""
    # Columns instead of objects: every cycle reads everybody.
    query = select(*(getattr(AccountRow, name) for name in _ACCOUNT), cast(AccountRow.fields, Text))
    found = session.execute(_chosen(query, AccountRow.id, ids).order_by(AccountRow.id)).all()
    if ids is not None and len(found) > len(ids):
        wanted = set(ids.tolist())
        found = [row for row in found if row[0] in wanted]
    *columns, fields = zip(*found, strict=True) if found else ((),) * (len(_ACCOUNT) + 1)
    return dict(zip(_ACCOUNT, columns, strict=True)) | {"fields": parsed(fields)}


def parents(session: Session, known: AccountColumns) -> dict[int, str]:
    """The keys of the accounts' parents by id."""
    wanted = np.unique(np.array([parent for parent in known["parent_id"] if parent is not None], dtype=np.int64))
    if not len(wanted):
        return {}
    query = of_subjects(select(AccountRow.id, AccountRow.key), AccountRow.id, wanted)
    return {row.id: row.key for row in session.execute(query)}


def contacts(session: Session, subjects: Subjects, at: int, ids: Ints | None) -> Contacts:
    """The contacts of the accounts; departed as of day ``at``. ``ids`` None: the accounts are all there are."""
    query = _chosen(select(*_CONTACT), ContactRow.account_id, ids).order_by(ContactRow.id)
    return contact_columns(session.execute(query).all(), subjects, at)


def products(session: Session, subjects: Subjects, ids: Ints | None) -> Products:
    """What the accounts use."""
    query = select(ProductRow.id, ProductRow.name, ProductRow.account_id)
    found = session.execute(_chosen(query, ProductRow.account_id, ids).order_by(ProductRow.id)).all()
    if not found:
        return NO_PRODUCTS
    rows = rows_of(subjects.ids, np.array([row.account_id for row in found], dtype=np.int64))
    kept = [row for row, place in zip(found, rows.tolist(), strict=True) if place >= 0]
    return Products(
        np.array([row.id for row in kept], dtype=np.int64), tuple(row.name for row in kept), rows[rows >= 0]
    )


def _chosen(
    query: Select[*tuple[Any, ...]], column: InstrumentedAttribute[int], ids: Ints | None
) -> Select[*tuple[Any, ...]]:
    return query if ids is None else of_subjects(query, column, ids)
