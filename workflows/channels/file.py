"""Letters into a folder, one ``.eml`` each, for trying out and for the demo.

A file appears whole or not at all, under a name made from its Message-ID; where there already is one it stays.
"""

import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from engine.terms import DeliveryState
from workflows.channels.composing import Unsendable, compose
from workflows.channels.letter import Letter, Verdict
from workflows.crash_points import pass_by


class FileChannel:
    """One folder of outgoing letters. Thread-safe."""

    name = "file"

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def send(self, letter: Letter) -> Verdict:
        """Write the letter. The same Message-ID again is the same letter: it has been sent."""
        try:
            data = compose(letter, datetime.now(UTC))
        except Unsendable as error:
            return Verdict(DeliveryState.NOT_SENT, str(error), permanent=True)
        path = self._folder / file_name(letter.message_id)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _place(path, data)
        except OSError as error:
            return Verdict(DeliveryState.NOT_SENT, f"the file could not be written: {error}")
        return Verdict(DeliveryState.SENT, f"written to {path.name}")


def file_name(message_id: str) -> str:
    """The name of a letter's file."""
    return re.sub(r"[^A-Za-z0-9.@-]", "", message_id) + ".eml"


def _place(path: Path, data: bytes) -> None:
    """Write beside, then link: the one step that makes it appear fails when the name is already taken."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    pass_by("before_dot")
    with suppress(FileExistsError):
        os.link(beside, path)
    pass_by("after_dot")
    beside.unlink(missing_ok=True)
    _keep(path.parent)
    pass_by("after_reply")


def _keep(folder: Path) -> None:
    """Make the folder's new entry durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
