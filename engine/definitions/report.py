"""A customer report's definition: an allow-list of metrics and the sections that show them."""

from dataclasses import dataclass, field
from typing import Literal as Choice, TypeAlias

from engine.definitions.problem import Place


@dataclass(frozen=True, slots=True)
class GoalsSection:
    """Goals agreed, their line and where the account is."""

    show: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdoptionSection:
    """Metrics with their latest value and, for ``trend`` days, their course."""

    show: tuple[str, ...]
    trend: int


@dataclass(frozen=True, slots=True)
class HealthSection:
    """The score in the customer's wording, as a number, or not at all."""

    scorecard: str
    show: Choice["wording", "score", "none"]


@dataclass(frozen=True, slots=True)
class DoneSection:
    """What we did: runs and deliveries of the period, in plain words."""


@dataclass(frozen=True, slots=True)
class NextStepsSection:
    """What comes next, written by the owner before approval."""

    ask_owner: bool


@dataclass(frozen=True, slots=True)
class QuestionSection:
    """A question to the customer; the answer becomes a point of ``metric``."""

    ask: str
    low: int
    high: int
    metric: str


Section: TypeAlias = GoalsSection | AdoptionSection | HealthSection | DoneSection | NextStepsSection | QuestionSection


@dataclass(frozen=True, slots=True)
class Report:
    """One report file. Only metrics in ``allow`` can appear, and each is ``customer_may_see``."""

    name: str
    title: str
    allow: tuple[str, ...]
    sections: tuple[Section, ...]
    place: Place = field(compare=False)
