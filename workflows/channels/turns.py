"""Turns at receivers: one that is slow takes at most half of a process's threads, so others are not kept waiting."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

BESIDE: Final = 25
"""So many calls at most are on their way to one receiver at a time, in one process."""
SOON: Final = 2.0
LONGEST: Final = 1_800.0
"""Seconds after which whoever got no turn asks again, at least and at most."""


@dataclass(slots=True)
class _Line:
    """Who is at one receiver. ``seconds``: how long a call has taken lately; ``behind``: how many got no turn yet."""

    on_the_way: int = 0
    behind: int = 0
    seconds: float = 0.0


@dataclass(slots=True, eq=False)
class Turns:
    """Who may call a receiver now. Thread-safe; each process counts for itself."""

    clock: Callable[[], float] = monotonic
    _lines: dict[str, _Line] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str) -> float:
        """Take a turn: 0, or after how many seconds to ask again. Whoever takes one gives it back."""
        with self._lock:
            line = self._lines.setdefault(name, _Line())
            if line.on_the_way < BESIDE:
                line.on_the_way += 1
                return 0.0
            # The later they come the longer they wait, as in a queue, so that ten thousand do not ask every second.
            line.behind += 1
            return min(max(line.behind * line.seconds / BESIDE, SOON), LONGEST)

    def give_back(self, name: str, began: float) -> None:
        """A call that began at a moment of the clock is over."""
        with self._lock:
            line = self._lines[name]
            line.on_the_way -= 1
            line.behind = max(line.behind - 1, 0)
            line.seconds += (self.clock() - began - line.seconds) / 8
