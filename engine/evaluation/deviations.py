"""How far a subject is from its own baseline, in standard deviations.

``(recent - mean) / spread``: the latest value, or the mean of the last days, against mean and sample standard
deviation (divisor n - 1) of the baseline's points, which never include what they are compared with. Everything is
summed over integers around each subject's own centre, so neither order nor size of the values costs exactness.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.definitions.feature import Feature, Window
from engine.definitions.measure import DeviationMeasure
from engine.evaluation.columns import Flags, Floats, Ints
from engine.evaluation.daily_values import daily_values
from engine.evaluation.features import Features
from engine.evaluation.seen import decimals_of

_LARGEST: Final = 2.0**52
_ROOM: Final = 25
"""Differences of so many bits can be squared and summed over ten years of days in an int64."""
_BLOCK: Final = 16_384


@dataclass(frozen=True, slots=True, eq=False)
class Deviation:
    """Per subject, float64[size]: the distance in standard deviations, and what it was made of.

    ``distance`` is NaN where the recent value is unknown, there are too few points, or all of them are the same.
    """

    distance: Floats
    recent: Floats
    mean: Floats
    spread: Floats
    points: Floats


def deviation(measure: DeviationMeasure, features: Features) -> Deviation:
    """The deviation of every subject of ``features`` from its own baseline."""
    metric = features.catalog.metrics[measure.metric]
    if measure.recent:
        recent = features.value(Feature(metric.name, Window.MEAN, measure.recent))
        table = daily_values(metric, features, features.day - measure.recent, measure.baseline)
    else:
        recent = features.value(Feature(metric.name))
        table = _without_latest(daily_values(metric, features, features.day, measure.baseline + 1))
    mean, spread, points = moments(table, decimals_of(metric))
    enough = (points >= measure.least) & (spread > 0)
    distance = np.round((recent - mean) / np.where(enough, spread, np.nan), 9)
    return Deviation(distance, recent, mean, spread, points)


def moments(table: Floats, decimals: int) -> tuple[Floats, Floats, Floats]:
    """Mean, sample standard deviation and number of the known values of each column of a table [days, size]."""
    size = table.shape[1]
    found = np.full((3, size), np.nan)
    for start in range(0, size, _BLOCK):
        block = table[:, start : start + _BLOCK]
        found[:, start : start + _BLOCK] = _moments(block, ~np.isnan(block), 10.0**decimals)
    return found[0], found[1], found[2]


def _moments(block: Floats, known: Flags, scale: float) -> Floats:
    whole = np.clip(np.rint(np.nan_to_num(block) * scale), -_LARGEST, _LARGEST).astype(np.int64)
    counts = known.sum(axis=0)
    some = np.maximum(counts, 1)
    sums = whole.sum(axis=0)
    apart, unit = _shortened(np.where(known, whole - sums // some, 0))
    rest, squares = apart.sum(axis=0).astype(np.float64), (apart * apart).sum(axis=0).astype(np.float64)
    variance = (squares - rest * rest / some) / np.where(counts > 1, counts - 1, np.nan)
    mean = sums / np.where(counts > 0, counts * scale, np.nan)
    return np.stack([mean, np.sqrt(variance) * unit / scale, counts])


def _shortened(apart: Ints) -> tuple[Ints, Floats]:
    """Differences [days, size] without the low bits that their squares have no room for, and what one unit is then."""
    bits = np.frexp(np.abs(apart).max(axis=0).astype(np.float64))[1].astype(np.int64)
    shift = np.maximum(bits - _ROOM, 0)
    return apart >> shift, np.exp2(shift.astype(np.float64))


def _without_latest(table: Floats) -> Floats:
    """The table without the last known value of each column: that is the one it is compared with."""
    known = ~np.isnan(table)
    last = len(table) - 1 - known[::-1].argmax(axis=0)
    table[last, np.arange(table.shape[1])] = np.nan
    return table
