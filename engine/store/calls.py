"""The ledger of calls to connections: rows of deliveries whose receiver is ``connection:<name>``, one per step.

As with letters the claim is made where everything is looked at that forbids the call, and ``sending`` is committed
before the wire. What is different: a receiver of webhooks tells repetitions by their id, so a call that may have
arrived is made again with the same id and the same body; only when no attempt is left is it *ambiguous*. A chat knows
no ids: there the first doubt is for a person. A receiver that answered 410 Gone is called no more until a member says
so, or its URL changes.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.store import clearance, doubts, secrets
from engine.store.clearance import Settled
from engine.store.run_tables import DeliveryRow, RunRow
from engine.store.tables import AccountRow
from engine.terms import DeliveryState, RunState

GONE: Final = "gone"
"""What stands as ``bounce`` in the row of a call that was answered 410, or not made because of one."""


_RECEIVER: Final = doubts.CONNECTION


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call to be made. ``endpoint``: names the URL without telling it; ``repeats``: the receiver knows calls by their
    id; ``contacts``: it reaches people of the account, so what forbids to contact them forbids it; ``retries``: how
    often it may be made again."""

    run_id: int
    step: str
    account_id: int
    connection: str
    endpoint: str
    subject: str
    body: str
    category: str = ""
    priority: str = ""
    repeats: bool = True
    contacts: bool = False
    retries: int = 8


@dataclass(frozen=True, slots=True)
class Claimed:
    """The right to one attempt, the ``attempt``-th. ``body``: what the first attempt said; every one says the same.
    ``retries`` and ``repeats`` as wanted."""

    delivery_id: int
    fence: int
    message_id: str
    connection: str
    body: str
    retries: int = 0
    repeats: bool = False

    @property
    def attempt(self) -> int:
        """Which attempt it is, from 1."""
        return self.fence


@dataclass(frozen=True, slots=True)
class Came:
    """What an attempt came to. ``pause``: how long until the next one, if there is one; ``gone``: 410."""

    state: DeliveryState
    reason: str
    permanent: bool
    pause: timedelta
    gone: bool = False


def endpoint(url: str) -> str:
    """What stands in a row for a URL: the same for the same URL, and nothing can be learned from it."""
    return f"connection:{hashlib.sha256(url.encode()).hexdigest()[:40]}"


def claim(session: Session, wanted: Wanted, at: datetime) -> Claimed | Settled:
    """Claim the next attempt, in the transaction that looks at what forbids it."""
    run = session.get_one(RunRow, wanted.run_id, with_for_update=True)
    row = session.scalar(_of(wanted).with_for_update())
    if row is not None and (settled := _settled(row, wanted, at)) is not None:
        return settled
    if (held := clearance.paused(session, run) or clearance.on_hold(session, wanted.account_id, at)) is not None:
        return held
    row = row or _new(session, wanted, at)
    if why := _refusal(session, run, row, wanted):
        doubts.decide(row, DeliveryState.NOT_SENT, why, at, permanent=True)
        return Settled(DeliveryState.NOT_SENT, why)
    return _claimed(row, wanted, at)


def claim_again(session: Session, delivery_id: int, at: datetime) -> Claimed | Settled | None:
    """Claim what a member wants called again, whether or not its run goes on. None: somebody else has it."""
    wanted = doubts.again(calls=True).where(DeliveryRow.id == delivery_id)
    row = session.scalar(wanted.with_for_update(skip_locked=True))
    if row is None:
        return None
    return clearance.on_hold(session, row.account_id, at) or _claimed(row, None, at)


def to_call_again(session: Session) -> tuple[tuple[int, str], ...]:
    """Calls that a member wants made again and that have not been, the oldest first: id and connection."""
    rows = session.execute(
        doubts.again(calls=True).with_only_columns(DeliveryRow.id, DeliveryRow.receiver).order_by(DeliveryRow.id)
    )
    return tuple((number, receiver.removeprefix(_RECEIVER)) for number, receiver in rows)


def begin(session: Session, claimed: Claimed, at: datetime) -> bool:
    """Write that the wire comes next; False when another attempt has taken the call over."""
    row = session.get_one(DeliveryRow, claimed.delivery_id, with_for_update=True)
    if row.fence != claimed.fence or row.state != DeliveryState.CLAIMED:
        return False
    row.state, row.claimed_at = DeliveryState.SENDING.value, at
    return True


def settle(session: Session, claimed: Claimed, came: Came, at: datetime) -> Settled:
    """Write what an attempt came to, and say what is to be done: nothing more, or another one ``later``.

    That it was taken counts whoever says it, however late: it is known by its id. Anything else counts only from who
    holds the row.
    """
    row = session.get_one(DeliveryRow, claimed.delivery_id, with_for_update=True)
    if came.state is DeliveryState.SENT:
        doubts.decide(row, came.state, came.reason, at, permanent=True)
        return Settled(came.state, came.reason)
    if row.fence != claimed.fence or row.state != DeliveryState.SENDING:
        return Settled(DeliveryState(row.state), row.reason, permanent=row.permanent)
    doubtful = came.state is DeliveryState.AMBIGUOUS
    row.retries += doubtful
    row.bounce = GONE if came.gone else ""
    may_repeat = claimed.repeats or not doubtful
    if not came.permanent and may_repeat and claimed.attempt <= claimed.retries:
        row.due_at = at + came.pause
        doubts.decide(row, DeliveryState.NOT_SENT, came.reason, at, permanent=False)
        return Settled(DeliveryState.NOT_SENT, came.reason, permanent=False, later=row.due_at)
    # An attempt of which nobody knows what came of it makes the whole doubtful, whatever the later ones were told.
    state = DeliveryState.AMBIGUOUS if row.retries else DeliveryState.NOT_SENT
    reason = came.reason if claimed.attempt == 1 else f"{came.reason} (attempt {claimed.attempt}, the last one)"
    doubts.decide(row, state, reason, at, permanent=True)
    return Settled(state, reason)


