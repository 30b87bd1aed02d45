"""The only place that knows both the domain's refusals and HTTP: RFC 9457 problems for programs, a page for people.

What nobody foresaw gets an id, a line in the log and a calm answer; never a traceback.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from engine.errors import BadData, EngineError, NotFound, Refused, Unavailable

log = logging.getLogger("backcast.api")


class TooMany(EngineError):
    """More requests than a person makes."""


STATUS: Final[Mapping[type[EngineError], int]] = {
    NotFound: 404,
    Refused: 409,
    BadData: 422,
    TooMany: 429,
    Unavailable: 503,
}
RETRY_AFTER: Final = "5"
MISSING: Final = "There is nothing here, or it is not for you to see."


class SignInNeeded(Exception):
    """Nobody is signed in, and the page is not for everybody."""


class Forbidden(Exception):
    """Known, but not allowed for this member. ``str(error)`` says what is needed."""


def install(app: FastAPI) -> None:
    """Answer every kind of failure of the app."""
    app.add_exception_handler(EngineError, _refused)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(DataError, _beyond)
    app.add_exception_handler(OverflowError, _beyond)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(Forbidden, _forbidden)
    app.add_exception_handler(Exception, _unforeseen)


def answer(request: Request, status: int, detail: str, **extra: Any) -> Response:
    """A problem as JSON, or as a page for whoever asked for one."""
    headers = {"Retry-After": RETRY_AFTER} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    if _wants_page(request):
        page: Response = request.app.state.failure_page(request, status, detail)
        page.headers.update(headers or {})
        return page
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        **extra,
    }
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")


def _wants_page(request: Request) -> bool:
    api = request.url.path.startswith("/v1/") or request.url.path == "/healthz"
    return not api and hasattr(request.app.state, "failure_page")


async def _refused(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 422)
    if status == HTTPStatus.NOT_FOUND and _wants_page(request):
        return answer(request, status, MISSING)
    if isinstance(error, BadData):
        rows = [
            {"pointer": row.pointer, "line": row.line, "column": row.column, "code": row.code, "detail": row.message}
            for row in error.rows
        ]
        return answer(request, status, str(error), errors=rows, total=error.total)
    return answer(request, status, str(error))


async def _busy(request: Request, error: Exception) -> Response:
    log.warning("the database did not answer: %s", getattr(error, "orig", error))
    return answer(request, 503, "The database is busy. Nothing was changed; please try again in a few seconds.")


async def _beyond(request: Request, _error: Exception) -> Response:
    """A number or text that no row can have, so there is nothing of the kind."""
    return answer(request, 404, MISSING)


async def _malformed(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    rows = [{"pointer": "/" + "/".join(map(str, one["loc"])), "detail": one["msg"]} for one in found[:50]]
    first = f"{rows[0]['pointer'].removeprefix('/body/')}: {rows[0]['detail']}" if rows else "the request"
    return answer(request, 422, f"Something in the request does not fit: {first}.", errors=rows, total=len(found))


async def _plain(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = MISSING if status == HTTPStatus.NOT_FOUND else HTTPStatus(status).description
    if status == HTTPStatus.BAD_REQUEST and isinstance(error, HTTPException):
        detail = f"The request cannot be read: {error.detail}"
    return answer(request, status, detail or HTTPStatus(status).phrase)


async def _sign_in(request: Request, _error: Exception) -> Response:
    return answer(request, 401, "Please sign in: ask for a link with `backcast member link EMAIL`.")


async def _forbidden(request: Request, error: Exception) -> Response:
    return answer(request, 403, str(error))


async def _unforeseen(request: Request, error: Exception) -> Response:
    number = uuid4().hex[:8]
    log.error("unforeseen failure %s at %s", number, request.url.path, exc_info=error)
    return answer(request, 500, f"Something failed on our side; nothing of yours was lost. Its number is {number}.")
