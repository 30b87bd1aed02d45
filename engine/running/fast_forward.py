"""A portfolio on a clock that runs ahead: every line that open runs, and those that start now, will come to.

Accounts that go the same way at the same time go it once: a route is walked for a group of accounts. Data and signals
stay as they are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from engine.definitions.calendar import Calendar
from engine.definitions.condition import Condition
from engine.definitions.contact_policy import USUAL_POLICY, ContactPolicy
from engine.definitions.playbook import BranchStep, Playbook, Step, WaitStep
from engine.evaluation.columns import Bytes, Ints
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.program import evaluate_condition
from engine.running.lines import Line, Meaning
from engine.running.pressure import OPERATIONAL, Message, Place, opening
from engine.running.routes import Knowing, Position, Visit, visits
from engine.terms import Verdict

_ARMS = {Verdict.HOLDS: 0, Verdict.FAILS: 1, Verdict.UNKNOWN: 2}


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A compiled playbook in one mode."""

    playbook: Playbook
    lines: tuple[Line, ...]
    known: Mapping[str, Meaning]

    def step(self, number: int) -> Step | None:
        """The playbook's step behind a line."""
        return self.known[self.lines[number].step].step


@dataclass(frozen=True, slots=True)
class Going:
    """One run: of account row ``row``, on the course of that number, from where it is."""

    row: int
    course: int
    positions: tuple[Position, ...]
    rule: str = ""
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """Of each account row: by which calendar people work there, and what its dates are, by the name of the date;
    the policy by which messages wait for people's hours."""

    calendars: Sequence[Calendar]
    dates: Mapping[str, Sequence[datetime | None]]
    policy: ContactPolicy = USUAL_POLICY


@dataclass(frozen=True, slots=True, eq=False)
class Happening:
    """A line that a group of runs comes to, all at the same moment. ``rows``: their accounts."""

    course: int
    visit: Visit
    rule: str
    rows: Ints
    is_new: bool


def happenings(
    evaluation: Evaluation, courses: Sequence[Course], going: Sequence[Going], places: Places
) -> Iterator[Happening]:
    """Every line that any run comes to, group by group."""
    judged = [_Judged(evaluation, course, places) for course in courses]
    groups: dict[_Group, list[int]] = {}
    for one in going:
        groups.setdefault(judged[one.course].group(one), []).append(one.row)
    for group, rows in groups.items():
        course, everyone = courses[group.course], np.array(rows, dtype=np.int64)
        knowing = judged[group.course].knowing(group, places.calendars[rows[0]])
        for visit in visits(course.lines, course.known, group.positions, knowing):
            yield Happening(group.course, visit, group.rule, everyone, group.is_new)


@dataclass(frozen=True, slots=True)
class _Group:
    """What runs have in common that go the same way at the same time."""

    course: int
    positions: tuple[Position, ...]
    rule: str
    is_new: bool
    calendar: str
    arms: tuple[int, ...]
    dates: tuple[datetime | None, ...]


class _Judged:
    """What the conditions on a course say of every account."""

    def __init__(self, evaluation: Evaluation, course: Course, places: Places) -> None:
        self._places = places
        self._category = course.playbook.category
        self._verdicts: dict[int, Bytes] = {}
        steps = [course.step(number) for number in range(len(course.lines))]
        for number, (line, step) in enumerate(zip(course.lines, steps, strict=True)):
            if isinstance(step, BranchStep) and line.kind == "branch":
                self._verdicts[number] = _verdicts(evaluation, step.condition)
            elif isinstance(step, WaitStep) and step.until is not None:
                self._verdicts[number] = _verdicts(evaluation, step.until)
        named = {step.until_date for step in steps if isinstance(step, WaitStep) and step.until_date}
        self._dates = tuple(sorted(named & places.dates.keys()))

    def group(self, one: Going) -> _Group:
        """The group a run belongs to."""
        return _Group(
            one.course,
            one.positions,
            one.rule,
            one.is_new,
            self._places.calendars[one.row].name,
            tuple(_ARMS[Verdict(int(verdicts[one.row]))] for verdicts in self._verdicts.values()),
            tuple(self._places.dates[name][one.row] for name in self._dates),
        )

    def knowing(self, group: _Group, calendar: Calendar) -> Knowing:
        """What decides the way of a group."""
        dates = {name: date for name, date in zip(self._dates, group.dates, strict=True) if date is not None}
        arms = dict(zip(self._verdicts, group.arms, strict=True))
        return Knowing(arms, dates, calendar, self._opens(calendar))

    def _opens(self, calendar: Calendar) -> Callable[[datetime], datetime]:
        """When messages may go at an account of this calendar: at once, where they are such as wait for nothing."""
        if self._category == OPERATIONAL:
            return lambda moment: moment
        place, policy, category = Place(calendar, calendar.time_zone), self._places.policy, self._category
        return lambda moment: opening(policy, Message(category, moment), place, moment)


def _verdicts(evaluation: Evaluation, condition: Condition) -> Bytes:
    """What a condition says of every account; unknown where it speaks of what is not declared any more."""
    size = len(evaluation.facts.accounts)
    try:
        return evaluate_condition(condition.tree, evaluation.columns, size).verdicts
    except KeyError:
        return np.zeros(size, dtype=np.int8)