def why_gone(session: Session, endpoint: str) -> str:
    """Why a receiver is called no more; empty when it is called."""
    row = _latest(session, endpoint)
    if row is None or row.bounce != GONE or row.resolved_by:
        return ""
    name = row.receiver.removeprefix(_RECEIVER)
    return f"{name} answered 410 Gone: correct its URL, or say that it is there: backcast connections enable {name}"


def enable(session: Session, endpoint: str, member: str) -> bool:
    """Call a receiver again that had answered 410 Gone. Returns whether it had."""
    row = _latest(session, endpoint)
    if row is None or row.bounce != GONE or row.resolved_by:
        return False
    row.resolved_by = member
    return True


def _latest(session: Session, endpoint: str) -> DeliveryRow | None:
    decided = select(DeliveryRow).where(DeliveryRow.address == endpoint, DeliveryRow.decided_at.is_not(None))
    return session.scalar(decided.order_by(DeliveryRow.due_at.desc(), DeliveryRow.id.desc()).limit(1))


def _of(wanted: Wanted) -> Select[DeliveryRow]:
    return select(DeliveryRow).where(
        DeliveryRow.run_id == wanted.run_id,
        DeliveryRow.step == wanted.step,
        DeliveryRow.receiver == _RECEIVER + wanted.connection,
    )


def _settled(row: DeliveryRow, wanted: Wanted, at: datetime) -> Settled | None:
    """What is final about a row that is there, or when it may be claimed; None when it may now."""
    if row.state == DeliveryState.SENDING:
        row.retries += 1
        if not wanted.repeats:
            doubts.decide(row, DeliveryState.AMBIGUOUS, doubts.INTERRUPTED, at, permanent=True)
        return None if wanted.repeats else Settled(DeliveryState.AMBIGUOUS, row.reason)
    if row.state not in {DeliveryState.CLAIMED, DeliveryState.NOT_SENT} or row.permanent:
        return Settled(DeliveryState(row.state), row.reason)
    if row.state == DeliveryState.NOT_SENT and row.fence and row.due_at is not None and at < row.due_at:
        return Settled(DeliveryState.NOT_SENT, row.reason, permanent=False, later=row.due_at)
    return None


def _refusal(session: Session, run: RunRow, row: DeliveryRow, wanted: Wanted) -> str:
    """Why this call must not be made; empty when nothing forbids it."""
    if not RunState(run.state).is_open:
        return f"the run is {run.state}"
    account = session.get_one(AccountRow, wanted.account_id)
    if wanted.contacts and (account.suppressed or account.stopped_reason):
        return "the account must not be contacted"
    if why := why_gone(session, wanted.endpoint):
        row.bounce = GONE
        return why
    return ""


def _claimed(row: DeliveryRow, wanted: Wanted | None, at: datetime) -> Claimed:
    row.state, row.reason, row.claimed_at, row.due_at, row.decided_at = DeliveryState.CLAIMED.value, "", at, at, None
    row.fence += 1
    body = (row.letter or {}).get("body", "")
    retries, repeats = (wanted.retries, wanted.repeats) if wanted is not None else (0, False)
    return Claimed(row.id, row.fence, row.message_id, row.receiver.removeprefix(_RECEIVER), body, retries, repeats)


def _new(session: Session, wanted: Wanted, at: datetime) -> DeliveryRow:
    row = DeliveryRow(
        account_id=wanted.account_id,
        run_id=wanted.run_id,
        step=wanted.step,
        receiver=_RECEIVER + wanted.connection,
        address=wanted.endpoint,
        category=wanted.category,
        priority=wanted.priority,
        channel="webhook" if wanted.repeats else "chat",
        message_id=_message_id(session, wanted),
        subject=wanted.subject[:998],
        content_hash=hashlib.sha256(wanted.body.encode()).hexdigest(),
        state=DeliveryState.CLAIMED.value,
        # Found interrupted by whoever looks after the ledger, the run still makes the next attempt by itself.
        on_ambiguous="retry" if wanted.repeats else "hold",
        letter={"body": wanted.body},
        claimed_at=at,
        since=at,
        due_at=at,
        fence=0,
        reschedules=0,
        retries=0,
        permanent=False,
        bounce="",
        resolved_by="",
    )
    session.add(row)
    session.flush()
    return row


def _message_id(session: Session, wanted: Wanted) -> str:
    """The same for every attempt, different in every installation; without a dot, which would end it when signed."""
    key = f"{wanted.run_id}/{wanted.step}/{_RECEIVER}{wanted.connection}".encode()
    return f"msg_{hmac.new(secrets.get(session, 'message-id'), key, hashlib.sha256).hexdigest()[:40]}"
