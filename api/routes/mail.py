"""Where mail comes in: ``POST /v1/mail``, with an ingest key. Answers and returned letters are acted upon.

A mail server passes on what arrives at the reply address and at the sender's; whatever it is, it is taken: a mail that
means nothing here is answered with 202 as well, so that nobody sends it again.
"""

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal as Choice

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api import errors
from api.described import INGEST_KEY, problem
from engine.store import bounces, members, secrets
from engine.store.sessions import Store
from workflows.channels import incoming
from workflows.channels.incoming import Answered, Returned
from workflows.channels.unsubscribing import SECRET

router = APIRouter(tags=["ingest"], dependencies=[INGEST_KEY])

FORM: Final = "message/rfc822"
LARGEST: Final = 10_000_000
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {FORM: {"schema": {"type": "string", "format": "binary", "description": "A mail as it arrived."}}},
    },
}


class Taken(BaseModel):
    """What a mail was, and what came of it."""

    kind: Choice["returned", "answered", "ignored"]
    detail: str


@router.post(
    "/v1/mail",
    status_code=HTTPStatus.ACCEPTED,
    name="push_mail",
    response_model=Taken,
    responses={code: problem(HTTPStatus(code)) for code in (400, 401, 413, 415, 503)},
    openapi_extra=_BODY,
)
async def receive(request: Request, authorization: Annotated[str, Header(include_in_schema=False)] = "") -> Any:
    """Take in one mail: an answer to a message, or a message that came back."""
    store: Store = request.app.state.store
    if not await run_in_threadpool(_is_known, store, authorization):
        detail = "This needs a valid ingest key: Authorization: Bearer KEY (`backcast key add NAME` makes one)."
        refusal = errors.answer(request, HTTPStatus.UNAUTHORIZED, detail)
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return errors.answer(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The Content-Type must be {FORM}.")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                detail = f"The mail is larger than {LARGEST // 1_000_000} MB; pass on its text alone."
                return errors.answer(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    except ClientDisconnect:
        return errors.answer(request, HTTPStatus.BAD_REQUEST, "The mail ended too early; nothing was changed.")
    return await run_in_threadpool(_take, request, store, bytes(body))


def _is_known(store: Store, authorization: str) -> bool:
    scheme, _, secret = authorization.partition(" ")
    with store.read() as session:
        return scheme.lower() == "bearer" and bool(secret) and members.key_name(session, secret.strip()) is not None


def _take(request: Request, store: Store, data: bytes) -> Taken:
    with store.begin() as session:  # writes only once: the first look at a new installation makes the secret
        secret = secrets.get(session, SECRET)
    found, at = incoming.read(data, secret), request.app.state.clock()
    if isinstance(found, Returned):
        with store.begin() as session:
            detail = bounces.came_back(
                session, found.message_ids, hard=found.hard, status=found.status, words=found.words, at=at
            )
        return Taken(kind="returned", detail=detail)
    if isinstance(found, Answered):
        with store.begin() as session:
            detail = bounces.answered(
                session,
                found.delivery_id,
                sender=found.sender,
                subject=found.subject,
                text=found.text,
                key=found.key,
                at=at,
            )
        return Taken(kind="answered", detail=detail)
    return Taken(kind="ignored", detail=found.why)
