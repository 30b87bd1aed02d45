"""The real application over a seeded store, and clients that are somebody: for tests of routes and pages."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient

from engine.store.sessions import Store, connect
from tests.seeding import NOW, Seeded, seed, sign_in

BASE = "http://backcast.example"


@dataclass(slots=True)
class Clock:
    """The moment the application believes it is."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True)
class Site:
    """The application, its store, and what was put into it."""

    app: FastAPI
    store: Store
    seeded: Seeded
    clock: Clock
    address: str = BASE

    def anybody(self) -> TestClient:
        """A client without a session. Redirects are not followed: they are part of the answer."""
        return TestClient(self.app, base_url=BASE, follow_redirects=False, raise_server_exceptions=False)

    def member(self, email: str) -> TestClient:
        """A client signed in as a member, whose forms carry the session's token."""
        client = self.anybody()
        signed_in = sign_in(self.store, email, self.clock.at)
        client.cookies.set("backcast", signed_in.token)
        client.headers["x-csrf-token"] = signed_in.csrf
        return client


def seeded_copy(sqlite_template: Path, folder: Path) -> tuple[Path, Seeded]:
    """A seeded SQLite file in ``folder``, to be copied for each test, and what is in it."""
    path = folder / "backcast.db"
    shutil.copyfile(sqlite_template, path)
    store = connect(f"sqlite:///{path}")
    seeded = seed(store)
    store.close()
    return path, seeded
