"""The product as this measurement sees it: its commands as child processes, and its database, which is only read."""

import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
WORKSPACE: Final = Path(__file__).resolve().parent / "workspace"
DAY_SECONDS: Final = 1.0
"""Length of a run's day: a fortnight's wait takes 14 seconds."""
_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command took: seconds on the wall and on the processor (all its processes)."""

    wall: float
    cpu: float

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.wall + other.wall, self.cpu + other.cpu)


@dataclass(frozen=True, slots=True)
class Product:
    """An installation of its own in ``folder``, with the rules and playbooks of ``workspace``."""

    folder: Path
    workspace: Path = WORKSPACE

    @property
    def outgoing(self) -> Path:
        """Where letters are written to."""
        return self.folder / "outgoing"

    def run(self, *words: str) -> tuple[Any, Spent]:
        """What a command prints as JSON, and what it took. Raises SystemExit with its complaint when it fails."""
        with _measured() as spent:
            done = subprocess.run(  # noqa: S603 -- our own program
                self._command(*words),
                cwd=self.workspace,
                env=self._environment(),
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            raise SystemExit(f"backcast {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout), spent()

    def serve_until(self, is_over: Callable[[], bool], patience: float) -> dict[str, Any]:
        """Serve until ``is_over`` or until ``patience`` (seconds) is at its end; how it went."""
        port = _free_port()
        with _measured() as spent:
            child = subprocess.Popen(  # noqa: S603 -- our own program
                self._command("serve", "--port", str(port)), cwd=self.workspace, env=self._environment()
            )
            begun = time.monotonic()
            try:
                while child.poll() is None and not is_over() and time.monotonic() < begun + patience:
                    time.sleep(0.25)
            finally:
                over = is_over()
                child.send_signal(signal.SIGTERM)
                code = child.wait(60)
        took = spent()
        return {"all_ended": over, "exit_code": code, "wall_s": round(took.wall, 1), "cpu_s": round(took.cpu, 1)}

    def ask(self, sql: str, *given: object) -> list[tuple[Any, ...]]:
        """The rows of a query; the database is opened for reading only."""
        with closing(sqlite3.connect(f"file:{self.folder / 'backcast.db'}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(sql, given).fetchall()

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, str(ROOT / "backcast.py"), *words]

    def _environment(self) -> Mapping[str, str]:
        mine = {"BACKCAST_DATA": str(self.folder), "BACKCAST_DAY_SECONDS": str(DAY_SECONDS)}
        # Compiling all modules anew at every start would be measured instead of the commands.
        return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | mine


@contextmanager
def _measured() -> Iterator[Callable[[], Spent]]:
    """Between entering and asking: the wall, and the processor time of all children that have ended."""
    wall, cpu = time.perf_counter(), _children()
    yield lambda: Spent(time.perf_counter() - wall, _children() - cpu)


def peak_mb() -> int:
    """The most memory that any one command has had so far, in MB."""
    return round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _RSS_UNIT / 1e6)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
