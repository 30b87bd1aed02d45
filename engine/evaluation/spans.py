"""Metrics worked out from all events of a span: people, features and surveys in it. One value per subject and day.

What can be cut into amounts per day is counted in `engine.evaluation.counting` instead, once. Who had no event in the
span has a true zero of people and features, and no mean, no largest, no last value and no score.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from engine.definitions.catalog import Catalog, FromEvents, Metric
from engine.definitions.feature import ValueType
from engine.evaluation import coverage, pairing
from engine.evaluation.columns import Column, Flags, Floats, Ints, Numbers, Texts
from engine.evaluation.facts import Facts
from engine.evaluation.happened import HALF, Entries, distinct, gathered

_SCALES: Final = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "ces mean": (1, 7)}
"""Answers outside the scale of their survey are no answers."""

FEATURE: Final = "feature"
"""The field of an event that names the part of the product it happened in."""

Gather = Callable[[tuple[str, ...], str], Entries]


def worked_out(metric: Metric, catalog: Catalog, facts: Facts, day: int, *, contacts: bool = False) -> Column:
    """A metric of the events of a span as of ``day``, per account (or contact)."""
    source = metric.from_events
    size = len(facts.contacts.ids) if contacts else len(facts.accounts)
    if source is None:
        return Numbers(np.full(size, np.nan))
    if source.count == "share of contacts":
        return Numbers(coverage.share_in_time(source, facts, day))
    if source.until:
        return Numbers(pairing.paired(source, facts, day))
    look_at = FEATURE if source.count == "key features" else source.field
    entries = gathered(source, facts, look_at=look_at).between(day - max(source.over, 1) + 1, day)
    if source.count in {"roles", "missing roles", "departments", "seniority"}:
        return coverage.reached(source, catalog, facts, entries, size)
    subjects = entries.who if contacts else entries.rows
    entries, subjects = entries.kept(subjects >= 0), subjects[subjects >= 0]
    if source.per:
        every = gathered(source, facts, (source.per,)).between(day - max(source.over, 1) + 1, day)
        return Numbers(_ratio(subjects, (every.who if contacts else every.rows), size))
    if source.take:
        return _taken(source, metric.type, subjects, entries, size)
    if source.count == "key features":
        return Numbers(_key_features(metric, catalog, subjects, entries, size))
    return Numbers(distinct(subjects, entries.who, size))


def days_since_last(metric: Metric, facts: Facts, day: int, *, contacts: bool = False) -> Floats:
    """Days since the last event that the metric looks at, per account (or contact); NaN where there was none."""
    size = len(facts.contacts.ids) if contacts else len(facts.accounts)
    last = np.full(size, -np.inf)
    if metric.from_events is not None:
        entries = gathered(metric.from_events, facts).between(0, day)
        subjects = entries.who if contacts else entries.rows
        np.maximum.at(last, subjects[subjects >= 0], entries.days[subjects >= 0].astype(np.float64))
    return np.where(np.isinf(last), np.nan, day - last)


def _ratio(counted: Ints, every: Ints, size: int) -> Floats:
    whole = np.bincount(every[every >= 0], minlength=size).astype(np.float64)
    return np.bincount(counted, minlength=size) / np.where(whole == 0, np.nan, whole)


def _key_features(metric: Metric, catalog: Catalog, subjects: Ints, entries: Entries, size: int) -> Floats:
    keys = [feature.name for feature in catalog.features.values() if feature.key]
    wanted = np.array([*(word in keys for word in entries.words), False], dtype=np.bool_)
    codes = np.where(np.isnan(entries.values), -1, entries.values).astype(np.int64)
    used = distinct(subjects, np.where(wanted[codes], codes, -1), size)
    return used / len(keys) if metric.type is ValueType.SHARE else used


def _taken(source: FromEvents, kind: ValueType, subjects: Ints, entries: Entries, size: int) -> Column:
    known = ~np.isnan(entries.values)
    entries, subjects = entries.kept(known), subjects[known]
    match source.take:
        case "last":
            return _last(kind, subjects, entries, size)
        case "distinct":
            return Numbers(_different(subjects, entries.values, size))
        case "max":
            largest = np.full(size, -np.inf)
            np.maximum.at(largest, subjects, entries.values)
            return Numbers(np.where(np.isinf(largest), np.nan, largest))
        case "mean":
            return Numbers(_mean(subjects, entries.values, size))
    return Numbers(_score(source, kind, subjects, entries, size))


def _different(subjects: Ints, values: Floats, size: int) -> Floats:
    _, codes = np.unique(values, return_inverse=True)
    return distinct(subjects, codes.astype(np.int64), size)


def _mean(subjects: Ints, values: Floats, size: int) -> Floats:
    count = np.bincount(subjects, minlength=size)
    return np.bincount(subjects, weights=values, minlength=size) / np.where(count == 0, np.nan, count)


def _last(kind: ValueType, subjects: Ints, entries: Entries, size: int) -> Column:
    newest = _newest(subjects, entries)
    found = np.full(size, np.nan)
    found[subjects[newest]] = entries.values[newest]
    if kind is ValueType.TEXT:
        return Texts(np.where(np.isnan(found), -1, found).astype(np.int64), entries.words)
    return Numbers(found)


def _newest(groups: Ints, entries: Entries) -> Ints:
    """The position of each group's latest entry."""
    order = np.lexsort((entries.ids, entries.times, groups))
    ends = np.flatnonzero(np.diff(groups[order], append=-1) != 0) if len(order) else order
    return order[ends]


def _score(source: FromEvents, kind: ValueType, subjects: Ints, entries: Entries, size: int) -> Floats:
    """A survey's score by the latest valid answer of each person; who is not named is a person of their own."""
    low, high = _SCALES[source.take or "nps"]
    valid: Flags = (entries.values >= low) & (entries.values <= high)
    entries, subjects = entries.kept(valid), subjects[valid]
    nobody = np.cumsum(entries.who < 0) - 1
    people = np.where(entries.who >= 0, entries.who * 2, nobody * 2 + 1)
    newest = _newest(subjects << HALF | people, entries)
    rows, answers = subjects[newest], entries.values[newest]
    if source.take == "ces mean":
        return _mean(rows, answers, size)
    good, bad = {"nps": (9, 6), "csat": (4, -1), "ces": (5, -1)}[source.take or "nps"]
    share = _mean(rows, (answers >= good).astype(np.float64) - (answers <= bad), size)
    return share if kind is ValueType.SHARE else 100.0 * share
