"""What a portfolio has ahead of it, as values: messages, tasks, approvals, and where playbooks get in each other's way.

Shapes only; `engine.running.fast_forward` fills them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class PlaybookAhead:
    """One playbook: runs that are open, runs that would start now, and what all of them would do."""

    playbook: str
    open_runs: int = 0
    starts: int = 0
    messages: int = 0
    people: int = 0
    tasks: int = 0
    approvals: int = 0


@dataclass(frozen=True, slots=True)
class Collision:
    """Two playbooks mean the same ``people`` within a few days; ``yields`` is the one that waits."""

    playbooks: tuple[str, str]
    people: int
    yields: str


@dataclass(frozen=True, slots=True)
class Busy:
    """One of the people who get the most. ``messages``: how many go."""

    contact: str
    account: str
    messages: int


@dataclass(frozen=True, slots=True)
class Mails:
    """Messages within the days looked at. ``planned`` ones go (``per_day``), some of them ``later`` than planned, or
    are ``left_out``, both by reason; ``beyond`` are put off beyond the days. ``per_person``: messages → people."""

    planned: int = 0
    per_day: tuple[int, ...] = ()
    later: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    beyond: int = 0
    per_person: Mapping[int, int] = field(default_factory=dict)
    most: tuple[Busy, ...] = ()
    capped_people: int = 0

    @property
    def going(self) -> int:
        """How many go within the days."""
        return sum(self.per_day)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The days from ``first`` on. ``starts`` runs start now, ``later_starts`` by the calendar within the days;
    ``held_out`` counts both. ``tasks``: member → per week; ``approvals``: member → per day."""

    first: date
    days: int
    accounts: int
    open_runs: int
    starts: int
    held_out: int
    playbooks: tuple[PlaybookAhead, ...]
    mails: Mails
    tasks: Mapping[str, tuple[int, ...]]
    approvals: Mapping[str, tuple[int, ...]]
    collisions: tuple[Collision, ...] = ()
    asks: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    later_starts: int = 0


@dataclass(frozen=True, slots=True)
class Reach:
    """What starts now would do in their first ``days``: to how many people how many messages, and how many tasks."""

    days: int = 7
    messages: int = 0
    people: int = 0
    tasks: int = 0
    approvals: int = 0


def values_of(forecast: Forecast) -> dict[str, Any]:
    """All of it as plain values, for programs."""
    return {**asdict(forecast), "first": forecast.first.isoformat()}


NOTHING: Final = Reach()
