"""What the engine refuses, as sentences for the person who must act. HTTP and exit codes are elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass


class EngineError(Exception):
    """Base of everything the engine refuses. ``str(error)`` says what is wrong and what to do."""


class NotFound(EngineError):
    """The named thing is not there, or is not for this member to see."""


class Refused(EngineError):
    """Understood, but not possible in the present state (an approval already decided, for example)."""


class Unavailable(EngineError):
    """Something outside is down or busy; the same request can succeed later."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """One thing wrong with one row of incoming data, and where.

    ``pointer`` is a JSON pointer into a JSON body (``/points/3/value``); ``line`` (1-based) and ``column``
    (a header's name) say the same for NDJSON and CSV.
    """

    code: str
    message: str
    pointer: str = ""
    line: int = 0
    column: str = ""

    @property
    def where(self) -> str:
        """The place as one short text: ``line 17, column "value"`` or the pointer."""
        if not self.line:
            return self.pointer or "the body"
        return f"line {self.line}" + (f', column "{self.column}"' if self.column else "")


class BadData(EngineError):
    """A body or file of data that is refused whole. Carries the first 50 bad rows and their total count."""

    def __init__(self, rows: Sequence[BadRow], total: int | None = None) -> None:
        self.rows = tuple(rows[:50])
        self.total = len(rows) if total is None else total
        first = self.rows[0]
        more = f" (and {self.total - 1} more)" if self.total > 1 else ""
        super().__init__(f"nothing was stored: {first.where}: {first.message}{more}")
