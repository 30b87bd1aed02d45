"""Giving work to somebody else: a task or an approval, one by one, or all that a member or an account has open."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, cast

from sqlalchemy import ColumnElement, CursorResult, Update, update
from sqlalchemy.orm import Session

from engine.definitions.contact_policy import OwnerChange
from engine.errors import NotFound, Refused
from engine.store import assignees, notes
from engine.store.run_tables import ApprovalRow, TaskRow
from engine.terms import ApprovalState, TaskState

Kind: TypeAlias = Literal["task", "approval"]


def reassign(
    session: Session, kind: Kind, number: int, *, version: int, to: str, member: str, reason: str, at: datetime
) -> str:
    """Give an open task or approval to another active member; their delegate gets it while they are away. Returns who
    has it now. It stands in the account's timeline.

    Raises NotFound; Refused for somebody who is no active member, or when it was decided, finished or changed first.
    """
    table, state = _TABLES[kind]
    row = _row(session, kind, number)
    if row is None:
        raise NotFound(f"There is no {kind} {number}.")
    before, title = _person(row), _title(row)
    wanted = to.strip().lower()
    if not assignees.is_active(session, wanted):
        raise Refused(f'No active member has the address "{to}", so nothing can be given to them.')
    given = assignees.present(session, wanted, at) or wanted
    if given == before:
        raise Refused(f"{given} has it already.")
    mine = (table.id == number, table.state == state, table.version == version)
    moved = update(table).where(*mine).values(**{_COLUMN[kind]: given}, version=version + 1)
    if _count(session, moved) != 1:
        raise Refused(_why_lost(session, kind, number))
    why = f": {reason.strip()}" if reason.strip() else ""
    away = "" if given == wanted else f" ({wanted} is away)"
    text = f"Gave “{title}” to {given}{away}, before {before or 'nobody'}{why}"
    notes.add(session, row.account_id, text, member=member, at=at, run_id=row.run_id)
    return given


def move_all(session: Session, before: str, to: str) -> int:
    """Give every open task and approval of a member to another one. Returns how many there were."""
    return _move(session, TaskRow.assignee == before, ApprovalRow.approver == before, to)


def follow_owner(session: Session, accounts: Collection[int], before: str, to: str, policy: OwnerChange) -> int:
    """Move the open work that the former owner has for accounts to their new owner. Returns how many there were.

    ``policy`` ``engine_tasks``: tasks and approvals that runs gave; ``all``: also those members made.
    """
    if policy == "none" or not before or not to or before == to or not accounts:
        return 0
    ids = sorted(accounts)
    tasks = TaskRow.account_id.in_(ids) & (TaskRow.assignee == before)
    if policy == "engine_tasks":
        tasks &= TaskRow.run_id.is_not(None)
    return _move(session, tasks, ApprovalRow.account_id.in_(ids) & (ApprovalRow.approver == before), to)


def _move(session: Session, tasks: ColumnElement[bool], approvals: ColumnElement[bool], to: str) -> int:
    version = TaskRow.version + 1
    still = tasks & (TaskRow.state == TaskState.OPEN.value)
    moved = _count(session, update(TaskRow).where(still).values(assignee=to, version=version))
    pending = approvals & (ApprovalRow.state == ApprovalState.PENDING.value)
    return moved + _count(
        session, update(ApprovalRow).where(pending).values(approver=to, version=ApprovalRow.version + 1)
    )


def _count(session: Session, statement: Update) -> int:
    session.flush()
    result = session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()
    return cast("CursorResult[Any]", result).rowcount


def _why_lost(session: Session, kind: Kind, number: int) -> str:
    row = _row(session, kind, number)
    if isinstance(row, TaskRow) and row.state == TaskState.DONE.value:
        return f"{row.done_by} finished this at {row.done_at:%Y-%m-%d %H:%M} UTC."
    if isinstance(row, ApprovalRow) and row.decided_by:
        return f"{row.decided_by} {row.state} this at {row.decided_at:%Y-%m-%d %H:%M} UTC."
    is_open = row is not None and row.state == _TABLES[kind][1]
    return f"The {kind} has changed since you opened it: look at it again." if is_open else f"The {kind} is closed."


def _row(session: Session, kind: Kind, number: int) -> TaskRow | ApprovalRow | None:
    if kind == "task":
        return session.get(TaskRow, number, populate_existing=True)
    return session.get(ApprovalRow, number, populate_existing=True)


def _person(row: TaskRow | ApprovalRow) -> str:
    return row.assignee if isinstance(row, TaskRow) else row.approver


def _title(row: TaskRow | ApprovalRow) -> str:
    return row.title if isinstance(row, TaskRow) else f"Approval: {row.step}"


_TABLES: Final[dict[Kind, tuple[type[TaskRow] | type[ApprovalRow], str]]] = {
    "task": (TaskRow, TaskState.OPEN.value),
    "approval": (ApprovalRow, ApprovalState.PENDING.value),
}
_COLUMN: Final[dict[Kind, str]] = {"task": "assignee", "approval": "approver"}
