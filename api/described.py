"""What the OpenAPI document says beyond what FastAPI reads off the functions: how one signs in, and what bodies hold.

Bodies are read as streams, so no model of them exists that it could be generated from; a test sends what is said here.
"""

from http import HTTPStatus
from typing import Any, Final

from fastapi import Security
from fastapi.security import APIKeyCookie, HTTPBearer

from engine.store.ingests import Kind

_KEY: Final = HTTPBearer(
    scheme_name="ingestKey", description="An ingest key: `backcast key add NAME`.", auto_error=False
)
_COOKIE: Final = APIKeyCookie(
    name="backcast",
    scheme_name="session",
    description="The session of a signed-in member; over TLS the cookie is called `__Host-backcast`.",
    auto_error=False,
)
INGEST_KEY: Final = Security(_KEY)
SESSION: Final = Security(_COOKIE)

_TEXT: Final = {"type": "string"}
_DAY: Final = {"type": "string", "format": "date"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_GOAL: Final = {
    "type": "object",
    "required": ["target", "start", "end"],
    "properties": {"target": {"type": "number"}, "start": _DAY, "end": _DAY, "start_value": {"type": "number"}},
    "additionalProperties": False,
}
_FIELD: Final = {"type": ["number", "boolean", "string", "null"]}
_ACCOUNT: Final = {
    "key": _TEXT,
    "name": _TEXT,
    "owner": _TEXT,
    "arr": {"type": "number", "minimum": 0},
    "stage": _TEXT,
    "stage_since": _DAY,
    "onboarded_on": _DAY,
    "renewal_on": _DAY,
    "notice_on": _DAY,
    "parent": _TEXT,
    "products": _TEXTS,
    "suppressed": {"type": "boolean"},
    "goals": {"type": "object", "additionalProperties": _GOAL},
    "fields": {"type": "object", "additionalProperties": _FIELD},
}
_CONTACT: Final = {
    "key": _TEXT,
    "account": _TEXT,
    "name": _TEXT,
    "email": {"type": "string", "format": "email"},
    "roles": _TEXTS,
    "language": _TEXT,
    "time_zone": _TEXT,
    "seniority": _TEXT,
    "department": _TEXT,
    "joined_on": _DAY,
    "departed_on": _DAY,
}
_POINT: Final = {
    "account": _TEXT,
    "metric": _TEXT,
    "day": _DAY,
    "value": {"type": ["number", "boolean", "string"]},
    "contact": _TEXT,
    "product": _TEXT,
}
_EVENT: Final = {
    "account": _TEXT,
    "event": _TEXT,
    "at": {"type": "string", "description": "A moment with its zone, or a day."},
    "contact": _TEXT,
    "key": {"type": "string", "maxLength": 80},
    "fields": {"type": "object", "additionalProperties": _FIELD},
}
ROWS: Final[dict[Kind, dict[str, Any]]] = {
    Kind.POINTS: {"type": "object", "properties": _POINT, "required": ["account", "metric", "day", "value"]},
    Kind.ACCOUNTS: {"type": "object", "properties": _ACCOUNT, "required": ["key"]},
    Kind.CONTACTS: {"type": "object", "properties": _CONTACT, "required": ["key", "account"]},
    Kind.EVENTS: {"type": "object", "properties": _EVENT, "required": ["account", "event", "at"]},
}
_CLOSED: Final = frozenset({Kind.POINTS, Kind.CONTACTS})
"""Rows of accounts may have further fields of their own, those of events the fields the catalog declares."""

_ERROR: Final = {
    "type": "object",
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer into a JSON body"},
        "line": {"type": "integer", "description": "of NDJSON and CSV, from 1"},
        "column": _TEXT,
        "code": _TEXT,
        "detail": _TEXT,
    },
}
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "instance": _TEXT,
        "errors": {"type": "array", "items": _ERROR, "maxItems": 50, "description": "the first 50 places"},
        "total": {"type": "integer", "description": "how many places there are; counting ends at some 10,000"},
    },
}


def problem(status: HTTPStatus) -> dict[str, Any]:
    """A failure as every route answers it; its shape is written out once for each route."""
    found: dict[str, Any] = {"description": f"{status.phrase} (application/problem+json)"}
    if status is HTTPStatus.UNPROCESSABLE_ENTITY:
        found["content"] = {"application/problem+json": {"schema": PROBLEM}}
    return found


def ingest_body(kind: Kind) -> dict[str, Any]:
    """What a route that takes data in says about its headers and its body."""
    row = ROWS[kind] | {"additionalProperties": kind not in _CLOSED}
    listed = {"type": "array", "items": row, "minItems": 1, "maxItems": 10_000}
    body = {
        "type": "object",
        "properties": {kind.value: listed},
        "required": [kind.value],
        "additionalProperties": False,
    }
    line = {"type": "string", "description": "One such object in each line, at most 64 KiB."}
    table = {"type": "string", "description": f"A header line, then rows: {', '.join(row['properties'])}."}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": body},
                "application/x-ndjson": {"schema": line},
                "text/csv": {"schema": table},
            },
        },
        "parameters": [
            _header("Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": 200}),
            _header("Content-Encoding", {"type": "string", "enum": ["identity", "gzip"]}),
        ],
    }


def _header(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": schema}
