"""One installation of a drill: its files, database, accounts, runs and processes."""

import json
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from socket import create_server
from typing import Final

from sqlalchemy import func, select

from api.drills import texts
from api.drills.ground import Ground
from api.drills.processes import Process, command, until
from engine.definitions import bundle as definitions
from engine.definitions.bundle import Bundle
from engine.errors import Refused
from engine.evaluation.incoming.rows import Format
from engine.store import accounts, bundles, members, runs
from engine.store.ingests import Kind, ingest
from engine.store.run_tables import RunRow
from engine.store.sessions import Store, connect
from engine.terms import Role, RunState

OWNER: Final = "owner@drill.example"
"""Owns every account, and may do everything."""
_OPEN: Final = [state.value for state in RunState if state.is_open]


@dataclass
class Site:
    """One installation. ``more`` are further settings of its processes."""

    ground: Ground
    name: str
    address: str
    relay: int = 0
    more: Mapping[str, str] = field(default_factory=dict)
    day_seconds: float = 86_400.0
    namespace: str = "default"

    def __post_init__(self) -> None:
        self.folder = self.ground.folder / self.name
        self.folder.mkdir()
        self.url = self.ground.new_database(self.folder)
        self.store: Store = self.ground.keep(_closing(connect(self.url)))
        self.bundle: Bundle
        self.runs: list[int] = []
        self.accounts: dict[str, int] = {}
        self._started = 0

    @property
    def environment(self) -> dict[str, str]:
        """The settings of its processes."""
        own = {"BACKCAST_DATABASE_URL": self.url} if not self.url.startswith("sqlite") else {}
        return {
            "BACKCAST_DATA": str(self.folder),
            "BACKCAST_FILES": str(self.folder / "files"),
            "BACKCAST_TEMPORAL_ADDRESS": self.address,
            "BACKCAST_TEMPORAL_NAMESPACE": self.namespace,
            "BACKCAST_CHANNEL": "smtp",
            "BACKCAST_SMTP_PORT": str(self.relay or 1),
            "BACKCAST_DAY_SECONDS": str(self.day_seconds),
            **own,
            **self.more,
        }

    def publish(self, files: Mapping[str, str]) -> Bundle:
        """Write the files and put them in force."""
        checked = definitions.read(dict(files))
        if checked.bundle is None:
            raise Refused(f"the drill's own files do not check: {checked.problems[0]}")
        for name, text in files.items():
            path = self.folder / "files" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        with self.store.begin() as session:
            bundles.publish(session, checked.bundle, "drill", now())
        self.bundle = checked.bundle
        return checked.bundle

    def people(self, count: int, each: int = 2) -> None:
        """So many accounts with so many champions each, and their owner."""
        keys = [f"account-{number}" for number in range(count)]
        with self.store.begin() as session:
            members.add(session, OWNER, "Owner", [Role.ADMIN, Role.CSM])
            for kind, text in (
                (Kind.ACCOUNTS, texts.accounts(keys, OWNER)),
                (Kind.CONTACTS, texts.contacts(keys, each)),
            ):
                ingest(session, kind, [text.encode()], Format.CSV, self.bundle.catalog, now())
            found = accounts.ids(session, keys)
            self.accounts = {key: found[key] for key in keys}

    def begin(self, playbook: str, of: Sequence[str] | None = None) -> list[int]:
        """Ask for a run of a playbook for each account (or for those named); returns the runs' ids."""
        with self.store.begin() as session:
            started = [
                runs.start_by_hand(session, self.bundle, number, playbook, OWNER, "a drill", now(), self.day_seconds)
                for key, number in self.accounts.items()
                if of is None or key in of
            ]
        self.runs += started
        return started

    def worker(self, crash_at: str = "", **more: str) -> Process:
        """Start a worker, by the command an operator would use; perhaps one that dies at a named place."""
        crash = {"BACKCAST_CRASH_AT": crash_at} if crash_at else {}
        return self._start("worker", {**crash, **more}, command("worker"))

    def web(self, crash_at: str = "") -> "Web":
        """Start pages and API on a free port, and wait until they answer."""
        with create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        return self.web_at(port, crash_at)

    def web_at(self, port: int, crash_at: str = "") -> "Web":
        """Start pages and API on this port, and wait until they answer."""
        crash = {"BACKCAST_CRASH_AT": crash_at} if crash_at else {}
        process = self._start("api", crash, command("api", "--port", str(port)))
        web = Web(port, process)
        until(web.answers, 60.0)
        return web

    def run(self, *words: str) -> Process:
        """Start another of our commands on this installation."""
        return self._start(words[0], {}, command(*words))

    def is_over(self) -> bool:
        """Whether no run is open any more."""
        return self.open_runs() == 0

    def open_runs(self) -> int:
        """How many runs are open."""
        with self.store.read() as session:
            return session.scalar(select(func.count()).select_from(RunRow).where(RunRow.state.in_(_OPEN))) or 0

    def logs(self) -> str:
        """All that its processes have said."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in self.folder.glob("logs/*.log"))

    def _start(self, kind: str, more: Mapping[str, str], words: list[str]) -> Process:
        self._started += 1
        columns = {
            "BACKCAST_COLUMNS": str(self.folder / f"columns-{self._started}")
        }  # a killed one's may be locked yet
        environment = {**self.environment, **columns, **more}
        return self.ground.start(words, environment, self.folder / "logs" / f"{kind}-{self._started}.log")


@dataclass(frozen=True)
class Web:
    """Pages and API of one installation, in a process of their own."""

    port: int
    process: Process

    def answers(self) -> bool:
        """Whether it answers."""
        return self.get("/healthz")[0] == 200

    def get(self, path: str, cookie: str = "") -> tuple[int, str]:
        """Status and body; status 0 when nobody answers."""
        return self.send("GET", path, None, {"Cookie": cookie} if cookie else {})

    def send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], patience: float = 30.0
    ) -> tuple[int, str]:
        """One request; status 0 when the connection was refused, reset or ended early."""
        request = urllib.request.Request(  # our own server, on the loopback
            f"http://127.0.0.1:{self.port}{path}", data=body, method=method, headers=dict(headers)
        )
        try:
            with _OPENER.open(request, timeout=patience) as answer:
                return int(answer.status), answer.read().decode(errors="replace")
        except urllib.request.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except (OSError, HTTPException):
            return 0, ""


class _Staying(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """A redirect is an answer like any other."""


_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Staying())


class _closing:  # noqa: N801 # reads like contextlib's
    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


def now() -> datetime:
    """The moment by this machine's clock."""
    return datetime.now(UTC)


def stopwatch() -> float:
    """Seconds of a clock that never goes back."""
    return time.monotonic()


def as_json(value: object) -> bytes:
    """A body."""
    return json.dumps(value).encode()
