"""Bringing a database to the tables of this version, and refusing to work on any other.

One transaction holds all revisions on both databases, so an interrupted migration leaves nothing behind. Alembic is
imported only where there is something to do: every command and process asks here first.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from engine.errors import Refused
from engine.store.sessions import Store

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0004_members"
"""The newest revision."""
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
        if found == HEAD:
            return False
        _refuse_foreign(connection, found)
        from alembic import command

        command.upgrade(config(connection), "head")
        return True


def require_current(store: Store) -> None:
    """Return if the database has this version's tables; else raise `Refused` with what to do. Every process asks
    before it starts."""
    with store.read() as session:
        connection = session.connection()
        found = _revision(connection)
        if found == HEAD:
            return
        _refuse_foreign(connection, found)
    if found is None:
        raise Refused("the database is empty: run `backcast migrate` first")
    raise Refused(f"the database is at version {found}, this Backcast needs {HEAD}: run `backcast migrate` first")


def _refuse_foreign(connection: Connection, found: str | None) -> None:
    if found is not None and not (MIGRATIONS / "versions" / f"{found}.py").is_file():
        raise Refused(f"the database is at version {found}, which is newer than this Backcast: install the newer one")
    tables = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
    if found is None and tables:
        raise Refused(
            f'the database holds other tables ("{tables[0]}", {len(tables)} in all) and no version of Backcast: '
            "give Backcast a database of its own"
        )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def config(connection: Connection) -> "Config":
    """Alembic's configuration for our revisions on an open connection."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made
