"""Holds: what is on hold and since when, the switch that stops everything, and what a release would send."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.access import Scope
from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore
from api.errors import Forbidden
from api.pages.account import show_account
from api.pages.rendering import back_to, page
from engine.errors import Refused
from engine.store import holds, releasing
from engine.store.account_page import owned

router = APIRouter(include_in_schema=False)

Setting = Annotated[Pass, Depends(Acting("hold", "set"))]
Releasing = Annotated[Pass, Depends(Acting("hold", "release"))]
Reason = Annotated[str, Form(max_length=2000)]


@router.get("/holds")
def show(
    request: Request, allowed: Annotated[Pass, Depends(Allowed("hold", "read"))], session: Reading, at: Now
) -> Response:
    """Everything that is on hold, as far as the member sees it."""
    return _page(request, session, allowed, at)


@router.post("/holds")
def hold_everything(request: Request, allowed: Setting, store: TheStore, at: Now, reason: Reason = "") -> Response:
    """Stop everything that goes out, at once."""
    if allowed.scope is not Scope.ALL:
        raise Forbidden("Only an administrator or an author can hold everything; you can hold accounts of your own.")
    try:
        with store.begin() as session:
            who = allowed.identity.email
            holds.hold(session, account_id=None, cause=holds.MEMBER, reason=reason, author=who, at=at)
    except Refused as refusal:
        with store.read() as session:
            return _page(request, session, allowed, at, str(refusal))
    return back_to("/holds", "held")


@router.post("/accounts/{account_id}/hold")
def hold_account(
    request: Request, allowed: Setting, account_id: int, store: TheStore, at: Now, reason: Reason = ""
) -> Response:
    """Stop what goes to one account."""
    with store.read() as session:
        owned(session, account_id, allowed.owner)
    try:
        with store.begin() as session:
            who = allowed.identity.email
            holds.hold(session, account_id=account_id, cause=holds.MEMBER, reason=reason, author=who, at=at)
    except Refused as refusal:
        with store.read() as session:
            return show_account(request, session, account_id, allowed, at, str(refusal))
    return back_to(f"/accounts/{account_id}", "held")


@router.post("/holds/{hold_id}/release")
def release(request: Request, allowed: Releasing, hold_id: int, store: TheStore, at: Now) -> Response:
    """Let it go; what was put off goes now."""
    try:
        with store.begin() as session:
            releasing.release(session, hold_id, allowed.identity.email, at)
    except Refused as refusal:
        with store.read() as session:
            return _page(request, session, allowed, at, str(refusal))
    return back_to("/holds", "released")


def _page(request: Request, session: Session, allowed: Pass, at: Now, refusal: str = "") -> Response:
    seen = [one for one in holds.listed(session) if _sees(session, one, allowed)]
    waiting = {one.id: releasing.would_send(session, one.id, at) for one in seen}
    may_all = allowed.may("hold", "set") and allowed.scope is Scope.ALL
    status = 409 if refusal else 200
    return page(
        request, "holds.html", status, refusal, holds=seen, waiting=waiting, allowed=allowed, may_hold_all=may_all
    )


def _sees(session: Session, hold: holds.Hold, allowed: Pass) -> bool:
    if hold.account_id is None or allowed.owner is None:
        return True
    return owned(session, hold.account_id, None).owner == allowed.owner
