"""Where data comes in: ``POST /v1/points``, ``/v1/events``, ``/v1/accounts`` and ``/v1/contacts``, with an ingest key.

JSON, NDJSON or CSV, gzip allowed; a body is stored whole or refused whole. An answer of 200 means that it is durable.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api import errors
from api.described import INGEST_KEY, ingest_body, problem
from engine.errors import BadData, Unavailable
from engine.evaluation.incoming.faults import TooLarge, Unreadable
from engine.evaluation.incoming.rows import Format
from engine.evaluation.incoming.stream import limited, unzipped
from engine.evaluation.incoming.structured import MAX_BODY, MAX_STREAM
from engine.store import bundles, ingests, members
from engine.store.ingests import Batch, Body, Ingested, Kind
from engine.store.sessions import Store

router = APIRouter(tags=["ingest"], dependencies=[INGEST_KEY])

FORMS: Final = {
    "application/json": Format.JSON,
    "application/x-ndjson": Format.NDJSON,
    "application/jsonl": Format.NDJSON,
    "text/csv": Format.CSV,
}
STALLED_AFTER: Final = 30.0
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Parcel:
    """A request whose body is here: what it holds, how it is written, and who sends it."""

    kind: Kind
    form: Format
    zipped: bool
    sender: str
    key: str
    body_hash: str
    body: IO[bytes]

    @property
    def request(self) -> tuple[str, str, str]:
        """What tells a repeated request from another: its sender, its key, and the hash of its body."""
        return self.sender, self.key, self.body_hash


class Declined(Exception):
    """A request that is answered before its rows are looked at."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def _endpoint(kind: Kind) -> Callable[[Request], Awaitable[Response]]:
    async def receive(request: Request) -> Response:
        with SpooledTemporaryFile(max_size=_CHUNK) as body:
            try:
                parcel = await _received(request, kind, body)
                answer = await run_in_threadpool(_stored, request.app.state.store, parcel, request.app.state.clock())
            except Declined as declined:
                return _declined(request, declined)
            except (Unreadable, TooLarge) as error:
                return _refused(request, error)
        return JSONResponse(asdict(answer))

    receive.__doc__ = f"Take in {kind.value}: all of the body, or nothing and every place that is wrong."
    return receive


for _kind in Kind:
    router.add_api_route(
        f"/v1/{_kind.value}",
        _endpoint(_kind),
        methods=["POST"],
        name=f"push_{_kind.value}",
        response_model=Ingested,
        responses={code: problem(HTTPStatus(code)) for code in (400, 401, 408, 409, 413, 415, 422, 503)},
        openapi_extra=ingest_body(_kind),
    )


async def _received(request: Request, kind: Kind, body: IO[bytes]) -> Parcel:
    sender = await run_in_threadpool(_sender, request.app.state.store, request.headers.get("authorization", ""))
    form, zipped = _form(request), _zipped(request)
    key = request.headers.get("idempotency-key", "")
    if "idempotency-key" in request.headers and not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise Declined(HTTPStatus.BAD_REQUEST, "An Idempotency-Key has 1 to 200 printable ASCII characters.")
    limit = MAX_BODY if form is Format.JSON else MAX_STREAM
    digest = await _spool(request, body, limit, f"{kind} {form} {zipped} ")
    return Parcel(kind, form, zipped, sender, key, digest, body)


def _sender(store: Store, authorization: str) -> str:
    scheme, _, secret = authorization.partition(" ")
    with store.read() as session:
        name = members.key_name(session, secret.strip()) if scheme.lower() == "bearer" and secret else None
    if name is None:
        detail = "This needs a valid ingest key: Authorization: Bearer KEY (`backcast key add NAME` makes one)."
        raise Declined(HTTPStatus.UNAUTHORIZED, detail)
    return name


def _form(request: Request) -> Format:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in FORMS:
        detail = f"The Content-Type must be one of {', '.join(FORMS)}."
        raise Declined(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    return FORMS[given]


def _zipped(request: Request) -> bool:
    given = request.headers.get("content-encoding", "identity").strip().lower()
    if given not in {"identity", "gzip"}:
        raise Declined(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The Content-Encoding must be gzip, or none.")
    return given == "gzip"


async def _spool(request: Request, body: IO[bytes], limit: int, begin: str) -> str:
    """Keep the body on disk once it is large, and return the hash that names it."""
    digest, size = sha256(begin.encode()), 0
    chunks = request.stream().__aiter__()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(chunks, None), STALLED_AFTER)
        except TimeoutError:
            raise Declined(
                HTTPStatus.REQUEST_TIMEOUT, "The rest of the body did not come; nothing was stored."
            ) from None
        except ClientDisconnect:
            raise Declined(HTTPStatus.BAD_REQUEST, "The body ended too early; nothing was stored.") from None
        if chunk is None:
            break
        size += len(chunk)
        if size > limit:
            detail = f"The body is larger than {limit // 1_000_000} MB; send it in several parts."
            raise Declined(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        digest.update(chunk)
        body.write(chunk)
    body.seek(0)
    return digest.hexdigest()


def _stored(store: Store, parcel: Parcel, at: datetime) -> Ingested:
    """Judge first, reading only, so that nobody who writes waits for it; then write all of it at once."""
    with store.read() as session:
        earlier = ingests.kept_answer(session, *parcel.request) if parcel.key else None
        bundle = bundles.in_force(session)
    if earlier is not None:
        return earlier
    if bundle is None:
        raise Unavailable("no definitions are in force yet, so no metric is known: start `backcast serve` first")
    with Batch(Body(parcel.kind, parcel.form, _chunks(parcel)), bundle.catalog, at) as batch:
        with store.read() as session:
            batch.read(session)
        with store.begin() as session:
            return _written(session, parcel, batch, at)


def _written(session: Session, parcel: Parcel, batch: Batch, at: datetime) -> Ingested:
    earlier = ingests.earlier_answer(session, *parcel.request) if parcel.key else None
    if earlier is not None:
        return earlier
    answer = batch.write(session)
    if parcel.key:
        ingests.keep_answer(session, *parcel.request, answer, at)
    return answer


def _chunks(parcel: Parcel) -> Iterator[bytes]:
    read = iter(lambda: parcel.body.read(_CHUNK), b"")
    return limited(unzipped(read) if parcel.zipped else read, MAX_BODY if parcel.form is Format.JSON else MAX_STREAM)


def _declined(request: Request, declined: Declined) -> Response:
    answer = errors.answer(request, declined.status, str(declined))
    if declined.status is HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _refused(request: Request, error: BadData) -> Response:
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if isinstance(error, TooLarge) else HTTPStatus.BAD_REQUEST
    rows = [
        {"pointer": row.pointer, "line": row.line, "column": row.column, "code": row.code, "detail": row.message}
        for row in error.rows
    ]
    return errors.answer(request, status, str(error), errors=rows, total=error.total)
