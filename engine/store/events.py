"""Events: each stored once, whatever order and however often it comes, and counted into the metrics made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.errors import BadRow
from engine.evaluation.incoming.events import PushedEvent
from engine.evaluation.incoming.faults import Faults, shortened
from engine.evaluation.incoming.values import day_of
from engine.evaluation.point_values import like
from engine.store import accounts, awaited, changed, contacts, counting
from engine.store.awaited import Happened
from engine.store.contacts import Known
from engine.store.counting import Touched
from engine.store.points import Added
from engine.store.tables import ContactRow, EventRow

DEPARTED = "contact_departed"


@dataclass(frozen=True, slots=True)
class _Event:
    """An event with the ids of whom it is about."""

    pushed: PushedEvent
    account_id: int
    contact_id: int | None

    @property
    def content(self) -> tuple[object, ...]:
        return (
            self.pushed.event,
            self.account_id,
            self.contact_id,
            self.pushed.at,
            tuple(sorted(self.pushed.fields.items())),
        )


@dataclass(slots=True)
class Unsettled:
    """What events that were stored have touched and nobody has counted yet."""

    names: set[str] = field(default_factory=set)
    places: set[Touched] = field(default_factory=set)
    departed: set[int] = field(default_factory=set)

    def add(self, events: Sequence[_Event]) -> None:
        """Add events that were stored."""
        for event in events:
            self.names.add(event.pushed.event)
            self.places.add(Touched(event.account_id, day_of(event.pushed.at)))
            if event.pushed.event == DEPARTED and event.contact_id is not None:
                self.departed.add(event.contact_id)


def push(session: Session, events: Sequence[PushedEvent], unsettled: Unsettled, at: datetime, faults: Faults) -> Added:
    """Store events that are not there yet; what they touch is to be settled once all of a body are stored.

    Reports unknown accounts and contacts, and keys that stand for another event; then nothing is to be kept.
    """
    owners = accounts.ids(session, {event.account for event in events})
    people = contacts.known(session, {event.contact for event in events if event.contact})
    found = [_resolved(event, owners, people, faults) for event in events]
    fresh = _fresh(session, [event for event in found if event is not None], faults)
    if faults.total:
        return Added()
    if fresh:
        session.execute(insert(EventRow), [_row(event, at) for event in fresh])
        changed.mark(session, {event.account_id for event in fresh})
        unsettled.add(fresh)
        awaited.arrived(session, [_happened(event) for event in fresh], at)
    return Added(new=len(fresh), same=len(events) - len(fresh))


def settle(session: Session, catalog: Catalog, unsettled: Unsettled, at: datetime) -> None:
    """Bring counts and departures up to date."""
    counting.recount(session, catalog, unsettled.names, unsettled.places, at)
    _depart(session, sorted(unsettled.departed), at)


def _happened(event: _Event) -> Happened:
    pushed = event.pushed
    return Happened(pushed.event, event.account_id, day_of(pushed.at), pushed.fields)


def _resolved(
    event: PushedEvent, owners: Mapping[str, int], people: Mapping[str, Known], faults: Faults
) -> _Event | None:
    before = faults.total
    account, person = owners.get(event.account), people.get(event.contact)
    if account is None and event.account:
        hint = like(event.account, owners) or "; push the account first"
        message = f'there is no account "{shortened(event.account)}"{hint}'
        faults.add(event.place.bad("account", "unknown_account", message))
    if event.contact and person is None:
        message = f'there is no contact "{shortened(event.contact)}"{like(event.contact, people) or "; push it first"}'
        faults.add(event.place.bad("contact", "unknown_contact", message))
    elif account is not None and person is not None and person.account_id != account:
        where = f'is not at the account "{shortened(event.account)}"; name the account it is at'
        message = f'the contact "{shortened(event.contact)}" {where}'
        faults.add(event.place.bad("contact", "unknown_contact", message))
    if faults.total > before or account is None:
        return None
    return _Event(event, account, person.id if person else None)


def _fresh(session: Session, events: Sequence[_Event], faults: Faults) -> list[_Event]:
    """Events whose key is not stored yet, each once. The same key for something else is reported."""
    known: dict[str, tuple[object, ...]] = {}
    for some in accounts.parts([event.pushed.key for event in events]):
        for row in session.scalars(select(EventRow).where(EventRow.key.in_(some))):
            fields = tuple(sorted(row.fields.items()))
            known[row.key] = (row.name, row.account_id, row.contact_id, row.at, fields)
    fresh = []
    for event in events:
        key = event.pushed.key
        if key not in known:
            known[key] = event.content
            fresh.append(event)
        elif known[key] != event.content:
            faults.add(_taken(event.pushed))
    return fresh


def _taken(event: PushedEvent) -> BadRow:
    message = f'the key "{shortened(event.key)}" stands for another event; an event that changed needs a key of its own'
    return event.place.bad("key", "key_taken", message)


def _row(event: _Event, at: datetime) -> dict[str, object]:
    pushed = event.pushed
    return {
        "key": pushed.key,
        "name": pushed.event,
        "account_id": event.account_id,
        "contact_id": event.contact_id,
        "day": day_of(pushed.at),
        "at": pushed.at,
        "fields": dict(pushed.fields),
        "recorded_at": at,
    }


def _depart(session: Session, contact_ids: Sequence[int], at: datetime) -> None:
    """A contact has departed on the last day that any event says so, in whatever order they came."""
    for some in accounts.parts(sorted(set(contact_ids))):
        last = select(EventRow.contact_id, func.max(EventRow.day).label("last")).where(
            EventRow.name == DEPARTED, EventRow.contact_id.in_(some)
        )
        days = {row.contact_id: row.last for row in session.execute(last.group_by(EventRow.contact_id))}
        for row in session.scalars(select(ContactRow).where(ContactRow.id.in_(some))):
            if row.departed_on != days[row.id]:
                row.departed_on, row.recorded_at = days[row.id], at
    session.flush()
