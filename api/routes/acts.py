"""What people do to runs, approvals, tasks and deliveries, as JSON: the row decides, the run follows."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Path
from pydantic import BaseModel

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheSettings, TheStore, bundle_in_force
from api.described import SESSION
from api.stepping import decide_all, grace, needs_reason, reassigned
from engine.store import acts, approvals, deliveries, inbox as reading, runs, undoing
from engine.store.account_page import owned
from engine.store.doubtful import doubtful
from engine.store.glances import id_of
from engine.store.reassigning import Kind
from engine.store.run_page import run_page
from engine.terms import Mode, RunAct

router = APIRouter(prefix="/v1", tags=["acts"], dependencies=[SESSION])

Reason = Annotated[str, Form(max_length=2_000)]
Version = Annotated[int, Form(ge=1, le=2**31 - 1)]
Deciding = Annotated[Pass, Depends(Acting("approval", "decide"))]
Number = Annotated[int, Path(ge=1, le=2**62)]
Steering = Literal["pause", "resume", "skip", "jump", "retry"]


class ActAnswer(BaseModel):
    """One act on a run. ``state``: ``pending`` until the run has heard of it, then ``applied``, or ``not_applied`` with
    a ``note`` that says why."""

    id: int
    kind: str
    step: str
    actor: str
    reason: str
    state: str
    note: str
    created_at: datetime
    applied_at: datetime | None


class DecidedAnswer(BaseModel):
    """What came of one of several approvals: the act (it can be undone for ten seconds), or why it was refused."""

    approval: int
    act: int | None
    refusal: str


class GivenAnswer(BaseModel):
    """Who has it now; the delegate, where the colleague is away."""

    to: str


@router.get("/runs/{run_id}/acts")
def listed(
    run_id: Number, session: Reading, allowed: Annotated[Pass, Depends(Allowed("run", "read"))]
) -> list[ActAnswer]:
    """Everything people did to a run, the oldest first."""
    run_page(session, run_id, allowed.owner)
    return [_answer(one) for one in acts.of_run(session, run_id)]


@router.post("/runs/{run_id}/acts/{kind}", status_code=HTTPStatus.ACCEPTED)
def act(
    run_id: Number,
    kind: Steering,
    store: TheStore,
    at: Now,
    allowed: Annotated[Pass, Depends(Acting("run", "act"))],
    step: Annotated[str, Form(max_length=160)] = "",
    reason: Reason = "",
    sends: Annotated[Literal["", "yes"], Form()] = "",
    stretch: Annotated[Literal["", "yes"], Form()] = "",
) -> ActAnswer:
    """Pause or resume a run, try again, skip a step, or go back to one (``sends``: also what was sent)."""
    with store.begin() as session:
        run_page(session, run_id, allowed.owner)
        who = allowed.identity.email
        more = {"sends": sends == "yes", "stretch": stretch == "yes"}
        number = acts.request(session, run_id, RunAct(kind), member=who, reason=reason, at=at, step=step, **more)
        return next(_answer(one) for one in acts.of_run(session, run_id) if one.id == number)


@router.post("/runs/{run_id}/cancel", status_code=HTTPStatus.ACCEPTED)
def cancel(
    run_id: Number,
    store: TheStore,
    at: Now,
    allowed: Annotated[Pass, Depends(Acting("run", "cancel"))],
    reason: Reason = "",
) -> ActAnswer:
    """End a run for good."""
    with store.begin() as session:
        run_page(session, run_id, allowed.owner)
        who = allowed.identity.email
        number = acts.request(session, run_id, RunAct.CANCEL, member=who, reason=reason, at=at)
        return next(_answer(one) for one in acts.of_run(session, run_id) if one.id == number)


@router.post("/accounts/{key}/runs", status_code=HTTPStatus.CREATED)
def start(
    key: str,
    store: TheStore,
    settings: TheSettings,
    at: Now,
    allowed: Annotated[Pass, Depends(Acting("run", "start"))],
    playbook: Annotated[str, Form(max_length=120)],
    reason: Reason = "",
    mode: Annotated[Mode, Form()] = Mode.AUTOMATIC,
) -> dict[str, int]:
    """Start a playbook for an account because a member says so; no rule has to fire."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        bundle, who = bundle_in_force(session), allowed.identity.email
        days = settings.day_seconds
        return {"run": runs.start_by_hand(session, bundle, account, playbook, who, reason, at, days, mode=mode)}


