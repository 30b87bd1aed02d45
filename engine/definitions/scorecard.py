"""The scorecard: which metrics make a score, how each becomes a mark of 0–100, how much it weighs, and the tiers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal as Choice, TypeAlias

from engine.definitions.catalog import Subject
from engine.definitions.condition import Condition
from engine.definitions.feature import Feature
from engine.definitions.problem import Place
from engine.terms import Tier

Cohort: TypeAlias = Choice["all", "segment", "stage"]


@dataclass(frozen=True, slots=True)
class Linear:
    """0 at ``zero``, 100 at ``full``, clamped; ``zero > full`` means lower is better."""

    zero: float
    full: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """100 at ``good`` or better, 0 at ``poor`` or worse, 60 between (D.6 32); the order says which is better."""

    good: float
    poor: float


@dataclass(frozen=True, slots=True)
class GoalLine:
    """Attainment of the agreed goal, of its line today or of its ``final`` target, as a share of 100, clamped."""

    goal: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class TargetRatio:
    """Actual over target, as a share of 100, clamped; where lower is better, target over actual.

    The target is a number, or where ``of`` is not empty the value of that name: a metric of the catalog or a numeric
    field of the account (``account.expected_logins``).
    """

    target: float = 0.0
    of: str = ""
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Piecewise:
    """Straight lines between ``points`` (value, mark), values ascending; the first and last mark beyond the ends."""

    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Categorical:
    """A mark for each word of a text metric; a word that is not listed is unknown. Of a boolean: false and true."""

    marks: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Bounded:
    """Linear from ``zero`` to ``full``; outside of them the metric has no say: it is known and weighs nothing."""

    zero: float
    full: float


@dataclass(frozen=True, slots=True)
class Criteria:
    """100 at ``highest`` or better, 0 below ``acceptable``, 50 between; it is the metric's standard at once."""

    acceptable: float
    highest: float


@dataclass(frozen=True, slots=True)
class Shown:
    """No mark at all: the value stands on the account and adds nothing (``scored: false``)."""


Absolute: TypeAlias = Linear | Threshold | GoalLine | TargetRatio | Piecewise | Categorical | Bounded | Criteria | Shown
"""What gives the same mark for the same value, whatever the other accounts do."""


@dataclass(frozen=True, slots=True)
class Rank:
    """Percentile rank among a cohort; values worse than ``floor`` count as 0 whatever the rank.

    ``scale`` 10 rounds the rank up to tenths (1 to 10) before it counts. ``otherwise`` gives the mark where the cohort
    has too few known values; without it the mark is unknown there.
    """

    among: Cohort
    floor: float | None
    lower_is_better: bool = False
    scale: Choice[10, 100] = 100
    otherwise: Absolute | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """Linear between two ends that the cohort itself gives: its values with a share ``winsorise`` cut off each side."""

    among: Cohort
    winsorise: float
    floor: float | None = None
    lower_is_better: bool = False
    otherwise: Absolute | None = None


Relative: TypeAlias = Rank | Spread
"""What moves when other accounts move."""

Normaliser: TypeAlias = Absolute | Relative


@dataclass(frozen=True, slots=True)
class Standard:
    """The criteria of a metric: below ``acceptable`` needs attention, at ``highest`` or better is met."""

    acceptable: float
    highest: float


@dataclass(frozen=True, slots=True)
class Carry:
    """Where a value is unknown, the last known one counts, up to ``days`` days old."""

    days: int


Missing: TypeAlias = Choice["exclude", "neutral", "worst", "fail"] | Carry
"""What an unknown mark means: no say, 50, 0, no score at all, or the last known value."""


@dataclass(frozen=True, slots=True)
class Fades:
    """What people said loses weight with age: whole up to ``start`` days, nothing from ``gone`` on, a line between.

    Where both are the same day, the weight is whole on it and gone the day after.
    """

    start: int
    gone: int


@dataclass(frozen=True, slots=True)
class ScoredMetric:
    """One line of a scorecard. ``weight`` is its share inside the dimension before ``multiplier`` (0: only shown).

    ``missing`` None: as the scorecard says.
    """

    feature: Feature
    normaliser: Normaliser
    weight: float
    place: Place = field(compare=False)
    multiplier: float = 1.0
    standard: Standard | None = None
    missing: Missing | None = None
    fades: Fades | None = None

    @property
    def name(self) -> str:
        """The feature as the file writes it; unique inside a scorecard."""
        return self.feature.name

    @property
    def is_scored(self) -> bool:
        """Whether the metric has a say; otherwise it only stands beside the score."""
        return not isinstance(self.normaliser, Shown)

    @property
    def is_attainment(self) -> bool:
        """Whether what is looked at is the attained share of a goal or of a named target, not the metric's value."""
        named = isinstance(self.normaliser, TargetRatio) and bool(self.normaliser.of)
        return named or isinstance(self.normaliser, GoalLine)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A weighted group. Weights of all dimensions sum to 1."""

    name: str
    weight: float
    metrics: tuple[ScoredMetric, ...]
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class Band:
    """A tier's lower cut (inclusive; half-open upwards) and what a customer reads instead of its name."""

    tier: Tier
    start: float
    customer_wording: str


@dataclass(frozen=True, slots=True)
class ForcedTier:
    """An exception that decides the tier where its condition holds."""

    when: Condition
    tier: Tier
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class RollUp:
    """How the scores of an account's contacts or products become one number of the account, 0–100.

    ``worst``, ``mean``, or ``weighted`` by the metric ``by`` of the same subjects (its ARR, its users).
    """

    how: Choice["worst", "mean", "weighted"]
    by: str = ""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One model. ``metrics`` in the order of the file is the order of contributions everywhere.

    ``of``: whom it scores; of contacts, those with one of ``roles`` where any is named. Of several scorecards of
    accounts the one with the lowest ``priority`` that applies is the score of an account. ``dwell``: evaluations in a
    row after which a tier follows the score inside the margin. ``roll_up``: how scores of contacts or products become
    ``score.<name>`` of their account; None: they do not. ``feedback``: the question whose answers say whether the
    score looks right. ``north_star``: how the desired outcome bears on the workspace's North Star.
    """

    name: str
    desired_outcome: str
    dimensions: tuple[Dimension, ...]
    bands: tuple[Band, ...]
    place: Place = field(compare=False)
    applies_to: Condition | None = None
    missing: Missing = "exclude"
    min_coverage: float = 0.6
    tiers_by: Choice["score", "criteria"] = "score"
    margin: float = 3.0
    forced: tuple[ForcedTier, ...] = ()
    of: Subject = "account"
    roles: tuple[str, ...] = ()
    priority: int | None = None
    dwell: int = 3
    roll_up: RollUp | None = None
    feedback: str = ""
    north_star: str = ""

    @property
    def metrics(self) -> tuple[ScoredMetric, ...]:
        """All metrics, dimension by dimension, also those that are only shown."""
        return tuple(metric for dimension in self.dimensions for metric in dimension.metrics)

    @property
    def shares(self) -> Mapping[str, float]:
        """Each metric's share of the whole score, by name, when every value is known; they sum to 1."""
        found: dict[str, float] = {}
        for dimension in self.dimensions:
            whole = sum(metric.weight * metric.multiplier for metric in dimension.metrics) or 1.0
            for metric in dimension.metrics:
                found[metric.name] = dimension.weight * metric.weight * metric.multiplier / whole
        return found

    def missing_of(self, metric: ScoredMetric) -> Missing:
        """What an unknown mark of a metric means in this scorecard."""
        return self.missing if metric.missing is None else metric.missing
