"""Looking at a series through a window, for all subjects at once: last points, exact sums, slopes.

Sums are taken over integers (values times a power of ten), so they depend neither on the order of points nor on how
they were cut into blocks. A day may be any day: what lies after it is not looked at.
"""

from typing import Final

import numpy as np

from engine.evaluation.columns import Flags, Floats, Ints
from engine.evaluation.facts import Series

_DAYS: Final = 1 << 20
_LARGEST: Final = 2.0**53


def last_index(series: Series, size: int, day: int) -> Ints:
    """The position of each subject's last point on or before ``day``, int64[size]; -1 where there is none."""
    index = _ends(series, size, day) - 1
    if not len(series.rows):
        return index
    return np.where(series.rows[index] == np.arange(size), index, -1)


def latest(series: Series, size: int, day: int, stale_after: int = 0) -> Floats:
    """Each subject's last value on or before ``day``; NaN where there is none or it is older than ``stale_after``."""
    index = last_index(series, size, day)
    known = index >= 0
    if not known.any():
        return np.full(size, np.nan)
    if stale_after:
        known &= day - series.days[index] <= stale_after
    return np.where(known, series.values[index], np.nan)


def days_since(series: Series, size: int, day: int) -> Floats:
    """Days since each subject's last point, float64[size]; NaN where there never was one."""
    index = last_index(series, size, day)
    if not len(series.rows):
        return np.full(size, np.nan)
    return np.where(index >= 0, (day - series.days[index]).astype(np.float64), np.nan)


def total(series: Series, size: int, day: int, days: int, decimals: int) -> tuple[Ints, Ints]:
    """Sum (in units of ``10**-decimals``) and number of points in the ``days`` days that end with ``day``."""
    sums = _running(series, "sum", decimals)
    start, end = _ends(series, size, day - days), _ends(series, size, day)
    return sums[end] - sums[start], end - start


def total_since(series: Series, size: int, day: int, first: Floats, decimals: int) -> Floats:
    """Sum of each subject's points from its own ``first`` day to ``day``, both included; NaN where ``first`` is."""
    sums, end = _running(series, "sum", decimals), _ends(series, size, day)
    known = ~np.isnan(first)
    before = np.where(known, first, 0).astype(np.int64) - 1
    start = np.minimum(_ends(series, size, before), end)
    return np.where(known, (sums[end] - sums[start]) / 10.0**decimals, np.nan)


def mean(series: Series, size: int, day: int, days: int, decimals: int) -> Floats:
    """Mean of the known points of a window; NaN where there is none."""
    sums, counts = total(series, size, day, days, decimals)
    return sums / np.where(counts > 0, counts * 10.0**decimals, np.nan)


def slope(series: Series, size: int, day: int, days: int, decimals: int) -> Floats:
    """Change per day of the least-squares line through a window's points; NaN with fewer than two of them."""
    start, end = _ends(series, size, day - days), _ends(series, size, day)
    count, first = (end - start).astype(np.float64), day - days
    value = _running(series, "sum", decimals)
    when, square = _running(series, "day", decimals), _running(series, "square", decimals)
    product = _running(series, "product", decimals)
    y = value[end] - value[start]
    x = when[end] - when[start] - first * (end - start)
    xy = (product[end] - product[start] - first * y).astype(np.float64)
    xx = (square[end] - square[start] - 2 * first * (when[end] - when[start]) + first**2 * (end - start)).astype(float)
    spread = count * xx - x.astype(np.float64) ** 2
    rise: Floats = count * xy - x * y.astype(np.float64)
    return rise / np.where(spread > 0, spread, np.nan) / 10.0**decimals


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
    scaled = np.rint(series.values * 10.0**decimals)
    values: Ints = np.clip(np.nan_to_num(scaled), -_LARGEST, _LARGEST).astype(np.int64)
    return values * series.days if what == "product" else values
