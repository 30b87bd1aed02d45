"""The statements behind `engine.store.points`, as each database is fastest: rows in bulk past SQLAlchemy's own.

SQLite takes rows from its driver's ``executemany``; PostgreSQL takes whole columns as arrays and unnests them.
"""

# ruff: noqa: S608  (statements are made of constants and integers; everything else is bound)

from collections.abc import Sequence
from datetime import datetime
from itertools import repeat
from typing import Final, TypeAlias

import numpy as np
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from engine.evaluation.columns import Floats, Ints
from engine.store.base import Moment

Columns: TypeAlias = tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[float]]
"""Points by column: days, subjects, metrics, values."""

_FIELDS: Final = "day, subject_id, metric_id"
_OLD: Final = "points.day, points.subject_id, points.metric_id, points.value, points.recorded_at"
_KEPT: Final = f"INSERT INTO corrections ({_FIELDS}, value, recorded_at, replaced_at)"
_WRITTEN: Final = f"INSERT INTO points ({_FIELDS}, value, recorded_at)"

_IS: Final = "day = ?2 AND subject_id = ?3 AND metric_id = ?4"
_SQLITE: Final = {  # ?1 is the moment, ?2 to ?4 the key, ?5 the value
    "insert": f"{_WRITTEN} VALUES (?2, ?3, ?4, ?5, ?1)",
    "update": f"UPDATE points SET value = ?5, recorded_at = ?1 WHERE {_IS}",
    "correct": f"{_KEPT} SELECT {_OLD}, ?1 FROM points WHERE {_IS}",
    "delete": f"DELETE FROM points WHERE {_IS}",
}
_WIDTH: Final = {"insert": 5, "update": 5, "correct": 4, "delete": 4}

_GIVEN: Final = (
    "unnest(%(days)s::int[], %(subjects)s::bigint[], %(metrics)s::int[], %(values)s::float8[])"
    " AS given(day, subject_id, metric_id, value)"
)
_SAME: Final = "(points.day, points.subject_id, points.metric_id) = (given.day, given.subject_id, given.metric_id)"
_POSTGRESQL: Final = {
    "insert": f"{_WRITTEN} SELECT given.*, %(moment)s::timestamptz FROM {_GIVEN}",
    "update": f"UPDATE points SET value = given.value, recorded_at = %(moment)s FROM {_GIVEN} WHERE {_SAME}",
    "correct": f"{_KEPT} SELECT {_OLD}, %(moment)s::timestamptz FROM points JOIN {_GIVEN} ON {_SAME}",
    "delete": f"DELETE FROM points USING {_GIVEN} WHERE {_SAME}",
}
_SPARSE: Final = 4
_MOMENT: Final = Moment()


def insert_metrics(session: Session, names: Sequence[str]) -> None:
    """Give names a number; another writer may have been quicker."""
    statement = text("INSERT INTO metrics (name) VALUES (:name) ON CONFLICT (name) DO NOTHING")
    session.execute(statement, [{"name": name} for name in names])


def select_near(session: Session, days: Ints, subjects: Ints, metrics: Ints) -> Floats:
    """Stored points among which all of the given keys are, if they are stored: float64[rows, 4].

    A block of all given days and subjects, or, where those are few of very many, single look-ups by key order.
    """
    if not len(days):
        return np.empty((0, 4))
    day_list, subject_list = np.unique(days), np.unique(subjects)
    where = (
        f"day BETWEEN {day_list[0]} AND {day_list[-1]} AND subject_id BETWEEN {subject_list[0]} AND {subject_list[-1]}"
    )
    if len(day_list) * len(subject_list) <= _SPARSE * len(days) + 1_000:
        where = f"day IN ({_listed(day_list)}) AND subject_id IN ({_listed(subject_list)})"
    where += f" AND metric_id IN ({_listed(np.unique(metrics))})"
    sql = f"SELECT {_FIELDS}, value FROM points WHERE {where} ORDER BY {_FIELDS}"
    rows = session.connection().exec_driver_sql(sql).cursor.fetchall()
    return np.array(rows, dtype=np.float64).reshape(len(rows), 4)


def insert(session: Session, rows: Columns, recorded_at: datetime) -> None:
    """Insert points none of which is there yet."""
    _run(session, "insert", rows, recorded_at)


def update(session: Session, rows: Columns, recorded_at: datetime) -> None:
    """Give points that are there another value."""
    _run(session, "update", rows, recorded_at)


def correct(session: Session, rows: Columns, replaced_at: datetime) -> None:
    """Keep what is about to be replaced or removed."""
    _run(session, "correct", rows, replaced_at)


def delete(session: Session, rows: Columns) -> None:
    """Take points away."""
    _run(session, "delete", rows, None)


def _run(session: Session, what: str, rows: Columns, at: datetime | None) -> None:
    days, subjects, metrics, values = rows
    if not days:
        return
    connection = session.connection()
    moment = _MOMENT.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    written = at if at is None or moment is None else moment(at)
    if _is_postgresql(connection):
        given = {"days": days, "subjects": subjects, "metrics": metrics, "values": values, "moment": written}
        connection.exec_driver_sql(_POSTGRESQL[what], given)
        return
    columns = [repeat(written, len(days)), days, subjects, metrics, values][: _WIDTH[what]]
    connection.exec_driver_sql(_SQLITE[what], list(zip(*columns, strict=True)))


def _listed(numbers: Ints) -> str:
    return ",".join(map(str, numbers.tolist()))


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
