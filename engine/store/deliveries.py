"""The ledger of deliveries: one row, hence one Message-ID, per step and contact of a run.

``claimed → sending → sent | not_sent | ambiguous``. The claim is made in the transaction that looks at everything which
forbids the send; ``sending`` is committed immediately before the wire. Who finds another attempt's ``sending`` cannot
know what came of it, so that is ambiguous: shown to a person, never sent again by itself, never dropped.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store import clearance, doubts, outbox, secrets, touches
from engine.store.clearance import Settled, Wanted
from engine.store.doubts import Ambiguous, ambiguous, resolve, resolve_stale, to_send_again
from engine.store.run_tables import DeliveryRow, RunRow
from engine.store.tables import AccountRow, ContactRow
from engine.terms import DeliveryState, OutboxKind, RunState

__all__ = [
    "Ambiguous", "Claim", "Settled", "Wanted", "ambiguous", "begin_sending", "claim", "claim_again", "resolve",
    "resolve_stale", "settle", "states", "to_send_again", "wake_held",
]  # fmt: skip

_MAY_CLAIM = (DeliveryState.CLAIMED, DeliveryState.NOT_SENT)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to one attempt: whoever holds the row's present ``fence`` may send."""

    delivery_id: int
    fence: int
    message_id: str
    to_name: str
    to_address: str
    letter: Mapping[str, Any] | None = None


def claim(session: Session, wanted: Wanted, at: datetime) -> Claim | Settled:
    """Claim the delivery, in the transaction that also looks at everything which could forbid it."""
    run = session.get_one(RunRow, wanted.run_id, with_for_update=True)
    row = _find(session, wanted)
    if row is not None and (settled := _settled(row, at)) is not None:
        return settled
    if (held := clearance.paused(session, run)) is not None:
        return held
    contact = session.get(ContactRow, wanted.contact_id) if wanted.contact_id is not None else None
    row = row or _new(session, wanted, contact.email if contact else wanted.member, at)
    against = _against(session, row, run, wanted, at)
    if against is not None:
        return _put_off(row, against, at)
    row.subject, row.content_hash = wanted.subject[:998], _hash(wanted.content)
    return _claimed(session, row, contact, at)


def begin_sending(session: Session, claimed: Claim, at: datetime, letter: Mapping[str, Any] | None = None) -> bool:
    """Write that the wire comes next, and what goes; False when another attempt has taken the delivery over."""
    row = session.get_one(DeliveryRow, claimed.delivery_id, with_for_update=True)
    if row.fence != claimed.fence or row.state != DeliveryState.CLAIMED:
        return False
    row.state, row.claimed_at = DeliveryState.SENDING.value, at
    row.letter = dict(letter) if letter is not None else row.letter
    return True


def settle(
    session: Session,
    claimed: Claim,
    state: DeliveryState,
    reason: str,
    at: datetime,
    *,
    permanent: bool,
) -> Settled:
    """Write the verdict. A late one may still say what came of an ambiguous delivery; nothing goes backwards.

    Returns what stands in the ledger now: of a doubtful delivery, what its step says.
    """
    row = session.get_one(DeliveryRow, claimed.delivery_id, with_for_update=True)
    if row.fence == claimed.fence and row.state in {DeliveryState.SENDING, DeliveryState.AMBIGUOUS}:
        if state is DeliveryState.AMBIGUOUS:
            doubts.doubt(row, reason, at)
        else:
            doubts.decide(row, state, reason, at, permanent=permanent)
    return Settled(DeliveryState(row.state), row.reason, permanent=row.permanent)


def claim_again(session: Session, delivery_id: int, at: datetime) -> Claim | Settled | None:
    """Claim what a member wants sent again, with what it said. The run may have ended since; what must not be, and a
    hold, still stand against it. None: it has gone, or somebody else sends it."""
    row = session.scalar(doubts.again().where(DeliveryRow.id == delivery_id).with_for_update(skip_locked=True))
    contact = session.get(ContactRow, row.contact_id) if row is not None else None
    if row is None:
        return None
    if (held := clearance.on_hold(session, row.account_id, at)) is not None:
        return held
    if contact is not None:
        touches.queue_for(session, contact.email)
        account = session.get_one(AccountRow, row.account_id)
        if why := clearance.why_never(session, account, contact, row.category):
            return _put_off(row, Settled(DeliveryState.NOT_SENT, why), at)
    return _claimed(session, row, contact, at)


