"""Collecting what is wrong with incoming data: all of it counted, the first fifty kept, each with its place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.errors import BadData, BadRow
from engine.evaluation.columns import Flags

BAD: Final = -1
"""Stands in a column of codes or ids where a row's text has none."""

SHOWN: Final = 50
MOST: Final = 10_000
"""After so many bad rows nothing more is looked at: what comes is something else than it should be."""


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

    @property
    def few(self) -> bool:
        """Whether one more would be kept; if not, its message need not be written."""
        return len(self.rows) < SHOWN

    def add(self, row: BadRow) -> None:
        """Count one more, and keep it while there are few. Raises `BadData` where so many are bad that it is
        no use to look further."""
        if self.few:
            self.rows.append(row)
        self.more(1)

    def more(self, count: int) -> None:
        """Count some without keeping them. Raises like `add`."""
        self.total += count
        if self.total >= MOST:
            self.refuse()

    def refuse(self) -> None:
        """Raise `BadData` if there is anything: the first places in the order of the rows."""
        if self.total:
            raise BadData(sorted(self.rows, key=lambda row: row.line), self.total)


class Report:
    """What is wrong in one block, handed over in the order of its rows."""

    def __init__(self, place: Callable[[int], Place], faults: Faults) -> None:
        self._place = place
        self._faults = faults
        self._found: list[tuple[int, str, str, str]] = []
        self._more = 0

    def some(self, bad: Flags) -> list[int]:
        """The first bad rows, as many as could be shown; the others are counted."""
        rows = np.flatnonzero(bad)
        shown = SHOWN if self._faults.few else 0
        self._more += max(0, len(rows) - shown)
        found: list[int] = rows[:shown].tolist()
        return found

    def add(self, row: int, column: str, code: str, message: str) -> None:
        """Report one row."""
        self._found.append((row, column, code, message))

    def close(self) -> None:
        """Hand over."""
        for row, column, code, message in sorted(self._found):
            self._faults.add(self._place(row).bad(column, code, message))
        self._faults.more(self._more)


def printable(text: str) -> str:
    """Text that can be sent, stored and shown whatever was pushed: controls and lone surrogates are spelled out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shortened(text: str, longest: int = 60) -> str:
    """The beginning of a text, for a message."""
    return text if len(text) <= longest else text[: longest - 3] + "..."
