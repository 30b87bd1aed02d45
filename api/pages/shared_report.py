"""The report as its customer opens it by the link: no cookie, no script, nothing that is not in the report.

Unknown, expired and revoked links answer alike, byte for byte.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.dependencies import Now, TheStore
from api.pages.rendering import fragment
from api.pages.throttle import slow_down
from engine.errors import Refused
from engine.store import reports
from engine.store.sessions import Store

router = APIRouter(include_in_schema=False)


@router.get("/r/{token}")
def show(request: Request, token: str, store: TheStore, at: Now, thanks: str = "") -> Response:
    """The report, and its questions."""
    slow_down(request)
    return _page(request, store, token, at, thanks=bool(thanks))


@router.post("/r/{token}")
def answer(
    request: Request,
    token: str,
    store: TheStore,
    at: Now,
    metric: Annotated[str, Form(max_length=200)],
    value: Annotated[str, Form(max_length=20)] = "",
    comment: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Keep an answer; answering again replaces it."""
    slow_down(request)
    try:
        with store.begin() as session:
            reports.answer(session, token, metric, _number(value), comment, at)
    except Refused as refusal:
        return _page(request, store, token, at, refusal=str(refusal))
    return RedirectResponse(f"/r/{token}?thanks=1", status_code=303)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Refused("Please choose one of the numbers.") from None


def _page(request: Request, store: Store, token: str, at: Now, *, thanks: bool = False, refusal: str = "") -> Response:
    with store.begin() as session:  # the first look is noted
        found = reports.open_by_token(session, token, at)
    status = 422 if refusal else 200
    return fragment(
        request,
        "shared_report.html",
        status,
        report=found,
        content=found.content,
        asking=True,
        thanks=thanks,
        refusal=refusal,
    )
