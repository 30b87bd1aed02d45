"""Read model: one run as a timeline of lines (done, current, ahead), with its deliveries, tasks, approvals and acts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.store.account_page import owned
from engine.store.glances import Glance, glances
from engine.store.inbox import Why, why_of
from engine.store.run_tables import ActRow, ApprovalRow, DeliveryRow, RunRow, StepRow, TaskRow, WaitRow
from engine.store.tables import ContactRow
from engine.terms import ActState, ApprovalState, DeliveryState, RunState, StepState


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery of a step."""

    to: str
    subject: str
    state: DeliveryState
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RunLine:
    """One line. ``state`` None: it lies ahead, or the run went another way. ``current``: the run stands here."""

    step: str
    kind: str
    days: float
    state: StepState | None
    sentence: str
    at: datetime | None
    until: datetime | None
    current: bool
    deliveries: tuple[Sent, ...]
    task_id: int | None
    approval_id: int | None


@dataclass(frozen=True, slots=True)
class DoneAct:
    """What a person did to the run, and whether it has taken effect yet."""

    id: int
    kind: str
    step: str
    actor: str
    reason: str
    state: ActState
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RunPage:
    """Everything on a run's page. ``bundle`` is the fingerprint of the definitions the run was begun with."""

    id: int
    account: Glance
    rule: str
    playbook: str
    mode: str
    state: RunState
    sentence: str
    why: Why
    bundle: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    lines: tuple[RunLine, ...]
    acts: tuple[DoneAct, ...]
    pending_approval: int | None


def run_page(session: Session, run_id: int, scope: str | None) -> RunPage:
    """One run of an account owned by ``scope`` (None: anybody's). Raises `NotFound`, foreign or missing alike."""
    row = session.get(RunRow, run_id)
    if row is None:
        raise NotFound("There is no such run.")
    owned(session, row.account_id, scope)
    pending = session.scalar(
        select(ApprovalRow.id).where(ApprovalRow.run_id == run_id, ApprovalRow.state == ApprovalState.PENDING.value)
    )
    return RunPage(
        id=row.id,
        account=glances(session, [row.account_id])[row.account_id],
        rule=row.rule,
        playbook=row.playbook,
        mode=row.mode,
        state=RunState(row.state),
        sentence=row.sentence,
        why=why_of(session, [run_id])[run_id],
        bundle=row.bundle,
        requested_at=row.requested_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        lines=_lines(session, row),
        acts=_acts(session, run_id),
        pending_approval=pending,
    )


def _lines(session: Session, row: RunRow) -> tuple[RunLine, ...]:
    steps = {one.step: one for one in session.scalars(select(StepRow).where(StepRow.run_id == row.id))}
    tasks = _ids(session, TaskRow, row.id)
    gates = _ids(session, ApprovalRow, row.id)
    waits = {one.step: one.until for one in session.scalars(select(WaitRow).where(WaitRow.run_id == row.id))}
    deliveries = _deliveries(session, row.id)
    is_open = RunState(row.state).is_open
    return tuple(
        _line(
            line,
            steps.get(line["step"]),
            current=is_open and number == row.cursor,
            until=waits.get(line["step"]),
            deliveries=tuple(deliveries.get(line["step"], ())),
            task_id=tasks.get(line["step"]),
            approval_id=gates.get(line["step"]),
        )
        for number, line in enumerate(row.frozen.get("lines", ()))
        if line["kind"] not in {"jump", "end"}
    )


def _line(
    line: Mapping[str, Any],
    step: StepRow | None,
    *,
    current: bool,
    until: datetime | None,
    deliveries: tuple[Sent, ...],
    task_id: int | None,
    approval_id: int | None,
) -> RunLine:
    return RunLine(
        step=line["step"],
        kind=line["kind"],
        days=line.get("days", 0.0),
        state=StepState(step.state) if step else None,
        sentence=step.sentence if step else "",
        at=step.at if step else None,
        until=until if current else None,
        current=current,
        deliveries=deliveries,
        task_id=task_id,
        approval_id=approval_id,
    )


def _ids(session: Session, table: type[TaskRow] | type[ApprovalRow], run_id: int) -> dict[str, int]:
    return dict(session.execute(select(table.step, table.id).where(table.run_id == run_id)).all())


def _deliveries(session: Session, run_id: int) -> dict[str, list[Sent]]:
    found: dict[str, list[Sent]] = {}
    rows = session.execute(
        select(DeliveryRow, ContactRow.name)
        .join(ContactRow, ContactRow.id == DeliveryRow.contact_id)
        .where(DeliveryRow.run_id == run_id)
        .order_by(DeliveryRow.id)
    )
    for row, name in rows:
        at = row.decided_at or row.claimed_at
        found.setdefault(row.step, []).append(Sent(name, row.subject, DeliveryState(row.state), row.reason, at))
    return found


def _acts(session: Session, run_id: int) -> tuple[DoneAct, ...]:
    rows = session.scalars(select(ActRow).where(ActRow.run_id == run_id).order_by(ActRow.id.desc()))
    return tuple(
        DoneAct(row.id, row.kind, row.step, row.actor, row.reason, ActState(row.state), row.note, row.created_at)
        for row in rows
    )
