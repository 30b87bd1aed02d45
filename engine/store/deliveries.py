"""The ledger of deliveries: one row, hence one Message-ID, per step and contact of a run.

``claimed → sending → sent | not_sent | ambiguous``. The claim is made in the transaction that looks at everything which
forbids the send; ``sending`` is committed immediately before the wire. Who finds another attempt's ``sending`` cannot
know what came of it, so that is ambiguous: shown to a person, never sent again by itself, never dropped.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.store import secrets, suppressions
from engine.store.run_tables import ActRow, DeliveryRow, RunRow
from engine.store.tables import AccountRow, ContactRow
from engine.terms import ActState, DeliveryState, RunAct, RunState

_HOLDING = (RunAct.PAUSE.value, RunAct.CANCEL.value)
_MAY_CLAIM = (DeliveryState.CLAIMED, DeliveryState.NOT_SENT)
_INTERRUPTED = "another attempt had begun to send it and did not say what came of it"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be delivered to whom. ``content`` goes into the ledger as a hash; ``sender``'s domain ends the
    Message-ID."""

    run_id: int
    step: str
    account_id: int
    contact_id: int
    category: str
    channel: str
    subject: str
    content: str
    sender: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to one attempt: whoever holds the row's present ``fence`` may send."""

    delivery_id: int
    fence: int
    message_id: str
    to_name: str
    to_address: str


@dataclass(frozen=True, slots=True)
class Settled:
    """No attempt is to be made: this is what became of the delivery, or what stands against it.

    ``permanent``: asking again changes nothing.
    """

    state: DeliveryState
    reason: str
    permanent: bool = True


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """One delivery a person has to look at."""

    delivery_id: int
    run_id: int
    step: str
    contact_id: int | None
    message_id: str
    reason: str
    at: datetime


def claim(session: Session, wanted: Wanted, at: datetime) -> Claim | Settled:
    """Claim the delivery, in the transaction that also looks at everything which could forbid it."""
    run = session.get_one(RunRow, wanted.run_id, with_for_update=True)
    row = _find(session, wanted)
    if row is not None and (settled := _settled(row, at)) is not None:
        return settled
    if held := _held(session, run):
        return Settled(DeliveryState.NOT_SENT, held, permanent=False)
    contact = session.get_one(ContactRow, wanted.contact_id)
    refusal = _refusal(session, run, contact, wanted)
    row = row or _new(session, wanted, at)
    if refusal:
        _decide(row, DeliveryState.NOT_SENT, refusal, at, permanent=True)
        return Settled(DeliveryState.NOT_SENT, refusal)
    row.state, row.reason, row.claimed_at, row.decided_at = DeliveryState.CLAIMED.value, "", at, None
    row.fence += 1
    row.subject, row.content_hash = wanted.subject[:998], _hash(wanted.content)
    session.flush()
    return Claim(row.id, row.fence, row.message_id, contact.name, contact.email)


def begin_sending(session: Session, claimed: Claim, at: datetime) -> bool:
    """Write that the wire comes next; False when another attempt has taken the delivery over meanwhile."""
    row = session.get_one(DeliveryRow, claimed.delivery_id, with_for_update=True)
    if row.fence != claimed.fence or row.state != DeliveryState.CLAIMED:
        return False
    row.state, row.claimed_at = DeliveryState.SENDING.value, at
    return True


def settle(
    session: Session,
    claimed: Claim,
    state: DeliveryState,
    reason: str,
    at: datetime,
    *,
    permanent: bool,
) -> None:
    """Write the verdict. A late one may still say what came of an ambiguous delivery; nothing goes backwards."""
    row = session.get_one(DeliveryRow, claimed.delivery_id, with_for_update=True)
    if row.fence == claimed.fence and row.state in {DeliveryState.SENDING, DeliveryState.AMBIGUOUS}:
        _decide(row, state, reason, at, permanent=permanent)


def resolve_stale(session: Session, before: datetime, at: datetime) -> int:
    """Turn what has been ``sending`` since before a moment into ambiguous, for a person to see. Returns how many."""
    stale = (
        update(DeliveryRow)
        .where(DeliveryRow.state == DeliveryState.SENDING.value, DeliveryRow.claimed_at < before)
        .values(state=DeliveryState.AMBIGUOUS.value, reason=_INTERRUPTED, decided_at=at)
        .returning(DeliveryRow.id)
    )
    return len(session.scalars(stale).all())


