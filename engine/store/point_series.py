"""Reading points as series: the one hot path of reading, so it asks the driver for plain numbers."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from engine.evaluation.columns import Ints
from engine.evaluation.facts import Needs, Series
from engine.store.account_columns import rows_of
from engine.store.tables import MetricRow, PointRow


class PointTable:
    """The points one evaluation needs, read once and handed out metric by metric.

    Two reads: everything in each metric's span, and, for metrics that never get stale, the last point before it.
    """

    def __init__(self, session: Session, needs: Needs, at: int, subjects: Sequence[int] | None = None) -> None:
        names = needs.metrics | needs.contact_metrics
        self.numbers = {row.name: row.id for row in session.scalars(select(MetricRow).where(MetricRow.name.in_(names)))}
        starts = {number: at - needs.spans.get(name, needs.days) for name, number in self.numbers.items()}
        if subjects is not None and len(subjects) <= _FEW:
            # One span for all metrics, its days listed: the key begins with the day, so that is a look-up per day and
            # subject (4 ms for one account of 2,000 over a year) where a range reads them all (500 ms).
            starts = dict.fromkeys(starts, at - needs.days)
            within: ColumnElement[bool] = PointRow.day.in_(range(at - needs.days + 1, at + 1))
        else:
            within = (PointRow.day > min(starts.values(), default=at)) & (PointRow.day <= at)
        recent = _POINTS.where(
            within, _any(and_(PointRow.metric_id == number, PointRow.day > start) for number, start in starts.items())
        )
        lasting = {self.numbers[name]: starts[self.numbers[name]] for name in needs.latest & self.numbers.keys()}
        queries: list[Select[int, int, int, float]] = [recent, _last_before(lasting)]
        if subjects is not None:
            queries = [query.where(PointRow.subject_id.in_(subjects)) for query in queries]
        self.table = np.concatenate([number_rows(session, query) for query in queries])

    def series(self, names: frozenset[str], ids: Ints) -> dict[str, Series]:
        """One series per named metric that is known at all, for the subjects in ascending ``ids``."""
        return {name: self._series(self.numbers[name], ids) for name in sorted(names & self.numbers.keys())}

    def _series(self, metric: int, ids: Ints) -> Series:
        part = self.table[self.table[:, 2] == metric]
        rows = rows_of(ids, part[:, 1].astype(np.int64))
        part, rows = part[rows >= 0], rows[rows >= 0]
        order = np.lexsort((part[:, 0], rows))
        return Series(rows[order], part[order, 0].astype(np.int64), part[order, 3].copy())


_FEW = 200
_POINTS = select(PointRow.day, PointRow.subject_id, PointRow.metric_id, PointRow.value)


def _last_before(starts: Mapping[int, int]) -> Select[int, int, int, float]:
    last = (
        select(PointRow.subject_id, PointRow.metric_id, func.max(PointRow.day).label("day"))
        .where(
            PointRow.day <= max(starts.values(), default=0),
            _any(and_(PointRow.metric_id == number, PointRow.day <= start) for number, start in starts.items()),
        )
        .group_by(PointRow.subject_id, PointRow.metric_id)
        .subquery()
    )
    return _POINTS.join(
        last,
        (PointRow.day == last.c.day)
        & (PointRow.subject_id == last.c.subject_id)
        & (PointRow.metric_id == last.c.metric_id),
    )


def _any(conditions: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    return or_(false(), *conditions)


def number_rows(session: Session, query: Select[int, int, int, float]) -> NDArray[np.float64]:
    """The rows of a query over numbers as float64[rows, 4], past SQLAlchemy's row objects (ten times slower).

    The query holds integers only, so it can be sent with its values in it.
    """
    connection = session.connection()
    sql = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql)
        rows = cursor.fetchall()
    finally:
        cursor.close()
    return np.array(rows, dtype=np.float64).reshape(len(rows), 4)
