"""Windows over points in a grid of days and subjects: positions are rows, sums are differences of running sums.

The counterpart for points listed one by one is `engine.evaluation.windows_series`. Everything goes row by row, or by so
many rows that they stay near the processor: a row of a few thousand subjects does, and a whole grid does not.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from engine.evaluation.columns import Floats, Ints
from engine.evaluation.facts import Counts, Grid, Series
from engine.evaluation.fixed_point import scaled

_TOGETHER: Final = 32_768
"""Values that are summed up in one go."""


def last(grid: Grid, day: int) -> tuple[Floats, Floats]:
    """Day and value of each subject's last point on or before ``day``; NaN where there is none."""
    end = _row(grid, day + 1)
    if end and not np.isnan(grid.values[end - 1]).any():
        return np.full(grid.values.shape[1], float(grid.first + end - 1)), grid.values[end - 1].copy()
    before = grid.last_days <= day
    days, values = np.where(before, grid.last_days, np.nan), np.where(before, grid.last_values, np.nan)
    if end:
        place = _filled(grid)[end - 1]
        known = np.flatnonzero(place >= 0)
        days[known], values[known] = grid.first + place[known], grid.values[place[known], known]
    return days, values


def total(grid: Grid, day: int, days: int, decimals: int) -> tuple[Ints, Ints]:
    """Sum (in units of ``10**-decimals``) and number of points in the ``days`` days that end with ``day``."""
    start, end = _row(grid, day - days + 1), _row(grid, day + 1)
    sums, counts = _running(grid, decimals), _counted(grid)
    found, number = sums[end] - sums[start], counts[end].astype(np.int64) - counts[start]
    if day - days + 1 < grid.first:
        earlier = (grid.last_days > day - days) & (grid.last_days <= day)
        return found + np.where(earlier, scaled(grid.last_values, decimals), 0), number + earlier
    return found, number


def total_since(grid: Grid, day: int, first: Ints, decimals: int) -> Ints:
    """Sum of each subject's points from its own ``first`` day to ``day``, both included."""
    end, sums = _row(grid, day + 1), _running(grid, decimals)
    start = np.clip(first - grid.first, 0, end)
    earlier = (grid.last_days >= first) & (grid.last_days <= day)
    since: Ints = sums[end] - sums[start, np.arange(len(first))]
    return since + np.where(earlier, scaled(grid.last_values, decimals), 0)


