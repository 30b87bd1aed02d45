"""What waiting runs wait for. A row is there exactly as long as the run stands at the wait; the cycle looks at it."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.running.lines import wait_of
from engine.running.ways import origin
from engine.store import outbox
from engine.store.run_tables import OutboxRow, RunRow, WaitRow
from engine.terms import OutboxKind, RunState


def begin(
    session: Session,
    run_id: int,
    step: str,
    *,
    condition: dict[str, Any] | None,
    until: datetime,
    event: str = "",
    since: datetime | None = None,
) -> None:
    """Say that the run waits at ``step``: until ``condition`` (JsonLogic) holds or an ``event`` of this kind comes, at
    most until ``until``. ``since``: where it waits for an event or a date, when it began to."""
    row = session.get(WaitRow, (run_id, step))
    if row is None:
        session.add(WaitRow(run_id=run_id, step=step, condition=condition, until=until, event=event, since=since))
    else:
        row.until = until


def since(session: Session, run_id: int, step: str) -> datetime | None:
    """Since when the run has waited at ``step``, where that counts; None where it does not wait there."""
    row = session.get(WaitRow, (run_id, step))
    return None if row is None else row.since


def look_again(session: Session, run_id: int, step: str, at: datetime) -> bool:
    """What the run waits for at ``step`` may come at another time than it thinks: let it look. False when it does not
    wait there any more."""
    row = session.get(WaitRow, (run_id, step), with_for_update=True)
    if row is None or row.satisfied_at is not None:
        return False
    outbox.add(session, OutboxKind.WAKE, run_id, {"outcome": "again", "step": step}, at)
    return True


def task_done(session: Session, run_id: int, task_step: str, at: datetime) -> bool:
    """The task of ``task_step`` is finished: wake the run where it waits for that. False when it does not."""
    mine = wait_of(origin(task_step))
    steps = session.scalars(select(WaitRow.step).where(WaitRow.run_id == run_id)).all()
    return any(satisfy(session, run_id, step, at) for step in steps if origin(step) == mine)


def satisfy(session: Session, run_id: int, step: str, at: datetime) -> bool:
    """What the run waits for at ``step`` has come: wake it. False when it does not wait there (any more)."""
    row = session.get(WaitRow, (run_id, step), with_for_update=True)
    if row is None or row.satisfied_at is not None:
        return False
    row.satisfied_at = at
    outbox.add(session, OutboxKind.WAKE, run_id, {"outcome": "satisfied", "step": step}, at)
    return True


def leave(session: Session, run_id: int, at: datetime) -> bool:
    """The run's exit holds: tell it, once. False when it does not stand still (any more) or has been told."""
    run = session.get(RunRow, run_id, with_for_update=True, populate_existing=True)
    if run is None or run.state != RunState.WAITING:
        return False
    told = session.scalars(
        select(OutboxRow.payload).where(OutboxRow.run_id == run_id, OutboxRow.kind == OutboxKind.WAKE.value)
    )
    if any(payload.get("outcome") == "exit" for payload in told):
        return False
    outbox.add(session, OutboxKind.WAKE, run_id, {"outcome": "exit"}, at)
    return True


def end(session: Session, run_id: int, step: str = "") -> None:
    """The run does not wait any more: at ``step``, or anywhere."""
    at_step = (WaitRow.step == step,) if step else ()
    session.execute(delete(WaitRow).where(WaitRow.run_id == run_id, *at_step))
