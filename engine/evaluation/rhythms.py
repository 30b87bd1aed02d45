"""The rhythm of a subject: how long it usually lets pass between two active days, and how long it does now.

An active day is one with a value above zero. Gaps are counted in the subject's *own days*: the days of the week on
which it is active at least every fourth time. Who works from Monday to Friday has a gap of one day over a week-end, who
comes every Monday one of one day from week to week, and who has no such habit is counted in calendar days.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.definitions.measure import RhythmMeasure
from engine.evaluation.columns import Flags, Floats, Ints
from engine.evaluation.daily_values import daily_values
from engine.evaluation.features import Features

_HABIT: Final = 4
"""A day of the week is a subject's own where it is active on at least one of so many of them."""
_MONDAY: Final = 4
"""1970-01-05, the first Monday on the scale of days."""


@dataclass(frozen=True, slots=True, eq=False)
class Rhythm:
    """Per subject, float64[size], NaN unknown: the present gap as a multiple of the usual one, both in own days, how
    many gaps the usual one is the median of, and the calendar days since the last active day."""

    times: Floats
    present: Floats
    usual: Floats
    gaps: Floats
    idle: Floats


def rhythm(measure: RhythmMeasure, features: Features) -> Rhythm:
    """The rhythm of every subject of ``features`` as of its day.

    The present gap is the open one since the last active day, or the last closed one where that is longer; the usual
    gap is the median of the closed ones before.
    """
    metric = features.catalog.metrics[measure.metric]
    active = daily_values(metric, features, features.day, measure.over) > 0
    own = _own_days(active, features.day)
    counted = own.cumsum(axis=0)
    columns, days = np.nonzero(active.T)
    starts = np.searchsorted(columns, np.arange(features.size + 1))
    some = np.diff(starts) > 0
    last = days[np.maximum(starts[1:] - 1, 0)] if len(days) else np.zeros(features.size, dtype=np.int64)
    here = np.arange(features.size)
    opened = np.where(some, counted[-1] - counted[last, here], np.nan)
    idle = np.where(some, measure.over - 1 - last, np.nan)
    lengths = np.maximum(counted[days[1:], columns[1:]] - counted[days[:-1], columns[:-1]], 1)
    closed = columns[1:] == columns[:-1]
    final = closed & (np.append(columns[2:], -1)[: len(closed)] != columns[1:])
    latest = np.full(features.size, np.nan)
    latest[columns[1:][final]] = lengths[final]
    present = np.fmax(opened, latest)
    usual, gaps = _medians(lengths[closed & ~final], columns[1:][closed & ~final], features.size)
    usual = np.where(gaps >= measure.least, usual, np.nan)
    return Rhythm(np.round(present / usual, 9), present, usual, gaps.astype(np.float64), idle)


def _own_days(active: Flags, day: int) -> Flags:
    """Which days of the window are a subject's own, bool[days, size]; all of them where it has no habit.

    Weeks before it was first active say nothing about its habits.
    """
    weekdays = (np.arange(day - len(active) + 1, day + 1) - _MONDAY) % 7
    began = np.logical_or.accumulate(active, axis=0)
    habits = np.zeros((7, active.shape[1]), dtype=np.bool_)
    for weekday in range(7):
        mine = weekdays == weekday
        times, chances = active[mine].sum(axis=0), began[mine].sum(axis=0)
        habits[weekday] = (times * _HABIT >= chances) & (times > 0)
    habits |= ~habits.any(axis=0)
    return habits[weekdays]


def _medians(values: Ints, owners: Ints, size: int) -> tuple[Floats, Ints]:
    """The median of each owner's values (NaN without any), and how many there are. Owners are ascending."""
    counts = np.bincount(owners, minlength=size)
    if not len(values):
        return np.full(size, np.nan), counts
    ordered = values[np.lexsort((values, owners))]
    starts = np.cumsum(counts) - counts
    low, high = (np.minimum(starts + half, len(ordered) - 1) for half in ((counts - 1) // 2, counts // 2))
    return np.where(counts > 0, (ordered[np.maximum(low, 0)] + ordered[high]) / 2, np.nan), counts