def moments(grid: Grid, day: int, days: int, decimals: int) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Number of points of a window, and the sums of value, of day (from the window's start), of day squared and of
    value times day: what a fitted line is made of."""
    sums, counts = _running(grid, decimals), _counted(grid)
    count, value, when, square, product = np.zeros((5, grid.values.shape[1]), dtype=np.int64)
    for row in range(_row(grid, day - days + 1), _row(grid, day + 1)):
        known, amount = (counts[row + 1] - counts[row]).astype(np.int64), sums[row + 1] - sums[row]
        place = grid.first + row - (day - days)
        count += known
        value += amount
        when += place * known
        square += place**2 * known
        product += place * amount
    if day - days + 1 < grid.first:
        earlier = (grid.last_days > day - days) & (grid.last_days <= day)
        places = np.where(earlier, grid.last_days - (day - days), 0).astype(np.int64)
        amount = np.where(earlier, scaled(grid.last_values, decimals), 0)
        return count + earlier, value + amount, when + places, square + places**2, product + places * amount
    return count, value, when, square, product


def matrix(grid: Grid, first: int, last: int) -> Floats:
    """Every value from day ``first`` to ``last``, float64[days, size], NaN where there is none."""
    found = np.full((last - first + 1, grid.values.shape[1]), np.nan)
    start, end = _row(grid, first), _row(grid, last + 1)
    offset = grid.first + start - first
    found[offset : offset + end - start] = grid.values[start:end]
    earlier = np.flatnonzero((grid.last_days >= first) & (grid.last_days <= last))
    found[grid.last_days[earlier].astype(np.int64) - first, earlier] = grid.last_values[earlier]
    return found


def days_of(grid: Grid, row: int) -> Ints:
    """The days of one subject's points, ascending."""
    known = np.flatnonzero(~np.isnan(grid.values[:, row])) + grid.first
    earlier = grid.last_days[row]
    return known if np.isnan(earlier) else np.concatenate([[int(earlier)], known]).astype(np.int64)


def summed(grid: Grid, owners: Ints, size: int) -> Grid:
    """The points of ``size`` owners of the subjects: values of one owner and day added up, in the subjects' order."""
    values = np.stack([_added_up(row, owners, size) for row in grid.values]) if len(grid.values) else grid.values
    last_days = np.full(size, -np.inf)
    np.maximum.at(last_days, owners, np.where(np.isnan(grid.last_days), -np.inf, grid.last_days))
    newest = np.where(grid.last_days == last_days[owners], grid.last_values, np.nan)
    return Grid(grid.first, values, np.where(np.isinf(last_days), np.nan, last_days), _added_up(newest, owners, size))


def listed(grid: Grid) -> Series:
    """The same points one by one."""
    earlier = np.flatnonzero(~np.isnan(grid.last_days))
    places, found = np.nonzero(~np.isnan(grid.values))
    rows = np.concatenate([earlier, found]).astype(np.int64)
    days = np.concatenate([grid.last_days[earlier].astype(np.int64), grid.first + places])
    values = np.concatenate([grid.last_values[earlier], grid.values[places, found]])
    order = np.argsort(rows, kind="stable")  # of each subject they come day by day already
    return Series(rows[order], days[order], values[order])


def _added_up(values: Floats, owners: Ints, size: int) -> Floats:
    known = ~np.isnan(values)
    sums = np.bincount(owners[known], weights=values[known], minlength=size)
    return np.where(np.bincount(owners[known], minlength=size) > 0, sums, np.nan)


def _row(grid: Grid, day: int) -> int:
    return min(max(day - grid.first, 0), len(grid.values))


def _portions(grid: Grid) -> Iterator[slice]:
    """The days of a grid in portions that the processor's cache holds: of few subjects all days at once."""
    days = max(_TOGETHER // max(grid.values.shape[1], 1), 1)
    for start in range(0, len(grid.values), days):
        yield slice(start, min(start + days, len(grid.values)))


def _running(grid: Grid, decimals: int) -> Ints:
    name = f"sum:{decimals}"
    found = grid.sums.get(name)
    if found is None:
        # int64 wraps around, so a difference of two running sums is exact whenever the window's own sum fits.
        found = np.zeros((len(grid.values) + 1, grid.values.shape[1]), dtype=np.int64)
        for rows in _portions(grid):
            part = found[rows.start : rows.stop + 1]
            part[1:] = scaled(grid.values[rows], decimals)
            np.add.accumulate(part, axis=0, dtype=part.dtype, out=part)
        grid.sums[name] = found
    return found


def _counted(grid: Grid) -> Counts:
    found = grid.counts.get("known")
    if found is None:
        found = np.zeros((len(grid.values) + 1, grid.values.shape[1]), dtype=np.int16)
        for rows in _portions(grid):
            part = found[rows.start : rows.stop + 1]
            part[1:] = ~np.isnan(grid.values[rows])
            np.add.accumulate(part, axis=0, dtype=part.dtype, out=part)
        grid.counts["known"] = found
    return found


def _filled(grid: Grid) -> Counts:
    """For each row and subject the row of its last point up to there; -1 none."""
    found = grid.counts.get("filled")
    if found is None:
        found = np.empty(grid.values.shape, dtype=np.int16)
        before = np.full(grid.values.shape[1], -1, dtype=np.int16)
        for row, values in enumerate(grid.values):
            before = np.where(np.isnan(values), before, np.int16(row))
            found[row] = before
        grid.counts["filled"] = found
    return found
