"""Migrations arrive at the models, on both databases, and a process refuses any other schema."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from engine.errors import Refused
from engine.store import migrating, models
from engine.store.sessions import Store, connect


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    opened = connect(f"sqlite:///{tmp_path}/new/backcast.db")
    yield opened
    opened.close()


def test_the_newest_revision_is_the_last_file_and_files_are_called_like_revisions(empty: Store) -> None:
    with empty.engine.connect() as connection:
        scripts = ScriptDirectory.from_config(migrating.config(connection))
    assert scripts.get_heads() == [migrating.HEAD]
    files = {path.stem for path in (migrating.MIGRATIONS / "versions").glob("*.py")}
    assert {script.revision for script in scripts.walk_revisions()} == files


def test_the_models_equal_the_migrations(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, models.metadata) == []


def test_migrating_again_changes_nothing(store: Store) -> None:
    assert migrating.migrate(store) is False
    migrating.require_current(store)


def test_what_goes_up_comes_down(store: Store) -> None:
    with store.engine.begin() as connection:
        command.downgrade(migrating.config(connection), "base")
    with store.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    assert migrating.migrate(store) is True
    migrating.require_current(store)


def test_an_empty_database_is_refused_with_what_to_do(empty: Store) -> None:
    with pytest.raises(Refused, match="run `backcast migrate` first"):
        migrating.require_current(empty)


def test_an_older_schema_is_refused_with_what_to_do(empty: Store) -> None:
    with empty.engine.begin() as connection:
        command.upgrade(migrating.config(connection), "0001_data")
    with pytest.raises(Refused, match=r"at version 0001_data, this Backcast needs .* run `backcast migrate` first"):
        migrating.require_current(empty)


def test_a_newer_schema_is_left_alone(sqlite_store: Store) -> None:
    with sqlite_store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))
    for refusing in (migrating.require_current, migrating.migrate):
        with pytest.raises(Refused, match="9999_future, which is newer than this Backcast"):
            refusing(sqlite_store)


def test_somebody_elses_database_is_left_alone(empty: Store) -> None:
    with empty.engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
    for refusing in (migrating.require_current, migrating.migrate):
        with pytest.raises(Refused, match=r'holds other tables .*"invoices"'):
            refusing(empty)


def test_an_interrupted_migration_leaves_nothing_behind(
    empty: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = shutil.copytree(migrating.MIGRATIONS, tmp_path / "migrations")
    with (copied / "versions" / "0004_members.py").open("a") as script:
        script.write("def _holds() -> None:\n    1 / 0\n")
    monkeypatch.setattr(migrating, "MIGRATIONS", copied)
    with pytest.raises(ZeroDivisionError):
        migrating.migrate(empty)
    with empty.engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
