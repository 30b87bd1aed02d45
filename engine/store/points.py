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
from engine.store import point_statements as statements
from engine.store.queueing import Queue, queue
from engine.store.tables import MetricRow

_CHUNK: Final = 50_000


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
        statements.correct(session, known.rows(), removed_at)
        statements.delete(session, known.rows())
        removed += len(known.days)
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


def _numbers(session: Session, names: Sequence[str]) -> dict[str, int]:
    rows = session.execute(select(MetricRow.name, MetricRow.id).where(MetricRow.name.in_(names)))
    return {row.name: row.id for row in rows}


@dataclass(frozen=True, slots=True, eq=False)
class _Sorted:
    """Points in the order of their key (day, subject, metric), each key once."""

    days: Ints
    subjects: Ints
    metrics: Ints
    values: Floats

    def take(self, chosen: Flags | Ints | slice) -> "_Sorted":
        return _Sorted(self.days[chosen], self.subjects[chosen], self.metrics[chosen], self.values[chosen])

    def rows(self) -> statements.Columns:
        return self.days.tolist(), self.subjects.tolist(), self.metrics.tolist(), self.values.tolist()


def _sorted(points: PointColumns) -> _Sorted:
    order = np.lexsort(
        (points.metric_ids, points.subject_ids, points.days)
    )  # stable: of equal keys the last stays last
    found = _Sorted(points.days, points.subject_ids, points.metric_ids, points.values + 0.0).take(order)
    if not len(order):
        return found
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = (np.diff(found.days) != 0) | (np.diff(found.subjects) != 0) | (np.diff(found.metrics) != 0)
    return found.take(last)


def _chunks(points: _Sorted) -> Iterator[_Sorted]:
    for start in range(0, len(points.days), _CHUNK):
        yield points.take(slice(start, start + _CHUNK))


def _add(session: Session, chunk: _Sorted, recorded_at: datetime) -> Added:
    present = _present(session, chunk)
    known = np.isfinite(present)
    changed = chunk.take(known & (present != chunk.values))
    new = chunk.take(~known)
    statements.correct(session, changed.rows(), recorded_at)
    statements.update(session, changed.rows(), recorded_at)
    statements.insert(session, new.rows(), recorded_at)
    return Added(len(new.days), len(changed.days), len(present) - len(new.days) - len(changed.days))


def _present(session: Session, chunk: _Sorted) -> Floats:
    """The stored values of the chunk's keys, NaN where there is none."""
    found = np.full(len(chunk.days), np.nan)
    stored = statements.select_near(session, chunk.days, chunk.subjects, chunk.metrics)
    if not len(stored):
        return found
    subjects, metrics = int(chunk.subjects.max()) + 1, int(chunk.metrics.max()) + 1
    keys = (chunk.days * subjects + chunk.subjects) * metrics + chunk.metrics
    within = (stored[:, 1] < subjects) & (stored[:, 2] < metrics)
    numbers = stored[within, :3].astype(np.int64)
    theirs = (numbers[:, 0] * subjects + numbers[:, 1]) * metrics + numbers[:, 2]
    place = np.minimum(np.searchsorted(keys, theirs), len(keys) - 1)
    same = keys[place] == theirs
    found[place[same]] = stored[within, 3][same]
    return found