def wake_held(session: Session, account_id: int | None, at: datetime) -> int:
    """Tell the runs whose messages were put off (of one account, or all) to look again now; how many lines are told.

    Whoever lets go what was on hold calls it in the same transaction.
    """
    waits = (DeliveryRow.state == DeliveryState.NOT_SENT.value, DeliveryRow.permanent.is_(False))
    query = select(DeliveryRow.run_id, DeliveryRow.step).distinct().join(RunRow, RunRow.id == DeliveryRow.run_id)
    query = query.where(*waits, RunRow.state == RunState.WAITING.value)
    if account_id is not None:
        query = query.where(DeliveryRow.account_id == account_id)
    found = session.execute(query.order_by(DeliveryRow.run_id)).all()
    for run_id, step in found:
        outbox.add(session, OutboxKind.WAKE, run_id, {"outcome": "again", "step": step}, at)
    return len(found)


def states(session: Session) -> dict[str, DeliveryState]:
    """Every delivery's state, by Message-ID."""
    rows = session.execute(select(DeliveryRow.message_id, DeliveryRow.state))
    return {message_id: DeliveryState(state) for message_id, state in rows}


def _find(session: Session, wanted: Wanted) -> DeliveryRow | None:
    """The row, locked: a verdict, or another claim, that is just being written is waited for and not written over."""
    row = select(DeliveryRow).where(
        DeliveryRow.run_id == wanted.run_id,
        DeliveryRow.step == wanted.step,
        DeliveryRow.receiver == wanted.receiver,
    )
    return session.scalar(row.with_for_update())


def _settled(row: DeliveryRow, at: datetime) -> Settled | None:
    """What is final about a row that is there; None when it may be claimed (again)."""
    if row.state == DeliveryState.SENDING:
        doubts.doubt(row, doubts.INTERRUPTED, at)
    if row.state in _MAY_CLAIM and not row.permanent:
        return None
    return Settled(DeliveryState(row.state), row.reason)


def _against(session: Session, row: DeliveryRow, run: RunRow, wanted: Wanted, at: datetime) -> Settled | None:
    if wanted.contact_id is None:
        return clearance.on_hold(session, wanted.account_id, at)
    return clearance.against(session, row, run, wanted, at)


def _put_off(row: DeliveryRow, against: Settled, at: datetime) -> Settled:
    """Write what stands against it. It was put off once more only if its time had come."""
    if against.counts and (row.due_at is None or at >= row.due_at):
        row.reschedules += 1
    row.due_at = against.later or row.due_at
    doubts.decide(row, DeliveryState.NOT_SENT, against.reason, at, permanent=against.permanent)
    return against


def _claimed(session: Session, row: DeliveryRow, contact: ContactRow | None, at: datetime) -> Claim:
    row.state, row.reason, row.claimed_at, row.due_at, row.decided_at = DeliveryState.CLAIMED.value, "", at, at, None
    row.fence += 1
    session.flush()
    name, address = (contact.name, contact.email) if contact is not None else ("", row.address)
    return Claim(row.id, row.fence, row.message_id, name, address, row.letter)


def _new(session: Session, wanted: Wanted, address: str, at: datetime) -> DeliveryRow:
    row = DeliveryRow(
        account_id=wanted.account_id,
        run_id=wanted.run_id,
        step=wanted.step,
        receiver=wanted.receiver,
        contact_id=wanted.contact_id,
        address=touches.normal(address),
        category=wanted.category,
        priority=wanted.priority,
        channel=wanted.channel,
        message_id=_message_id(session, wanted),
        subject=wanted.subject[:998],
        content_hash=_hash(wanted.content),
        state=DeliveryState.CLAIMED.value,
        on_ambiguous=wanted.on_ambiguous,
        claimed_at=at,
        since=at,
        fence=0,
        reschedules=0,
        retries=0,
        permanent=False,
    )
    session.add(row)
    session.flush()
    return row


def _message_id(session: Session, wanted: Wanted) -> str:
    """The same for every attempt, different in every installation, and without a word about anybody."""
    key = f"{wanted.run_id}/{wanted.step}/{wanted.contact_id or wanted.receiver}".encode()
    digest = hmac.new(secrets.get(session, "message-id"), key, hashlib.sha256).hexdigest()[:40]
    return f"<{digest}@{wanted.sender.rpartition('@')[2] or 'localhost'}>"


def _hash(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
