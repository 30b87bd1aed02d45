"""One way to look at rows, whatever they came in: a place, and values that are asked for by name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from engine.evaluation.incoming.delimited import Header, read_table
from engine.evaluation.incoming.faults import Faults, Place, shortened
from engine.evaluation.incoming.stream import limited
from engine.evaluation.incoming.structured import MAX_BODY, MAX_RECORDS, numbered_lines, read_body, read_lines

BLOCK: Final = 5_000


class Format(StrEnum):
    """How the data is written."""

    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class Row:
    """One row. An empty cell of CSV is there with the value None; a name that is absent says nothing at all."""

    place: Place
    values: Mapping[str, Any]


def row_blocks(chunks: Iterable[bytes], form: Format, kind: str, header: Header, faults: Faults) -> Iterator[list[Row]]:
    """The same, some rows at a time."""
    rows = read_rows(chunks, form, kind, header, faults)
    while block := list(islice(rows, BLOCK)):
        yield block


def read_rows(chunks: Iterable[bytes], form: Format, kind: str, header: Header, faults: Faults) -> Iterator[Row]:
    """All rows of ``kind`` (``accounts`` …). Nested objects come as dotted names (``goals.seats.target``)."""
    if form is Format.CSV:
        columns, blocks = read_table(limited(chunks, MAX_RECORDS), header, faults)
        for block in blocks:
            for line, *cells in zip(block.lines, *block.columns, strict=True):
                yield Row(Place(line), {name: cell.strip() or None for name, cell in zip(columns, cells, strict=True)})
        return
    for place, values in _objects(chunks, form, kind, faults):
        row = Row(place, _flat(values))
        if _check_names(row, header, faults):
            yield row


def _objects(
    chunks: Iterable[bytes], form: Format, kind: str, faults: Faults
) -> Iterator[tuple[Place, dict[str, Any]]]:
    if form is Format.JSON:
        yield from read_body(b"".join(limited(chunks, MAX_BODY)), kind, faults)
        return
    for first, lines in numbered_lines(limited(chunks, MAX_RECORDS)):
        yield from read_lines(first, lines, faults)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value and prefix.count(".") < 2:
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _check_names(row: Row, header: Header, faults: Faults) -> bool:
    known, before = {*header.known}, faults.total
    for name in row.values:
        if name not in known and not name.startswith(header.prefixes or ("\0",)) and not header.others:
            message = f'there is no "{shortened(name)}" here; there are {", ".join(header.known)}'
            faults.add(row.place.bad(name, "unknown_field", message))
    for name in header.required:
        if name not in row.values:
            faults.add(
                row.place.bad(name, "missing_field", f'"{name}" is missing; a row has {", ".join(header.required)}')
            )
    return faults.total == before
