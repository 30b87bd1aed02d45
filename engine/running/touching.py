"""Messages of a whole portfolio, one per contact: who gets how many when, and which playbooks mean the same people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from engine.definitions.contact_policy import ContactPolicy
from engine.definitions.playbook import EmailStep, Span
from engine.evaluation.columns import Ints
from engine.running.easing import Planned, ease
from engine.running.fast_forward import Course
from engine.running.forecast import Busy, Collision, Mails
from engine.running.pressure import OPERATIONAL, Message, Place
from engine.terms import Frequency

CLOSE: Final = timedelta(days=3)
"""Messages of two playbooks to one person that are closer than this collide."""
_MOST: Final = 10
_LATEST: Final = Span(7.0)
"""How late a lesson or a report's link may be; an e-mail says it itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Whom contacts are: ``person`` int64[C], the same number for the same address; ``places``, ``frequencies`` and
    ``names`` by contact; ``sent``: person → when they got what went lately; ``unwanted``: categories by person."""

    person: Ints
    places: Sequence[Place]
    names: Sequence[str]
    accounts: Sequence[str]
    frequencies: Mapping[int, Frequency] = field(default_factory=dict)
    sent: Mapping[int, tuple[datetime, ...]] = field(default_factory=dict)
    unwanted: Mapping[int, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """One message to many: the moment, the course and line it is of."""

    at: datetime
    course: int
    number: int
    is_new: bool


@dataclass(frozen=True, slots=True, eq=False)
class Touches:
    """Messages, one per contact: ``batch`` int64[M] into ``batches``, ``contacts`` and ``people`` int64[M], sorted by
    person, then moment."""

    courses: Sequence[Course]
    batches: Sequence[Batch]
    batch: Ints
    contacts: Ints
    people: Ints

    def playbooks(self) -> dict[str, tuple[int, int]]:
        """Playbook → messages and people."""
        names = np.array([self.courses[one.course].playbook.name for one in self.batches], dtype=object)
        of = names[self.batch] if len(self.batch) else np.zeros(0, dtype=object)
        return {str(name): (int((of == name).sum()), len(np.unique(self.people[of == name]))) for name in set(of)}

    def collisions(self, policy: ContactPolicy) -> tuple[Collision, ...]:
        """Which playbooks mean the same people within a few days; neighbours in time are compared."""
        if len(self.batch) < 2:
            return ()
        at = np.array([one.at.timestamp() for one in self.batches])[self.batch]
        course = np.array([one.course for one in self.batches])[self.batch]
        near = (self.people[1:] == self.people[:-1]) & (np.diff(at) < CLOSE.total_seconds())
        found: dict[tuple[str, str], set[int]] = {}
        for number in np.flatnonzero(near & (course[1:] != course[:-1])).tolist():
            names = sorted({self.courses[course[at]].playbook.name for at in (number, number + 1)})
            if len(names) == 2:
                found.setdefault((names[0], names[1]), set()).add(int(self.people[number]))
        ranks = {one.playbook.name: policy.rank(one.playbook.priority) for one in self.courses}
        collisions = (
            Collision(pair, len(people), max(pair, key=lambda name: (ranks[name], name)))
            for pair, people in found.items()
        )
        return tuple(sorted(collisions, key=lambda one: (-one.people, one.playbooks)))

    def mails(self, policy: ContactPolicy, crowd: Crowd, span: tuple[date, int]) -> Mails:
        """What goes when, once caps, windows and wishes have been looked at."""
        counting = _Counting(span)
        edges = np.flatnonzero(np.diff(self.people, prepend=-1, append=-1)).tolist()
        for start, end in pairwise(edges):
            self._person(policy, crowd, (start, end), counting)
        return counting.mails(len(self.batch), crowd)

    def _person(self, policy: ContactPolicy, crowd: Crowd, part: tuple[int, int], counting: "_Counting") -> None:
        contacts = self.contacts[part[0] : part[1]].tolist()
        person = int(self.people[part[0]])
        unwanted = crowd.unwanted.get(person, frozenset())
        planned = []
        for number, contact in zip(self.batch[part[0] : part[1]].tolist(), contacts, strict=True):
            one = self._planned(policy, self.batches[number], contact)
            if unwanted & {one.message.category, "all"}:
                counting.left_out["unsubscribed"] += 1
            else:
                planned.append(one)
        frequency = crowd.frequencies.get(person, Frequency.IMMEDIATE)
        eased = ease(policy, planned, crowd.places[contacts[0]], crowd.sent.get(person, ()), frequency)
        counting.take(contacts[0], [(one.at, each.at, each.why) for one, each in zip(planned, eased, strict=True)])

    def _planned(self, policy: ContactPolicy, batch: Batch, contact: int) -> Planned:
        course = self.courses[batch.course]
        step, playbook = course.step(batch.number), course.playbook
        late = step.max_lateness if isinstance(step, EmailStep) else _LATEST
        spread = (contact * 37 % 100) / 100
        message = Message(playbook.category, batch.at + timedelta(days=late.days), spread)
        rank = -1 if playbook.category == OPERATIONAL else policy.rank(playbook.priority)
        return Planned(batch.at, rank, message, f"{playbook.name}/{course.lines[batch.number].step}")


class _Counting:
    """Counts what goes, person by person."""

    def __init__(self, span: tuple[date, int]) -> None:
        self._first, self._days = span
        self._per_day = [0] * self._days
        self.left_out: Counter[str] = Counter()
        self._later: Counter[str] = Counter()
        self._beyond = 0
        self._capped = 0
        self._goes: Counter[int] = Counter()

    def take(self, contact: int, eased: Sequence[tuple[datetime, datetime | None, str]]) -> None:
        goes, capped = 0, False
        for _planned, at, why in eased:
            capped = capped or "capped" in why
            if at is None:
                self.left_out[_reason(why)] += 1
                continue
            day = (at.date() - self._first).days
            if day >= self._days:
                self._beyond += 1
                continue
            self._per_day[day] += 1
            goes += 1
            if why:
                self._later[_reason(why)] += 1
        self._goes[contact] = goes
        self._capped += capped

    def mails(self, planned: int, crowd: Crowd) -> Mails:
        per_person = Counter(count for count in self._goes.values() if count)
        most = [Busy(crowd.names[who], crowd.accounts[who], count) for who, count in self._goes.most_common(_MOST)]
        return Mails(
            planned,
            tuple(self._per_day),
            dict(self._later),
            dict(self.left_out),
            self._beyond,
            dict(sorted(per_person.items())),
            tuple(one for one in most if one.messages),
            self._capped,
        )


def _reason(why: str) -> str:
    """The kind of reason: without counts and dates."""
    if "capped" in why:
        return "the cap of messages to one person"
    return why.partition(", ")[0].removeprefix("left out ").strip() if why.startswith("left out") else why
