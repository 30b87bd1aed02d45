"""What waiting runs wait for. A row is there exactly as long as the run stands at the wait; the cycle looks at it."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from engine.store import outbox
from engine.store.run_tables import WaitRow
from engine.terms import OutboxKind


def begin(session: Session, run_id: int, step: str, *, condition: dict[str, Any] | None, until: datetime) -> None:
    """Say that the run waits at ``step``: until ``condition`` (JsonLogic) holds, at most until ``until``."""
    row = session.get(WaitRow, (run_id, step))
    if row is None:
        session.add(WaitRow(run_id=run_id, step=step, condition=condition, until=until))
    else:
        row.until = until


def satisfy(session: Session, run_id: int, step: str, at: datetime) -> bool:
    """What the run waits for at ``step`` has come: wake it. False when it does not wait there (any more)."""
    row = session.get(WaitRow, (run_id, step), with_for_update=True)
    if row is None or row.satisfied_at is not None:
        return False
    row.satisfied_at = at
    outbox.add(session, OutboxKind.WAKE, run_id, {"outcome": "satisfied", "step": step}, at)
    return True


def end(session: Session, run_id: int) -> None:
    """The run does not wait any more."""
    session.execute(delete(WaitRow).where(WaitRow.run_id == run_id))
