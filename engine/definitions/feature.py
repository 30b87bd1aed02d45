"""Names a condition can use, taken apart: ``active_users.mean_30d`` is the mean of a metric over 30 days.

A feature is a value computed from points as of a moment. Only features that some file names are computed.
"""

from dataclasses import dataclass
from enum import StrEnum


class Window(StrEnum):
    """How a feature looks at a metric's points. ``LATEST`` is the metric's bare name."""

    LATEST = "latest"
    MEAN = "mean"
    SUM = "sum"
    CHANGE = "change"
    PREVIOUS = "previous"
    SLOPE = "slope"
    DAYS_SINCE = "days_since"
    RANK = "rank"


class ValueType(StrEnum):
    """The static types of conditions. A share is a number between 0 and 1 that people write as ``40%``."""

    NUMBER = "number"
    SHARE = "share"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATE = "date"

    @property
    def is_numeric(self) -> bool:
        """Whether values of the type can be compared by size with numbers."""
        return self in {ValueType.NUMBER, ValueType.SHARE}


@dataclass(frozen=True, slots=True, order=True)
class Feature:
    """One feature of a metric: ``metric`` seen through ``window`` over ``days`` (0 where no span applies).

    ``name`` is how files write it. ``mean_7d`` covers the 7 days that end with the day of the evaluation;
    ``previous_7d`` the 7 before those; ``change_7d`` is mean over previous mean, minus 1 (a share).
    """

    metric: str
    window: Window = Window.LATEST
    days: int = 0

    @property
    def name(self) -> str:
        """The feature as a condition writes it."""
        if self.window is Window.LATEST:
            return self.metric
        span = f"_{self.days}d" if self.days else ""
        return f"{self.metric}.{self.window.value}{span}"
