"""What Temporal still has to be told. Written in the transaction that decided it, read and marked by the drainer.

Messages of one run keep their order: while an earlier one waits for another try, the later ones wait with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session, aliased

from engine.store.run_tables import OutboxRow
from engine.terms import OutboxKind

URGENT: Final = 1
ORDINARY: Final = 3
_LONGEST_ERROR = 2_000


@dataclass(frozen=True, slots=True)
class Message:
    """One row that is due. ``payload`` is what `add` was given; ``attempts`` counts the failed ones; ``priority`` is 1
    for what cannot wait to 5 for what can."""

    id: int
    kind: OutboxKind
    run_id: int
    payload: Mapping[str, Any]
    attempts: int
    priority: int = ORDINARY


def add(
    session: Session,
    kind: OutboxKind,
    run_id: int,
    payload: Mapping[str, Any],
    at: datetime,
    wait: timedelta = timedelta(0),
    priority: int = URGENT,
) -> None:
    """Add one message, due at once, or after ``wait``: until then it can be withdrawn.

    What happens to a run that is at work does not wait behind runs that only begin; and what was to be told before it
    to the same run, its own start too, hurries with it.
    """
    row = OutboxRow(kind=kind.value, run_id=run_id, payload=dict(payload), created_at=at, next_at=at + wait)
    row.priority = priority
    session.add(row)
    if kind is not OutboxKind.START:
        slower = (OutboxRow.run_id == run_id, OutboxRow.done_at.is_(None), OutboxRow.priority > priority)
        session.execute(update(OutboxRow).where(*slower).values(priority=priority))


def withdraw(session: Session, run_id: int, act_id: int, at: datetime) -> bool:
    """Take back a message about an act that is not due yet. False where it was due, so that it may be on its way."""
    waiting = select(OutboxRow).where(
        OutboxRow.run_id == run_id,
        OutboxRow.kind == OutboxKind.UPDATE.value,
        OutboxRow.done_at.is_(None),
        OutboxRow.attempts == 0,
        OutboxRow.next_at > at,
    )
    found = next((row for row in session.scalars(waiting.with_for_update()) if row.payload["act_id"] == act_id), None)
    if found is None:
        return False
    session.delete(found)
    return True


def due(session: Session, at: datetime, limit: int) -> tuple[Message, ...]:
    """The ``limit`` messages that may go now and are most urgent, those of one run in order."""
    earlier = aliased(OutboxRow)
    held_back = exists().where(
        earlier.run_id == OutboxRow.run_id,
        earlier.id < OutboxRow.id,
        earlier.done_at.is_(None),
        earlier.next_at > at,
    )
    rows = session.scalars(
        select(OutboxRow)
        .where(OutboxRow.done_at.is_(None), OutboxRow.next_at <= at, ~held_back)
        .order_by(OutboxRow.priority, OutboxRow.id)
        .limit(limit),
    )
    return tuple(
        Message(row.id, OutboxKind(row.kind), row.run_id, row.payload, row.attempts, row.priority) for row in rows
    )


def done(session: Session, message_id: int, at: datetime, note: str = "") -> None:
    """The message has arrived, or (with a note) can never arrive."""
    row = session.get_one(OutboxRow, message_id)
    row.done_at, row.error = at, note[:_LONGEST_ERROR]


def failed(session: Session, message_id: int, error: str, next_at: datetime) -> None:
    """The message could not be delivered; try again at ``next_at``."""
    row = session.get_one(OutboxRow, message_id)
    row.attempts, row.error, row.next_at = row.attempts + 1, error[:_LONGEST_ERROR], next_at


def retry_now(session: Session, at: datetime) -> None:
    """Make everything due that waits for another try: Temporal is back."""
    failed_once = (OutboxRow.done_at.is_(None), OutboxRow.attempts > 0, OutboxRow.next_at > at)
    for row in session.scalars(select(OutboxRow).where(*failed_once)):
        row.next_at = at


def depth(session: Session) -> int:
    """How many messages have not arrived yet."""
    return session.scalar(select(func.count()).select_from(OutboxRow).where(OutboxRow.done_at.is_(None))) or 0
