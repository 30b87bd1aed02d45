"""Looking at points through a window, for all subjects at once: last points, exact sums, slopes.

Points come as a `Series` or as a `Grid`, and from the same points both give the same to the last bit: what differs
between them (`windows_series`, `windows_grid`) are positions and sums of integers, and those are exact. A day may be
any day: what lies after it is not looked at.
"""

import numpy as np

from engine.evaluation import windows_grid as of_grid, windows_series as of_series
from engine.evaluation.columns import Flags, Floats, Ints
from engine.evaluation.facts import Grid, Points, Series


def latest(points: Points, size: int, day: int, stale_after: int = 0) -> Floats:
    """Each subject's last value on or before ``day``; NaN where there is none or it is older than ``stale_after``."""
    days, values = _last(points, size, day)
    return np.where(day - days <= stale_after, values, np.nan) if stale_after else values


def days_since(points: Points, size: int, day: int) -> Floats:
    """Days since each subject's last point, float64[size]; NaN where there never was one."""
    return day - _last(points, size, day)[0]


def total(points: Points, size: int, day: int, days: int, decimals: int) -> tuple[Ints, Ints]:
    """Sum (in units of ``10**-decimals``) and number of points in the ``days`` days that end with ``day``."""
    if isinstance(points, Grid):
        return of_grid.total(points, day, days, decimals)
    return of_series.total(points, size, day, days, decimals)


def total_since(points: Points, size: int, day: int, first: Floats, decimals: int) -> Floats:
    """Sum of each subject's points from its own ``first`` day to ``day``, both included; NaN where ``first`` is."""
    known = ~np.isnan(first)
    begins = np.where(known, first, 0).astype(np.int64)
    if isinstance(points, Grid):
        sums = of_grid.total_since(points, day, begins, decimals)
    else:
        sums = of_series.total_since(points, size, day, begins, decimals)
    return np.where(known, sums / 10.0**decimals, np.nan)


def mean(points: Points, size: int, day: int, days: int, decimals: int) -> Floats:
    """Mean of the known points of a window; NaN where there is none."""
    sums, counts = total(points, size, day, days, decimals)
    return sums / np.where(counts > 0, counts * 10.0**decimals, np.nan)


def slope(points: Points, size: int, day: int, days: int, decimals: int) -> Floats:
    """Change per day of the least-squares line through a window's points; NaN with fewer than two of them."""
    if isinstance(points, Grid):
        moments = of_grid.moments(points, day, days, decimals)
    else:
        moments = of_series.moments(points, size, day, days, decimals)
    count, y, x, xx, xy = (each.astype(np.float64) for each in moments)
    spread = count * xx - x**2
    rise: Floats = count * xy - x * y
    return rise / np.where(spread > 0, spread, np.nan) / 10.0**decimals


def matrix(points: Points, size: int, day: int, days: int) -> Floats:
    """Every value of the ``days`` days that end with ``day``, float64[days, size], NaN where there is none."""
    if isinstance(points, Grid):
        return of_grid.matrix(points, day - days + 1, day)
    return of_series.matrix(points, size, day - days + 1, day)


def days_of(points: Points, row: int) -> Ints:
    """The days of one subject's points, ascending."""
    return of_grid.days_of(points, row) if isinstance(points, Grid) else of_series.days_of(points, row)


def summed(points: Points, owners: Ints, size: int) -> Points:
    """The points of ``size`` owners of the subjects: values of one owner and day added up (contacts to accounts)."""
    if isinstance(points, Grid):
        return of_grid.summed(points, owners, size)
    return of_series.summed(points, owners)


def counted(rows: Ints, days: Ints, keep: Flags) -> Series:
    """One point per subject and day with the number of ``keep`` entries on it."""
    return of_series.counted(rows, days, keep)


def _last(points: Points, size: int, day: int) -> tuple[Floats, Floats]:
    if isinstance(points, Grid):
        return of_grid.last(points, day)
    return of_series.last(points, size, day)
