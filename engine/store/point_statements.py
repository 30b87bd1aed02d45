"""The statements behind `engine.store.points`, as each database is fastest: columns in bulk past SQLAlchemy's own.

SQLite takes many rows in one statement; PostgreSQL takes packed columns through COPY, straight into the table where
they are new, or beside it to be joined.
"""

# ruff: noqa: S608  (statements are made of constants and integers; everything else is bound)

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice, repeat
from typing import Any, Final, TypeAlias

import numpy as np
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from engine.evaluation.columns import Floats, Ints
from engine.store import point_copying as copying
from engine.store.base import Moment

Columns: TypeAlias = tuple[Ints, Ints, Ints, Floats]
"""Points by column: days, subjects, metrics, values."""

_FIELDS: Final = "day, subject_id, metric_id"
_OLD: Final = "points.day, points.subject_id, points.metric_id, points.value, points.recorded_at"
_KEPT: Final = f"INSERT INTO corrections ({_FIELDS}, value, recorded_at, replaced_at)"
_WRITTEN: Final = f"INSERT INTO points ({_FIELDS}, value, recorded_at)"

_IS: Final = "day = ?2 AND subject_id = ?3 AND metric_id = ?4"
_SQLITE: Final = {  # ?1 is the moment, ?2 to ?4 the key, ?5 the value
    "update": f"UPDATE points SET value = ?5, recorded_at = ?1 WHERE {_IS}",
    "correct": f"{_KEPT} SELECT {_OLD}, ?1 FROM points WHERE {_IS}",
    "delete": f"DELETE FROM points WHERE {_IS}",
}
_WIDTH: Final = {"update": 5, "correct": 4, "delete": 4}
_TOGETHER: Final = 64
"""Rows of one statement: more than twice as fast as one by one."""

_SAME: Final = "(points.day, points.subject_id, points.metric_id) = (given.day, given.subject_id, given.metric_id)"
_POSTGRESQL: Final = {
    "update": f"UPDATE points SET value = given.value, recorded_at = given.recorded_at FROM given WHERE {_SAME}",
    "correct": f"{_KEPT} SELECT {_OLD}, given.recorded_at FROM points JOIN given ON {_SAME}",
    "delete": f"DELETE FROM points USING given WHERE {_SAME}",
}
SUBJECT_BITS: Final = 32
METRIC_BITS: Final = 15
_KEY: Final = (
    f"((points.day::bigint << {SUBJECT_BITS} | points.subject_id) << {METRIC_BITS} | points.metric_id) AS key, value"
)
_STORED: Final = np.dtype([("key", np.int64), ("value", np.float64)])
_SPARSE: Final = 4
_LISTED: Final = 2_000
_AT_ONCE: Final = 50_000
_NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MOMENT: Final = Moment()


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Some points as they are stored, by the keys of `keys`."""

    keys: Ints
    values: Floats


def keys(days: Ints, subjects: Ints, metrics: Ints) -> Ints:
    """Day, subject and metric in one number, in the order of the table's key."""
    return (((days.astype(np.int64) << SUBJECT_BITS) | subjects) << METRIC_BITS) | metrics


def insert_metrics(session: Session, names: Sequence[str]) -> None:
    """Give names a number; another writer may have been quicker."""
    statement = text("INSERT INTO metrics (name) VALUES (:name) ON CONFLICT (name) DO NOTHING")
    session.execute(statement, [{"name": name} for name in names])


def insert_words(session: Session, words: Sequence[str]) -> None:
    """Give words a number; another writer may have been quicker."""
    statement = text("INSERT INTO words (word) VALUES (:word) ON CONFLICT (word) DO NOTHING")
    session.execute(statement, [{"word": word} for word in words])


def select_near(session: Session, days: Ints, subjects: Ints, metrics: Ints) -> Iterator[Stored]:
    """Stored points among which all of the given keys are, if they are stored, in parts.

    A block of all given days, subjects and metrics, or, where those are few of very many, each key by itself.
    """
    if not len(days):
        return
    if where := _block_of(days, subjects, metrics):
        yield from _selected(session, f"FROM points WHERE {where}")
        return
    for start in range(0, len(days), _LISTED):
        part = slice(start, start + _LISTED)
        rows = zip(days[part].tolist(), subjects[part].tolist(), metrics[part].tolist(), strict=True)
        listed = ", ".join(f"({day}, {subject}, {metric})" for day, subject, metric in rows)
        # CROSS JOIN makes SQLite look each of the given keys up, and not the other way round.
        yield from _selected(
            session,
            source=f"FROM given CROSS JOIN points WHERE {_SAME}",
            given=f"WITH given ({_FIELDS}) AS (VALUES {listed})",
        )


