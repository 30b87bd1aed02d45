"""Giving work to a colleague, deciding many things at once, taking a decision back, and what to do about a doubt."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheSettings, TheStore
from api.pages.rendering import back_to, page
from api.stepping import Decided, decide_all, grace, reassigned
from engine.errors import Refused
from engine.store import deliveries, inbox as reading, members, undoing
from engine.store.doubtful import doubtful

router = APIRouter(include_in_schema=False)

Deciding = Annotated[Pass, Depends(Acting("approval", "decide"))]
Finishing = Annotated[Pass, Depends(Acting("task", "finish"))]
Resolving = Annotated[Pass, Depends(Acting("delivery", "resolve"))]
Reason = Annotated[str, Form(max_length=2000)]
Address = Annotated[str, Form(max_length=320)]


@router.get("/tasks/{task_id}")
def show_task(
    request: Request,
    allowed: Annotated[Pass, Depends(Allowed("task", "finish"))],
    task_id: int,
    session: Reading,
    at: Now,
) -> Response:
    """One task by itself, with whom it can be given to."""
    return _task(request, session, task_id, allowed, at)


@router.post("/tasks/{task_id}/reassign")
def reassign_task(
    request: Request,
    allowed: Finishing,
    task_id: int,
    store: TheStore,
    at: Now,
    version: Annotated[int, Form()],
    to: Address,
    reason: Reason = "",
) -> Response:
    """Give a task to a colleague."""
    try:
        reassigned(store, "task", task_id, allowed, version=version, to=to, reason=reason, at=at)
    except Refused as refusal:
        with store.read() as session:
            return _task(request, session, task_id, allowed, at, str(refusal))
    return back_to("/inbox", "given")


@router.post("/approvals/{approval_id}/reassign")
def reassign_approval(
    request: Request,
    allowed: Deciding,
    approval_id: int,
    store: TheStore,
    at: Now,
    version: Annotated[int, Form()],
    to: Address,
    reason: Reason = "",
) -> Response:
    """Give an approval to a colleague."""
    try:
        reassigned(store, "approval", approval_id, allowed, version=version, to=to, reason=reason, at=at)
    except Refused as refusal:
        return _bulk(request, [], str(refusal))
    return back_to("/inbox", "given")


@router.post("/inbox/approvals")
def decide_many(
    request: Request,
    allowed: Deciding,
    store: TheStore,
    settings: TheSettings,
    at: Now,
    decision: Annotated[Literal["approve", "reject"], Form()],
    approval: Annotated[list[str] | None, Form(max_length=200)] = None,
    reason: Reason = "",
) -> Response:
    """Decide many approvals, each by itself; the answer says which were won and which somebody else decided."""
    found = decide_all(
        store, allowed, approval or [], approve=decision == "approve", reason=reason, at=at, wait=grace(settings)
    )
    return _bulk(request, found, "" if found else "Tick at least one approval.")


@router.post("/decisions/undo")
def undo(
    request: Request, allowed: Deciding, store: TheStore, at: Now, act: Annotated[list[int], Form(max_length=200)]
) -> Response:
    """Take decisions back that the runs have not heard of yet."""
    late: list[str] = []
    for number in act:
        try:
            with store.begin() as session:
                undoing.undo(session, number, allowed.identity.email, at)
        except Refused as refusal:
            late.append(str(refusal))
    if late:
        return _bulk(request, [], f"{len(act) - len(late)} of {len(act)} taken back. {late[0]}")
    return RedirectResponse("/inbox?said=undone", status_code=303)


@router.post("/deliveries/{delivery_id}/resolve")
def resolve(
    request: Request,
    allowed: Resolving,
    delivery_id: int,
    store: TheStore,
    at: Now,
    what: Annotated[Literal["arrived", "not_arrived", "send_again"], Form()],
) -> Response:
    """Say what became of a delivery that may have arrived, or have it sent again."""
    with store.read() as session:
        doubtful(session, delivery_id, allowed.owner)
    try:
        with store.begin() as session:
            arrived = None if what == "send_again" else what == "arrived"
            who = allowed.identity.email
            deliveries.resolve(
                session, delivery_id, arrived=arrived, send_again=what == "send_again", member=who, at=at
            )
    except Refused as refusal:
        return _bulk(request, [], str(refusal))
    return back_to("/inbox", "resolved")


def _task(request: Request, session: Session, task_id: int, allowed: Pass, at: Now, refusal: str = "") -> Response:
    found = reading.task(session, task_id, allowed.identity.email, allowed.owner, at)
    colleagues = members.active(session)
    status = 409 if refusal else 200
    return page(request, "hand_over.html", status, refusal, task=found, colleagues=colleagues)


def _bulk(request: Request, found: list[Decided], refusal: str) -> Response:
    status = 409 if refusal or any(one.refusal for one in found) else 200
    acts = [one.act for one in found if one.act is not None]
    return page(request, "decided.html", status, refusal, decided=found, acts=acts)
