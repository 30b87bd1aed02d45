"""A seeded installation behind the real application."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from engine.settings import Settings
from engine.store.sessions import connect
from tests.installed import BASE, Clock, Site, seeded_copy
from tests.seeding import Seeded


@pytest.fixture(scope="session")
def seeded_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Seeded]:
    """A seeded SQLite file to copy, and what is in it."""
    return seeded_copy(sqlite_template, tmp_path_factory.mktemp("seeded"))


@pytest.fixture
def site(seeded_template: tuple[Path, Seeded], tmp_path: Path) -> Iterator[Site]:
    """An installation of this test's own."""
    template, seeded = seeded_template
    shutil.copyfile(template, tmp_path / "backcast.db")
    store = connect(f"sqlite:///{tmp_path}/backcast.db")
    clock = Clock()
    yield Site(create_app(store, Settings(base_url=BASE), clock), store, seeded, clock)
    store.close()
