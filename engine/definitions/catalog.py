"""The catalog: what can be measured, what can happen, who people are, and what was agreed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal as Choice, TypeAlias

from engine.definitions.condition import Condition
from engine.definitions.feature import ValueType
from engine.definitions.problem import Place

Source: TypeAlias = Choice["outcomes", "adoption", "delivery", "feedback", "relationship", "commercial"]
Evidence: TypeAlias = Choice["say", "observe", "do"]
Better: TypeAlias = Choice["higher", "lower", "neither"]
Combine: TypeAlias = Choice["last", "sum", "max", "mean"]
Subject: TypeAlias = Choice["account", "contact", "product"]
Counted: TypeAlias = Choice["events", "distinct contacts", "minutes"]


@dataclass(frozen=True, slots=True)
class FromEvents:
    """How a metric is made of events: a count per day, or the days of silence since the last one.

    ``over`` (days, 0 = each day alone) sums daily counts; a day without events is then a true zero.
    ``silence``: the value is the number of days since the last such event; never any: unknown.
    """

    events: tuple[str, ...]
    count: Counted = "events"
    over: int = 0
    silence: bool = False
    with_roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One declared measurement. ``stale_after`` in days: an older latest value is unknown (0: never stale).

    ``words``: all that a text metric can say, where they are declared.
    """

    name: str
    title: str
    source: Source
    evidence: Evidence
    type: ValueType
    better: Better
    place: Place = field(compare=False)
    unit: str = ""
    decimals: int = 2
    combine: Combine = "last"
    stale_after: int = 0
    of: Subject = "account"
    bears_on_value: str = ""
    customer_may_see: bool = False
    formula: Condition | None = None
    from_events: FromEvents | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventKind:
    """Something that can happen, and the typed fields it carries."""

    name: str
    fields: Mapping[str, ValueType]
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal agreed with each account; target, start and end are the account's data."""

    name: str
    metric: str
    place: Place = field(compare=False)
    shape: Choice["linear", "step"] = "linear"


@dataclass(frozen=True, slots=True)
class Question:
    """A question to members or customers; its answer becomes a point of the metric named like it."""

    name: str
    ask: str
    low: int
    high: int
    evidence: Evidence
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything the other files may name. ``metrics`` also holds one metric per question, per
    ``response.<playbook>`` and per report question, added when the bundle is put together."""

    metrics: Mapping[str, Metric]
    events: Mapping[str, EventKind]
    goals: Mapping[str, Goal]
    questions: Mapping[str, Question]
    roles: tuple[str, ...]
    stages: tuple[str, ...]
    segments: Mapping[str, Condition]
    north_star: str
    place: Place = field(compare=False)
