"""Contacts: found by key, added and changed as pushed; what a push does not say stays as it was."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.evaluation.incoming.contacts import PushedContact
from engine.evaluation.incoming.faults import Faults, shortened
from engine.evaluation.point_values import like
from engine.store import accounts, changed
from engine.store.points import Added
from engine.store.tables import AccountRow, ContactRow


@dataclass(frozen=True, slots=True)
class Known:
    """A contact that is there: its id, the account it belongs to, and its roles."""

    id: int
    account_id: int
    roles: frozenset[str]


def known(session: Session, keys: Collection[str]) -> Mapping[str, Known]:
    """The contacts with these keys that are there."""
    query = select(ContactRow.key, ContactRow.id, ContactRow.account_id, ContactRow.roles)
    found: dict[str, Known] = {}
    for some in accounts.parts(sorted(keys)):
        found |= {row.key: _known(row) for row in session.execute(query.where(ContactRow.key.in_(some)))}
    return found


def push(
    session: Session, contacts: Sequence[PushedContact], at: datetime, faults: Faults
) -> tuple[Added, frozenset[int]]:
    """Add and change contacts, none twice; also the ids of those whose roles changed.

    Reports unknown accounts, and contacts that are there at another account; then nothing is to be kept.
    """
    owners = accounts.ids(session, {contact.account for contact in contacts})
    rows = _rows(session, [contact.key for contact in contacts])
    for contact in contacts:
        _check(session, contact, owners, rows, faults)
    if faults.total:
        return Added(), frozenset()
    fresh = [contact for contact in contacts if contact.key not in rows]
    for number, contact in zip(accounts.new_subjects(session, "contact", len(fresh)), fresh, strict=True):
        row = ContactRow(id=number, key=contact.key, account_id=owners[contact.account], name=contact.key, roles=[])
        row.email, row.recorded_at = "", at
        _write(row, contact, at)
        session.add(row)
    older = [contact for contact in contacts if contact.key in rows]
    roles = {contact.key: rows[contact.key].roles for contact in older}
    written = [contact for contact in older if _write(rows[contact.key], contact, at)]
    session.flush()
    changed.mark(
        session, {owners[contact.account] for contact in fresh} | {rows[one.key].account_id for one in written}
    )
    moved = frozenset(rows[key].id for key, before in roles.items() if rows[key].roles != before)
    return Added(len(fresh), len(written), len(older) - len(written)), moved


def _check(
    session: Session, contact: PushedContact, owners: Mapping[str, int], rows: Mapping[str, ContactRow], faults: Faults
) -> None:
    owner, row = owners.get(contact.account), rows.get(contact.key)
    if contact.account and owner is None:
        hint = like(contact.account, owners) or "; push the account first"
        message = f'there is no account "{shortened(contact.account)}"{hint}'
        faults.add(contact.place.bad("account", "unknown_account", message))
    elif row is not None and owner is not None and row.account_id != owner:
        other = session.get_one(AccountRow, row.account_id).key
        message = f'the contact "{shortened(contact.key)}" is there at the account "{other}"; give this one another key'
        faults.add(contact.place.bad("key", "key_taken", message))


def _rows(session: Session, keys: Sequence[str]) -> dict[str, ContactRow]:
    found: dict[str, ContactRow] = {}
    for some in accounts.parts(keys):
        found |= {row.key: row for row in session.scalars(select(ContactRow).where(ContactRow.key.in_(some)))}
    return found


def _write(row: ContactRow, contact: PushedContact, at: datetime) -> bool:
    """Write what is said; whether that changed anything."""
    empty: dict[str, Any] = {"name": contact.key, "email": "", "roles": (), "language": "", "time_zone": ""}
    wanted: dict[str, Any] = {name: empty.get(name) if value is None else value for name, value in contact.said.items()}
    if "roles" in wanted:
        wanted["roles"] = list(wanted["roles"])
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        row.recorded_at = at
    return bool(changed)


def _known(row: Any) -> Known:
    return Known(row.id, row.account_id, frozenset(row.roles))
