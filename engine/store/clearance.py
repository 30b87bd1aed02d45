"""What stands against a delivery, looked at in the transaction that claims it: for good, or for now.

Beside what must not be (no address, unsubscribed, an account that must not be contacted) that is a hold, and the
contact pressure over all playbooks.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.playbook import Span
from engine.running import pressure
from engine.running.pressure import Later, Message, Never
from engine.running.working_time import deadline
from engine.store import holds, suppressions, touches
from engine.store.run_tables import ActRow, DeliveryRow, RunRow
from engine.store.tables import AccountRow, ContactRow
from engine.store.touches import Asking, Rules
from engine.terms import ActState, DeliveryState, RunAct, RunState

LOOK_AGAIN: Final = timedelta(minutes=10)
"""How soon a message on hold asks again by itself; a release wakes it sooner."""
_HOLDING: Final = (RunAct.PAUSE.value, RunAct.CANCEL.value)
_LATENESS: Final = Span(7.0)
_NEVER_TOO_LATE: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be delivered to whom. ``content`` goes into the ledger as a hash; ``sender``'s domain ends the
    Message-ID.

    ``member``: the address of a colleague who gets a copy; then there is no contact. ``rules``: the contact policy and
    the calendars; None: nothing is looked at but what must not be.
    """

    run_id: int
    step: str
    account_id: int
    contact_id: int | None
    category: str
    channel: str
    subject: str
    content: str
    sender: str
    member: str = ""
    priority: str = "education"
    max_lateness: Span = _LATENESS
    on_ambiguous: str = "hold"
    rules: Rules | None = None

    @property
    def receiver(self) -> str:
        """Who gets it, as the ledger names them."""
        return f"member:{self.member}"[:160] if self.contact_id is None else f"contact:{self.contact_id}"


@dataclass(frozen=True, slots=True)
class Settled:
    """No attempt is to be made: this is what became of the delivery, or what stands against it.

    ``permanent``: asking again changes nothing. ``later``: when to ask again; ``counts``: that is one more time it was
    put off (a hold is not).
    """

    state: DeliveryState
    reason: str
    permanent: bool = True
    later: datetime | None = None
    counts: bool = False


def paused(session: Session, run: RunRow) -> Settled | None:
    """Whether the run's people want nothing to go out just now. An act counts from its row on, before the run itself
    has heard of it."""
    if run.state == RunState.PAUSED:
        return Settled(DeliveryState.NOT_SENT, "the run is paused", permanent=False)
    kind = session.scalar(
        select(ActRow.kind).where(
            ActRow.run_id == run.id,
            ActRow.kind.in_(_HOLDING),
            ActRow.state == ActState.PENDING.value,
        ),
    )
    return Settled(DeliveryState.NOT_SENT, f"a member asked to {kind} the run", permanent=False) if kind else None


def against(session: Session, row: DeliveryRow, run: RunRow, wanted: Wanted, at: datetime) -> Settled | None:
    """What stands against a contact's delivery at ``at``; None: it may go."""
    contact = session.get_one(ContactRow, wanted.contact_id)
    account = session.get_one(AccountRow, wanted.account_id)
    if (held := on_hold(session, wanted.account_id, at)) is not None:
        return held
    touches.queue_for(session, contact.email)
    if not RunState(run.state).is_open:
        return _never(f"the run is {run.state}")
    if refusal := why_never(session, account, contact, wanted.category):
        return _never(refusal)
    return None if wanted.rules is None else _pressed(session, row, run, wanted, (account, contact), at)


def on_hold(session: Session, account_id: int, at: datetime) -> Settled | None:
    """Whether nothing goes out to the account now."""
    held = holds.held(session, account_id)
    return Settled(DeliveryState.NOT_SENT, held, permanent=False, later=at + LOOK_AGAIN) if held else None


def why_never(session: Session, account: AccountRow, contact: ContactRow, category: str) -> str:
    """Why this contact must not get a message of this category; empty when nothing forbids it."""
    if account.suppressed or account.stopped_reason:
        return "the account must not be contacted"
    if contact.account_id != account.id:
        return "the contact is not at this account"
    if contact.departed_on is not None:
        return "the contact has left the account"
    if not contact.email:
        return "the contact has no e-mail address"
    return suppressions.why(session, contact.email, category)


def _pressed(
    session: Session,
    row: DeliveryRow,
    run: RunRow,
    wanted: Wanted,
    whom: tuple[AccountRow, ContactRow],
    at: datetime,
) -> Settled | None:
    """What the contact pressure says."""
    rules, (account, contact) = wanted.rules, whom
    if rules is None:
        return None
    where = touches.place(rules, account, contact, run.day_seconds)
    asking = Asking(row.id, contact.email, account.id, run, wanted.step, wanted.priority, at)
    since = row.since or at
    late = deadline(since, wanted.max_lateness, run.day_seconds, where.calendar)
    message = Message(
        category=wanted.category,
        # On a scaled clock days pass while the machine works, so there nothing is too late.
        give_up=_NEVER_TOO_LATE if where.is_scaled else late,
        spread=_share(row.message_id),
        reschedules=row.reschedules,
    )
    answer = pressure.decide(rules.policy, message, touches.known(session, rules, asking, where), where, at)
    if isinstance(answer, Later):
        said = pressure.sentence(answer, where)
        return Settled(DeliveryState.NOT_SENT, said, permanent=False, later=answer.moment, counts=True)
    return Settled(DeliveryState.NOT_SENT, answer.why) if isinstance(answer, Never) else None


def _never(why: str) -> Settled:
    return Settled(DeliveryState.NOT_SENT, why)


def _share(message_id: str) -> float:
    """Where among many a message stands: from 0 to below 1, always the same for one message."""
    return int(message_id[1:9], 16) / 0x1_0000_0000
