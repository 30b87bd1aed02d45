"""Following up: what nobody has done is reminded of, and goes to somebody else. Rows say when; a loop of the worker
asks.

What is said and when it is said next change in one transaction, so a worker that dies says nothing twice and forgets
nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine.store import assignees, notices
from engine.store.run_tables import ApprovalRow, TaskRow
from engine.store.tables import AccountRow
from engine.terms import ApprovalState, TaskState

AT_ONCE: Final = 200
"""So many rows at most are followed up in one transaction."""

_Row: TypeAlias = TaskRow | ApprovalRow


def follow_up(session: Session, at: datetime) -> int:
    """Remind and escalate what is due at ``at``; how many rows were due. At `AT_ONCE` there may be more."""
    rows: list[_Row] = [*_tasks(session, at), *_approvals(session, at)]
    for row in rows:
        if row.remind_at is not None and row.remind_at <= at:
            _remind(session, row, at)
        if row.escalate_at is not None and row.escalate_at <= at:
            _escalate(session, row, at)
    return len(rows)


def _tasks(session: Session, at: datetime) -> Sequence[TaskRow]:
    due = or_(TaskRow.remind_at <= at, TaskRow.escalate_at <= at)
    query = select(TaskRow).where(TaskRow.state == TaskState.OPEN.value, due).order_by(TaskRow.id).limit(AT_ONCE)
    return session.scalars(query.with_for_update(skip_locked=True)).all()


def _approvals(session: Session, at: datetime) -> Sequence[ApprovalRow]:
    due = or_(ApprovalRow.remind_at <= at, ApprovalRow.escalate_at <= at)
    pending = select(ApprovalRow).where(ApprovalRow.state == ApprovalState.PENDING.value, due)
    query = pending.order_by(ApprovalRow.id).limit(AT_ONCE)
    return session.scalars(query.with_for_update(skip_locked=True)).all()


def _remind(session: Session, row: _Row, at: datetime) -> None:
    person, moment = _person(row), row.remind_at
    row.remind_at = None
    who = assignees.present(session, person, at) or person
    if who:
        _tell(session, row, at, who, f"{_key(row)}-remind-{moment:%Y%m%dT%H%M%S}", _reminder(row))


def _escalate(session: Session, row: _Row, at: datetime) -> None:
    person, moment = _person(row), row.escalate_at
    row.escalate_at = None
    who = _above(session, row, person, at)
    row.escalate_to = who
    if who and who != person:
        text = f"{person or 'Nobody'} has not done this yet, so it comes to you. {_reminder(row)}"
        _tell(session, row, at, who, f"{_key(row)}-escalate-{moment:%Y%m%dT%H%M%S}", text)


def _above(session: Session, row: _Row, person: str, at: datetime) -> str:
    """Who hears of what ``person`` has not done: their own manager, before the account's owner's."""
    if row.escalate_to == assignees.MANAGER:
        manager = assignees.present(session, assignees.manager_of(session, person), at)
        if manager:
            return manager
    return assignees.resolve(session, row.account_id, [row.escalate_to or assignees.MANAGER], at)


def _tell(session: Session, row: _Row, at: datetime, member: str, key: str, text: str) -> None:
    account = session.get_one(AccountRow, row.account_id)
    link = "/inbox" if isinstance(row, TaskRow) else f"/approvals/{row.id}"
    subject = f"{account.name}: {_what(row)}"
    notices.tell(
        session, key=key, member=member, subject=subject, text=text, at=at, account_id=row.account_id, link=link
    )


def _reminder(row: _Row) -> str:
    if isinstance(row, ApprovalRow):
        return f"It waits for a decision until {row.expires_at:%Y-%m-%d %H:%M} UTC."
    return f"It is due on {row.due_at:%Y-%m-%d %H:%M} UTC." if row.due_at else "It is still to be done."


def _what(row: _Row) -> str:
    return row.title if isinstance(row, TaskRow) else "a message waits for your approval"


def _key(row: _Row) -> str:
    return f"{'task' if isinstance(row, TaskRow) else 'approval'}-{row.id}"


def _person(row: _Row) -> str:
    return row.assignee if isinstance(row, TaskRow) else row.approver
