"""Reading the points an evaluation needs: from the packed columns as grids, or from the database as lists.

The columns are for many accounts and need none of the database's time; the database answers where there are no
columns, for a handful of subjects, and for what was known at a past moment.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from sqlalchemy import ColumnElement, Select, Subquery, and_, false, func, or_, select, union_all
from sqlalchemy.orm import Session

from engine.evaluation.columns import Ints
from engine.evaluation.facts import Needs, Points, Series
from engine.evaluation.windows_grid import listed
from engine.store.account_columns import rows_of
from engine.store.columns import Columns
from engine.store.number_rows import number_rows
from engine.store.subject_ranges import FEW
from engine.store.tables import CorrectionRow, MetricRow, PointRow


class PointSource(Protocol):
    """Hands out points metric by metric."""

    def series(self, names: frozenset[str], ids: Ints) -> Mapping[str, Points]:
        """The points of each named metric that is known at all, for the subjects in ascending ``ids``."""


class PackedPoints:
    """Points from the packed columns, which are brought to what the session sees first."""

    def __init__(self, session: Session, needs: Needs, at: int, columns: Columns) -> None:
        columns.catch_up(session)
        self._columns = columns
        self._needs = needs
        self._at = at
        self._numbers = _numbers(session, needs)

    def series(self, names: frozenset[str], ids: Ints) -> Mapping[str, Points]:
        """One grid per named metric, of the days of its span; a list where a grid would be nearly empty."""
        return {name: self._points(name, ids) for name in sorted(names & self._numbers.keys())}

    def _points(self, name: str, ids: Ints) -> Points:
        first = self._at - self._needs.spans.get(name, self._needs.days) + 1
        lasting = name in self._needs.latest
        found = self._columns.grid(self._numbers[name], ids, first, self._at, lasting=lasting)
        known = np.count_nonzero(~np.isnan(found.values))
        return listed(found) if known * _SPARSE < found.values.size else found


class PointTable:
    """Points from the database, read once for all metrics.

    Two reads: everything in each metric's span, and, for metrics that never get stale, the last point before it.
    ``subjects``: only of these, ascending. ``known_at``: as they were known at that moment; default is now.
    """

    def __init__(
        self, session: Session, needs: Needs, at: int, subjects: Ints | None = None, known_at: datetime | None = None
    ) -> None:
        self._numbers = _numbers(session, needs)
        points = _points(known_at)
        starts = {number: at - needs.spans.get(name, needs.days) for name, number in self._numbers.items()}
        if subjects is not None and len(subjects) <= _FEW:
            # One span for all metrics, its days listed: the key begins with the day, so that is a look-up per day and
            # subject (4 ms for one account of 2,000 over a year) where a range reads them all (500 ms).
            starts = dict.fromkeys(starts, at - needs.days)
            within: ColumnElement[bool] = points.c.day.in_(range(at - needs.days + 1, at + 1))
        else:
            within = (points.c.day > min(starts.values(), default=at)) & (points.c.day <= at)
        recent = select(points).where(
            within, _any(and_(points.c.metric_id == number, points.c.day > start) for number, start in starts.items())
        )
        lasting = {self._numbers[name]: starts[self._numbers[name]] for name in needs.latest & self._numbers.keys()}
        last = max(lasting.values(), default=0)
        before: ColumnElement[bool] = points.c.day <= last
        if subjects is not None and len(subjects) <= _FEW and known_at is None:
            # As above: the days that there are, listed, are look-ups and no scan of all that came before.
            first = session.scalar(select(func.min(PointRow.day)))
            before = points.c.day.in_(range(last + 1 if first is None else min(first, last + 1), last + 1))
        queries = [_of(recent, points, subjects), _last_before(points, lasting, before, subjects)]
        self._table = np.concatenate([number_rows(session, query, 4) for query in queries])

    def series(self, names: frozenset[str], ids: Ints) -> Mapping[str, Points]:
        """One list per named metric."""
        return {name: self._series(self._numbers[name], ids) for name in sorted(names & self._numbers.keys())}

    def _series(self, metric: int, ids: Ints) -> Series:
        part = self._table[self._table[:, 2] == metric]
        rows = rows_of(ids, part[:, 1].astype(np.int64))
        part, rows = part[rows >= 0], rows[rows >= 0]
        order = np.lexsort((part[:, 0], rows))
        return Series(rows[order], part[order, 0].astype(np.int64), part[order, 3].copy())


_FEW = 200
_SPARSE = 10
"""A point in a list takes three numbers and one in a grid one, so a grid that is filled to a tenth is no saving."""


def _numbers(session: Session, needs: Needs) -> dict[str, int]:
    names = needs.metrics | needs.contact_metrics | needs.product_metrics
    return {row.name: row.id for row in session.scalars(select(MetricRow).where(MetricRow.name.in_(names)))}


def _points(known_at: datetime | None) -> Subquery:
    """The points as they are, or as they were known: those recorded by then, and what was replaced since."""
    now = select(PointRow.day, PointRow.subject_id, PointRow.metric_id, PointRow.value)
    if known_at is None:
        return now.subquery("known")
    old = select(CorrectionRow.day, CorrectionRow.subject_id, CorrectionRow.metric_id, CorrectionRow.value)
    return union_all(
        now.where(PointRow.recorded_at <= known_at),
        old.where(CorrectionRow.recorded_at <= known_at, CorrectionRow.replaced_at > known_at),
    ).subquery("known")


def _of(query: Select[*tuple[Any, ...]], points: Subquery, subjects: Ints | None) -> Select[*tuple[Any, ...]]:
    if subjects is None:
        return query
    if len(subjects) <= FEW:
        return query.where(points.c.subject_id.in_(subjects.tolist()))
    return query.where(points.c.subject_id.between(int(subjects.min()), int(subjects.max())))


def _last_before(
    points: Subquery, starts: Mapping[int, int], before: ColumnElement[bool], subjects: Ints | None
) -> Select[*tuple[Any, ...]]:
    last = (
        _of(select(points.c.subject_id, points.c.metric_id, func.max(points.c.day).label("day")), points, subjects)
        .where(
            before,
            _any(and_(points.c.metric_id == number, points.c.day <= start) for number, start in starts.items()),
        )
        .group_by(points.c.subject_id, points.c.metric_id)
        .subquery("latest")
    )
    return select(points).join(
        last,
        (points.c.day == last.c.day)
        & (points.c.subject_id == last.c.subject_id)
        & (points.c.metric_id == last.c.metric_id),
    )


def _any(conditions: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    return or_(false(), *conditions)
