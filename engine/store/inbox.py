"""Read model: what waits for one member. Approvals, tasks, and deliveries that may or may not have arrived."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.errors import NotFound
from engine.store import absences, doubtful
from engine.store.decision_tables import DecisionRow
from engine.store.doubtful import Doubtful
from engine.store.finishing import NO_CODES, Codes
from engine.store.glances import Glance, glances
from engine.store.run_tables import ApprovalRow, RunRow, TaskRow
from engine.terms import ApprovalState, TaskState

LIMIT = 100


@dataclass(frozen=True, slots=True)
class Fact:
    """One piece of evidence behind a decision: what a signal saw, in words, and where it is declared."""

    signal: str
    verdict: int
    value: float | None
    sentence: str
    place: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why a run was proposed. Empty sentence: a member started it by hand."""

    rule: str
    sentence: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that would be sent or shown. ``kind`` is the step's; ``to`` names a contact, ``address`` its e-mail."""

    kind: str
    step: str
    to: str
    address: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval with everything a person needs to decide it."""

    id: int
    version: int
    state: ApprovalState
    step: str
    run_id: int
    playbook: str
    approver: str
    account: Glance
    items: tuple[Item, ...]
    why: Why
    requested_at: datetime
    expires_at: datetime
    edited_by: str
    decided_by: str
    decided_at: datetime | None
    reason: str

    @property
    def is_pending(self) -> bool:
        """Whether it can still be decided."""
        return self.state is ApprovalState.PENDING


@dataclass(frozen=True, slots=True)
class Task:
    """One task. ``questions``: metric name → text, to be answered on a scale; ``codes``: what else finishing it
    demands."""

    id: int
    version: int
    title: str
    step: str
    run_id: int | None
    assignee: str
    account: Glance
    questions: Mapping[str, str]
    why: Why
    state: TaskState
    due_at: datetime | None
    created_at: datetime
    done_by: str
    codes: Codes = NO_CODES


@dataclass(frozen=True, slots=True)
class Inbox:
    """Everything that waits for one member, the most urgent first."""

    approvals: tuple[Approval, ...]
    tasks: tuple[Task, ...]
    doubtful: tuple[Doubtful, ...]

    @property
    def count(self) -> int:
        """How many things wait."""
        return len(self.approvals) + len(self.tasks) + len(self.doubtful)


def inbox(session: Session, member: str, at: datetime | None = None) -> Inbox:
    """What waits for ``member`` (an e-mail), or at ``at`` for whom they stand in for: at most 100 of each kind."""
    people = _people(session, member, at)
    pending = session.scalars(
        select(ApprovalRow)
        .where(_asks(ApprovalRow, ApprovalRow.approver, people), ApprovalRow.state == ApprovalState.PENDING.value)
        .order_by(ApprovalRow.expires_at, ApprovalRow.id)
        .limit(LIMIT)
    ).all()
    waiting = session.scalars(
        select(TaskRow)
        .where(_asks(TaskRow, TaskRow.assignee, people), TaskRow.state == TaskState.OPEN.value)
        .order_by(TaskRow.due_at.is_(None), TaskRow.due_at, TaskRow.id)
        .limit(LIMIT)
    ).all()
    return Inbox(_approvals(session, pending), _tasks(session, waiting), doubtful.for_member(session, member))


def approval(
    session: Session, approval_id: int, member: str, owner: str | None, at: datetime | None = None
) -> Approval:
    """One approval for whoever may see it: its approver or who stands in for them at ``at``, the account's owner, or
    anybody when ``owner`` is None.

    Raises `NotFound` for a missing and for a foreign one alike.
    """
    row = session.get(ApprovalRow, approval_id)
    found = _approvals(session, [row] if row else [])
    if not found or not _theirs(session, found[0].approver, found[0].account, member, owner, at, _above(row)):
        raise NotFound("There is no such approval.")
    return found[0]


def task(session: Session, task_id: int, member: str, owner: str | None, at: datetime | None = None) -> Task:
    """One task for its assignee or who stands in for them at ``at``, the account's owner, or anybody when ``owner`` is
    None. Raises `NotFound`."""
    row = session.get(TaskRow, task_id)
    found = _tasks(session, [row] if row else [])
    if not found or not _theirs(session, found[0].assignee, found[0].account, member, owner, at, _above(row)):
        raise NotFound("There is no such task.")
    return found[0]


def why_of(session: Session, run_ids: Iterable[int]) -> dict[int, Why]:
    """Why each run was started, by run id."""
    found = session.execute(
        select(RunRow.id, RunRow.rule, DecisionRow.sentence, DecisionRow.evidence)
        .join(DecisionRow, DecisionRow.id == RunRow.decision_id, isouter=True)
        .where(RunRow.id.in_(set(run_ids)))
    )
    return {run_id: Why(rule, sentence or "", facts_of(evidence or [])) for run_id, rule, sentence, evidence in found}


def facts_of(evidence: Sequence[Any]) -> tuple[Fact, ...]:
    """A decision's stored evidence as values."""
    return tuple(
        Fact(one["signal"], one["verdict"], one.get("value"), one["sentence"], one.get("place", "")) for one in evidence
    )