@router.post("/approvals/{approval_id}/{decision}")
def decide(
    approval_id: Number,
    decision: Literal["approve", "reject"],
    store: TheStore,
    settings: TheSettings,
    at: Now,
    allowed: Deciding,
    version: Version,
    reason: Reason = "",
) -> DecidedAnswer:
    """Decide what was shown at ``version``. Of several at once one wins; the others get 409 naming the winner."""
    with store.begin() as session:
        shown = reading.approval(session, approval_id, allowed.identity.email, allowed.owner, at)
        needs_reason(shown, allowed, reason)
        number = approvals.decide(
            session,
            approval_id,
            version=version,
            approve=decision == "approve",
            member=allowed.identity.email,
            reason=reason,
            at=at,
            wait=grace(settings),
        )
    return DecidedAnswer(approval=approval_id, act=number, refusal="")


@router.post("/approvals")
def decide_many(
    store: TheStore,
    settings: TheSettings,
    at: Now,
    allowed: Deciding,
    decision: Annotated[Literal["approve", "reject"], Form()],
    approval: Annotated[list[str], Form(max_length=200)],
    reason: Reason = "",
) -> list[DecidedAnswer]:
    """Decide up to 200 approvals (``approval=ID:VERSION``), each by itself: one that is lost loses no other."""
    approve, wait = decision == "approve", grace(settings)
    found = decide_all(store, allowed, approval, approve=approve, reason=reason, at=at, wait=wait)
    return [DecidedAnswer(approval=one.approval, act=one.act, refusal=one.refusal) for one in found]


@router.post("/acts/{act_id}/undo", status_code=HTTPStatus.NO_CONTENT)
def undo(act_id: Number, store: TheStore, at: Now, allowed: Deciding) -> None:
    """Take a decision of one's own back, for ten seconds: nothing has left yet."""
    with store.begin() as session:
        undoing.undo(session, act_id, allowed.identity.email, at)


@router.post("/{kind}/{number}/reassign")
def reassign(
    kind: Literal["tasks", "approvals"],
    number: Number,
    store: TheStore,
    at: Now,
    allowed: Annotated[Pass, Depends(Acting("task", "finish"))],
    version: Version,
    to: Annotated[str, Form(max_length=320)],
    reason: Reason = "",
) -> GivenAnswer:
    """Give a task or an approval to a colleague."""
    of: Kind = "task" if kind == "tasks" else "approval"
    return GivenAnswer(to=reassigned(store, of, number, allowed, version=version, to=to, reason=reason, at=at))


@router.post("/deliveries/{delivery_id}/resolve", status_code=HTTPStatus.NO_CONTENT)
def resolve(
    delivery_id: Number,
    store: TheStore,
    at: Now,
    allowed: Annotated[Pass, Depends(Acting("delivery", "resolve"))],
    what: Annotated[Literal["arrived", "not_arrived", "send_again"], Form()],
) -> None:
    """Say what became of a delivery that may have arrived, or have it sent again."""
    with store.begin() as session:
        doubtful(session, delivery_id, allowed.owner)
        again, who = what == "send_again", allowed.identity.email
        arrived = None if again else what == "arrived"
        deliveries.resolve(session, delivery_id, arrived=arrived, send_again=again, member=who, at=at)


def _answer(one: acts.Act) -> ActAnswer:
    return ActAnswer(
        id=one.id,
        kind=one.kind.value,
        step=one.step,
        actor=one.actor,
        reason=one.reason,
        state=one.state.value,
        note=one.note,
        created_at=one.created_at,
        applied_at=one.applied_at,
    )