def ambiguous(session: Session) -> tuple[Ambiguous, ...]:
    """Every delivery that may or may not have arrived, the oldest first."""
    rows = session.scalars(
        select(DeliveryRow).where(DeliveryRow.state == DeliveryState.AMBIGUOUS.value).order_by(DeliveryRow.id),
    )
    return tuple(
        Ambiguous(row.id, row.run_id, row.step, row.contact_id, row.message_id, row.reason, row.claimed_at)
        for row in rows
    )


def states(session: Session) -> dict[str, DeliveryState]:
    """Every delivery's state, by Message-ID."""
    rows = session.execute(select(DeliveryRow.message_id, DeliveryRow.state))
    return {message_id: DeliveryState(state) for message_id, state in rows}


def _find(session: Session, wanted: Wanted) -> DeliveryRow | None:
    return session.scalar(
        select(DeliveryRow).where(
            DeliveryRow.run_id == wanted.run_id,
            DeliveryRow.step == wanted.step,
            DeliveryRow.receiver == f"contact:{wanted.contact_id}",
        ),
    )


def _settled(row: DeliveryRow, at: datetime) -> Settled | None:
    """What is final about a row that is there; None when it may be claimed (again)."""
    if row.state == DeliveryState.SENDING:
        _decide(row, DeliveryState.AMBIGUOUS, _INTERRUPTED, at, permanent=True)
    if row.state in _MAY_CLAIM and not row.permanent:
        return None
    return Settled(DeliveryState(row.state), row.reason)


def _held(session: Session, run: RunRow) -> str:
    """Why nothing goes out just now. An act counts from its row on, before the run itself has heard of it."""
    if run.state == RunState.PAUSED:
        return "the run is paused"
    kind = session.scalar(
        select(ActRow.kind).where(
            ActRow.run_id == run.id,
            ActRow.kind.in_(_HOLDING),
            ActRow.state == ActState.PENDING.value,
        ),
    )
    return f"a member asked to {kind} the run" if kind else ""


def _refusal(session: Session, run: RunRow, contact: ContactRow, wanted: Wanted) -> str:
    """Why this delivery must not be; empty when nothing forbids it."""
    account = session.get_one(AccountRow, wanted.account_id)
    if not RunState(run.state).is_open:
        return f"the run is {run.state}"
    if account.suppressed or account.stopped_reason:
        return "the account must not be contacted"
    if contact.account_id != wanted.account_id:
        return "the contact is not at this account"
    if contact.departed_on is not None:
        return "the contact has left the account"
    if not contact.email:
        return "the contact has no e-mail address"
    if suppressions.is_suppressed(session, contact.email, wanted.category):
        return f"the contact does not want messages of the category {wanted.category}"
    return ""


def _new(session: Session, wanted: Wanted, at: datetime) -> DeliveryRow:
    row = DeliveryRow(
        account_id=wanted.account_id,
        run_id=wanted.run_id,
        step=wanted.step,
        receiver=f"contact:{wanted.contact_id}",
        contact_id=wanted.contact_id,
        category=wanted.category,
        channel=wanted.channel,
        message_id=_message_id(session, wanted),
        subject=wanted.subject[:998],
        content_hash=_hash(wanted.content),
        state=DeliveryState.CLAIMED.value,
        claimed_at=at,
        fence=0,
        permanent=False,
    )
    session.add(row)
    session.flush()
    return row


def _message_id(session: Session, wanted: Wanted) -> str:
    """The same for every attempt, different in every installation, and without a word about anybody."""
    key = f"{wanted.run_id}/{wanted.step}/{wanted.contact_id}".encode()
    digest = hmac.new(secrets.get(session, "message-id"), key, hashlib.sha256).hexdigest()[:40]
    return f"<{digest}@{wanted.sender.rpartition('@')[2] or 'localhost'}>"


def _decide(row: DeliveryRow, state: DeliveryState, reason: str, at: datetime, *, permanent: bool) -> None:
    row.state, row.reason, row.decided_at, row.permanent = state.value, reason[:2000], at, permanent


def _hash(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
