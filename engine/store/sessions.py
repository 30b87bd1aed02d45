"""Opening the database: one `Store`, two kinds of transaction.

SQLite: WAL, and ``BEGIN IMMEDIATE`` for every writing transaction. With the default, of four writers that read before
they write most fail at once with "database is locked"; with IMMEDIATE they queue. Inside one process they queue at a
lock of ours, because SQLite's own queue is a race in which a thread can lose for five seconds, and then gives up.

An error of the database names its statement but not its values: activities hand errors to Temporal and to logs, where
no address belongs.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from engine.errors import Refused, Unavailable

_READING: dict[str, Any] = {"backcast_reading": True}
_ONE_VIEW = {"isolation_level": "REPEATABLE READ"}
"""SQLite reads like that anyway; PostgreSQL would otherwise look anew with every statement."""
_PATIENCE = 30.0
_CONNECTIONS = 20


class Store:
    """The database of one installation. Thread-safe; a session is not, and lives as long as its ``with``."""

    def __init__(self, engine: Engine, turns: threading.BoundedSemaphore | None = None) -> None:
        self.engine = engine
        self._turns = turns
        self._reading = _READING | _ONE_VIEW if engine.dialect.name == "postgresql" else _READING

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A writing transaction: commits at the end, rolls back on any error. Raises `Unavailable` when the writers
        before it take too long."""
        with self._turn(), Session(self.engine) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A reading transaction: one consistent view, never commits, and on SQLite never waits for a writer."""
        with self.engine.connect().execution_options(**self._reading) as connection, Session(connection) as session:
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._turns is None:
            yield
        elif not self._turns.acquire(timeout=_PATIENCE):
            raise Unavailable(f"The database has been busy for {_PATIENCE:.0f} seconds; try again in a moment.")
        else:
            try:
                yield
            finally:
                self._turns.release()

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def connect(url: str) -> Store:
    """Open the database at a SQLAlchemy URL; the folder of a SQLite file is made if it is not there.

    Raises `Refused` for another database than SQLite and PostgreSQL, and for a folder that cannot be written to.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise Refused(f"Backcast runs on SQLite and PostgreSQL, not on {parsed.get_backend_name()}: name one of them")
    if parsed.get_backend_name() == "sqlite":
        return Store(_sqlite(url, parsed.database), threading.BoundedSemaphore())
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return Store(create_engine(parsed, pool_size=10, max_overflow=10, pool_pre_ping=True, hide_parameters=True))


def _make_folder(folder: Path) -> None:
    advice = "choose another data folder with --data or BACKCAST_DATA"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise Refused(f'the folder "{folder}" cannot be made ({why}): {advice}') from error
    if not os.access(folder, os.W_OK):
        raise Refused(f'the folder "{folder}" cannot be written to: {advice}')


def _sqlite(url: str, path: str | None) -> Engine:
    if path and path != ":memory:":
        _make_folder(Path(path).parent)
    connections = {"timeout": 5.0, "check_same_thread": False}
    pool = {"pool_size": _CONNECTIONS, "max_overflow": 4 * _CONNECTIONS}
    engine = create_engine(url, connect_args=connections, hide_parameters=True, **pool)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin by itself; _begin does
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("backcast_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
