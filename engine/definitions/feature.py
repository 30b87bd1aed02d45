"""Names a condition can use, taken apart: ``active_users.mean_30d`` is the mean of a metric over 30 days.

A feature is a value computed from points as of a moment. Only features that some file names are computed.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Window(StrEnum):
    """How a feature looks at a metric's points. ``LATEST`` is the metric's bare name."""

    LATEST = "latest"
    MEAN = "mean"
    SUM = "sum"
    CHANGE = "change"
    PREVIOUS = "previous"
    SLOPE = "slope"
    DAYS = "days"
    AGO = "ago"
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
    ``previous_7d`` the 7 before those; ``change_7d`` is mean over previous mean, minus 1 (a share); ``days_7d`` is on
    how many of the 7 days it was above zero; ``ago_365d`` is the latest value as of a year ago.
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


MAX_DAYS: Final = 3_650

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*([-.][a-z0-9_]+)*")
_SPANNED: Final = re.compile(r"(.+)\.(mean|sum|change|previous|slope|days|ago)_([1-9][0-9]{0,3})d")
_BARE: Final = re.compile(r"(.+)\.(days_since|rank)")

WINDOWS: Final = (
    "mean_7d",
    "sum_30d",
    "change_30d",
    "previous_30d",
    "slope_90d",
    "days_30d",
    "ago_365d",
    "days_since",
    "rank",
)
"""One example of each window, for hints."""


def parse_feature(text: str) -> Feature | None:
    """Take a name apart: ``active_users.mean_30d`` is a mean over 30 days, ``active_users`` the latest value.

    A metric's own name may hold dots and dashes (``response.seat-activation``), so a name whose end is no window is
    a metric's name as a whole; whether there is such a metric is for the caller to see. None: not a name at all.
    """
    if not _NAME.fullmatch(text):
        return None
    if spanned := _SPANNED.fullmatch(text):
        days = int(spanned[3])
        return Feature(spanned[1], Window(spanned[2]), days) if days <= MAX_DAYS else None
    if bare := _BARE.fullmatch(text):
        return Feature(bare[1], Window(bare[2]))
    return Feature(text)


def feature_type(metric: ValueType, window: Window) -> ValueType | None:
    """The type of a metric of type ``metric`` seen through ``window``; None where that makes no sense (a text's mean).

    A boolean counts as 0 or 1, so its mean is a share and its sum a number. A relative change is a share of the mean.
    """
    if window in {Window.LATEST, Window.AGO}:
        return metric
    if window is Window.DAYS_SINCE:
        return ValueType.NUMBER
    if metric in {ValueType.TEXT, ValueType.DATE}:
        return None
    if window is Window.CHANGE:
        return ValueType.SHARE
    if window in {Window.RANK, Window.DAYS} or (window is Window.SUM and metric is ValueType.BOOLEAN):
        return ValueType.NUMBER
    return ValueType.SHARE if metric is ValueType.BOOLEAN else metric
