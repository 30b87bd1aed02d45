"""Points to and from PostgreSQL by the block, in the format it packs rows in itself: NumPy makes and reads it whole.

A row of COPY is a count of fields, and before each field its length in bytes; all numbers with the high byte first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from engine.evaluation.columns import Floats, Ints

_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_WIDTHS: Final = {"day": ">i4", "subject": ">i8", "metric": ">i4", "value": ">f8", "recorded_at": ">i8"}
_STORED: Final = np.dtype([("key", ">i8"), ("value", ">f8")])
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_COLUMNS: Final = "day, subject_id, metric_id, value, recorded_at"
_GIVEN: Final = (
    "CREATE TEMPORARY TABLE given (day integer, subject_id bigint, metric_id integer, value float8,"
    " recorded_at timestamptz) ON COMMIT DROP"
)


def write(connection: Connection, table: str, columns: tuple[Ints, Ints, Ints, Floats], at: datetime) -> None:
    """Copy points (days, subjects, metrics, values) into ``table``; none of them is there yet."""
    names = ("day", "subject", "metric", "value", "recorded_at")
    rows = np.zeros(len(columns[0]), dtype=_layout(names))
    rows["fields"] = len(names)
    for name, column in zip(names, (*columns, (at - _EPOCH) // _MICROSECOND), strict=True):
        rows[name] = column
        rows[f"{name}_length"] = rows.dtype[name].itemsize
    sql = f"COPY {table} ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"
    with _driver(connection).cursor() as cursor, cursor.copy(sql) as copy:
        copy.write(_HEAD + rows.tobytes() + _END)


def read(connection: Connection, query: str) -> NDArray[Any]:
    """What a query answers whose columns are ``key`` (bigint) and ``value``, neither of them ever null.

    The server packs all rows into one value: a row at a time costs ten times as much, whatever the protocol.
    """
    packed = f"SELECT string_agg(int8send(key) || float8send(value), '') FROM ({query}) AS found"  # noqa: S608
    with _driver(connection).cursor(binary=True) as cursor:
        cursor.execute(packed)
        (answer,) = cursor.fetchone()
    return np.frombuffer(answer or b"", dtype=_STORED)


@contextmanager
def beside(connection: Connection, columns: tuple[Ints, Ints, Ints, Floats], at: datetime) -> Iterator[None]:
    """Points in a table called ``given`` while the ``with`` lasts."""
    connection.exec_driver_sql(_GIVEN)
    write(connection, "given", columns, at)
    yield
    connection.exec_driver_sql("DROP TABLE given")


def _layout(names: tuple[str, ...]) -> np.dtype[Any]:
    fields = [("fields", ">i2")]
    for name in names:
        fields += [(f"{name}_length", ">i4"), (name, _WIDTHS[name])]
    return np.dtype(fields)


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