def _people(session: Session, member: str, at: datetime | None) -> list[str]:
    """The member, and whom they stand in for."""
    return [member, *(() if at is None else absences.stands_in_for(session, member, at))]


def _asks(
    table: type[ApprovalRow | TaskRow], person: InstrumentedAttribute[str], people: Sequence[str]
) -> ColumnElement[bool]:
    """Whose it is, and to whom it has been escalated."""
    escalated = table.escalate_at.is_(None) & table.escalate_to.in_(people)
    return person.in_(people) | escalated


def _above(row: ApprovalRow | TaskRow | None) -> str:
    """To whom it has been escalated; empty while it has not."""
    return row.escalate_to if row is not None and row.escalate_at is None else ""


def _theirs(
    session: Session,
    person: str,
    account: Glance,
    member: str,
    owner: str | None,
    at: datetime | None,
    above: str = "",
) -> bool:
    return owner is None or account.owner == member or bool({person, above} & set(_people(session, member, at)))


def _approvals(session: Session, rows: Sequence[ApprovalRow]) -> tuple[Approval, ...]:
    accounts = glances(session, [row.account_id for row in rows])
    whys = why_of(session, [row.run_id for row in rows])
    playbooks = _playbooks(session, [row.run_id for row in rows])
    return tuple(
        Approval(
            id=row.id,
            version=row.version,
            state=ApprovalState(row.state),
            step=row.step,
            run_id=row.run_id,
            playbook=playbooks.get(row.run_id, ""),
            approver=row.approver,
            account=accounts[row.account_id],
            items=tuple(_item(one) for one in row.content),
            why=whys[row.run_id],
            requested_at=row.requested_at,
            expires_at=row.expires_at,
            edited_by=row.edited_by,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            reason=row.reason,
        )
        for row in rows
    )


def _item(content: Mapping[str, Any]) -> Item:
    return Item(
        kind=content.get("kind", ""),
        step=content.get("step", ""),
        to=content.get("to", ""),
        address=content.get("address", ""),
        subject=content.get("subject", ""),
        text=content.get("text", ""),
        html=content.get("html", ""),
    )


def _tasks(session: Session, rows: Sequence[TaskRow]) -> tuple[Task, ...]:
    accounts = glances(session, [row.account_id for row in rows])
    whys = why_of(session, [row.run_id for row in rows if row.run_id is not None])
    return tuple(
        Task(
            id=row.id,
            version=row.version,
            title=row.title,
            step=row.step,
            run_id=row.run_id,
            assignee=row.assignee,
            account=accounts[row.account_id],
            questions=row.questions,
            why=whys.get(row.run_id or 0, Why("", "", ())),
            state=TaskState(row.state),
            due_at=row.due_at,
            created_at=row.created_at,
            done_by=row.done_by,
            codes=Codes.of(row.codes),
        )
        for row in rows
    )


def _playbooks(session: Session, run_ids: Sequence[int]) -> dict[int, str]:
    return dict(session.execute(select(RunRow.id, RunRow.playbook).where(RunRow.id.in_(run_ids))).all())
