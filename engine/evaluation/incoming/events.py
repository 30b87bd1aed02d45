"""What a row about an event may say: who, what, when, and the fields the catalog declares for it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from hashlib import sha256
from typing import Any, Final

from engine.definitions.catalog import Catalog
from engine.definitions.feature import ValueType
from engine.evaluation.incoming.delimited import Header
from engine.evaluation.incoming.faults import Faults, Place, shortened
from engine.evaluation.incoming.rows import Format, row_blocks
from engine.evaluation.incoming.values import Values

OWN: Final = ("account", "event", "at", "contact", "key")
LONGEST_KEY: Final = 80


@dataclass(frozen=True, slots=True)
class PushedEvent:
    """One event as pushed. ``key`` is the sender's, or the hash of the content: the same event is one row."""

    key: str
    account: str
    event: str
    at: datetime
    contact: str
    fields: Mapping[str, float | bool | str]
    place: Place


def read_events(
    chunks: Iterable[bytes], form: Format, catalog: Catalog, now: datetime, faults: Faults
) -> Iterator[list[PushedEvent]]:
    """Read events of any format, some at a time; what is wrong is reported."""
    fields = dict.fromkeys(name for kind in catalog.events.values() for name in kind.fields)
    header = Header((*OWN, *fields), OWN[:3], prefixes=("fields.",))
    for rows in row_blocks(chunks, form, "events", header, faults):
        found = [_event(Values(row, faults), catalog, now) for row in rows]
        yield [event for event in found if event is not None]


def _event(values: Values, catalog: Catalog, now: datetime) -> PushedEvent | None:
    account, name = values.key("account"), values.key("event")
    at = values.moment("at", now)
    if at is None and values.row.values.get("at") is None:
        values.fault("at", "missing_value", '"at" is empty')
    contact, key = values.text("contact", 200) or "", values.text("key", LONGEST_KEY) or ""
    if name and name not in catalog.events:
        near = get_close_matches(name, catalog.events, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        values.fault("event", "unknown_event", f'there is no event "{shortened(name)}" in the catalog{hint}')
        return None
    fields = _fields(values, catalog, name) if name else {}
    if at is None:
        return None
    return PushedEvent(
        key or content_key(account, name, at, contact, fields), account, name, at, contact, fields, values.row.place
    )


def content_key(account: str, name: str, at: datetime, contact: str, fields: Mapping[str, Any]) -> str:
    """The key of an event whose sender gave none: 64 characters that any difference changes."""
    content = json.dumps([account, name, at.isoformat(), contact, sorted(fields.items())], ensure_ascii=True)
    return sha256(content.encode("ascii")).hexdigest()


def _fields(values: Values, catalog: Catalog, name: str) -> dict[str, float | bool | str]:
    declared = catalog.events[name].fields
    found: dict[str, float | bool | str] = {}
    for column, value in values.row.values.items():
        bare = column.removeprefix("fields.")
        if column in OWN or value is None:
            continue
        if bare not in declared:
            there = f"it has {', '.join(declared)}" if declared else "it has none"
            values.fault(column, "unknown_field", f'"{name}" has no field "{shortened(bare)}"; {there}')
        elif (typed := _typed(values, column, declared[bare])) is not None:
            found[bare] = typed
    return found


def _typed(values: Values, column: str, kind: ValueType) -> float | bool | str | None:
    if kind is ValueType.BOOLEAN:
        return values.flag(column)
    if kind.is_numeric:
        return values.number(column)
    if kind is ValueType.DATE:
        day = values.day(column)
        return None if day is None else float(day)
    return values.text(column, 4_000)
