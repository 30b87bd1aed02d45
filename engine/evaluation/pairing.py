"""Things that are opened and resolved: how long it took, how many in time, how many are open. Tickets, complaints."""

from dataclasses import replace
from typing import Final

import numpy as np

from engine.definitions.catalog import FromEvents
from engine.evaluation.columns import Floats, Ints
from engine.evaluation.facts import Facts
from engine.evaluation.happened import HALF, Entries, gathered

_DAY: Final = 86_400
_FAR: Final = 1 << 36
"""More seconds than any time since 1970: keys and times are put into one number."""


def paired(source: FromEvents, facts: Facts, day: int) -> Floats:
    """What became of the things opened in the span, per account as of the end of ``day``, float64[N].

    ``hours``: the median time to the first resolution; what is still open counts with its time so far. ``in time``:
    the share resolved within ``within`` days, of those of which that can be said yet. ``open``: their number.
    """
    size, end = len(facts.accounts), (day + 1) * _DAY
    opened = gathered(source, facts, look_at=source.by).between(day - max(source.over, 1) + 1, day)
    opened = opened.kept(~np.isnan(opened.values))
    plain = replace(source, where=None, with_roles=())
    closed = gathered(plain, facts, (source.until,), source.by).between(0, day)
    took = _seconds(opened, closed)
    if source.count == "open":
        return np.bincount(opened.rows[np.isinf(took)], minlength=size).astype(np.float64)
    if source.count == "hours":
        return median(opened.rows, np.minimum(took, end - opened.times) / 3600, size)
    limit = source.within * _DAY
    judged, good = (took <= limit) | (opened.times + limit <= end), took <= limit
    whole = np.bincount(opened.rows[judged], minlength=size).astype(np.float64)
    return np.bincount(opened.rows[good], minlength=size) / np.where(whole == 0, np.nan, whole)


def median(rows: Ints, values: Floats, size: int) -> Floats:
    """The median of each row's values, float64[size]; NaN where there are none."""
    order = np.lexsort((values, rows))
    values, counts = values[order], np.bincount(rows, minlength=size)
    if not len(values):
        return np.full(size, np.nan)
    starts = np.cumsum(counts) - counts
    low, high = (np.clip(starts + place, 0, len(values) - 1) for place in ((counts - 1) // 2, counts // 2))
    return np.where(counts > 0, (values[low] + values[high]) / 2, np.nan)


def _seconds(opened: Entries, closed: Entries) -> Floats:
    """Seconds from each opening to the first resolution of the same thing at or after it; infinite while open."""
    place = {word: code for code, word in enumerate(opened.words)}
    same_words = np.array([*(place.get(word, -1) for word in closed.words), -1], dtype=np.int64)
    known = ~np.isnan(closed.values)
    closed = closed.kept(known)
    ends = same_words[closed.values.astype(np.int64)] if closed.words else closed.values
    _, codes = np.unique(np.r_[opened.values, ends], return_inverse=True)
    _, keys = np.unique(np.r_[opened.rows, closed.rows] << HALF | codes.reshape(-1), return_inverse=True)
    keys = keys.reshape(-1).astype(np.int64)
    started = keys[: len(opened.rows)] * _FAR + opened.times
    ended = np.sort(keys[len(opened.rows) :] * _FAR + closed.times)
    found = np.searchsorted(ended, started)
    after = np.append(ended, np.int64(-1))[found]
    same = after // _FAR == started // _FAR
    return np.where(same & (after >= 0), (after - started).astype(np.float64), np.inf)
