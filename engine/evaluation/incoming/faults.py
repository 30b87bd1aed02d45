"""Collecting what is wrong with incoming data: all of it counted, the first fifty kept, each with its place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.errors import BadData, BadRow

SHOWN: Final = 50


class Unreadable(BadData):
    """The data as a whole is not in the format it claims to be in, so there are no rows to speak of."""


class TooLarge(BadData):
    """There is more than one request or file may bring."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: its line, or the JSON pointer to it."""

    line: int = 0
    pointer: str = ""

    def bad(self, column: str, code: str, message: str) -> BadRow:
        """Something wrong in one column of the row, or, with an empty one, with the row itself."""
        column = shortened(column, 120)
        if self.line:
            return BadRow(code, printable(message), line=self.line, column=printable(column))
        below = (
            "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in column.split(".")) if column else ""
        )
        return BadRow(code, printable(message), pointer=self.pointer + printable(below))


class Faults:
    """What was found so far."""

    def __init__(self) -> None:
        self.rows: list[BadRow] = []
        self.total = 0

    def add(self, row: BadRow) -> None:
        """Count one more, and keep it while there are few."""
        self.total += 1
        if len(self.rows) < SHOWN:
            self.rows.append(row)

    def refuse(self) -> None:
        """Raise `BadData` if there is anything."""
        if self.total:
            raise BadData(self.rows, self.total)


Report = Callable[[str, str, str], None]
"""Says what is wrong with a row: column, code, message."""


def printable(text: str) -> str:
    """Text that can be sent, stored and shown whatever was pushed: controls and lone surrogates are spelled out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shortened(text: str, longest: int = 60) -> str:
    """The beginning of a text, for a message."""
    return text if len(text) <= longest else text[: longest - 3] + "..."
