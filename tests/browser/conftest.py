"""A real browser on the real application: served from a thread, over a seeded store."""

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

import browser as browsers
from api.app import create_app
from engine.settings import Settings
from engine.store.sessions import connect
from tests.installed import Clock, Site, seeded_copy
from tests.seeding import OWNER, Seeded, sign_in

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser that `bootstrap` would find, without any traffic of its own."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browsers.find(sys.executable), args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def seeded_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Seeded]:
    """A seeded SQLite file to copy, and what is in it."""
    return seeded_copy(sqlite_template, tmp_path_factory.mktemp("seeded"))


@pytest.fixture
def site(seeded_template: tuple[Path, Seeded], tmp_path: Path) -> Iterator[Site]:
    """An installation of this test's own, reachable at ``site.address``."""
    template, seeded = seeded_template
    shutil.copyfile(template, tmp_path / "backcast.db")
    store = connect(f"sqlite:///{tmp_path}/backcast.db")
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        clock = Clock()
        app = create_app(store, Settings(base_url=address), clock)
        app.state.throttle.per_minute = 1_000  # one address is many people here
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Site(app, store, seeded, clock, address)
        server.should_exit = True
        thread.join()
    store.close()


@pytest.fixture
def open_page(chromium: Browser, site: Site) -> Iterator[Open]:
    """Opens a page as a member (or nobody); fails the test when the page reports an error or asks somebody else."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(path: str, member: str = OWNER, **options: Any) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        if member:
            token = sign_in(site.store, member).token
            context.add_cookies([{"name": "backcast", "value": token, "url": site.address}])
        page = context.new_page()
        page.on("console", lambda message: _error(message, complaints))
        page.on("request", lambda sent: _foreign(sent.url, site.address, complaints))
        page.goto(site.address + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where to put pictures for the documentation; None unless ``BACKCAST_PICTURES`` names a folder."""
    asked = os.environ.get("BACKCAST_PICTURES", "")
    return Path(asked) if asked else None


def _error(message: ConsoleMessage, complaints: list[str]) -> None:
    if message.type == "error" and "409 (Conflict)" not in message.text:  # that answer is shown to the member
        complaints.append(message.text)


def _foreign(url: str, ours: str, complaints: list[str]) -> None:
    if not url.startswith((ours, "data:", "about:")):
        complaints.append(f"asked somebody else: {url}")
