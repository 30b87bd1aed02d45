"""A copied or restored database starts on hold; the same one, started again, does not."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.store import holds, installation
from engine.store.sessions import Store, connect

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = AT + timedelta(days=1)


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    return tmp_path / "data" / installation.WITNESS


def on_hold(store: Store) -> str:
    with store.read() as session:
        found = holds.everything(session)
        return found.reason if found else ""


def test_a_database_that_starts_for_the_first_time_or_again_is_not_held(store: Store, witness: Path) -> None:
    """F30."""
    assert installation.arrive(store, witness, AT) is None
    installation.stay(store, witness, AT + timedelta(hours=1))
    assert installation.arrive(store, witness, LATER) is None
    assert on_hold(store) == ""


def test_a_database_restored_at_its_place_is_older_than_its_witness_and_held(store: Store, witness: Path) -> None:
    """F30: what the database says is from yesterday, and the file beside it is from today."""
    installation.arrive(store, witness, AT)
    witness.write_text(LATER.isoformat())
    found = installation.arrive(store, witness, LATER + timedelta(hours=1))
    assert found is not None
    assert found.reason.startswith("it was restored: the database is of 2026-03-10 12:00 UTC")
    assert found.overdue == "nothing is overdue"
    assert on_hold(store) == found.reason


def test_it_is_held_once_and_not_again_after_a_member_released_it(store: Store, witness: Path) -> None:
    installation.arrive(store, witness, AT)
    witness.write_text(LATER.isoformat())
    later = LATER + timedelta(hours=1)
    found = installation.arrive(store, witness, later)
    assert found is not None
    with store.begin() as session:
        holds.release(session, found.hold_id, "ops@example.com", later)
    assert installation.arrive(store, witness, later + timedelta(hours=1)) is None
    assert on_hold(store) == ""


def test_a_witness_that_cannot_be_read_says_nothing(store: Store, witness: Path) -> None:
    installation.arrive(store, witness, AT)
    witness.write_bytes(b"\xff\x00")
    assert installation.arrive(store, witness, LATER) is None


@pytest.fixture
def copied(sqlite_store: Store, tmp_path: Path, witness: Path) -> Iterator[Store]:
    """The database of another folder."""
    installation.arrive(sqlite_store, witness, AT)
    there = tmp_path / "elsewhere"
    there.mkdir()
    sqlite_store.close()
    shutil.copy(str(sqlite_store.engine.url.database), there / "backcast.db")
    store = connect(f"sqlite:///{there}/backcast.db")
    yield store
    store.close()


def test_a_copy_at_another_place_is_held(copied: Store, tmp_path: Path) -> None:
    """F30: whoever has everything on hold already keeps it so."""
    with copied.begin() as session:
        holds.hold(session, account_id=None, cause=holds.MEMBER, reason="a freeze", author="ops@example.com", at=AT)
    found = installation.arrive(copied, tmp_path / "elsewhere" / installation.WITNESS, LATER)
    assert found is not None
    assert found.reason.startswith("this is a copy, or it was moved: until 2026-03-10 12:00 UTC")
    assert on_hold(copied) == "a freeze"
