"""Bringing a database to the tables of this version, and refusing to work on any other.

One transaction holds all revisions on both databases, so an interrupted migration leaves nothing behind.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from engine.errors import Refused
from engine.store.sessions import Store

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
"""Where the revisions are: beside the packages, in a checkout and in an installation."""
_LOCK = 4_917_203_118
"""Number of the PostgreSQL advisory lock that makes simultaneous migrations queue."""


def migrate(store: Store) -> bool:
    """Bring the database to this version's tables; False if it was there already. Safe to repeat and to race.

    Raises `Refused` where a newer version has migrated it already.
    """
    with store.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        found = _revision(connection)
        if found == head():
            return False
        _refuse_foreign(connection, found)
        command.upgrade(_config(connection), "head")
        return True


def require_current(store: Store) -> None:
    """Return if the database has this version's tables; else raise `Refused` with what to do. Every process asks
    before it starts."""
    with store.read() as session:
        connection = session.connection()
        found = _revision(connection)
        if found == head():
            return
        _refuse_foreign(connection, found)
    if found is None:
        raise Refused("the database is empty: run `backcast migrate` first")
    raise Refused(f"the database is at version {found}, this Backcast needs {head()}: run `backcast migrate` first")


@cache
def head() -> str:
    """The newest revision this version knows."""
    newest = _scripts().get_current_head()
    if newest is None:
        raise Refused(f"no migrations found in {MIGRATIONS}: the installation is incomplete, install it again")
    return newest


def _refuse_foreign(connection: Connection, found: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise Refused(f"the database is at version {found}, which is newer than this Backcast: install the newer one")
    tables = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
    if found is None and tables:
        raise Refused(
            f'the database holds other tables ("{tables[0]}", {len(tables)} in all) and no version of Backcast: '
            "give Backcast a database of its own"
        )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
