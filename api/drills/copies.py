"""F30: yesterday's backup, restored elsewhere and in place: it starts on hold, and says what it would send."""

import re
import sqlite3
import time
from pathlib import Path
from typing import Final, Self

from sqlalchemy import select
from sqlalchemy.engine import make_url

from api.drills import texts
from api.drills.ground import Ground, Postgres
from api.drills.ledger import look_over
from api.drills.processes import require, until
from api.drills.result import Found
from api.drills.sink import Sink
from api.drills.site import Site, now
from engine.store import holds, releasing
from engine.store.run_tables import RunRow
from engine.store.sessions import Store, connect
from engine.terms import RunState

_WATCHED: Final = 12.0
"""Seconds a restored installation is watched for anything that leaves it."""
_WAITED: Final = "  - wait: {at_most: 1d}\n  - email: {to: champion, message: hello}\n"


def restored(ground: Ground) -> Found:
    """Back up while runs wait; let the original go on; start the backup elsewhere, then at the original's place."""
    count, found = ground.pick(50, 3), Found()
    sink: Sink = ground.keep(Sink())
    server = ground.temporal("copy")
    site = Site(ground, "site", server.address, sink.port, day_seconds=6.0)
    site.publish(texts.workspace(texts.playbook("later", "  - email: {to: champion, message: hello}\n" + _WAITED)))
    site.people(count, each=1)
    site.begin("later")
    worker = site.worker()
    require(lambda: _waiting(site) == count or site.is_over(), 120.0, "the runs did not come to their wait")
    backup = _backed_up(site)
    until(site.is_over, 120.0)
    worker.end()
    before = len(sink.taken)
    found.counts |= {"runs": count, "letters_of_the_original": before}
    found.require(before == count * 2, f"the original sent {before} letters, not {count * 2}")
    _elsewhere(ground, found, site, backup, sink)
    _in_place(found, site, backup, sink)
    return found


def _waiting(site: Site) -> int:
    with site.store.read() as session:
        states = session.scalars(select(RunRow.state)).all()
    return sum(state == RunState.WAITING for state in states)


def _backed_up(site: Site) -> Path:
    """A copy of the database made while it is at work."""
    target = site.folder / "backup.db"
    if not _is_file(site):
        Postgres.dump(site.url, target)
        return target
    source = sqlite3.connect(str(make_url(site.url).database))
    copy = sqlite3.connect(target)
    source.backup(copy)
    copy.close()
    source.close()
    return target


def _elsewhere(ground: Ground, found: Found, site: Site, backup: Path, sink: Sink) -> None:
    """In another folder, with another Temporal namespace, as on a second host."""
    clone = Site(ground, "clone", site.address, sink.port, day_seconds=6.0, namespace="copy")
    clone.publish(site.bundle.texts)
    _replace(clone, backup)
    found.rows.append(_watch(found, clone, sink, "in another folder"))


def _in_place(found: Found, site: Site, backup: Path, sink: Sink) -> None:
    """At its own place, with the Temporal that is ahead of it."""
    _replace(site, backup)
    found.rows.append(_watch(found, site, sink, "at its own place"))


def _replace(site: Site, backup: Path) -> None:
    """Put the backup where the database is: written over it, as a restore does."""
    site.store.close()
    if _is_file(site):
        _overwrite(Path(str(make_url(site.url).database)), backup)
    else:
        Postgres.restore(site.url, backup)
    site.store = site.ground.keep(Reopened(connect(site.url))).store


def _is_file(site: Site) -> bool:
    return make_url(site.url).get_backend_name() == "sqlite"


def _overwrite(path: Path, backup: Path) -> None:
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    path.write_bytes(backup.read_bytes())


class Reopened:
    """A store that is closed with the drill."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()


def _watch(found: Found, site: Site, sink: Sink, where: str) -> dict[str, int | float | str]:
    """Start a worker on a restored database; watch what leaves; then say what a release would send."""
    before = len(sink.taken)
    worker = site.worker()
    until(lambda: _is_held(site), 60.0)
    held = _is_held(site)
    time.sleep(_WATCHED)
    left, alive = len(sink.taken) - before, worker.is_alive
    said = re.search(r"would send: (.*?)\.$", site.logs(), re.MULTILINE)
    overdue = _due(site)
    worker.end()
    found.require(held, f"{where}: it did not start on hold")
    found.require(alive, f"{where}: the worker ended")
    found.require(left == 0, f"{where}: {left} letters left it")
    found.require(said is not None, f"{where}: it did not say what it would send")
    look_over(found, site, open_runs=site.ground.pick(50, 3))
    return {
        "restored": where,
        "on_hold": "yes" if held else "no",
        "sent": left,
        "said_at_the_start": said[1] if said else "",
        "listed_before_a_release": overdue,
    }


def _is_held(site: Site) -> bool:
    with site.store.read() as session:
        found = holds.everything(session)
    return found is not None and found.cause == holds.RESTORED


def _due(site: Site) -> str:
    """What a release would send, as the command lists it."""
    with site.store.read() as session:
        standing = holds.everything(session)
        return releasing.would_send(session, standing.id, now()).sentence if standing else ""
