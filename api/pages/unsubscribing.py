"""Unsubscribing by the link in a message. Opening it changes nothing; the button does, and so does a mail program's
one click (RFC 8058)."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.dependencies import Now, TheStore
from api.pages.rendering import fragment
from api.pages.throttle import slow_down
from engine.errors import NotFound
from engine.store import secrets, suppressions
from engine.store.sessions import Store
from workflows.channels.unsubscribing import SECRET, read_token

router = APIRouter(include_in_schema=False)


@router.get("/u/{token}")
def ask(request: Request, token: str, store: TheStore) -> Response:
    """Say what the button does."""
    slow_down(request)
    _address, category = _read(store, token)
    return fragment(request, "unsubscribe.html", category=category, done=False)


@router.post("/u/{token}")
def unsubscribe(request: Request, token: str, store: TheStore, at: Now) -> Response:
    """Write to this address no more; asking again changes nothing."""
    slow_down(request)
    address, category = _read(store, token)
    with store.begin() as session:
        suppressions.suppress(session, address, category, "unsubscribed by the link in a message", at)
    return fragment(request, "unsubscribe.html", category=category, done=True)


def _read(store: Store, token: str) -> tuple[str, str]:
    with store.begin() as session:  # writes only once: the first look at a new installation makes the secret
        secret = secrets.get(session, SECRET)
    found = read_token(secret, token)
    if found is None:
        raise NotFound("This link is not one of ours.")
    return found
