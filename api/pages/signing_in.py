"""Signing in by a one-time link, and out. Opening the link only shows a button: previews must not use it up."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from api import auth
from api.dependencies import Acting, Allowed, Now, Pass, TheSettings, TheStore
from api.pages.rendering import fragment
from api.pages.throttle import slow_down
from engine.store import members

router = APIRouter(include_in_schema=False)


@router.get("/")
def start(allowed: Annotated[Pass, Depends(Allowed("account", "read"))]) -> Response:
    """Everybody's first page is the inbox, for those who have one."""
    return RedirectResponse("/inbox" if allowed.may("inbox", "read") else "/accounts", status_code=303)


@router.get("/sign-in")
def how(request: Request) -> Response:
    """Say how to get a link."""
    return fragment(request, "sign_in.html", token="")


@router.get("/sign-in/{token}")
def ask(request: Request, token: str) -> Response:
    """Show the button that signs in; nothing happens yet."""
    return fragment(request, "sign_in.html", token=token)


@router.post("/sign-in/{token}")
def enter(request: Request, token: str, store: TheStore, settings: TheSettings, at: Now) -> Response:
    """Trade the link for a session."""
    slow_down(request)
    with store.begin() as session:
        signed_in = members.sign_in(session, token, at)
    response = RedirectResponse("/inbox", status_code=303)
    auth.remember(response, settings, signed_in.token)
    return response


@router.post("/sign-out")
def leave(
    request: Request,
    _allowed: Annotated[Pass, Depends(Acting("account", "read"))],
    store: TheStore,
    settings: TheSettings,
) -> Response:
    """End the session."""
    with store.begin() as session:
        members.sign_out(session, auth.session_token(request, settings))
    response = RedirectResponse("/sign-in", status_code=303)
    auth.forget(response, settings)
    return response
