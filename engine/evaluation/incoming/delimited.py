"""CSV: comma-separated cells under a header line, UTF-8. Anything else is recognised and named, never guessed."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.errors import BadRow
from engine.evaluation.incoming.faults import Faults, Place, Unreadable, printable, shortened
from engine.evaluation.incoming.stream import GZIP, line_blocks, peeked, zipped_unsaid

if TYPE_CHECKING:
    from _csv import Reader

LONGEST_LINE: Final = 1 << 20
MAX_COLUMNS: Final = 500
_ROWS: Final = 20_000
_EXCEL: Final = "this is an Excel file, whatever its name says; open it there and save it as CSV (UTF-8)"
_BEGINNINGS: Final = (
    (b"PK\x03\x04", "excel", _EXCEL),
    (b"\xd0\xcf\x11\xe0", "excel", _EXCEL),
    (b"\xff\xfe", "utf16", "this is UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "utf16", "this is UTF-16; save it as UTF-8"),
)


@dataclass(frozen=True, slots=True)
class Header:
    """Which columns a file may have. ``others``: further columns are fields of their own."""

    known: tuple[str, ...]
    required: tuple[str, ...]
    others: bool = False
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows: one sequence of cells per column of the header, and the line each row ends in."""

    columns: list[Sequence[str]]
    lines: Sequence[int]


def read_table(chunks: Iterable[bytes], header: Header, faults: Faults) -> tuple[tuple[str, ...], Iterator[Block]]:
    """The columns, and the rows in blocks. Ragged rows are left out and reported to ``faults``.

    Raises `Unreadable` where the file as a whole, or its header, cannot be used.
    """
    first, chunks = peeked(chunks)
    _recognise(first)
    texts = _texts(chunks)
    head, _, rest = next(texts)[1].partition("\n")
    try:
        columns = [cell.strip() for cell in next(csv.reader([head], strict=True), [])]
    except csv.Error as error:
        raise _broken(error, 1) from None
    _check_header(columns, header)
    return tuple(columns), _rows(chain([(2, rest)], texts), len(columns), faults)


def _rows(texts: Iterator[tuple[int, str]], width: int, faults: Faults) -> Iterator[Block]:
    for first, text in texts:
        if block := _plain(first, text, width):
            yield block
        elif text:
            yield from _exact(first, chain([(first, text)], texts), width, faults)


