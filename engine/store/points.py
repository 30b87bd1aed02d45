"""Points: the current value of each metric of each subject on each day, and what it replaced.

This module and its neighbour that reads them know how points lie in the database; nobody else does. Writing is
idempotent: values that are there already are left alone, a different value replaces and is kept as a correction.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.evaluation.columns import Flags, Floats, Ints
from engine.store import point_changes, point_statements as statements
from engine.store.queueing import Queue, queue
from engine.store.tables import MetricRow, WordRow

_CHUNK: Final = 50_000
_LISTED: Final = 500


@dataclass(frozen=True, slots=True, eq=False)
class PointColumns:
    """Points as columns of one length. Values are finite; of several for one subject, metric and day the last
    counts."""

    subject_ids: Ints
    metric_ids: Ints
    days: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True)
class Added:
    """What adding did: points that were new, that replaced another value, and that were there already."""

    new: int = 0
    changed: int = 0
    same: int = 0

    def __add__(self, other: "Added") -> "Added":
        return Added(self.new + other.new, self.changed + other.changed, self.same + other.same)


def add(session: Session, points: PointColumns, recorded_at: datetime) -> Added:
    """Write points. Sorted by key, in chunks, so that memory does not grow with what is stored already."""
    if not np.isfinite(points.values).all():
        raise ValueError("a point's value is a finite number; what is missing is not a point")
    queue(session, Queue.POINTS)
    counted = Added()
    for chunk in _chunks(_sorted(points)):
        counted += _add(session, chunk, recorded_at)
    return counted


def remove(session: Session, points: PointColumns, removed_at: datetime) -> int:
    """Take points away (their values are not looked at) and keep what they said as corrections."""
    queue(session, Queue.POINTS)
    removed = 0
    for chunk in _chunks(_sorted(points)):
        known = chunk.take(np.isfinite(_present(session, chunk)))
        if len(known.keys):
            statements.correct(session, known.columns(), removed_at)
            statements.delete(session, known.columns())
            point_changes.leave(session, *known.columns()[:2], removed_at)
        removed += len(known.keys)
    return removed


def record(session: Session, subject_id: int, metric_name: str, day: int, value: float, at: datetime) -> Added:
    """Write one point (an answer, a feedback value)."""
    metric = metric_ids(session, [metric_name])[metric_name]
    subjects, metrics, days = np.array([[subject_id], [metric], [day]], dtype=np.int64)
    return add(session, PointColumns(subjects, metrics, days, np.array([value], dtype=np.float64)), at)


def metric_ids(session: Session, names: Iterable[str]) -> dict[str, int]:
    """The number of each metric; a name that has none yet gets one and keeps it for ever."""
    wanted = sorted(set(names))
    known = _numbers(session, wanted)
    if missing := [name for name in wanted if name not in known]:
        statements.insert_metrics(session, missing)
        known = _numbers(session, wanted)
    return known


def word_ids(session: Session, words: Sequence[str]) -> list[int]:
    """The number of each word that a text metric says; a word that has none yet gets one and keeps it for ever."""
    known = _word_numbers(session, words)
    if missing := [word for word in words if word not in known]:
        statements.insert_words(session, missing)
        known |= _word_numbers(session, missing)
    return [known[word] for word in words]


def _word_numbers(session: Session, words: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(words), _LISTED):
        query = select(WordRow.word, WordRow.id).where(WordRow.word.in_(words[start : start + _LISTED]))
        found |= {row.word: row.id for row in session.execute(query)}
    return found


def _numbers(session: Session, names: Sequence[str]) -> dict[str, int]:
    rows = session.execute(select(MetricRow.name, MetricRow.id).where(MetricRow.name.in_(names)))
    return {row.name: row.id for row in rows}


@dataclass(frozen=True, slots=True, eq=False)
class _Sorted:
    """Points in the order of their key (day, subject, metric), each key once. ``keys`` are the three in one number."""

    keys: Ints
    values: Floats

    def take(self, chosen: Flags | Ints | slice) -> "_Sorted":
        return _Sorted(self.keys[chosen], self.values[chosen])

    def columns(self) -> statements.Columns:
        return (
            self.keys >> (statements.SUBJECT_BITS + statements.METRIC_BITS),
            (self.keys >> statements.METRIC_BITS) & ((1 << statements.SUBJECT_BITS) - 1),
            self.keys & ((1 << statements.METRIC_BITS) - 1),
            self.values,
        )


def _sorted(points: PointColumns) -> _Sorted:
    for column, bits in (
        (points.days, 63 - statements.SUBJECT_BITS - statements.METRIC_BITS),
        (points.subject_ids, statements.SUBJECT_BITS),
        (points.metric_ids, statements.METRIC_BITS),
    ):
        if len(column) and not 0 <= column.min() <= column.max() < 1 << bits:
            raise ValueError("a day, a subject or a metric of a point is beyond what there can be")
    found = _Sorted(statements.keys(points.days, points.subject_ids, points.metric_ids), points.values + 0.0)
    if (np.diff(found.keys) > 0).all():
        return found
    found = found.take(np.argsort(found.keys, kind="stable"))  # of equal keys the last stays last
    return found.take(np.append(np.diff(found.keys) != 0, True))


def _chunks(points: _Sorted) -> Iterator[_Sorted]:
    for start in range(0, len(points.keys), _CHUNK):
        yield points.take(slice(start, start + _CHUNK))


def _add(session: Session, chunk: _Sorted, recorded_at: datetime) -> Added:
    present = _present(session, chunk)
    known = np.isfinite(present)
    changed = chunk.take(known & (present != chunk.values))
    new = chunk.take(~known)
    if len(changed.keys):
        statements.correct(session, changed.columns(), recorded_at)
        statements.update(session, changed.columns(), recorded_at)
    if len(new.keys):
        statements.insert(session, new.columns(), recorded_at)
    written = chunk.take(~known | (present != chunk.values))
    point_changes.leave(session, *written.columns()[:2], recorded_at)
    return Added(len(new.keys), len(changed.keys), len(present) - len(new.keys) - len(changed.keys))


def _present(session: Session, chunk: _Sorted) -> Floats:
    """The stored values of the chunk's keys, NaN where there is none."""
    found = np.full(len(chunk.keys), np.nan)
    days, subjects, metrics, _ = chunk.columns()
    for stored in statements.select_near(session, days, subjects, metrics):
        place = np.minimum(np.searchsorted(chunk.keys, stored.keys), len(chunk.keys) - 1)
        same = chunk.keys[place] == stored.keys
        found[place[same]] = stored.values[same]
    return found
