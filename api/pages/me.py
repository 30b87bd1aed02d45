"""What members say about themselves: when they are away and who stands in; and an administrator, who has left."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore
from api.pages.rendering import back_to, page
from engine.errors import Refused
from engine.store import absences, assignees, leaving_members, members

router = APIRouter(include_in_schema=False)

Editing = Annotated[Pass, Depends(Acting("me", "edit"))]
Leaving = Annotated[Pass, Depends(Acting("member", "leave"))]
Address = Annotated[str, Form(max_length=320)]
Day = Annotated[str, Form(max_length=10)]


async def chosen(request: Request) -> dict[str, str]:
    """Kind → address, of a form's fields ``to:<kind>`` that are not empty."""
    form = await request.form()
    return {key.removeprefix("to:"): str(value) for key, value in form.items() if key.startswith("to:") and value}


@router.get("/me")
def show(
    request: Request, allowed: Annotated[Pass, Depends(Allowed("me", "read"))], session: Reading, at: Now
) -> Response:
    """The member's absences, and for whom they stand in."""
    return _page(request, session, allowed, at)


@router.post("/me/absences")
def go(
    request: Request,
    allowed: Editing,
    store: TheStore,
    at: Now,
    delegate: Address = "",
    first: Day = "",
    last: Day = "",
) -> Response:
    """Say when one is away, and who stands in."""
    who = allowed.identity.email
    try:
        begins = _moment(first) if first else at
        ends = _moment(last) + timedelta(days=1)
        with store.begin() as session:
            absences.add(session, who, delegate, starts_at=begins, ends_at=ends, at=at)
    except Refused as refusal:
        with store.read() as session:
            return _page(request, session, allowed, at, str(refusal))
    return back_to("/me", "away")


@router.post("/me/absences/{number}/end")
def come_back(allowed: Editing, number: int, store: TheStore, at: Now) -> Response:
    """Be back earlier, or not go at all."""
    with store.begin() as session:
        absences.end(session, number, allowed.identity.email, at)
    return back_to("/me", "back")


@router.get("/members/{email}/leave")
def preview(
    request: Request,
    allowed: Annotated[Pass, Depends(Allowed("member", "leave"))],
    email: str,
    session: Reading,
    at: Now,
) -> Response:
    """What points at a colleague who leaves."""
    return _leaving(request, session, email, at, allowed)


@router.post("/members/{email}/leave")
def hand_over(
    request: Request,
    allowed: Leaving,
    email: str,
    store: TheStore,
    at: Now,
    targets: Annotated[Mapping[str, str], Depends(chosen)],
) -> Response:
    """Hand everything over, then disable the colleague."""
    try:
        with store.begin() as session:
            leaving_members.leave(session, email, targets, at)
    except Refused as refusal:
        with store.read() as session:
            return _leaving(request, session, email, at, allowed, str(refusal))
    return back_to("/me", "left")


def _moment(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time(), tzinfo=UTC)
    except ValueError:
        raise Refused(f'A day reads like 2026-09-01, not "{day}".') from None


def _page(request: Request, session: Session, allowed: Pass, at: Now, refusal: str = "") -> Response:
    who = allowed.identity.email
    everybody = members.active(session)
    return page(
        request,
        "me.html",
        409 if refusal else 200,
        refusal,
        absences=absences.of_member(session, who, at),
        stands_in=absences.stands_in_for(session, who, at),
        manager=assignees.manager_of(session, who),
        colleagues=[one for one in everybody if one.email != who],
        may_leave=allowed.may("member", "leave"),
    )


def _leaving(request: Request, session: Session, email: str, at: Now, allowed: Pass, refusal: str = "") -> Response:
    found = leaving_members.preview(session, email, at)
    colleagues = [one for one in members.active(session) if one.email != found.member]
    status = 409 if refusal else 200
    me = allowed.identity.email
    return page(request, "leaving.html", status, refusal, found=found, colleagues=colleagues, me=me)
