"""How a signal looks at the data: one shape per measure. What each says of an account: `engine.evaluation.signals`."""

from dataclasses import dataclass
from typing import Final, Literal as Choice, TypeAlias

from engine.definitions.condition import Condition
from engine.definitions.feature import Feature, Window

KNOWN_DAYS: Final = 30
"""So many known verdicts of a signal are remembered."""

_REMEMBERED: Final = ("signal.", "score.", "tier.", "cause.")

Bound: TypeAlias = Choice["below", "at_most", "above", "at_least"]
Among: TypeAlias = Choice["all", "segment", "stage"]
Pattern: TypeAlias = Choice["broad", "key_users", "mixed", "none"]
Period: TypeAlias = Choice["week", "month", "quarter", "year"]
On: TypeAlias = Choice["first day", "first working day", "last day", "last working day"]


@dataclass(frozen=True, slots=True)
class Limit:
    """A value on the far side of which something holds; ``below`` and ``above`` are strict."""

    bound: Bound
    value: float


@dataclass(frozen=True, slots=True)
class ThresholdMeasure:
    """The feature's value is on the far side of a limit."""

    feature: Feature
    limit: Limit


@dataclass(frozen=True, slots=True)
class TrendMeasure:
    """The metric's mean over ``over`` days against the ``over`` days before: relative change at or past
    ``change`` (negative: a fall). Unknown where the earlier mean is under ``min_base`` or zero."""

    metric: str
    change: float
    over: int
    min_base: float


@dataclass(frozen=True, slots=True)
class GoalMeasure:
    """Attainment of a goal is below a share, of today's ``line`` or of the final ``target``.

    An agreed goal names ``agreed``; an own goal names ``metric``, ``target``, ``start`` (a date field of the
    account) and ``within`` days. ``points`` (share of the time → share of the way) draw the line of shape ``points``.
    """

    attained_below: float
    of: Choice["line", "target"]
    agreed: str = ""
    metric: str = ""
    target: float = 0.0
    start: str = ""
    within: int = 0
    shape: Choice["linear", "step", "points"] = "linear"
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class SilenceMeasure:
    """No point of the metric (or, of a days-since metric, its value) for longer than ``longer_than`` days."""

    feature: Feature
    longer_than: int


@dataclass(frozen=True, slots=True)
class RankMeasure:
    """The percentile mark among peers is past a limit (a mark of 10: the bottom tenth).

    A value past ``floor`` on the bad side has the mark 0 whatever its rank: so a fall of everybody shows.
    """

    feature: Feature
    limit: Limit
    among: Among = "all"
    floor: float | None = None


@dataclass(frozen=True, slots=True)
class DeviationMeasure:
    """How many standard deviations the subject is from its own baseline is past a limit.

    The latest value (or the mean of the last ``recent`` days) against the mean of the ``baseline`` days before, which
    need at least ``least`` points. A baseline without any spread says nothing.
    """

    metric: str
    limit: Limit
    baseline: int
    recent: int = 0
    least: int = 14


@dataclass(frozen=True, slots=True)
class RhythmMeasure:
    """The gap since the last active day is at least ``times`` the usual one of the last ``over`` days.

    The usual gap is the median, over at least ``least`` gaps, counted in the subject's own days of the week.
    """

    metric: str
    times: float
    over: int
    least: int = 4


PersonMeasure: TypeAlias = ThresholdMeasure | TrendMeasure | SilenceMeasure | DeviationMeasure | RhythmMeasure


@dataclass(frozen=True, slots=True)
class ContactsMeasure:
    """A measure of contacts holds for at least so many of them, or at least a ``share`` of them.

    Meant are contacts with one of ``roles`` (empty: all) who have not departed and whom the measure can measure.
    """

    measure: PersonMeasure
    roles: tuple[str, ...] = ()
    at_least: int = 1
    share: float | None = None


@dataclass(frozen=True, slots=True)
class SlipMeasure:
    """How the use of an account's people falls, each against the ``over`` days before: one of four patterns.

    ``broad``: at least the share ``broad`` of the active people fall by ``fall`` or more. ``key_users``: fewer than
    ``few`` of them do, but somebody with one of ``roles`` is among them; ``none``: nobody with such a role is.
    ``mixed``: anything between.
    """

    metric: str
    pattern: Pattern
    over: int = 30
    roles: tuple[str, ...] = ()
    fall: float = 0.2
    broad: float = 0.6
    few: float = 0.25
    min_base: float = 0.0


@dataclass(frozen=True, slots=True)
class EventMeasure:
    """Such an event happened in the last ``within`` days, to a contact with one of ``roles`` if any are named."""

    event: str
    within: int
    where: Condition | None = None
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConditionMeasure:
    """A JsonLogic condition holds."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class ScheduleMeasure:
    """It is the day of the period: the signal holds on that day alone, so a rule starts once per period."""

    every: Period
    on: On = "first day"


@dataclass(frozen=True, slots=True)
class ClockMeasure:
    """A date of the account is ``by`` days away, before it or after it: from that day on, up to the date itself.

    ``until`` ends it sooner: while more than so many days remain, or less than so many have passed. A clock that
    would ring on a day off rings on the working day before. It rings once per date.
    """

    date: str
    by: int
    until: int | None = None
    side: Choice["before", "after"] = "before"


Measure: TypeAlias = (
    ThresholdMeasure
    | TrendMeasure
    | GoalMeasure
    | SilenceMeasure
    | RankMeasure
    | DeviationMeasure
    | RhythmMeasure
    | ContactsMeasure
    | SlipMeasure
    | EventMeasure
    | ConditionMeasure
    | ScheduleMeasure
    | ClockMeasure
)


def features_of(measure: Measure) -> tuple[Feature, ...]:
    """The features of metrics a measure looks at, over the whole span it reads; none where it names no metric."""
    match measure:
        case ThresholdMeasure(feature) | RankMeasure(feature) | SilenceMeasure(feature):
            return (feature,)
        case TrendMeasure(metric, _, over) | SlipMeasure(metric, _, over):
            return (Feature(metric, Window.CHANGE, over),)
        case DeviationMeasure(metric, _, baseline, recent):
            return (Feature(metric, Window.MEAN, baseline + recent + 1),)
        case RhythmMeasure(metric, _, over):
            return (Feature(metric, Window.MEAN, over),)
        case ContactsMeasure(inner):
            return features_of(inner)
    return ()


def is_remembered(measure: Measure) -> bool:
    """Whether what a measure said on earlier days has to be remembered, as it cannot be worked out from the points."""
    match measure:
        case RankMeasure():
            return True
        case ThresholdMeasure(feature):
            return feature.window is Window.RANK
        case ConditionMeasure(condition):
            return any(name.startswith(_REMEMBERED) or name.endswith(".rank") for name in condition.names)
    return False
