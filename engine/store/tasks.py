"""Tasks of members. Whoever moves the row from open at its version finishes it; answers become points, and what was
chosen becomes an event."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.running.following import NO_FOLLOW_UP, FollowUp
from engine.store import finishing, points, waits
from engine.store.finishing import NO_CODES, Codes, Finish
from engine.store.remembering import remembered
from engine.store.run_tables import TaskRow
from engine.terms import TaskState

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Task:
    """One to-do. ``questions``: metric → text; ``answers``: metric → value; ``codes``: what is to be chosen and ticked
    off to finish it, ``outcome``, ``cause`` and ``ticked`` what was."""

    id: int
    account_id: int
    run_id: int | None
    step: str
    title: str
    assignee: str
    questions: Mapping[str, str]
    answers: Mapping[str, float]
    state: TaskState
    note: str
    due_at: datetime | None
    done_by: str
    version: int
    codes: Codes = NO_CODES
    outcome: str = ""
    cause: str = ""
    ticked: tuple[str, ...] = ()


def open_task(
    session: Session,
    *,
    account_id: int,
    run_id: int | None,
    step: str,
    title: str,
    assignee: str,
    at: datetime,
    due_at: datetime | None = None,
    questions: Mapping[str, str] | None = None,
    codes: Codes = NO_CODES,
    follow_up: FollowUp = NO_FOLLOW_UP,
) -> None:
    """Give a member something to do; the same step of a run gives it once."""
    given = _given(session, run_id)
    if step not in given or run_id is None:
        given.add(step)
        row = TaskRow(
            account_id=account_id,
            run_id=run_id,
            step=step,
            title=title[:500],
            assignee=assignee,
            questions=dict(questions or {}),
            answers={},
            state=TaskState.OPEN.value,
            due_at=due_at,
            created_at=at,
            codes=codes.stored,
            remind_at=follow_up.remind_at,
            escalate_at=follow_up.escalate_at,
            escalate_to=follow_up.escalate_to,
        )
        session.add(row)


def finish(
    session: Session,
    task_id: int,
    *,
    version: int,
    member: str,
    answers: Mapping[str, float],
    note: str,
    at: datetime,
    outcome: str = "",
    cause: str = "",
    ticked: Collection[str] = (),
) -> None:
    """Finish a task. Its answers become points of the account, its outcome and cause an event; a run that waits for it
    is woken.

    Raises NotFound; Refused for an answer that is missing, not asked or off its scale, for an outcome, cause or tick
    that is missing or not offered, and, naming who was first, when the task is not open at ``version`` any more.
    """
    row = _row(session, task_id)
    said = Finish(answers, outcome.strip(), cause.strip(), tuple(ticked))
    finishing.check(session, row, said)
    statement = update(TaskRow).where(
        TaskRow.id == task_id, TaskRow.state == TaskState.OPEN.value, TaskRow.version == version
    )
    done = statement.values(
        state=TaskState.DONE.value,
        done_by=member,
        done_at=at,
        note=note.strip(),
        answers=dict(answers),
        outcome=said.outcome,
        cause=said.cause,
        ticked=list(said.ticked),
        version=version + 1,
    )
    result = cast("CursorResult[Any]", session.execute(done.execution_options(synchronize_session=False)))
    session.expire(row)
    if result.rowcount != 1:
        raise Refused(_why_lost(row))
    for metric, value in answers.items():
        points.record(session, row.account_id, metric, (at.astimezone(UTC).date() - _EPOCH).days, value, at)
    finishing.record(session, row, said, at)
    if row.run_id is not None:
        waits.task_done(session, row.run_id, row.step, at)


def hand_over(session: Session, run_id: int, to: str) -> int:
    """Give the open tasks of a run that ended to a member. Returns how many there were."""
    statement = update(TaskRow).where(TaskRow.run_id == run_id, TaskRow.state == TaskState.OPEN.value)
    moved = statement.values(assignee=to, version=TaskRow.version + 1)
    return cast("CursorResult[Any]", session.execute(moved)).rowcount


def close_open(session: Session, run_id: int, note: str, at: datetime) -> int:
    """Cancel the open tasks of a run that ended. Returns how many there were."""
    statement = update(TaskRow).where(TaskRow.run_id == run_id, TaskRow.state == TaskState.OPEN.value)
    closed = statement.values(state=TaskState.CANCELLED.value, note=note, done_at=at, version=TaskRow.version + 1)
    return cast("CursorResult[Any]", session.execute(closed)).rowcount


def of_step(session: Session, run_id: int, step: str) -> Task | None:
    """The task a step of a run gave; None when it gave none."""
    row = _of_step(session, run_id, step)
    return None if row is None else _task(row)


def find(session: Session, task_id: int) -> Task:
    """One task. Raises NotFound."""
    return _task(_row(session, task_id))


def _why_lost(row: TaskRow) -> str:
    if row.state == TaskState.DONE.value:
        return f"{row.done_by} finished this at {row.done_at:%Y-%m-%d %H:%M} UTC."
    if row.state == TaskState.CANCELLED.value:
        return f"This task was cancelled: {row.note}"
    return "The task has changed since you opened it: look at it again."


def _given(session: Session, run_id: int | None) -> set[str]:
    """The steps of a run that have given a task, read once in a transaction: whoever gives them holds the run."""
    if run_id is None:
        return set()
    runs: dict[int, set[str]] = remembered(session, "tasks")
    if run_id not in runs:
        runs[run_id] = set(session.scalars(select(TaskRow.step).where(TaskRow.run_id == run_id)))
    return runs[run_id]


def _of_step(session: Session, run_id: int, step: str) -> TaskRow | None:
    return session.scalar(select(TaskRow).where(TaskRow.run_id == run_id, TaskRow.step == step))


def _row(session: Session, task_id: int) -> TaskRow:
    row = session.get(TaskRow, task_id)
    if row is None:
        raise NotFound(f"There is no task {task_id}.")
    return row


def _task(row: TaskRow) -> Task:
    return Task(
        id=row.id,
        account_id=row.account_id,
        run_id=row.run_id,
        step=row.step,
        title=row.title,
        assignee=row.assignee,
        questions=row.questions,
        answers=row.answers,
        state=TaskState(row.state),
        note=row.note,
        due_at=row.due_at,
        done_by=row.done_by,
        version=row.version,
        codes=Codes.of(row.codes),
        outcome=row.outcome,
        cause=row.cause,
        ticked=tuple(row.ticked),
    )
