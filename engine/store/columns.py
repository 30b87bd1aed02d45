"""The packed columns: what `points` says, as memory-mapped files on the machine of the process that evaluates.

They are derived from the database and never say anything it does not: at any time they can be thrown away, and before
every reading they catch up with the trail that writing points leaves (`engine.store.point_changes`). They are files
rather than rows of the database because a mapped file serves both ways of reading at the speed of memory: a cycle
over everybody reads whole rows of days, and one over a thousand changed accounts picks their history out of them in a
moment. So there is no second state of windows with an arithmetic of its own: every sum is taken anew, over integers,
and evaluating what changed equals evaluating everything by construction.

Catching up writes the same again where it is repeated, and what is on the disk counts up to a mark that only moves
after everything before it was written; so a process may die at any moment.
"""

import fcntl
import json
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import numpy as np
from sqlalchemy.orm import Session

from engine.evaluation.columns import Ints
from engine.evaluation.facts import Grid
from engine.store import point_changes, secrets
from engine.store.column_files import ALL, MetricFiles
from engine.store.point_changes import Changes, Mark, Range
from engine.store.sessions import Store

LAYOUT: Final = 1
"""Files of another layout are thrown away."""

_OFTEN: Final = 1_000_000  # cells after which what is written is brought to the disk
_SPOT: Final = 4_096


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What catching up did: points read, and whether everything was made anew."""

    points: int
    anew: bool = False


def open_columns(store: Store, folder: str) -> "Columns | None":
    """The packed columns of a database in a folder, made where there are none; None where another process has them or
    the folder cannot be written to.

    One process writes a folder; the others read points, or have a folder of their own.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / "lock").open("a")
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    with store.begin() as session:
        installation = secrets.get(session, "columns").hex()
    return Columns(path, installation, lock)


@contextmanager
def columns_in(store: Store, folder: str) -> Iterator["Columns | None"]:
    """`open_columns` for the length of a ``with``."""
    opened = open_columns(store, folder)
    try:
        yield opened
    finally:
        if opened is not None:
            opened.close()


