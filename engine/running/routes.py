"""The way of a run through its lines on a clock of its own: when it comes to each line, if people do what is assumed.

Waits last their longest, unless what they wait for is so already; a task that is waited for is done when it is due; an
approval is given, and a run that waits for somebody starts, after one working day.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from engine.definitions.calendar import WEEKDAYS_ONLY, Calendar
from engine.definitions.playbook import AskStep, Span, TaskStep, WaitStep
from engine.running.lines import START_BY_HAND, Line, Meaning, wait_of
from engine.running.working_time import DAY_SECONDS, deadline

DECIDES_AFTER: Final = Span(1, working=True)
MAILS: Final = frozenset({"email", "lesson", "report"})
_MOST: Final = 2_000


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """At ``at`` the run comes to line ``number``, or, where it stands there already, leaves it (``left``)."""

    at: datetime
    number: int
    left: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """The run comes to line ``number``; it stands there until ``until``, or what it gives is due then."""

    number: int
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Knowing:
    """What decides where a run goes. ``arms``: line of a branch → its arm, of a wait → 0 where its condition holds
    already. ``dates``: the account's dates that waits name. ``opens``: the first moment from one on at which people may
    be written to."""

    arms: Mapping[int, int] = field(default_factory=dict)
    dates: Mapping[str, datetime] = field(default_factory=dict)
    calendar: Calendar = WEEKDAYS_ONLY.default
    opens: Callable[[datetime], datetime] = field(default=lambda moment: moment, compare=False)


def visits(
    lines: Sequence[Line], known: Mapping[str, Meaning], begin: Iterable[Position], knowing: Knowing
) -> tuple[Visit, ...]:
    """Every line a run comes to from where it is, in the order of time, to its end."""
    return tuple(_Route(lines, known, knowing).walk(begin))


class _Route:
    """One run on its way; ``ahead`` holds where its rows of steps are."""

    def __init__(self, lines: Sequence[Line], known: Mapping[str, Meaning], knowing: Knowing) -> None:
        self.lines = lines
        self.known = known
        self.knowing = knowing
        self.ahead: list[Position] = []

    def walk(self, begin: Iterable[Position]) -> Iterable[Visit]:
        self.ahead = sorted(begin)
        for _ in range(_MOST):
            if not self.ahead:
                return
            here = heapq.heappop(self.ahead)
            line = self.lines[here.number]
            if line.kind in {"jump", "branch", "fork", "join"}:
                self._move(line, here)
            elif here.left:
                self._to(here.at, here.number + 1)
            else:
                visit = self._visit(line, here)
                yield visit
                if line.kind == "end":
                    return

    def _to(self, at: datetime, number: int, *, left: bool = False) -> None:
        heapq.heappush(self.ahead, Position(at, number, left))

    def _move(self, line: Line, here: Position) -> None:
        if line.kind == "jump":
            self._to(here.at, line.target)
        elif line.kind == "branch":
            self._to(here.at, line.arms[self.knowing.arms.get(here.number, 2)])
        elif line.kind == "fork":
            for arm in line.arms:
                self._to(here.at, arm)
        elif not self._is_awaited(here.number):
            self._to(here.at, here.number + 1)

    def _is_awaited(self, join: int) -> bool:
        """Whether another row of the same fork has not come to its join yet."""
        fork = next(number for number, line in enumerate(self.lines) if line.kind == "fork" and line.target == join)
        return any(fork < other.number < join for other in self.ahead)

    def _visit(self, line: Line, here: Position) -> Visit:
        if line.kind == "gate":
            return self._gate(line, here)
        if line.kind == "wait":
            until = self._leaves(line, here)
            self._to(until, here.number, left=True)
            return Visit(here.number, here.at, until)
        if line.kind in MAILS and (open_at := self.knowing.opens(here.at)) > here.at:
            here = Position(open_at, here.number)  # the run waits with its message, and goes on behind it then
        self._to(here.at, here.number + 1)
        step = self.known[line.step].step
        due = step.due if isinstance(step, TaskStep | AskStep) else None
        return Visit(here.number, here.at, self._later(here.at, due) if due else None)

    def _gate(self, line: Line, here: Position) -> Visit:
        expires = self._later(here.at, Span(line.days, line.working))
        yes = self._later(here.at, DECIDES_AFTER)
        if not line.passes and yes < expires:
            self._to(yes, here.number, left=True)
        else:
            self._to(expires, here.number + 1 if line.passes else line.target)
        return Visit(here.number, here.at, expires)

    def _leaves(self, line: Line, here: Position) -> datetime:
        """When the run leaves a wait it has come to."""
        longest = self._later(here.at, Span(line.days, line.working))
        step = self.known[line.step].step
        if isinstance(step, WaitStep):
            return self._waited(step, here, longest)
        if step is None and line.step == wait_of(START_BY_HAND):
            return min(self._later(here.at, DECIDES_AFTER), longest)
        if isinstance(step, TaskStep | AskStep) and step.due is not None:
            return min(self._later(here.at, step.due), longest)
        return longest

    def _waited(self, step: WaitStep, here: Position, longest: datetime) -> datetime:
        if step.until is not None and self.knowing.arms.get(here.number) == 0:
            return here.at
        if step.until_date and step.until_date in self.knowing.dates:
            wanted = self.knowing.dates[step.until_date] - timedelta(days=step.before.days)
            return max(here.at, min(wanted, longest))
        return longest

    def _later(self, at: datetime, span: Span) -> datetime:
        return deadline(at, span, DAY_SECONDS, self.knowing.calendar)