def _plain(first: int, text: str, width: int) -> Block | None:
    """A text of lines without quotes, all as wide as the header, cut in one go; None where it is not so plain."""
    text = text.replace("\r\n", "\n")
    if width < 2 or not text or '"' in text or "\r" in text:
        return None
    letters = np.frombuffer(text.encode(), dtype=np.uint8)
    marks = letters[(letters == ord(",")) | (letters == ord("\n"))]
    if len(marks) % width or (marks.reshape(-1, width) != [ord(",")] * (width - 1) + [ord("\n")]).any():
        return None
    cells = text.replace("\n", ",").split(",")[:-1]
    return Block([cells[column::width] for column in range(width)], range(first, first + len(cells) // width))


def _exact(first: int, texts: Iterable[tuple[int, str]], width: int, faults: Faults) -> Iterator[Block]:
    """Whatever else CSV can be, to the end: a quoted cell may reach from one text into the next."""
    reader = csv.reader(chain.from_iterable(io.StringIO(text, newline="") for _, text in texts), strict=True)
    rows = _checked(reader, first, width, faults)
    while some := list(islice(rows, _ROWS)):
        cells, lines = zip(*some, strict=True)
        yield Block(list(zip(*cells, strict=True)), lines)


def _checked(reader: "Reader", first: int, width: int, faults: Faults) -> Iterator[tuple[list[str], int]]:
    try:
        for row in reader:
            line = first - 1 + reader.line_num
            if len(row) == width:
                yield row, line
            elif row:
                message = f"there are {len(row)} cells where the header has {width}; put a cell with a comma in quotes"
                faults.add(Place(line).bad("", "ragged_row", message))
    except csv.Error as error:
        raise _broken(error, first - 1 + reader.line_num) from None


def _texts(chunks: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Whole lines as texts, each with the number of its first line."""
    number = 0
    for lines in line_blocks(chunks, LONGEST_LINE):
        block = b"\n".join(lines) + b"\n"
        if number == 0:
            block = block.removeprefix(b"\xef\xbb\xbf")
        if b"\0" in block:
            line = number + block[: block.index(b"\0")].count(b"\n") + 1
            raise Unreadable(
                [BadRow("nul", "there is a NUL character here; is this a text file? Save it as CSV (UTF-8)", line=line)]
            )
        try:
            yield number + 1, block.decode()
        except UnicodeDecodeError as error:
            line = number + block[: error.start].count(b"\n") + 1
            message = f"this is not UTF-8 (byte {block[error.start]:#04x}); it may be Latin-1: save it as UTF-8"
            raise Unreadable([BadRow("not_utf8", message, line=line)]) from None
        number += len(lines)


def _recognise(first: bytes) -> None:
    for beginning, code, message in _BEGINNINGS:
        if first.startswith(beginning):
            raise Unreadable([BadRow(code, message)])
    if first[1:2] == b"\0" or first[:1] == b"\0":
        raise Unreadable([BadRow("utf16", "this looks like UTF-16; save it as UTF-8")])
    if first.startswith(GZIP):
        raise zipped_unsaid()
    if not first.strip():
        raise Unreadable([BadRow("empty", "there is nothing in it; a header line and rows belong there")])


def _check_header(columns: Sequence[str], header: Header) -> None:
    if len(columns) == 1 and (found := _separator(columns[0], header)):
        raise Unreadable([BadRow("separator", f"the cells are separated by {found}; save it with commas", line=1)])
    if len(columns) > MAX_COLUMNS:
        raise Unreadable(
            [BadRow("header", f"there are {len(columns):,} columns; {MAX_COLUMNS} are possible: send fewer", line=1)]
        )
    faults = [*_unknown(columns, header), *_twice(columns)]
    missing = [name for name in header.required if name not in columns]
    faults += [
        _in_header(
            name, "missing_column", f'the column "{name}" is missing; there must be {", ".join(header.required)}'
        )
        for name in missing
    ]
    if faults:
        raise Unreadable(faults)


def _unknown(columns: Sequence[str], header: Header) -> list[BadRow]:
    found = []
    for column in columns:
        if column in header.known or column.startswith(header.prefixes or ("\0",)):
            continue
        near = get_close_matches(column.lower(), header.known, n=1, cutoff=0.8 if header.others else 0.6)
        hint = f'; did you mean "{near[0]}"?' if near else f"; there are {', '.join(header.known)}"
        if not column:
            found.append(_in_header("", "unknown_column", "a column has no name; name it, or take it out"))
        elif not header.others or near:
            found.append(_in_header(column, "unknown_column", f'there is no column "{shortened(column)}"{hint}'))
    return found


def _twice(columns: Sequence[str]) -> list[BadRow]:
    double = dict.fromkeys(name for index, name in enumerate(columns) if name and name in columns[:index])
    return [
        _in_header(name, "column_twice", f'the column "{shortened(name)}" is there twice; leave one out')
        for name in double
    ]


def _separator(line: str, header: Header) -> str:
    for character, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if any(cell.strip() in header.known for cell in line.split(character)[1:]):
            return name
    return ""


def _in_header(column: str, code: str, message: str) -> BadRow:
    return BadRow(code, printable(message), line=1, column=printable(shortened(column)))


def _broken(error: csv.Error, line: int) -> Unreadable:
    said = str(error)
    if "field larger" in said or "unexpected end" in said:
        message = (
            'a quote (") is opened in or before this line and not closed; close it, or write it twice inside a cell'
        )
    elif "new-line character" in said:
        message = "the lines end in carriage returns; save it with line feeds"
    elif "expected after" in said:
        message = 'after a closing quote (") comes neither a comma nor the end; a quote inside a cell is written twice'
    else:
        message = f"this is not CSV: {said}"
    return Unreadable([BadRow("bad_csv", message, line=line)])
