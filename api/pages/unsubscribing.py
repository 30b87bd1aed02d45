"""What a person wants to get from us, by the link in a message: which kinds of messages, and how often.

Opening the link changes nothing. A mail program's one click (RFC 8058) takes the person out of the message's kind; the
page's own form says everything at once, and lets people back in. The token in the link is all that is asked for.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api.dependencies import Now, TheStore
from api.pages.rendering import fragment
from api.pages.throttle import slow_down
from engine.errors import NotFound
from engine.store import preferences, secrets, suppressions
from engine.store.preferences import Preferences
from engine.store.sessions import Store
from engine.terms import Frequency
from workflows.channels.unsubscribing import SECRET, read_token

router = APIRouter(include_in_schema=False)

KINDS: Final = {
    "education": "How to get more out of the product",
    "review": "Reviews and reports of how things are going",
    "survey": "Surveys and questions",
    "news": "News and invitations",
}
"""The kinds of messages a person may choose. What is needed to use the product is not among them."""
OFTEN: Final = {
    Frequency.IMMEDIATE: "As they come",
    Frequency.DAILY: "At most one a day",
    Frequency.WEEKLY: "At most one a week",
}


@router.get("/u/{token}")
def ask(request: Request, token: str, store: TheStore) -> Response:
    """Show what the person gets; nothing changes by looking."""
    slow_down(request)
    return _page(request, store, token, done="")


@router.post("/u/{token}")
def unsubscribe(request: Request, token: str, store: TheStore, at: Now) -> Response:
    """Write no more messages of this kind to this address; asking again changes nothing."""
    slow_down(request)
    address, category = _read(store, token)
    with store.begin() as session:
        suppressions.suppress(session, address, category, "unsubscribed by the link in a message", at)
    return _page(request, store, token, done="unsubscribed")


@router.post("/u/{token}/preferences")
def choose(
    request: Request,
    token: str,
    store: TheStore,
    at: Now,
    kinds: Annotated[list[str] | None, Form()] = None,
    frequency: Annotated[str, Form(max_length=16)] = Frequency.IMMEDIATE.value,
    none: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Keep what the person wants to get; what bounced stays shut."""
    slow_down(request)
    address, _category = _read(store, token)
    wanted = frozenset() if none else frozenset(kinds or ()) & KINDS.keys()
    often = Frequency(frequency) if frequency in OFTEN else Frequency.IMMEDIATE
    with store.begin() as session:
        preferences.choose(
            session, address, Preferences(wanted, often, nothing=bool(none)), kinds=frozenset(KINDS), at=at
        )
    return _page(request, store, token, done="saved")


def _page(request: Request, store: Store, token: str, done: str) -> Response:
    address, category = _read(store, token)
    with store.read() as session:
        found = preferences.of(session, address, frozenset(KINDS))
    kind = KINDS.get(category, category)
    return fragment(
        request,
        "unsubscribe.html",
        category=category,
        kind=kind,
        kinds=KINDS,
        often=OFTEN,
        wants=found,
        done=done,
        link=f"/u/{token}",
    )


def _read(store: Store, token: str) -> tuple[str, str]:
    with store.begin() as session:  # writes only once: the first look at a new installation makes the secret
        secret = secrets.get(session, SECRET)
    found = read_token(secret, token)
    if found is None:
        raise NotFound("This link is not one of ours.")
    return found
