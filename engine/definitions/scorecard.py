"""The scorecard: which metrics make a score, how each is normalised to 0–100, and the tiers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal as Choice, TypeAlias

from engine.definitions.condition import Condition
from engine.definitions.feature import Feature
from engine.definitions.problem import Place
from engine.terms import Tier


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
    """Attainment of the agreed goal's line today, as a share of 100, clamped to 0–100."""

    goal: str


@dataclass(frozen=True, slots=True)
class Rank:
    """Percentile rank among a cohort; values under ``floor`` count as 0 whatever the rank."""

    among: Choice["all", "segment", "stage"]
    floor: float | None


Normaliser: TypeAlias = Linear | Threshold | GoalLine | Rank


@dataclass(frozen=True, slots=True)
class Standard:
    """The criteria of a metric: below ``acceptable`` needs attention, at ``highest`` or better is met."""

    acceptable: float
    highest: float


@dataclass(frozen=True, slots=True)
class ScoredMetric:
    """One line of a scorecard. ``weight`` is its share inside the dimension before ``multiplier``."""

    feature: Feature
    normaliser: Normaliser
    weight: float
    place: Place = field(compare=False)
    multiplier: float = 1.0
    standard: Standard | None = None

    @property
    def name(self) -> str:
        """The feature as the file writes it; unique inside a scorecard."""
        return self.feature.name


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
class Scorecard:
    """One model. ``metrics`` in the order of the file is the order of contributions everywhere."""

    name: str
    desired_outcome: str
    dimensions: tuple[Dimension, ...]
    bands: tuple[Band, ...]
    place: Place = field(compare=False)
    applies_to: Condition | None = None
    missing: Choice["exclude", "neutral", "worst"] = "exclude"
    min_coverage: float = 0.6
    tiers_by: Choice["score", "criteria"] = "score"
    margin: float = 3.0
    forced: tuple[ForcedTier, ...] = ()

    @property
    def metrics(self) -> tuple[ScoredMetric, ...]:
        """All scored metrics, dimension by dimension."""
        return tuple(metric for dimension in self.dimensions for metric in dimension.metrics)

    @property
    def shares(self) -> Mapping[str, float]:
        """Each metric's share of the whole score, by name, when every value is known; they sum to 1."""
        found: dict[str, float] = {}
        for dimension in self.dimensions:
            whole = sum(metric.weight * metric.multiplier for metric in dimension.metrics)
            for metric in dimension.metrics:
                found[metric.name] = dimension.weight * metric.weight * metric.multiplier / whole
        return found
