"""The points of a span of days as a table: one row per day, one column per subject, NaN where there is none."""

import numpy as np

from engine.definitions.catalog import Metric
from engine.evaluation.columns import Floats
from engine.evaluation.facts import Grid, Points
from engine.evaluation.features import Features
from engine.evaluation.seen import counts_days, daily


def daily_values(metric: Metric, features: Features, day: int, days: int) -> Floats:
    """The values of the ``days`` days that end with ``day``, float64[days, size], the oldest first.

    Of plain daily counts a day without a point is a true zero; of what is worked out every day has its value.
    """
    table = table_of(daily(metric, features, days, day), features.size, day, days)
    return np.nan_to_num(table) if counts_days(metric) else table


def table_of(points: Points, size: int, day: int, days: int) -> Floats:
    """The points of a window as a table, float64[days, size]."""
    first = day - days + 1
    table = np.full((days, size), np.nan)
    if isinstance(points, Grid):
        start, end = max(first, points.first), min(day + 1, points.first + len(points.values))
        if start < end:
            table[start - first : end - first] = points.values[start - points.first : end - points.first]
        return table
    inside = (points.days >= first) & (points.days <= day)
    table[points.days[inside] - first, points.rows[inside]] = points.values[inside]
    return table
