"""Events that this installation learns of by itself: an answer to a message, a letter that came back.

They are stored and counted as if they had been pushed, once per key, where the catalog knows such an event.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.evaluation.incoming.events import PushedEvent
from engine.evaluation.incoming.faults import Faults, Place
from engine.store import bundles, events
from engine.store.events import Unsettled
from engine.store.queueing import Queue, queue
from engine.store.tables import AccountRow, ContactRow, EventRow


def record(session: Session, name: str, *, account_id: int, contact_id: int | None, key: str, at: datetime) -> bool:
    """Store and count an event of an account, perhaps of one of its contacts. False: the catalog knows no such event.

    ``key``: at most 80 characters; the same key again changes nothing.
    """
    bundle = bundles.in_force(session)
    if bundle is None or name not in bundle.catalog.events:
        return False
    queue(session, Queue.INGEST)
    if session.scalar(select(EventRow.id).where(EventRow.key == key)) is not None:
        return True
    account = session.get_one(AccountRow, account_id)
    contact = session.get(ContactRow, contact_id) if contact_id is not None else None
    pushed = PushedEvent(key, account.key, name, at, contact.key if contact else "", {}, Place())
    faults, unsettled = Faults(), Unsettled()
    events.push(session, [pushed], unsettled, at, faults)
    faults.refuse()
    events.settle(session, bundle.catalog, unsettled, at)
    return True
