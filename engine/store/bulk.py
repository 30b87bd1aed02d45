"""Writing very many rows of one table at once, past the ORM: a tenth of its time.

SQLite takes rows from its driver's ``executemany``; PostgreSQL takes whole columns as arrays and unnests them.
"""

# ruff: noqa: S608  (statements are made of names of our own tables and columns; every value is bound)

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.store.base import Base


def table_of(row: type[Base]) -> Table:
    """The table behind a class."""
    return cast("Table", row.__table__)


def upsert(session: Session, row: type[Base], columns: dict[str, Sequence[Any]]) -> None:
    """Write rows given as columns of equal length; a row whose key is there already is replaced in these columns."""
    table, names = table_of(row), list(columns)
    if not columns[names[0]]:
        return
    key = [column.name for column in table.primary_key]
    rest = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    done = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {rest}"
    into = f"INSERT INTO {table.name} ({', '.join(names)})"
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        arrays = (f"%({name})s::{table.c[name].type.compile(connection.dialect)}[]" for name in names)
        given = {name: list(values) for name, values in columns.items()}
        connection.exec_driver_sql(f"{into} SELECT * FROM unnest({', '.join(arrays)}) {done}", given)
    else:
        marks = ", ".join("?" for _ in names)
        connection.exec_driver_sql(f"{into} VALUES ({marks}) {done}", list(zip(*columns.values(), strict=True)))


def insert_all(
    session: Session, row: type[Base], key: InstrumentedAttribute[int], rows: Sequence[dict[str, Any]]
) -> list[int]:
    """Insert rows that the database numbers; their numbers in the same order."""
    if not rows:
        return []
    statement = insert(table_of(row)).returning(table_of(row).c[key.key], sort_by_parameter_order=True)
    return list(session.scalars(statement, rows))
