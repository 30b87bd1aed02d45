"""One run: what it has done, where it stands, what lies ahead, and the forms that steer it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore
from api.pages.naming import names
from api.pages.rendering import back_to, page
from engine.errors import EngineError, NotFound, Refused
from engine.running.overriding import NEEDS_REASON, STUCK, possible
from engine.store import acts, campaigns, notes, snoozes
from engine.store.campaigns import Campaign
from engine.store.run_page import RunPage, run_page
from engine.store.sessions import Store
from engine.terms import RunAct

router = APIRouter(include_in_schema=False)

STEERING = frozenset({RunAct.PAUSE, RunAct.RESUME, RunAct.SKIP, RunAct.JUMP, RunAct.RETRY})


@router.get("/runs/{run_id}")
def show(
    request: Request, allowed: Annotated[Pass, Depends(Allowed("run", "read"))], run_id: int, session: Reading
) -> Response:
    """One run from its beginning to what is still to come."""
    return _page(request, session, run_id, allowed)


@router.post("/runs/{run_id}/cancel")
def cancel(
    request: Request,
    allowed: Annotated[Pass, Depends(Acting("run", "cancel"))],
    run_id: int,
    store: TheStore,
    at: Now,
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """End a run for good."""
    return _request(request, store, run_id, Wish(RunAct.CANCEL, reason=reason), at, allowed)


@router.post("/runs/{run_id}/{kind}")
def steer(
    request: Request,
    allowed: Annotated[Pass, Depends(Acting("run", "act"))],
    run_id: int,
    kind: str,
    store: TheStore,
    at: Now,
    step: Annotated[str, Form(max_length=160)] = "",
    reason: Annotated[str, Form(max_length=2000)] = "",
    sends: Annotated[Literal["", "yes"], Form()] = "",
    stretch: Annotated[Literal["", "yes"], Form()] = "",
) -> Response:
    """Pause or resume a run, try again, leave out a step, or go back to one."""
    if kind not in STEERING:
        raise NotFound("There is no such act.")
    return _request(
        request, store, run_id, Wish(RunAct(kind), step, reason, sends == "yes", stretch == "yes"), at, allowed
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member wants of a run."""

    kind: RunAct
    step: str = ""
    reason: str = ""
    sends: bool = False
    stretch: bool = False


def _request(request: Request, store: Store, run_id: int, wish: Wish, at: Now, allowed: Pass) -> Response:
    with store.read() as session:
        run_page(session, run_id, allowed.owner)
    try:
        with store.begin() as session:
            acts.request(
                session,
                run_id,
                wish.kind,
                member=allowed.identity.email,
                reason=wish.reason,
                at=at,
                step=wish.step,
                sends=wish.sends,
                stretch=wish.stretch,
            )
    except Refused as refusal:
        with store.read() as session:
            return _page(request, session, run_id, allowed, str(refusal))
    return back_to(f"/runs/{run_id}", "asked")


def _page(request: Request, session: Session, run_id: int, allowed: Pass, refusal: str = "") -> Response:
    found = run_page(session, run_id, allowed.owner)
    return page(
        request,
        "run.html",
        409 if refusal else 200,
        refusal=refusal,
        run=found,
        account=found.account,
        names=names(session, found.bundle),
        acts=_offered(found, allowed),
        needs_reason=NEEDS_REASON,
        allowed=allowed,
        notes=notes.of_account(session, found.account.id, run_id),
        reasons=snoozes.REASONS,
        campaigns=_campaigns(session, run_id),
    )


def _campaigns(session: Session, run_id: int) -> tuple[Campaign, ...]:
    try:
        return campaigns.of_run(session, run_id)
    except EngineError:  # of a run whose definitions cannot be read any more, everything else is shown
        return ()


def _offered(run: RunPage, allowed: Pass) -> list[RunAct]:
    at_kind = next((line.kind for line in run.lines if line.current), None)
    return [
        act
        for act in possible(run.state, at_kind, stuck=run.sentence.startswith(STUCK))  # type: ignore[arg-type]  # a stored line's kind is one of the kinds
        if allowed.may("run", "cancel" if act is RunAct.CANCEL else "act")
    ]
