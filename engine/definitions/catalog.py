"""The catalog: what can be measured, what can happen, who people are, and what was agreed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal as Choice, TypeAlias

from engine.definitions.condition import Condition
from engine.definitions.feature import Feature, ValueType
from engine.definitions.problem import Place

Source: TypeAlias = Choice["outcomes", "adoption", "delivery", "feedback", "relationship", "commercial"]
Evidence: TypeAlias = Choice["say", "observe", "do"]
Better: TypeAlias = Choice["higher", "lower", "neither"]
Combine: TypeAlias = Choice["last", "sum", "max", "mean"]
Subject: TypeAlias = Choice["account", "contact", "product"]
Counted: TypeAlias = Choice[
    "events",
    "distinct contacts",
    "minutes",
    "key features",
    "departments",
    "seniority",
    "roles",
    "missing roles",
    "share of contacts",
    "hours",
    "in time",
    "open",
]
Taken: TypeAlias = Choice["sum", "mean", "max", "last", "distinct", "nps", "csat", "ces", "ces mean"]
Given: TypeAlias = Choice["number", "share", "sum", "mean", "max", "min"]
Across: TypeAlias = Choice["sum", "mean", "max", "min"]

IDLE_MINUTES: Final = 5
"""Minutes between two events of one person from which on the time between them is a break and no use."""


@dataclass(frozen=True, slots=True)
class FromEvents:
    """How a metric is made of events, of those that pass ``where`` and happened to somebody ``with_roles``.

    ``over``: in the days that end with today; 0 is each day alone. ``count`` counts: events, distinct contacts,
    active minutes (times between one person's events that are no longer than ``idle`` minutes), the declared key
    features among the events' ``feature``, the departments, the highest seniority or the share of ``with_roles`` that
    the events reached, ``missing roles`` the names of those they did not; ``share of contacts`` that had the event
    ``within`` days of joining; and of pairs joined ``by`` a field, from the event to ``until``: the median ``hours``,
    the share ``in time`` (``within`` days), or how many are ``open``.
    ``take`` is instead of a count: what the values of ``field`` come to (nps, csat, ces: the latest of each person).
    ``per``: the number of events is divided by the number of these.
    ``silence``: the value is the number of days since the last such event; never any: unknown.
    """

    events: tuple[str, ...]
    count: Counted = "events"
    over: int = 0
    silence: bool = False
    with_roles: tuple[str, ...] = ()
    where: Condition | None = None
    take: Taken | None = None
    field: str = ""
    per: str = ""
    until: str = ""
    by: str = ""
    within: int = 0
    idle: int = IDLE_MINUTES

    @property
    def is_daily(self) -> bool:
        """Whether it is made of one amount per day, which the store keeps as points; else it is worked out from the
        events of the whole span each time."""
        if self.take or self.per or self.until:
            return self.take == "sum" and not self.per
        return self.count in {"events", "minutes"} or (self.count == "distinct contacts" and self.over <= 1)

    @property
    def loaded(self) -> tuple[str, ...]:
        """Every kind of event that is looked at."""
        more = tuple(name for name in (self.per, self.until) if name)
        return (*self.events, *(name for name in more if name not in self.events))


@dataclass(frozen=True, slots=True)
class FromContacts:
    """How a metric is made of the contacts of an account: those who have not departed, hold one of ``with_roles``
    (where any is named), and of whom ``metric`` is ``at_least`` so much, or ``below`` it.

    ``give``: their number, their share of those who could have been counted, or the sum, mean, largest or smallest
    value of ``metric`` over them. Without any contact a number and a sum are 0, the rest is unknown.
    """

    metric: Feature | None = None
    give: Given = "number"
    at_least: float | None = None
    below: float | None = None
    with_roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One declared measurement. ``stale_after`` in days: an older latest value is unknown (0: never stale).

    ``across`` names how a metric of contacts or products is rolled up into one of their account; None: it is not.
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
    from_contacts: FromContacts | None = None
    across: Across | None = None

    @property
    def is_stored(self) -> bool:
        """Whether there are points of it: pushed, or an amount per day counted from events."""
        if self.formula is not None or self.from_contacts is not None:
            return False
        return self.from_events is None or self.from_events.is_daily


@dataclass(frozen=True, slots=True)
class ProductFeature:
    """A part of the product that can be used by itself; ``key``: depth of use is counted in these."""

    name: str
    title: str
    place: Place = field(compare=False)
    key: bool = True


@dataclass(frozen=True, slots=True)
class EventKind:
    """Something that can happen, and the typed fields it carries."""

    name: str
    fields: Mapping[str, ValueType]
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal agreed with each account; target, start and end are the account's data.

    ``points`` (share of the time → share of the way) draw the line of shape ``points``. It is stuck where nothing was
    gained for ``stuck_after`` days.
    """

    name: str
    metric: str
    place: Place = field(compare=False)
    shape: Choice["linear", "step", "points"] = "linear"
    points: tuple[tuple[float, float], ...] = ()
    stuck_after: int = 30


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
    ``response.<playbook>``, per ``feature.<name>`` and per report question, added when the bundle is put together.

    ``features``: the parts of the product. ``seniority``: its words, the lowest first. ``account_fields``: further
    fields of accounts that conditions may read. ``groups``: title of a part of the catalog → its metrics.
    ``member_roles``: what members may be for an account beside its owner. ``causes``: code of a root cause → how it
    is said.
    """

    metrics: Mapping[str, Metric]
    events: Mapping[str, EventKind]
    goals: Mapping[str, Goal]
    questions: Mapping[str, Question]
    roles: tuple[str, ...]
    stages: tuple[str, ...]
    segments: Mapping[str, Condition]
    north_star: str
    place: Place = field(compare=False)
    features: Mapping[str, ProductFeature] = field(default_factory=dict)
    seniority: tuple[str, ...] = ()
    account_fields: Mapping[str, ValueType] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    member_roles: tuple[str, ...] = ()
    causes: Mapping[str, str] = field(default_factory=dict)
