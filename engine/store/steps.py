"""What happened to each line of a run: the ledger that makes a step happen once, however often it is tried."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.store.remembering import remembered
from engine.store.run_tables import DeliveryRow, StepRow
from engine.terms import DeliveryState, StepState

_ON_THE_WAY = [state.value for state in (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.AMBIGUOUS)]


@dataclass(frozen=True, slots=True)
class StepDone:
    """One line of a run's timeline. ``sentence`` names no address."""

    step: str
    kind: str
    state: StepState
    sentence: str
    at: datetime


def record(session: Session, run_id: int, step: str, kind: str, state: StepState, sentence: str, at: datetime) -> None:
    """Write or replace what is known of a step."""
    known = _known(session, run_id)
    row = known.get(step)
    if row is None:
        row = known[step] = StepRow(run_id=run_id, step=step, kind=kind)
        session.add(row)
    row.state = state.value
    row.sentence = sentence
    row.at = at


def end_open(session: Session, run_id: int, sentence: str, at: datetime) -> None:
    """The run has ended, so no step of it waits or is being sent any more. What went before the end is done."""
    still = {StepState.WAITING.value, StepState.PENDING.value}
    for row in [row for row in _known(session, run_id).values() if row.state in still]:
        went = _went(session, row)
        row.state = (StepState.DONE if went else StepState.SKIPPED).value
        row.sentence = f"It went to {went} of its people before the run ended." if went else sentence
        row.at = at


def _went(session: Session, row: StepRow) -> int:
    ours = (DeliveryRow.run_id == row.run_id, DeliveryRow.step == row.step, DeliveryRow.state.in_(_ON_THE_WAY))
    return session.scalar(select(func.count()).select_from(DeliveryRow).where(*ours)) or 0


def state_of(session: Session, run_id: int, step: str) -> StepState | None:
    """What is known of one step; None before anything happened."""
    row = _known(session, run_id).get(step)
    return None if row is None else StepState(row.state)


def of_run(session: Session, run_id: int) -> tuple[StepDone, ...]:
    """Everything that happened in a run, the oldest first."""
    rows = session.scalars(select(StepRow).where(StepRow.run_id == run_id).order_by(StepRow.at, StepRow.step))
    return tuple(StepDone(row.step, row.kind, StepState(row.state), row.sentence, row.at) for row in rows)


def _known(session: Session, run_id: int) -> dict[str, StepRow]:
    """The steps of a run by name, read once in a transaction: whoever writes them holds the run."""
    runs: dict[int, dict[str, StepRow]] = remembered(session, "steps")
    if run_id not in runs:
        runs[run_id] = {row.step: row for row in session.scalars(select(StepRow).where(StepRow.run_id == run_id))}
    return runs[run_id]