def _block_of(days: Ints, subjects: Ints, metrics: Ints) -> str:
    """What all of the given keys have in common, as a condition; empty where much else has it too."""
    day_list, subject_list, metric_list = np.unique(days), np.unique(subjects), np.unique(metrics)
    most = _SPARSE * len(days) + 1_000
    # With a plus sign SQLite walks along the key instead of searching it for every metric: five times as fast.
    metric = f"+metric_id IN ({_listed(metric_list)})"
    if len(day_list) * len(metric_list) * int(subject_list[-1] - subject_list[0] + 1) <= most:
        span = f"subject_id BETWEEN {subject_list[0]} AND {subject_list[-1]}"
        return f"day IN ({_listed(day_list)}) AND {span} AND {metric}"
    if len(day_list) * len(metric_list) * len(subject_list) <= most:
        return f"day IN ({_listed(day_list)}) AND subject_id IN ({_listed(subject_list)}) AND {metric}"
    return ""


def _selected(session: Session, source: str, given: str = "") -> Iterator[Stored]:
    connection = session.connection()
    if _is_postgresql(connection):
        found = copying.read(connection, f"{given} SELECT {_KEY} {source}")
        yield Stored(found["key"].astype(np.int64), found["value"].astype(np.float64))
        return
    # Two numbers a row instead of four: making Python's numbers is what reading costs.
    cursor = connection.exec_driver_sql(f"{given} SELECT {_KEY.replace('::bigint', '')} {source}").cursor
    while rows := cursor.fetchmany(_AT_ONCE):
        found = np.fromiter(rows, dtype=_STORED, count=len(rows))
        yield Stored(found["key"], found["value"])


def insert(session: Session, columns: Columns, recorded_at: datetime) -> None:
    """Insert points none of which is there yet."""
    connection = session.connection()
    if _is_postgresql(connection):
        copying.write(connection, "points", columns, recorded_at)
        return
    moment = _bound(connection, recorded_at)
    values = chain.from_iterable(zip(*(column.tolist() for column in columns), strict=True))
    whole = len(columns[0]) // _TOGETHER
    together = zip(repeat(moment, whole), *[values] * (4 * _TOGETHER), strict=False)
    if whole:
        connection.exec_driver_sql(_insert_many(_TOGETHER), list(islice(together, whole)))
    if rest := list(values):
        connection.exec_driver_sql(_insert_many(len(rest) // 4), (moment, *rest))


def _insert_many(count: int) -> str:
    places = (range(2 + 4 * row, 6 + 4 * row) for row in range(count))
    rows = ", ".join("({}, ?1)".format(", ".join(f"?{place}" for place in each)) for each in places)
    return f"{_WRITTEN} VALUES {rows}"


def update(session: Session, columns: Columns, recorded_at: datetime) -> None:
    """Give points that are there another value."""
    _run(session, "update", columns, recorded_at)


def correct(session: Session, columns: Columns, replaced_at: datetime) -> None:
    """Keep what is about to be replaced or removed."""
    _run(session, "correct", columns, replaced_at)


def delete(session: Session, columns: Columns) -> None:
    """Take points away."""
    _run(session, "delete", columns, _NEVER)


def _run(session: Session, what: str, columns: Columns, at: datetime) -> None:
    connection = session.connection()
    if _is_postgresql(connection):
        with copying.beside(connection, columns, at):
            connection.exec_driver_sql(_POSTGRESQL[what])
        return
    lists = (column.tolist() for column in columns)
    rows = list(zip(*[repeat(_bound(connection, at), len(columns[0])), *lists][: _WIDTH[what]], strict=True))
    connection.exec_driver_sql(_SQLITE[what], rows)


def _bound(connection: Connection, at: datetime) -> Any:
    bind = _MOMENT.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return at if bind is None else bind(at)


def _listed(numbers: Ints) -> str:
    return ",".join(map(str, numbers.tolist()))


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
