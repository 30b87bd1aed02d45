"""Notices: what a member was told and what became of each mail, and how often they want mails."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from api.dependencies import Acting, Allowed, Pass, Reading, TheStore
from api.pages.rendering import back_to, page
from api.pages.wording import FREQUENCIES, MAILED
from engine.store import notices

router = APIRouter(include_in_schema=False)


@router.get("/notices")
def show(request: Request, allowed: Annotated[Pass, Depends(Allowed("notice", "read"))], session: Reading) -> Response:
    """The member's own notices, the newest first."""
    who = allowed.identity.email
    return page(
        request,
        "notices.html",
        notices=notices.of_member(session, who),
        frequency=notices.frequency_of(session, who).value,
        frequencies=FREQUENCIES,
        mailed=MAILED,
    )


@router.post("/notices")
def choose(
    allowed: Annotated[Pass, Depends(Acting("notice", "choose"))],
    store: TheStore,
    frequency: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Write how often the member wants mails."""
    with store.begin() as session:
        notices.set_frequency(session, allowed.identity.email, frequency)
    return back_to("/notices", "chosen")
