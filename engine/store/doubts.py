"""Deliveries of which nobody knows whether they arrived, and what is done about them.

Their step says it beforehand, or a member does when they have looked. A letter that may have to go once more is kept
until it is known what became of it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.store.run_tables import DeliveryRow, RunRow
from engine.terms import DeliveryState, RunState

CONNECTION: Final = "connection:"
"""How the receiver of a call begins; what follows is the connection's name."""
INTERRUPTED = "another attempt had begun to send it and did not say what came of it"
_RETRIES: Final = 3
"""How often a playbook that says ``on_ambiguous: retry`` has a doubtful message sent again."""
_BY_PLAYBOOK: Final = "the playbook"


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


def resolve_stale(session: Session, before: datetime, at: datetime) -> int:
    """Decide what has been ``sending`` since before a moment: for a person to see, unless its step says what to do.
    Returns how many. What a member wants sent again and was only claimed has not gone: it is to be sent again still."""
    stale = session.scalars(_since(DeliveryState.SENDING, before)).all()
    for row in stale:
        doubt(row, INTERRUPTED, at, goes_on=_goes_on(session, row))
    wanted = (DeliveryRow.resolved_by != "", DeliveryRow.letter.is_not(None))
    for row in session.scalars(_since(DeliveryState.CLAIMED, before).where(*wanted)).all():
        decide(row, DeliveryState.NOT_SENT, f"{row.resolved_by} has it sent again", at, permanent=False)
    return len(stale)


def ambiguous(session: Session) -> tuple[Ambiguous, ...]:
    """Every delivery that may or may not have arrived, the oldest first."""
    rows = session.scalars(
        select(DeliveryRow).where(DeliveryRow.state == DeliveryState.AMBIGUOUS.value).order_by(DeliveryRow.id),
    )
    return tuple(
        Ambiguous(row.id, row.run_id, row.step, row.contact_id, row.message_id, row.reason, row.claimed_at)
        for row in rows
    )


def resolve(
    session: Session, delivery_id: int, *, arrived: bool | None, send_again: bool, member: str, at: datetime
) -> None:
    """A member says what became of an ambiguous delivery: it arrived, it did not, or it is to be sent again.

    Raises NotFound; Refused when it is decided already (naming by whom), or cannot be sent again.
    """
    row = session.get(DeliveryRow, delivery_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    if row.state != DeliveryState.AMBIGUOUS:
        who = f"{row.resolved_by} has decided it" if row.resolved_by else "its relay has answered"
        raise Refused(f"This is not in doubt any more: {who} ({row.state.replace('_', ' ')}: {row.reason}).")
    if send_again:
        if row.letter is None:
            raise Refused("What it said was not kept, so it cannot be sent again: write to the contact by hand.")
        row.retries += 1
        decide(row, DeliveryState.NOT_SENT, f"{member} has it sent again", at, permanent=False)
    elif arrived is None:
        raise Refused("Say whether it arrived, or have it sent again.")
    elif arrived:
        decide(row, DeliveryState.SENT, f"{member} says that it arrived", at, permanent=True)
    else:
        decide(row, DeliveryState.NOT_SENT, f"{member} says that it did not arrive", at, permanent=True)
    row.resolved_by = member


def to_send_again(session: Session) -> tuple[int, ...]:
    """Deliveries that a member wants sent again and that have not gone yet, the oldest first."""
    return tuple(session.scalars(again().with_only_columns(DeliveryRow.id).order_by(DeliveryRow.id)))


def again(*, calls: bool = False) -> Select[DeliveryRow]:
    """What a member wants sent again and has not gone yet: messages, or calls to connections."""
    is_call = DeliveryRow.receiver.startswith(CONNECTION)
    return select(DeliveryRow).where(
        is_call if calls else ~is_call,
        DeliveryRow.state == DeliveryState.NOT_SENT.value,
        DeliveryRow.permanent.is_(False),
        DeliveryRow.resolved_by != "",
        DeliveryRow.letter.is_not(None),
    )


def _since(state: DeliveryState, before: datetime) -> Select[DeliveryRow]:
    """What has been in a state since before a moment, and nobody else is at work on."""
    rows = select(DeliveryRow).where(DeliveryRow.state == state.value, DeliveryRow.claimed_at < before)
    return rows.order_by(DeliveryRow.id).with_for_update(skip_locked=True)


def _goes_on(session: Session, row: DeliveryRow) -> bool:
    """Whether somebody would send it again: its run, or whoever a member told to."""
    return bool(row.resolved_by) or RunState(session.get_one(RunRow, row.run_id).state).is_open


def doubt(row: DeliveryRow, reason: str, at: datetime, *, goes_on: bool = True) -> None:
    """Nobody knows whether it arrived: what its step says is done, else a person is asked. ``goes_on``: there is
    somebody to send it again."""
    if row.on_ambiguous == "treat_as_sent":
        decide(row, DeliveryState.SENT, f"taken as sent: {reason}", at, permanent=True)
        row.resolved_by = _BY_PLAYBOOK
    elif row.on_ambiguous == "retry" and goes_on and row.retries < _RETRIES:
        row.retries += 1
        decide(row, DeliveryState.NOT_SENT, f"sent again, as the playbook says: {reason}", at, permanent=False)
    else:
        decide(row, DeliveryState.AMBIGUOUS, reason, at, permanent=True)
        row.resolved_by = ""


def decide(row: DeliveryRow, state: DeliveryState, reason: str, at: datetime, *, permanent: bool) -> None:
    """Write a verdict. What is known to have arrived, or never to go, is not kept."""
    row.state, row.reason, row.decided_at, row.permanent = state.value, reason[:2000], at, permanent
    if state is DeliveryState.SENT or (state is DeliveryState.NOT_SENT and permanent):
        row.letter = None
