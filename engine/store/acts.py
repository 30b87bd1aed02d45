"""People's acts on runs. The row decides; the outbox carries it to the run, and what became of it comes back here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.errors import Refused
from engine.running import overriding
from engine.store import outbox, runs
from engine.store.run_tables import ActRow, StepRow
from engine.terms import ActState, OutboxKind, RunAct, RunState, StepState


@dataclass(frozen=True, slots=True)
class Act:
    """One act of one person. ``note`` says why it was not applied."""

    id: int
    kind: RunAct
    step: str
    actor: str
    reason: str
    state: ActState
    note: str
    created_at: datetime
    applied_at: datetime | None


def request(
    session: Session,
    run_id: int,
    kind: RunAct,
    *,
    member: str,
    reason: str,
    at: datetime,
    step: str = "",
    sends: bool = False,
    stretch: bool = False,
) -> int:
    """Write that a member wants a run paused, resumed, tried again or cancelled, a step skipped, or to go back to one.
    Returns the act's id. ``sends``: going back sends again what was sent; ``stretch``: after a pause waits go on for
    what they had left.

    Raises NotFound for an unknown run, Refused where the act is not possible, is on its way already, or lacks a reason.
    """
    run = runs.hold(session, run_id)
    if refusal := _refusal(session, run, kind, step) or _unreasoned(kind, reason):
        raise Refused(refusal)
    more = {name: True for name, is_so in (("sends", sends), ("stretch", stretch)) if is_so}
    return add(session, run_id, kind, member=member, reason=reason.strip(), at=at, step=step, more=more)


def add(
    session: Session,
    run_id: int,
    kind: RunAct,
    *,
    member: str,
    reason: str,
    at: datetime,
    step: str = "",
    more: Mapping[str, bool] = MappingProxyType({}),
    wait: timedelta = timedelta(0),
) -> int:
    """Write an act that has been decided, and hand it to the outbox. Returns its id. ``more``: what else the run is
    told; ``wait``: for so long it can be taken back (`undo`)."""
    row = ActRow(
        run_id=run_id,
        kind=kind.value,
        step=step,
        actor=member,
        reason=reason,
        state=ActState.PENDING.value,
        created_at=at,
    )
    session.add(row)
    session.flush()
    told = {"act_id": row.id, "kind": kind.value, "step": step, **more}
    outbox.add(session, OutboxKind.UPDATE, run_id, told, at, wait)
    return row.id


def mark(session: Session, act_id: int, state: ActState, note: str, at: datetime) -> None:
    """Write what became of an act. Only the first answer counts, so that a late refusal cannot undo what happened."""
    pending = update(ActRow).where(ActRow.id == act_id, ActRow.state == ActState.PENDING.value)
    session.execute(pending.values(state=state.value, note=note, applied_at=at if state is ActState.APPLIED else None))


def of_run(session: Session, run_id: int) -> tuple[Act, ...]:
    """All acts on a run, the oldest first."""
    rows = session.scalars(select(ActRow).where(ActRow.run_id == run_id).order_by(ActRow.id))
    return tuple(_act(row) for row in rows)


def latest(session: Session, run_id: int, kinds: tuple[RunAct, ...], step: str = "") -> Act | None:
    """The newest act of one of ``kinds`` on a run (and ``step``, when given)."""
    query = select(ActRow).where(ActRow.run_id == run_id, ActRow.kind.in_([kind.value for kind in kinds]))
    if step:
        query = query.where(ActRow.step == step)
    row = session.scalar(query.order_by(ActRow.id.desc()).limit(1))
    return None if row is None else _act(row)


def _refusal(session: Session, run: runs.Run, kind: RunAct, step: str) -> str:
    state = _state_to_come(session, run)
    at_kind = run.lines[run.cursor].kind if run.started_at else None
    refusal = overriding.refusal(kind, state, at_kind, stuck=run.sentence.startswith(overriding.STUCK))
    if kind is RunAct.SKIP and not refusal:
        refusal = overriding.skip_refusal(step, frozenset(line.step for line in run.lines), _behind(session, run.id))
    if kind is RunAct.JUMP and not refusal:
        known = [line.step for line in run.lines if line.kind not in {"jump", "join", "end"}]
        come_to = frozenset(session.scalars(select(StepRow.step).where(StepRow.run_id == run.id)))
        refusal = overriding.jump_refusal(step, known, come_to | {run.lines[run.cursor].step})
    if not refusal and _on_its_way(session, run.id, kind, step):
        refusal = "The same is on its way to the run already."
    return refusal


def _unreasoned(kind: RunAct, reason: str) -> str:
    if kind not in overriding.NEEDS_REASON or reason.strip():
        return ""
    return f"Say why you {overriding.VERBS[kind]} it: the reason stands in the timeline."


def _state_to_come(session: Session, run: runs.Run) -> RunState:
    # A pause that is still on its way already makes "resume" the sensible next act, and the other way round.
    if not run.state.is_open:
        return run.state
    act = latest(session, run.id, (RunAct.PAUSE, RunAct.RESUME))
    if act is None or act.state is not ActState.PENDING:
        return run.state
    return RunState.PAUSED if act.kind is RunAct.PAUSE else RunState.ACTIVE


def _on_its_way(session: Session, run_id: int, kind: RunAct, step: str) -> bool:
    if kind not in {RunAct.SKIP, RunAct.CANCEL, RunAct.JUMP, RunAct.RETRY}:
        return False  # pausing again after a resume that is on its way is a new wish: `_state_to_come` judges it
    query = select(ActRow.id).where(
        ActRow.run_id == run_id,
        ActRow.kind == kind.value,
        ActRow.step == step,
        ActRow.state == ActState.PENDING.value,
    )
    return session.scalar(query.limit(1)) is not None


def _behind(session: Session, run_id: int) -> frozenset[str]:
    over = [StepState.DONE.value, StepState.SKIPPED.value, StepState.FAILED.value]
    query = select(StepRow.step).where(StepRow.run_id == run_id, StepRow.state.in_(over))
    return frozenset(session.scalars(query).all())


def _act(row: ActRow) -> Act:
    return Act(
        id=row.id,
        kind=RunAct(row.kind),
        step=row.step,
        actor=row.actor,
        reason=row.reason,
        state=ActState(row.state),
        note=row.note,
        created_at=row.created_at,
        applied_at=row.applied_at,
    )
