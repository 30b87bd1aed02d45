"""What all runs will do, added up: messages per person and day, tasks per member and week, approvals per day."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np

from engine.definitions.playbook import ApproveStep, AskStep, TaskStep
from engine.evaluation.columns import Ints
from engine.running.audiences import Audiences
from engine.running.fast_forward import Course, Happening
from engine.running.forecast import PlaybookAhead, Reach
from engine.running.routes import MAILS
from engine.running.touching import Batch, Touches

TASKS: Final = frozenset({"task", "ask"})


@dataclass(frozen=True, slots=True, eq=False)
class Team:
    """Who does what: ``owners`` by account row, ``roles``: (account row, role) → member, ``managers``: of members."""

    owners: Sequence[str]
    roles: Mapping[tuple[int, str], str] = field(default_factory=dict)
    managers: Mapping[str, str] = field(default_factory=dict)

    def who(self, row: int, to: Sequence[str]) -> str:
        """The first of ``to`` that is somebody; else the owner."""
        owner = self.owners[row]
        for one in to:
            found = {"owner": owner, "manager": self.managers.get(owner, "")}.get(one, self.roles.get((row, one), ""))
            if found or "@" in one:
                return found or one
        return owner


class Adding:
    """Takes happenings one by one, then tells what they come to."""

    def __init__(self, courses: Sequence[Course], audiences: Audiences, team: Team, span: tuple[date, int]) -> None:
        self.courses = courses
        self._audiences = audiences
        self._team = team
        self._first, self._days = span
        self._batches: list[Batch] = []
        self._contacts: list[Ints] = []
        self.tasks: dict[str, list[int]] = {}
        self.approvals: dict[str, list[int]] = {}
        self.counts: dict[str, Counter[str]] = {}

    def take(self, one: Happening) -> None:
        """Add a happening, unless it lies beyond the days."""
        day = (one.visit.at.date() - self._first).days
        if not 0 <= day < self._days:
            return
        course = self.courses[one.course]
        kind, step = course.lines[one.visit.number].kind, course.step(one.visit.number)
        counts = self.counts.setdefault(course.playbook.name, Counter())
        if kind in MAILS:
            contacts = self._audiences.of(step, one.rule, one.rows)
            self._batches.append(Batch(one.visit.at, one.course, one.visit.number, one.is_new))
            self._contacts.append(contacts)
        elif kind in TASKS:
            counts["tasks"] += len(one.rows)
            to = step.to if isinstance(step, TaskStep | AskStep) else ("owner",)
            self._count(self.tasks, one.rows, to, (day // 7, -(-self._days // 7)))
        elif kind == "gate" and not course.lines[one.visit.number].passes:
            counts["approvals"] += len(one.rows)
            to = step.by if isinstance(step, ApproveStep) else ("owner",)
            self._count(self.approvals, one.rows, to, (day, self._days))

    def _count(self, into: dict[str, list[int]], rows: Ints, to: Sequence[str], when: tuple[int, int]) -> None:
        for row in rows.tolist():
            into.setdefault(self._team.who(row, to), [0] * when[1])[when[0]] += 1

    def touches(self, persons: Ints) -> Touches:
        """All messages, by person, then moment."""
        counts = [len(contacts) for contacts in self._contacts]
        batch = np.repeat(np.arange(len(counts)), counts)
        contacts = np.concatenate([*self._contacts, np.zeros(0, dtype=np.int64)]).astype(np.int64)
        at = np.array([one.at.timestamp() for one in self._batches])
        person = persons[contacts]
        order = np.lexsort((at[batch] if len(batch) else batch, person))
        return Touches(self.courses, self._batches, batch[order], contacts[order], person[order])


def playbooks_ahead(
    adding: Adding, touches: Touches, running: Mapping[str, int], starts: Mapping[str, int]
) -> tuple[PlaybookAhead, ...]:
    """One row for each playbook that has anything ahead, the one with most messages first."""
    mails = touches.playbooks()
    rows = []
    for name in sorted({*running, *starts, *adding.counts}):
        counts, (messages, people) = adding.counts.get(name, Counter()), mails.get(name, (0, 0))
        rows.append(
            PlaybookAhead(
                name,
                running.get(name, 0),
                starts.get(name, 0),
                messages,
                people,
                counts["tasks"],
                counts["approvals"],
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.messages, row.playbook)))


def reach(adding: Adding, touches: Touches, days: int) -> Reach:
    """What the new runs do in their first ``days``; ``adding`` has taken nothing but them."""
    counts = adding.counts.values()
    return Reach(
        days,
        len(touches.batch),
        len(np.unique(touches.people)),
        sum(one["tasks"] for one in counts),
        sum(one["approvals"] for one in counts),
    )
