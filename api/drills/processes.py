"""Processes of a drill: Backcast's own commands, started as an operator would, and stopped in unfriendly ways."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import api
from engine.errors import Unavailable

ROOT: Final = str(Path(api.__file__).parents[1])
_BEAT: Final = 0.05


class Process:
    """One process of ours. ``log`` holds what it says; ``began`` is when it was started (monotonic)."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        self.began = time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as saying:
            self._child = subprocess.Popen(  # noqa: S603 # our own program, no shell
                command,
                env={**os.environ, "PYTHONPATH": ROOT, **environment},
                stdin=subprocess.DEVNULL,
                stdout=saying,
                stderr=saying,
            )

    @property
    def is_alive(self) -> bool:
        """Whether it still runs (or stands still)."""
        return self._child.poll() is None

    @property
    def pid(self) -> int:
        """Its number."""
        return self._child.pid

    @property
    def was_killed(self) -> bool:
        """Whether SIGKILL ended it, from wherever."""
        return self._child.poll() == -signal.SIGKILL

    def kill(self) -> None:
        """End it as a power cut would."""
        self._child.kill()
        self._child.wait()

    def stand_still(self) -> None:
        """Stop it in its tracks (SIGSTOP)."""
        self._child.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on where it stood (SIGCONT)."""
        self._child.send_signal(signal.SIGCONT)

    def end(self, patience: float = 30.0) -> bool:
        """Ask it to end (SIGTERM) and wait; False when it had to be killed."""
        if self.is_alive:
            self.go_on()
            self._child.terminate()
        try:
            self._child.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def wait(self, patience: float = 10.0) -> bool:
        """Wait until it has ended by itself; False when it did not."""
        return until(lambda: not self.is_alive, patience)

    def said(self) -> str:
        """What it has said so far, and all before it that shared its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def command(*words: str) -> list[str]:
    """Our command line, in this Python."""
    return [sys.executable, "-c", "from api.cli import main; main()", *words]


def until(holds: Callable[[], bool], patience: float) -> bool:
    """Look again and again until it holds; False when it does not within so many seconds."""
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(_BEAT)
    return True


def require(holds: Callable[[], bool], patience: float, what: str) -> None:
    """`until`, for what a drill cannot go on without. Raises `Unavailable` with ``what`` did not happen."""
    if not until(holds, patience):
        raise Unavailable(f"{what} within {patience:.0f} s")
