"""Points in bulk: blocks of columns as they were pushed, ready for `engine.evaluation.accepting`.

The quick way trusts msgspec and looks again, exactly, only at blocks in which it or a count finds anything odd. One
block at a time is held, so memory does not depend on how much comes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from engine.evaluation.incoming.delimited import Header, read_table
from engine.evaluation.incoming.faults import Faults, Place, printable, shortened
from engine.evaluation.incoming.rows import Format
from engine.evaluation.incoming.stream import limited
from engine.evaluation.incoming.structured import (
    MAX_BODY,
    MAX_ROWS,
    MAX_STREAM,
    NoNumber,
    numbered_lines,
    read_body,
    read_lines,
)

REQUIRED: Final = ("account", "metric", "day", "value")
NAMED: Final = ("contact", "product")
COLUMNS: Final = (*REQUIRED, *NAMED)
_HEADER: Final = Header(COLUMNS, REQUIRED)
_ESCAPES: Final = (b'\\"', b"\\\\", b"\\u0000", b"\\ud", b"\\uD")
_QUOTES: Final = 2 * (len(REQUIRED) + 3)
"""Quotation marks in a plain row: around four names and three texts."""


class _Point(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    account: str
    metric: str
    day: str
    value: float | bool | str | None


class _Named(_Point, forbid_unknown_fields=True, gc=False):
    contact: str | UnsetType | None = UNSET
    product: str | UnsetType | None = UNSET


class _Points(msgspec.Struct, forbid_unknown_fields=True):
    points: list[_Named]


_LINES: Final = msgspec.json.Decoder(_Point)
_NAMED_LINES: Final = msgspec.json.Decoder(_Named)
_BODY: Final = msgspec.json.Decoder(_Points)


@dataclass(frozen=True, slots=True, eq=False)
class PointBlock:
    """Some points by column, all of one length. ``contacts`` and ``products``: None where no row may name one.

    ``numbers`` are the lines, or for JSON the indices, that places are made of.
    """

    form: Format
    accounts: Sequence[str]
    metrics: Sequence[str]
    days: Sequence[str]
    values: Sequence[Any]
    contacts: Sequence[str] | None
    products: Sequence[str] | None
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def place(self, row: int) -> Place:
        """Where a row stands."""
        number = self.numbers[row]
        return Place(pointer=f"/points/{number}") if self.form is Format.JSON else Place(line=number)


def read_points(chunks: Iterable[bytes], form: Format, faults: Faults) -> Iterator[PointBlock]:
    """Read points of any format, block by block. Rows that have no point's shape are reported and left out.

    Raises `Unreadable` or `TooLarge` where there are no rows to speak of.
    """
    if form is Format.CSV:
        yield from _read_csv(limited(chunks, MAX_STREAM), faults)
    elif form is Format.NDJSON:
        for first, lines in numbered_lines(limited(chunks, MAX_STREAM)):
            yield _read_lines(first, lines, faults)
    else:
        yield _read_body(b"".join(limited(chunks, MAX_BODY)), faults)


def _read_csv(chunks: Iterable[bytes], faults: Faults) -> Iterator[PointBlock]:
    names, blocks = read_table(chunks, _HEADER, faults)
    place = {name: names.index(name) for name in COLUMNS if name in names}
    for block in blocks:
        found = {name: block.columns[number] for name, number in place.items()}
        accounts, metrics, days, values = (found[name] for name in REQUIRED)
        named = found.get("contact"), found.get("product")
        yield PointBlock(Format.CSV, accounts, metrics, days, values, *named, block.lines)


def _read_lines(first: int, lines: list[bytes], faults: Faults) -> PointBlock:
    block = b"\n".join(lines)
    filled: Sequence[int] = range(first, first + len(lines))
    if not all(lines):
        filled = [number for number, line in enumerate(lines, first) if line and not line.isspace()]
    found = _quickly(block, Format.NDJSON, filled)
    return found or _exactly(read_lines(first, lines, faults), Format.NDJSON, faults)


def _read_body(body: bytes, faults: Faults) -> PointBlock:
    return _quickly(body, Format.JSON, None) or _exactly(read_body(body, "points", faults), Format.JSON, faults)


def _quickly(block: bytes, form: Format, numbers: Sequence[int] | None) -> PointBlock | None:
    """The points of a block in which every name is written once and nothing is odd; else None."""
    if b"\\" in block and any(escape in block for escape in _ESCAPES):
        return None
    rows: Sequence[_Point] = []
    for decode in (_BODY.decode,) if form is Format.JSON else (_LINES.decode_lines, _NAMED_LINES.decode_lines):
        try:
            found = decode(block)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            continue
        rows = found.points if isinstance(found, _Points) else found
        break
    numbers = range(len(rows)) if numbers is None else numbers
    if not rows or len(rows) != len(numbers):
        return None
    if form is Format.JSON and len(rows) > MAX_ROWS:
        return None
    made = _block(form, rows, numbers)
    return made if _quotes(block) == _quotes_expected(form, rows, made.values) else None


def _quotes(block: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == ord('"')))


def _quotes_expected(form: Format, rows: Sequence[_Point], values: Sequence[Any]) -> int:
    # A name that is written twice brings at least two quotation marks more than what was read accounts for.
    expected = _QUOTES * len(rows) + (2 if form is Format.JSON else 0)
    if str in set(map(type, values)):
        expected += 2 * sum(type(value) is str for value in values)
    for row in rows if isinstance(rows[0], _Named) else ():
        given = [each for each in (row.contact, row.product) if each is not UNSET] if isinstance(row, _Named) else []
        expected += 2 * len(given) + 2 * sum(type(each) is str for each in given)
    return expected


def _block(form: Format, rows: Sequence[_Point], numbers: Sequence[int]) -> PointBlock:
    named = [row for row in rows if isinstance(row, _Named)] if isinstance(rows[0], _Named) else []
    return PointBlock(
        form,
        [row.account for row in rows],
        [row.metric for row in rows],
        [row.day for row in rows],
        [row.value for row in rows],
        [row.contact or "" for row in named] if any(row.contact for row in named) else None,
        [row.product or "" for row in named] if any(row.product for row in named) else None,
        numbers,
    )


def _exactly(found: Iterable[tuple[Place, dict[str, Any]]], form: Format, faults: Faults) -> PointBlock:
    kept = [(place, row) for place, row in found if _has_shape(place, row, faults)]
    accounts, metrics, days, values = ([row[name] for _, row in kept] for name in REQUIRED)
    contacts, products = ([row.get(name) or "" for _, row in kept] for name in NAMED)
    numbers = [place.line or int(place.pointer.rpartition("/")[2]) for place, _ in kept]
    named = contacts if any(contacts) else None, products if any(products) else None
    return PointBlock(form, accounts, metrics, days, values, *named, numbers)


def _has_shape(place: Place, row: dict[str, Any], faults: Faults) -> bool:
    before = faults.total
    for name in row.keys() - {*COLUMNS}:
        message = f'a point has no "{printable(name[:60])}"; it has {", ".join(COLUMNS)}'
        faults.add(place.bad(name[:60], "unknown_field", message))
    for name in REQUIRED:
        if name not in row:
            faults.add(place.bad(name, "missing_field", f'"{name}" is missing; a point has {", ".join(REQUIRED)}'))
    for name in ("account", "metric", "day", *NAMED):
        if fault := _text_fault(row.get(name) or "" if name in NAMED else row.get(name, "")):
            faults.add(place.bad(name, "not_text", fault))
    if isinstance(row.get("value"), list | dict):
        faults.add(place.bad("value", "bad_value", "one value belongs here, not a list or an object"))
    elif isinstance(row.get("value"), NoNumber):
        message = f"{shortened(str(row['value']), 20)} is no number that can be stored; leave out what was not measured"
        faults.add(place.bad("value", "bad_value", message))
    elif isinstance(row.get("value"), str) and (fault := _text_fault(row["value"])):
        faults.add(place.bad("value", "bad_value", fault))
    return faults.total == before


def _text_fault(value: Any) -> str:
    if value is None:
        return "nothing stands where a text belongs; fill it in, or leave the row out"
    if not isinstance(value, str):
        return "a text belongs here; put it in quotes"
    if not value.isprintable() and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
        return "there is a character here that cannot be stored (NUL, or half of a pair); take it out"
    return ""
