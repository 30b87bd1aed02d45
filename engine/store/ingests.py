"""Taking in a body or file of data: read, accepted and stored whole, or refused whole with every place named.

The caller's transaction is what makes it all or nothing: whatever is raised here must roll it back.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.errors import BadData, BadRow, Refused
from engine.evaluation.accepting import Accepted, accept_columns
from engine.evaluation.incoming.accounts import read_accounts
from engine.evaluation.incoming.contacts import read_contacts
from engine.evaluation.incoming.events import read_events
from engine.evaluation.incoming.faults import Faults, Unreadable, shortened
from engine.evaluation.incoming.points import PointTable, read_points
from engine.evaluation.incoming.rows import Format
from engine.evaluation.incoming.values import day_of, is_decimal_comma
from engine.store import accounts, contacts, counting, events, points
from engine.store.contacts import Known
from engine.store.points import Added, PointColumns
from engine.store.queueing import Queue, queue
from engine.store.tables import IngestRow


class Kind(StrEnum):
    """What can be pushed."""

    POINTS = "points"
    ACCOUNTS = "accounts"
    CONTACTS = "contacts"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the rows: stored as new, as a change, or there already."""

    kind: str
    rows: int
    new: int
    changed: int
    same: int


def ingest(
    session: Session, kind: Kind, chunks: Iterable[bytes], form: Format, catalog: Catalog, at: datetime
) -> Ingested:
    """Take in all rows. Raises `BadData`, `Unreadable` or `TooLarge` with every place; then nothing must be kept."""
    queue(session, Queue.INGEST)
    faults = Faults()
    if kind is Kind.POINTS:
        rows, added = _points(session, chunks, form, catalog, at, faults)
    elif kind is Kind.ACCOUNTS:
        pushed = read_accounts(chunks, form, catalog, faults)
        faults.refuse()
        rows, added = len(pushed), accounts.push(session, pushed, at)
    elif kind is Kind.CONTACTS:
        rows, added = _contacts(session, chunks, form, catalog, at, faults)
    else:
        happened = read_events(chunks, form, catalog, at, faults)
        faults.refuse()
        rows, added = len(happened), events.push(session, happened, catalog, at, faults)
        faults.refuse()
    if not rows:
        raise Unreadable([BadRow("empty", f"there are no {kind.value} in it")])
    return Ingested(kind.value, rows, added.new, added.changed, added.same)


def earlier_answer(session: Session, sender: str, key: str, body_hash: str) -> Ingested | None:
    """What the same request was answered before; None if this is the first.

    Requests with one key queue behind each other. Raises `Refused` where the key came with another body.
    """
    queue(session, int.from_bytes(sha256(_scoped(sender, key).encode()).digest()[:8], "big", signed=True))
    row = session.get(IngestRow, _scoped(sender, key))
    if row is None:
        return None
    if row.body_hash != body_hash:
        raise Refused("this idempotency key came with another body before; every body needs a key of its own")
    return Ingested(**row.answer)


def keep_answer(session: Session, sender: str, key: str, body_hash: str, answer: Ingested, at: datetime) -> None:
    """Keep what was answered, in the transaction that stored the rows."""
    given: dict[str, Any] = asdict(answer)
    session.add(IngestRow(key=_scoped(sender, key), body_hash=body_hash, answer=given, recorded_at=at))
    session.flush()


def _scoped(sender: str, key: str) -> str:
    # One sender's keys mean nothing to another.
    return sha256(f"{sender}\0{key}".encode()).hexdigest()


def _contacts(
    session: Session, chunks: Iterable[bytes], form: Format, catalog: Catalog, at: datetime, faults: Faults
) -> tuple[int, Added]:
    pushed = read_contacts(chunks, form, catalog, faults)
    faults.refuse()
    added, moved = contacts.push(session, pushed, at, faults)
    faults.refuse()
    counting.recount_contacts(session, catalog, sorted(moved), at)
    return len(pushed), added


def _points(
    session: Session, chunks: Iterable[bytes], form: Format, catalog: Catalog, at: datetime, faults: Faults
) -> tuple[int, Added]:
    table = read_points(chunks, form, faults)
    accepted = _accepted(session, table, catalog, day_of(at), faults)
    if faults.total or accepted.total:
        bad = sorted([*faults.rows, *accepted.bad], key=lambda row: row.line)
        raise BadData(bad, faults.total + accepted.total)
    if not len(table):
        return 0, Added()
    numbers = points.metric_ids(session, accepted.names)
    metrics = np.array([numbers[name] for name in accepted.names], dtype=np.int64)[accepted.metrics]
    added = points.add(session, PointColumns(accepted.subjects, metrics, accepted.days, accepted.values), at)
    return len(table), added


def _accepted(session: Session, table: PointTable, catalog: Catalog, at_day: int, faults: Faults) -> Accepted:
    of_contact = {name for name in set(table.metrics) if name in catalog.metrics and _is_personal(catalog, name)}
    owners = accounts.ids(session, _account_keys(table, of_contact))
    people: Mapping[str, Known] = contacts.known(session, _contact_keys(table, of_contact)) if of_contact else {}
    keys = _subject_keys(table, of_contact, owners, people, faults) if any(table.contacts) else table.accounts
    _point_out_commas(table, faults)
    persons = {key: person.id for key, person in people.items()}
    return accept_columns(
        catalog,
        owners,
        keys,
        table.metrics,
        table.days,
        table.values,
        at_day,
        where=table.where,
        contacts=persons,
    )


def _is_personal(catalog: Catalog, name: str) -> bool:
    return catalog.metrics[name].of == "contact"


def _account_keys(table: PointTable, of_contact: Collection[str]) -> set[str]:
    if not of_contact:
        return set(table.accounts)
    rows = zip(table.accounts, table.metrics, table.contacts, strict=True)
    return {account for account, metric, contact in rows if metric not in of_contact or contact}


def _contact_keys(table: PointTable, of_contact: Collection[str]) -> set[str]:
    rows = zip(table.accounts, table.metrics, table.contacts, strict=True)
    return {contact or account for account, metric, contact in rows if metric in of_contact}


def _subject_keys(
    table: PointTable,
    of_contact: Collection[str],
    owners: Mapping[str, int],
    people: Mapping[str, Known],
    faults: Faults,
) -> list[str]:
    """The key each row's subject is looked up by; a named contact must fit its metric and its account."""
    found = list(table.accounts)
    for row, contact in enumerate(table.contacts):
        if not contact:
            continue
        account, metric = table.accounts[row], table.metrics[row]
        if metric not in of_contact:
            message = f'"{shortened(metric)}" is measured of accounts; leave the contact empty'
            faults.add(table.place(row).bad("contact", "unexpected_contact", message))
            continue
        found[row] = contact
        person = people.get(contact)
        if person is not None and person.account_id != owners.get(account):
            message = f'the contact "{shortened(contact)}" is not at the account "{shortened(account)}"'
            faults.add(table.place(row).bad("contact", "unknown_contact", message))
    return found


_UNREAD: Final = 0.0


def _point_out_commas(table: PointTable, faults: Faults) -> None:
    for row, value in enumerate(table.values):
        if type(value) is str and is_decimal_comma(value):
            message = f'"{shortened(value)}" has a comma before its decimals; write a point'
            faults.add(table.place(row).bad("value", "decimal_comma", message))
            table.values[row] = _UNREAD  # said once is enough
