"""Points in bulk: columns of texts and numbers, each text kept once, ready for `engine.evaluation.accepting`.

The quick way trusts msgspec and looks again, exactly, only at blocks in which it or a count finds anything odd.
"""

import re
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from engine.evaluation.incoming.delimited import Header, read_table
from engine.evaluation.incoming.faults import Faults, Place, printable
from engine.evaluation.incoming.rows import Format
from engine.evaluation.incoming.stream import limited
from engine.evaluation.incoming.structured import MAX_BODY, MAX_ROWS, MAX_STREAM, numbered_lines, read_body, read_lines

REQUIRED: Final = ("account", "metric", "day", "value")
COLUMNS: Final = (*REQUIRED, "contact")
_HEADER: Final = Header(COLUMNS, REQUIRED)
_NOT_PLAIN: Final = re.compile(r"[^0-9.eE+\-\n]")
_NAMES: Final = {name: f'"{name}"'.encode() for name in COLUMNS}


class _Point(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    account: str
    metric: str
    day: str
    value: float | bool | str | None
    contact: str | None = None


class _Points(msgspec.Struct, forbid_unknown_fields=True):
    points: list[_Point]


_LINES: Final = msgspec.json.Decoder(_Point)
_BODY: Final = msgspec.json.Decoder(_Points)


class _Kept(dict[str, str]):
    """Each text once, without spaces around it."""

    def __missing__(self, text: str) -> str:
        return self.setdefault(text, text.strip())


class PointTable:
    """Points as they were pushed, by column. ``numbers`` are the lines or indices that places are made of."""

    def __init__(self, form: Format) -> None:
        self.form = form
        self.accounts: list[str] = []
        self.contacts: list[str] = []
        self.metrics: list[str] = []
        self.days: list[str] = []
        self.values: list[object] = []
        self.numbers = array("q")
        self._kept = _Kept()

    def __len__(self) -> int:
        return len(self.numbers)

    def place(self, row: int) -> Place:
        """Where a row stands."""
        number = self.numbers[row]
        return Place(pointer=f"/points/{number}") if self.form is Format.JSON else Place(line=number)

    def where(self, row: int, column: str) -> tuple[str, int]:
        """The pointer of a row's column, or its line, as `engine.evaluation.accepting` asks for it."""
        place = self.place(row)
        return ("", place.line) if place.line else (f"{place.pointer}/{column}", 0)

    def extend(self, columns: Sequence[Sequence[Any]], numbers: Iterable[int]) -> None:
        """Add rows by column: accounts, metrics, days, values, contacts (empty where none is named)."""
        kept = self._kept.__getitem__
        accounts, metrics, days, values, contacts = columns
        self.accounts.extend(map(kept, accounts))
        self.metrics.extend(map(kept, metrics))
        self.days.extend(map(kept, days))
        self.contacts.extend(map(kept, contacts))
        self.values += values
        self.numbers.extend(numbers)


def read_points(chunks: Iterable[bytes], form: Format, faults: Faults) -> PointTable:
    """Read points of any format. Rows that have no point's shape are reported and left out.

    Raises `Unreadable` or `TooLarge` where there are no rows to speak of.
    """
    table = PointTable(form)
    if form is Format.CSV:
        _read_csv(chunks, table, faults)
    elif form is Format.NDJSON:
        for first, lines in numbered_lines(limited(chunks, MAX_STREAM)):
            _read_lines(first, lines, table, faults)
    else:
        _read_body(b"".join(limited(chunks, MAX_BODY)), table, faults)
    return table


def _read_csv(chunks: Iterable[bytes], table: PointTable, faults: Faults) -> None:
    names, blocks = read_table(chunks, _HEADER, faults)
    places = [names.index(name) for name in REQUIRED]
    contact = names.index("contact") if "contact" in names else None
    for block in blocks:
        found = [block.columns[place] for place in places]
        persons = [""] * len(block.lines) if contact is None else block.columns[contact]
        table.extend([*found[:3], _numbers(found[3]), persons], block.lines)


def _numbers(cells: Sequence[str]) -> Sequence[Any]:
    if _NOT_PLAIN.search("\n".join(cells)):
        return cells
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return cells


def _read_lines(first: int, lines: list[bytes], table: PointTable, faults: Faults) -> None:
    block = b"\n".join(lines)
    filled = [number for number, line in enumerate(lines, first) if line and not line.isspace()]
    if _is_plain(block, len(filled)):
        try:
            rows = _LINES.decode_lines(block)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            rows = []
        if len(rows) == len(filled):
            _extend(table, rows, filled)
            return
    _read_exactly(read_lines(first, lines, faults), table, faults)


def _read_body(body: bytes, table: PointTable, faults: Faults) -> None:
    count = body.count(_NAMES["account"])
    if 0 < count <= MAX_ROWS and _is_plain(body, count) and body.count(b'"points"') == 1:
        try:
            rows = _BODY.decode(body).points
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            rows = []
        if len(rows) == count:
            _extend(table, rows, range(count))
            return
    _read_exactly(read_body(body, "points", faults), table, faults)


def _is_plain(block: bytes, rows: int) -> bool:
    # No escapes, and every name as often as there are rows: then no key is written twice.
    once = all(block.count(_NAMES[name]) == rows for name in REQUIRED)
    return once and b"\\" not in block and block.count(_NAMES["contact"]) in {0, rows}


def _extend(table: PointTable, rows: Sequence[_Point], numbers: Iterable[int]) -> None:
    table.extend(
        [
            [row.account for row in rows],
            [row.metric for row in rows],
            [row.day for row in rows],
            [row.value for row in rows],
            [row.contact or "" for row in rows],
        ],
        numbers,
    )


def _read_exactly(rows: Iterable[tuple[Place, dict[str, Any]]], table: PointTable, faults: Faults) -> None:
    for place, row in rows:
        if _has_shape(place, row, faults):
            number = place.line or int(place.pointer.rpartition("/")[2])
            contact = row.get("contact") or ""
            table.extend([[row["account"]], [row["metric"]], [row["day"]], [row["value"]], [contact]], [number])


def _has_shape(place: Place, row: dict[str, Any], faults: Faults) -> bool:
    before = faults.total
    for name in row.keys() - {*COLUMNS}:
        message = f'a point has no "{printable(name[:60])}"; it has {", ".join(COLUMNS)}'
        faults.add(place.bad(name[:60], "unknown_field", message))
    for name in REQUIRED:
        if name not in row:
            faults.add(place.bad(name, "missing_field", f'"{name}" is missing'))
    for name in ("account", "metric", "day", "contact"):
        if fault := _text_fault(row.get(name) or "" if name == "contact" else row.get(name, "")):
            faults.add(place.bad(name, "not_text", fault))
    if isinstance(row.get("value"), list | dict):
        faults.add(place.bad("value", "bad_value", "a number belongs here, not a list or an object"))
    elif isinstance(row.get("value"), str) and (fault := _text_fault(row["value"])):
        faults.add(place.bad("value", "bad_value", fault))
    return faults.total == before


def _text_fault(value: Any) -> str:
    if value is None:
        return "nothing stands where a text belongs"
    if not isinstance(value, str):
        return "a text belongs here; put it in quotes"
    if not value.isprintable() and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
        return "there is a character here that cannot be stored (NUL, or half of a pair)"
    return ""
