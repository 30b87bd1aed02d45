"""JSON and NDJSON, read exactly: what JSON readers usually let pass (a key twice, NaN, 1e999) is found and named."""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

from engine.errors import BadRow
from engine.evaluation.incoming.faults import Faults, Place, TooLarge, Unreadable, printable
from engine.evaluation.incoming.stream import GZIP, line_blocks, zipped_unsaid

MAX_ROWS: Final = 10_000
MAX_BODY: Final = 10_000_000
LONGEST_LINE: Final = 64 * 1024
MAX_STREAM: Final = 500_000_000
MAX_RECORDS: Final = 200_000_000
_PARTS: Final = 1_000_000
_SAID: Final = {
    "Expecting value": "a value is expected here",
    "Expecting property name enclosed in double quotes": "a name in double quotes is expected here",
    "Expecting ',' delimiter": "a comma or a closing bracket is expected here",
    "Expecting ':' delimiter": "a colon is expected here",
    "Extra data": "something follows after the end; write one object, and of NDJSON one in a line",
    "Unterminated string": "the text that begins here is not closed; is the end cut off?",
    "Invalid control character": "a line end or another control character stands inside a text; write it as \\n",
    "Invalid \\escape": "a backslash stands before a character that needs none; write two for a backslash",
}


class NoNumber:
    """What JSON readers let pass as a number and is none: NaN, Infinity, 1e999. Nothing takes it for a value."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


class Twice(dict[str, Any]):
    """An object in which ``key`` was written twice."""

    key = ""


def read_body(body: bytes, kind: str, faults: Faults) -> list[tuple[Place, dict[str, Any]]]:
    """The objects of ``{"<kind>": [...]}``. What is no object is reported.

    Raises `Unreadable` where it is no JSON, `TooLarge` over 10,000 rows.
    """
    _check_size(body, kind)
    try:
        document = _decode(_text(body))
    except _NotJson as error:
        raise Unreadable([BadRow("not_json", str(error))]) from None
    rows = document.get(kind) if isinstance(document, dict) else None
    if not isinstance(rows, list) or len(document) != 1 or isinstance(document, Twice):
        message = f'the body must be one object with one list; write {{"{kind}": [...]}}'
        raise Unreadable([BadRow("wrong_shape", message)])
    if len(rows) > MAX_ROWS:
        message = f"there are {len(rows):,} rows; send at most {MAX_ROWS:,} in one body, or send NDJSON"
        raise TooLarge([BadRow("too_many_rows", message, pointer=f"/{kind}")])
    if not rows:
        raise Unreadable([BadRow("empty", f"there are no {kind} in it", pointer=f"/{kind}")])
    found = []
    for index, row in enumerate(rows):
        place = Place(pointer=f"/{kind}/{index}")
        if _is_object(row, place, faults):
            found.append((place, row))
    return found


def _check_size(body: bytes, kind: str) -> None:
    if not body.strip():
        raise Unreadable([BadRow("empty", f'there is nothing in it; send {{"{kind}": [...]}}')])
    if body.startswith(GZIP):
        raise zipped_unsaid()
    # Ten bytes a value and more is what rows look like; much less is made to fill the memory.
    if max(map(body.count, (b"{", b"[", b","))) > _PARTS:
        message = f"there are more than {MAX_ROWS:,} rows; send at most {MAX_ROWS:,} in one body, or send NDJSON"
        raise TooLarge([BadRow("too_many_rows", message, pointer=f"/{kind}")])


def numbered_lines(chunks: Iterable[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Blocks of NDJSON lines with the number of their first. Raises `Unreadable` where there is none at all."""
    number, filled = 1, False
    for lines in line_blocks(chunks, LONGEST_LINE):
        if number == 1:
            if lines[0].startswith(GZIP):
                raise zipped_unsaid()
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        filled = filled or any(line.strip() for line in lines)
        yield number, lines
        number += len(lines)
    if not filled:
        raise Unreadable([BadRow("empty", "there is nothing in it; send one object in each line")])


def read_lines(first: int, lines: list[bytes], faults: Faults) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The objects of some NDJSON lines; blank lines are skipped, what is no object is reported."""
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        place = Place(line=number)
        try:
            row = _decode(_text(line))
        except _NotJson as error:
            faults.add(place.bad("", "not_json", str(error)))
            continue
        if _is_object(row, place, faults):
            yield place, row


class _NotJson(Exception):
    pass


def _is_object(row: Any, place: Place, faults: Faults) -> bool:
    if not isinstance(row, dict):
        faults.add(place.bad("", "wrong_shape", "a row must be an object; write its names and values in braces"))
        return False
    if isinstance(row, Twice):
        faults.add(place.bad(row.key, "key_twice", f'the key "{row.key}" is written twice; leave one out'))
        return False
    return True


def _text(body: bytes) -> str:
    try:
        return body.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise _NotJson(
            f"this is not UTF-8 (byte {body[error.start]:#04x} at position {error.start + 1}); save it as UTF-8"
        ) from None


def _decode(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, character {error.colno}" if "\n" in text else f"character {error.colno}"
        said = _SAID.get(error.msg.removesuffix(" at").removesuffix(" starting"), printable(error.msg))
        carriage = "; the lines end in carriage returns: write line feeds" if "\r" in text.strip() else ""
        raise _NotJson(f"this is not JSON at {at}: {said}{carriage}") from None
    except RecursionError:
        raise _NotJson(
            "this is nested too deeply; a row holds numbers and texts, and goals and fields at most"
        ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    double = Twice(found)
    double.key = next(name for index, name in enumerate(names) if name in names[:index])
    return double


def _float(text: str) -> float | NoNumber:
    value = float(text)
    return NoNumber(text) if math.isinf(value) else value


def _integer(text: str) -> float | int | NoNumber:
    return int(text) if len(text) < 300 else _float(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=NoNumber, parse_float=_float, parse_int=_integer
)