class Columns:
    """All points of all metrics, by metric, day and subject. Safe for threads: they take turns."""

    def __init__(self, folder: Path, installation: str, lock: IO[str]) -> None:
        self._folder = folder
        self._installation = installation
        self._lock_file = lock
        self._turn = threading.RLock()
        self._metrics: dict[int, MetricFiles] = {}
        self._generation, self._mark, self._is_known = self._remembered()
        if self._is_known:
            for each in self._home().glob("*"):
                self._metrics[int(each.name)] = MetricFiles(each)
        self._passed: dict[Mark, None] = {}
        self._unsaved = 0
        self._spot = 0

    def catch_up(self, session: Session) -> CaughtUp:
        """Bring the columns to what ``session`` sees, or beyond it, if another session saw more already; from nothing,
        where the trail does not reach back."""
        with self._turn:
            changes = point_changes.after(session, self._mark) if self._is_known else None
            if changes is None:
                older = point_changes.newest(session)
                return CaughtUp(0) if older in self._passed else self.rebuild(session)
            if changes.mark == self._mark:
                return CaughtUp(0)
            count = self._apply(session, changes)
            self._reach(changes)
            self._unsaved += count + len(changes.days)
            if self._unsaved >= _OFTEN:
                self.save()
            return CaughtUp(count)

    def rebuild(self, session: Session) -> CaughtUp:
        """Make all columns anew from the points that ``session`` sees."""
        with self._turn:
            self._begin_anew()
            changes = point_changes.everything(session)
            count = self._apply(session, changes)
            self._reach(changes)
            self._is_known = True
            self.save()
            return CaughtUp(count, anew=True)

    def grid(self, metric: int, ids: Ints, first: int, last: int, *, lasting: bool = False) -> Grid:
        """The points of one metric (by its number) of ascending subjects, from day ``first`` to ``last``; with the
        last point before ``first`` where ``lasting``."""
        with self._turn:
            files = self._metrics.get(metric)
            nothing = np.full(len(ids), np.nan)
            if files is None:
                return Grid(first, np.full((last - first + 1, len(ids)), np.nan), nothing, nothing)
            days, values = files.last_before(ids, first) if lasting else (nothing, nothing)
            found = Grid(first, files.read(ids, first, last), days, values)
            files.release()
            return found

    def differing(self, session: Session, day: int, first: int = 0, last: int = ALL) -> int:
        """How many points of one day, of subjects with ids ``first`` to ``last``, the columns and the database that
        ``session`` sees say differently. Only of use right after catching up; 0 is the only good answer."""
        with self._turn:
            wrong = known = 0
            for found in point_changes.cells(session, day, [(first, min(last, point_changes.highest(session, day)))]):
                for metric, ids, values in found.by_metric():
                    files = self._metrics.get(metric)
                    said = np.full(len(ids), np.nan) if files is None else files.read(ids, day, day)[0]
                    wrong += int(np.count_nonzero(said.view(np.uint64) != values.view(np.uint64)))
                    known += int(np.count_nonzero(~np.isnan(said)))
            return wrong + sum(files.count(day, first, last) for files in self._metrics.values()) - known

    def spot_check(self, session: Session) -> int:
        """`differing` for a few thousand subjects on one day: other ones each time, and in time all of them."""
        with self._turn:
            days = sorted({day for files in self._metrics.values() for day in files.days()})
            if not days:
                return 0
            self._spot += 1
            day = days[self._spot * 7_919 % len(days)]
            spots = point_changes.highest(session, day) // _SPOT + 1
            first = self._spot // len(days) % spots * _SPOT
            return self.differing(session, day, first, first + _SPOT - 1)

    def days(self, session: Session) -> list[int]:
        """The days on which columns or database have points."""
        with self._turn:
            known = {day for files in self._metrics.values() for day in files.days() if files.count(day)}
            return sorted(known | point_changes.everything(session).days.keys())

    def count(self, day: int) -> int:
        """How many points there are on a day."""
        with self._turn:
            return sum(files.count(day) for files in self._metrics.values())

    def mend(self, session: Session) -> bool:
        """`spot_check`, and make everything anew where it finds a difference; whether it did."""
        with self._turn:
            if not self.spot_check(session):
                return False
            self.rebuild(session)
            return True

    def close(self) -> None:
        """Bring everything to the disk and let other processes have the folder."""
        with self._turn:
            if self._unsaved:
                self.save()
            self._metrics = {}
            self._lock_file.close()

    def _reach(self, changes: Changes) -> None:
        self._mark = changes.mark
        self._passed = dict.fromkeys((*self._passed, *changes.passed)[-point_changes.PASSED :])

    def _apply(self, session: Session, changes: Changes) -> int:
        count = 0
        for day, ranges in changes.days.items():
            firsts, lasts = _bounds(ranges)
            for files in self._metrics.values():
                files.clear(day, firsts, lasts)
            for found in point_changes.cells(session, day, ranges):
                for metric, ids, values in found.by_metric():
                    self._files(metric).write(day, ids, values)
                count += len(found)
            for files in self._metrics.values():
                files.release()
        firsts, lasts = _bounds(point_changes.merged(each for ranges in changes.days.values() for each in ranges))
        for files in self._metrics.values():
            files.settle(min(changes.days), firsts, lasts)
            files.release()
        return count

    def _files(self, metric: int) -> MetricFiles:
        found = self._metrics.get(metric)
        if found is None:
            found = self._metrics[metric] = MetricFiles(self._home() / str(metric))
        return found

    def _home(self) -> Path:
        return self._folder / f"made-{self._generation}"

    def _remembered(self) -> tuple[int, Mark | None, bool]:
        """Generation and mark of what lies in the folder, and whether that is of any use."""
        try:
            said = json.loads((self._folder / "state.json").read_text())
            generation, mark = int(said["generation"]), said["mark"]
            usable = said["layout"] == LAYOUT and said["installation"] == self._installation
            return generation, None if mark is None else Mark(int(mark[0]), str(mark[1])), usable
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return 0, None, False

    def _begin_anew(self) -> None:
        self._metrics, self._passed, self._is_known = {}, {}, False
        self._generation += 1
        for old in self._folder.glob("made-*"):
            shutil.rmtree(old)

    def save(self) -> None:
        """Bring the columns to the disk, then say up to where they are whole."""
        for files in self._metrics.values():
            files.flush()
        mark = None if self._mark is None else [self._mark.number, self._mark.recorded_at]
        said = {"layout": LAYOUT, "installation": self._installation, "generation": self._generation, "mark": mark}
        written = self._folder / "state.new"
        with written.open("w") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
        written.replace(self._folder / "state.json")
        self._unsaved = 0


def _bounds(ranges: Sequence[Range]) -> tuple[Ints, Ints]:
    table = np.array(ranges, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
