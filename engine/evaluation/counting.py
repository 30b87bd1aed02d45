"""Events counted into one amount per day: numbers of events, of people, minutes of use, sums of a field."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.definitions.catalog import FromEvents
from engine.evaluation import windows
from engine.evaluation.columns import Floats, Ints
from engine.evaluation.facts import Facts, Series
from engine.evaluation.happened import Entries, gathered, with_roles

__all__ = ["Amounts", "amounts", "count_events", "with_roles"]

_DAYS: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """One value per subject and day, ascending by both (length M)."""

    subjects: Ints
    days: Ints
    values: Floats


def count_events(source: FromEvents, facts: Facts, *, contacts: bool = False) -> Series:
    """The daily points of a metric made of events, from the events themselves, per account (or contact)."""
    entries = gathered(source, facts, look_at=source.field)
    subjects = entries.who if contacts else entries.rows
    named = subjects >= 0
    found = amounts(source, subjects[named], entries.kept(named))
    return Series(found.subjects, found.days, found.values)


def amounts(source: FromEvents, subjects: Ints, entries: Entries) -> Amounts:
    """What the events of each subject (row or id, int64[K]) come to on each day on which there was any."""
    if source.take == "sum":
        known = ~np.isnan(entries.values)
        return _added(subjects[known], entries.days[known], entries.values[known])
    if source.silence or source.count == "events":
        return _counted(subjects, entries.days)
    if source.count == "minutes":
        return _minutes(source.idle, subjects, entries)
    named = entries.who >= 0
    who, subject, day = entries.who[named], subjects[named], entries.days[named]
    order = np.lexsort((who, day, subject))
    who, subject, day = who[order], subject[order], day[order]
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = (np.diff(who) != 0) | (np.diff(day) != 0) | (np.diff(subject) != 0)
    return _counted(subject[is_first], day[is_first])


def _counted(subjects: Ints, days: Ints) -> Amounts:
    found = windows.counted(subjects, days, np.ones(len(subjects), dtype=np.bool_))
    return Amounts(found.rows, found.days, found.values)


def _added(subjects: Ints, days: Ints, values: Floats) -> Amounts:
    keys, place = np.unique(subjects * _DAYS + days, return_inverse=True)
    sums = np.bincount(place, weights=values, minlength=len(keys)).astype(np.float64)
    return Amounts(keys // _DAYS, keys % _DAYS, sums)


def _minutes(idle: int, subjects: Ints, entries: Entries) -> Amounts:
    """Time between one person's events of one day, as far as it is no longer than ``idle`` minutes; no zeros."""
    order = np.lexsort((entries.times, entries.days, entries.who, subjects))
    subject, who, day, time = (part[order] for part in (subjects, entries.who, entries.days, entries.times))
    gaps = np.diff(time, prepend=time[:1])
    follows = np.zeros(len(order), dtype=np.bool_)
    follows[1:] = (np.diff(subject) == 0) & (np.diff(who) == 0) & (np.diff(day) == 0)
    used = follows & (gaps <= idle * 60) & (gaps > 0)
    return _added(subject[used], day[used], gaps[used] / 60.0)
