"""Going back in a run: its lines get new names, and what stood open under the old ones is closed."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from engine.running.ways import Jump
from engine.store.run_tables import ApprovalRow, RunRow, StepRow, TaskRow, WaitRow
from engine.terms import ApprovalState, StepState, TaskState

JUMPS: Final = "jumps"
"""Under this name `RunRow.frozen` keeps the jumps of a run, so that its lines are read under their present names."""


def write(session: Session, run_id: int, jumps: Sequence[Jump]) -> None:
    """Write all jumps there have been in a run; writing the same twice changes nothing."""
    row = session.get_one(RunRow, run_id)
    row.frozen = {**row.frozen, JUMPS: [asdict(jump) for jump in jumps]}


def read(frozen: dict[str, Any]) -> tuple[Jump, ...]:
    """The jumps of a run, from its `RunRow.frozen`."""
    return tuple(Jump(**one) for one in frozen.get(JUMPS, ()))


def close_left(session: Session, run_id: int, names: Sequence[str], sentence: str, at: datetime) -> None:
    """Close what stands open at lines that are to be done again: waits, steps, approvals, tasks. ``names``: the names
    that the run's lines have now."""
    session.execute(delete(WaitRow).where(WaitRow.run_id == run_id, WaitRow.step.not_in(names)))
    open_steps = select(StepRow).where(
        StepRow.run_id == run_id,
        StepRow.step.not_in(names),
        StepRow.state.in_([StepState.WAITING.value, StepState.PENDING.value]),
    )
    for row in session.scalars(open_steps).all():
        row.state, row.sentence, row.at = StepState.SKIPPED.value, sentence, at
    session.execute(
        update(ApprovalRow)
        .where(
            ApprovalRow.run_id == run_id,
            ApprovalRow.step.not_in(names),
            ApprovalRow.state == ApprovalState.PENDING.value,
        )
        .values(state=ApprovalState.WITHDRAWN.value, decided_at=at, reason=sentence)
    )
    _close_tasks(session, run_id, names, sentence, at)


def open_unsent(session: Session, run_id: int, names: Sequence[str], at: datetime) -> None:
    """Steps of ``names`` that sent nothing are to be tried again: whoever has had the message does not get it twice,
    for the ledger of deliveries knows each of them."""
    nothing = [StepState.SKIPPED.value, StepState.FAILED.value]
    session.execute(
        update(StepRow)
        .where(StepRow.run_id == run_id, StepRow.step.in_(names), StepRow.state.in_(nothing))
        .values(state=StepState.PENDING.value, sentence="Is to be tried again.", at=at)
    )


def last(session: Session, run_id: int) -> Jump | None:
    """The latest jump of a run; None: there has been none."""
    jumps = read(session.get_one(RunRow, run_id).frozen)
    return jumps[-1] if jumps else None


def _close_tasks(session: Session, run_id: int, names: Sequence[str], sentence: str, at: datetime) -> None:
    still = select(TaskRow).where(TaskRow.run_id == run_id, TaskRow.state == TaskState.OPEN.value)
    for row in session.scalars(still).all():
        # A task to look at something ("…/look") hangs on no line; it stays until somebody has looked.
        if row.step in names or row.step.endswith("/look"):
            continue
        row.state, row.note, row.done_at, row.version = TaskState.CANCELLED.value, sentence, at, row.version + 1
