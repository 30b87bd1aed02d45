"""Windows over points listed one by one (`Series`): positions by search, sums as differences of running sums.

The counterpart for points in a grid is `engine.evaluation.windows_grid`; what is computed of both is in
`engine.evaluation.windows`.
"""

from typing import Final

import numpy as np

from engine.evaluation.columns import Flags, Floats, Ints
from engine.evaluation.facts import Series
from engine.evaluation.fixed_point import scaled

_DAYS: Final = 1 << 20


def last(series: Series, size: int, day: int) -> tuple[Floats, Floats]:
    """Day and value of each subject's last point on or before ``day``; NaN where there is none."""
    if not len(series.rows):
        return np.full(size, np.nan), np.full(size, np.nan)
    index = _ends(series, size, day) - 1
    known = (index >= 0) & (series.rows[index] == np.arange(size))
    return np.where(known, series.days[index], np.nan), np.where(known, series.values[index], np.nan)


def total(series: Series, size: int, day: int, days: int, decimals: int) -> tuple[Ints, Ints]:
    """Sum (in units of ``10**-decimals``) and number of points in the ``days`` days that end with ``day``."""
    sums = _running(series, "sum", decimals)
    start, end = _ends(series, size, day - days), _ends(series, size, day)
    return sums[end] - sums[start], end - start


def total_since(series: Series, size: int, day: int, first: Ints, decimals: int) -> Ints:
    """Sum of each subject's points from its own ``first`` day to ``day``, both included."""
    sums, end = _running(series, "sum", decimals), _ends(series, size, day)
    start = np.minimum(_ends(series, size, first - 1), end)
    return sums[end] - sums[start]


def moments(series: Series, size: int, day: int, days: int, decimals: int) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Number of points of a window, and the sums of value, of day (from the window's start), of day squared and of
    value times day: what a fitted line is made of."""
    start, end = _ends(series, size, day - days), _ends(series, size, day)
    count, first = end - start, day - days
    value, when, square, product = (
        running[end] - running[start]
        for running in (_running(series, what, decimals) for what in ("sum", "day", "square", "product"))
    )
    return (
        count,
        value,
        when - first * count,
        square - 2 * first * when + first**2 * count,
        product - first * value,
    )


def matrix(series: Series, size: int, first: int, last: int) -> Floats:
    """Every value from day ``first`` to ``last``, float64[days, size], NaN where there is none."""
    found = np.full((last - first + 1, size), np.nan)
    within = (series.days >= first) & (series.days <= last)
    found[series.days[within] - first, series.rows[within]] = series.values[within]
    return found


def days_of(series: Series, row: int) -> Ints:
    """The days of one subject's points, ascending."""
    found: Ints = series.days[series.rows == row]
    return found


def summed(series: Series, owners: Ints) -> Series:
    """The series of the owners of its subjects: values of one owner and day added up (contacts to accounts)."""
    keys = owners[series.rows] * _DAYS + series.days
    unique, inverse = np.unique(keys, return_inverse=True)
    values = np.bincount(inverse, weights=series.values, minlength=len(unique)).astype(np.float64)
    return Series(unique // _DAYS, unique % _DAYS, values)


def counted(rows: Ints, days: Ints, keep: Flags) -> Series:
    """One point per subject and day with the number of ``keep`` entries on it."""
    unique, counts = np.unique(rows[keep] * _DAYS + days[keep], return_counts=True)
    return Series(unique // _DAYS, unique % _DAYS, counts.astype(np.float64))


def _ends(series: Series, size: int, day: int | Ints) -> Ints:
    """Where each subject's points up to and on ``day`` (one for all, or one each) end, int64[size].

    Points mostly come at even steps, so the place is computed from the first and the last day and checked; only where
    that is wrong is it searched for.
    """
    if not len(series.rows):
        return np.zeros(size, dtype=np.int64)
    starts, first, span = _outline(series, size)
    counts = np.diff(starts)
    guess = np.clip((day - first) * (counts - 1) // span + 1, 0, counts)
    guess = np.where(day < first, 0, guess) + starts[:-1]
    is_start, is_end = guess == starts[:-1], guess == starts[1:]
    passed = is_start | (series.days[guess - 1] <= day)
    right = passed & (is_end | (series.days[np.minimum(guess, len(series.days) - 1)] > day))
    wrong = np.flatnonzero(~right)
    if len(wrong):
        when = day if isinstance(day, int) else day[wrong]
        guess[wrong] = np.searchsorted(_keys(series), wrong * _DAYS + np.clip(when, 0, _DAYS - 1), side="right")
    return guess


def _outline(series: Series, size: int) -> tuple[Ints, Ints, Ints]:
    """Where each subject's points start (int64[size + 1]), its first day, and the days to its last, at least 1."""
    starts = series.derived.get(f"starts:{size}")
    if starts is None:
        starts = np.searchsorted(series.rows, np.arange(size + 1)).astype(np.int64, copy=False)
        last = len(series.days) - 1
        first = series.days[np.minimum(starts[:-1], last)]
        span = np.maximum(series.days[np.clip(starts[1:] - 1, 0, last)] - first, 1)
        derived = {f"starts:{size}": starts, f"first:{size}": first, f"span:{size}": span}
        series.derived.update(derived)
    return starts, series.derived[f"first:{size}"], series.derived[f"span:{size}"]


def _keys(series: Series) -> Ints:
    keys = series.derived.get("keys")
    if keys is None:
        keys = series.derived["keys"] = series.rows * _DAYS + series.days
    return keys


def _running(series: Series, what: str, decimals: int) -> Ints:
    # int64 wraps around, so a difference of two running sums is exact whenever the window's own sum fits.
    name = f"{what}:{decimals}"
    found = series.derived.get(name)
    if found is None:
        found = np.zeros(len(series.rows) + 1, dtype=np.int64)
        np.cumsum(_terms(series, what, decimals), out=found[1:])
        series.derived[name] = found
    return found


def _terms(series: Series, what: str, decimals: int) -> Ints:
    if what == "day":
        return series.days
    if what == "square":
        return series.days * series.days
    values = scaled(series.values, decimals)
    return values * series.days if what == "product" else values
