"""Where this database is at work: a restored or copied one is told from the original, and starts on hold.

A database remembers its place. A file: its path, its number on the disk, and the machine. A PostgreSQL database: the
cluster it was made in, and its number there. A copy is at another place. What is restored at the same place is older
than what the witness says: a small file in the data folder with the last moment the database was seen at.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.errors import Refused
from engine.store import holds, releasing
from engine.store.member_tables import InstallationRow
from engine.store.queueing import Queue, queue
from engine.store.sessions import Store

WITNESS: Final = "seen-at"
"""The name of the witness in the data folder."""
_ONLY: Final = 1
_BY: Final = "Backcast"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A database found at another place or restored: ``reason`` says which, ``overdue`` what would be sent now."""

    hold_id: int
    reason: str
    overdue: str


def arrive(store: Store, witness: Path, at: datetime) -> Arrival | None:
    """Look whether the database is where it was last at work, and put everything on hold if not. For every process that
    acts, before it does. ``witness``: the file beside the data of this place. None: all is as it was.
    """
    reason, found = "", None
    with store.begin() as session:
        queue(session, Queue.DECIDING)  # two processes that start together look one after the other
        place, row = _place(session), session.get(InstallationRow, _ONLY)
        if row is None:
            session.add(InstallationRow(id=_ONLY, place=place, seen_at=at))
        else:
            reason = _why(row, place, _read(witness))
            row.place, row.seen_at = place, max(row.seen_at, at)
        if reason:
            found = _hold(session, reason, at)
    _write(witness, at)
    return found


def stay(store: Store, witness: Path, at: datetime) -> None:
    """Say that the database is still at work here; now and then, so that an older copy of it can be told."""
    with store.begin() as session:
        row = session.get(InstallationRow, _ONLY)
        if row is not None:
            row.seen_at = max(row.seen_at, at)
    _write(witness, at)


def _why(row: InstallationRow, place: str, witnessed: datetime | None) -> str:
    """Why this is not the database as it was last at work here; empty when it is."""
    last = f"{row.seen_at:%Y-%m-%d %H:%M} UTC"
    if row.place != place:
        return f"this is a copy, or it was moved: until {last} the database was at work in another place"
    if witnessed is not None and witnessed > row.seen_at:
        return f"it was restored: the database is of {last}, and was at work here until {witnessed:%Y-%m-%d %H:%M} UTC"
    return ""


def _hold(session: Session, reason: str, at: datetime) -> Arrival:
    try:
        number = holds.hold(session, account_id=None, cause=holds.RESTORED, reason=reason, author=_BY, at=at)
    except Refused:  # somebody had everything on hold already: it stays so
        standing = holds.everything(session)
        number = standing.id if standing else 0
    return Arrival(number, reason, releasing.would_send(session, number, at).sentence)


def _place(session: Session) -> str:
    parts = _postgres_place(session) if session.get_bind().dialect.name == "postgresql" else _file_place(session)
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def _file_place(session: Session) -> list[str]:
    name = session.execute(text("PRAGMA database_list")).one()[2]
    if not name:
        return ["memory"]
    path = Path(name).resolve()
    return ["file", str(path), str(path.stat().st_ino), _machine()]


def _postgres_place(session: Session) -> list[str]:
    number = session.scalar(text("SELECT oid::text FROM pg_database WHERE datname = current_database()"))
    try:
        with session.begin_nested():
            cluster = session.scalar(text("SELECT system_identifier::text FROM pg_control_system()"))
    except SQLAlchemyError:  # not everybody may ask; then the database's own number has to do
        cluster = ""
    return ["postgresql", str(cluster), str(number)]


def _machine() -> str:
    """This machine, where it has a name that stays; in a container that is made anew each time it has none."""
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _read(witness: Path) -> datetime | None:
    try:
        return datetime.fromisoformat(witness.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None


def _write(witness: Path, at: datetime) -> None:
    """Replace the file in one go: one that was cut off in the middle says nothing. Where there is no disk to write to
    there is no witness, and only the place tells a copy."""
    fresh = witness.with_name(f"{witness.name}.{os.getpid()}")
    with suppress(OSError):
        witness.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(at.isoformat() + "\n", encoding="ascii")
        fresh.replace(witness)
