"""JSON and NDJSON, read exactly: what JSON readers usually let pass (a key twice, NaN, 1e999) is found and named."""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

from engine.errors import BadRow
from engine.evaluation.incoming.faults import Faults, Place, TooLarge, Unreadable, printable
from engine.evaluation.incoming.stream import line_blocks

MAX_ROWS: Final = 10_000
MAX_BODY: Final = 10_000_000
LONGEST_LINE: Final = 64 * 1024
MAX_STREAM: Final = 500_000_000


class Twice(dict[str, Any]):
    """An object in which ``key`` was written twice."""

    key = ""


def read_body(body: bytes, kind: str, faults: Faults) -> list[tuple[Place, dict[str, Any]]]:
    """The objects of ``{"<kind>": [...]}``. What is no object is reported.

    Raises `Unreadable` where it is no JSON, `TooLarge` over 10,000 rows.
    """
    try:
        document = _decode(_text(body))
    except _NotJson as error:
        raise Unreadable([BadRow("not_json", str(error))]) from None
    rows = document.get(kind) if isinstance(document, dict) else None
    if not isinstance(rows, list) or len(document) != 1 or isinstance(document, Twice):
        message = f'the body must be one object with one list: {{"{kind}": [...]}}'
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


def numbered_lines(chunks: Iterable[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Blocks of NDJSON lines with the number of their first. Raises `Unreadable` where there is none at all."""
    number, filled = 1, False
    for lines in line_blocks(chunks, LONGEST_LINE):
        if number == 1:
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        filled = filled or any(line.strip() for line in lines)
        yield number, lines
        number += len(lines)
    if not filled:
        raise Unreadable([BadRow("empty", "there is nothing in it")])


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
        faults.add(place.bad("", "wrong_shape", "a row must be an object"))
        return False
    if isinstance(row, Twice):
        faults.add(place.bad(row.key, "key_twice", f'the key "{row.key}" is written twice'))
        return False
    return True


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise _NotJson(f"this is not UTF-8 (byte {body[error.start]:#04x} at position {error.start + 1})") from None


def _decode(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, character {error.colno}" if "\n" in text else f"character {error.colno}"
        raise _NotJson(f"this is not JSON: {error.msg} at {at}") from None
    except RecursionError:
        raise _NotJson("this is nested too deeply") from None
    except ValueError as error:
        raise _NotJson(printable(str(error))) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    double = Twice(found)
    double.key = next(name for index, name in enumerate(names) if name in names[:index])
    return double


def _constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON; leave out what was not measured")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:20]} is larger than any number that can be stored")
    return value


def _integer(text: str) -> float | int:
    return int(text) if len(text) < 300 else _float(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
)
