"""The packed points of one metric on disk: a file per 32 days, a row per day, eight bytes per subject.

A value is stored as its bits combined with those of "none", so that a stretch nobody ever wrote (a hole in a sparse
file, which reads as zeros) says "none" and takes no room. Beside each block lies what came before it: the day and the
value of each subject's last point before the block, so that what never gets stale is found without reading history.
"""

import mmap
import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.columns import Floats, Ints
from engine.store.column_slots import Places, Slots

DAYS: Final = 32
"""Days in one file."""

ALL: Final = 1 << 62
"""Beyond every subject's id."""

_NONE: Final = np.uint64(0x7FF8_0000_0000_0000)
_PAGE: Final = 512  # numbers in a page of memory: every row begins with one

Packed: TypeAlias = NDArray[np.uint64]


class MetricFiles:
    """Reads and writes the points of one metric. Not safe for threads; `engine.store.columns` takes turns."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.slots = Slots(folder / "slots.i8")
        self._maps: dict[str, _Mapped] = {}
        self._touched: set[str] = set()
        self._blocks = sorted(int(path.stem) for path in folder.glob("*.f8") if path.stat().st_size)

    def write(self, day: int, ids: Ints, values: Floats) -> None:
        """Set the values of ascending subjects, each once, on one day; then `settle` what lies after it."""
        places = self.slots.found_or_made(ids)
        rows = self._room(day // DAYS)
        self._reserve(f"{day // DAYS}.f8", rows, day % DAYS, places)
        rows[day % DAYS, places] = np.ascontiguousarray(values).view(np.uint64) ^ _NONE

    def clear(self, day: int, firsts: Ints, lasts: Ints) -> None:
        """Take away what the subjects with ids from ``firsts`` to ``lasts`` have on one day; then `settle`."""
        if day // DAYS in self._blocks:
            row = self._rows(day // DAYS)[day % DAYS]
            places = _within(self.slots.between(firsts, lasts), len(row))
            # Only what is there: writing zeros into a hole would fill it.
            row[places[row[places] != 0]] = 0

    def read(self, ids: Ints, first: int, last: int) -> NDArray[np.float64]:
        """The values of ascending subjects from day ``first`` to ``last``, float64[days, subjects], NaN for none."""
        found = np.full((last - first + 1, len(ids)), _NONE, dtype=np.uint64)
        places = self.slots.find(ids)
        for block in self._blocks:
            start, end = max(block * DAYS, first), min((block + 1) * DAYS, last + 1)
            if start < end:
                rows = self._rows(block)[start - block * DAYS : end - block * DAYS]
                _decode(rows, places, found[start - first : end - first])
        return found.view(np.float64)

    def last_before(self, ids: Ints, day: int) -> tuple[Floats, Floats]:
        """Day and value of each subject's last point before ``day``; NaN where there is none."""
        places = self.slots.find(ids)
        days, values = _nothing(len(ids)), _nothing(len(ids))
        earlier = [block for block in self._blocks if block * DAYS < day]
        if earlier:
            self._overlay(earlier[-1], places, day, days, values)
        return days.view(np.float64), values.view(np.float64)

    def settle(self, day: int, firsts: Ints, lasts: Ints) -> None:
        """Bring what later blocks know of the time before them in line with what changed on or after ``day``, for
        subjects with ids from ``firsts`` to ``lasts``."""
        known = [each for each in self._blocks if each >= day // DAYS]
        places = self.slots.between(firsts, lasts) if len(known) > 1 else np.zeros(0, dtype=np.int64)
        for before, each in pairwise(known):
            self._carry_over(before, each, places, self._rows(each).shape[1])

    def days(self) -> list[int]:
        """The days on which there may be points."""
        return [block * DAYS + row for block in self._blocks for row in range(DAYS)]

    def count(self, day: int, first: int = 0, last: int = ALL) -> int:
        """How many subjects with ids ``first`` to ``last`` have a point on a day."""
        if day // DAYS not in self._blocks:
            return 0
        row = self._rows(day // DAYS)[day % DAYS]
        places = self.slots.between(np.array([first]), np.array([last]))
        return int(np.count_nonzero(row[_within(places, len(row))]))

    def flush(self) -> None:
        """Return once everything written is on the disk."""
        for each in self._maps.values():
            each.memory.flush()

    def release(self) -> None:
        """Let go of the memory of what was touched; it stays in the system's cache, written or not, and comes back from
        there when it is touched again."""
        for name in self._touched & self._maps.keys():
            self._maps[name].release()
        self._touched.clear()

    def _carry_over(self, before: int, block: int, places: Ints, width: int) -> None:
        carried = self._open(f"{block}.last", 2, width)
        places = _within(places, carried.shape[1])
        days, values = _nothing(len(places)), _nothing(len(places))
        self._overlay(before, places, block * DAYS, days, values)
        for row in range(2):
            self._reserve(f"{block}.last", carried, row, places)
        carried[0, places], carried[1, places] = days ^ _NONE, values ^ _NONE

    def _overlay(self, block: int, places: Places, before: int, days: Packed, values: Packed) -> None:
        """Write the last point in or before ``block`` and before day ``before`` into ``days`` and ``values``."""
        rows = self._rows(block)
        todo = np.arange(len(days))
        for row in range(min(before - block * DAYS, DAYS) - 1, -1, -1):
            stored = _pick(rows[row], places, todo)
            hit = stored != 0
            values[todo[hit]] = stored[hit] ^ _NONE
            days[todo[hit]] = np.float64(block * DAYS + row).view(np.uint64)
            todo = todo[~hit]
            if not len(todo):
                return
        if _size(self._folder / f"{block}.last"):
            carried = self._open(f"{block}.last", 2)
            days[todo] = _pick(carried[0], places, todo) ^ _NONE
            values[todo] = _pick(carried[1], places, todo) ^ _NONE

    def _room(self, block: int) -> Packed:
        """The rows of a block, made or widened so that every slot has room."""
        if block in self._blocks:
            found = self._rows(block)
            return found if found.shape[1] >= len(self.slots) else self._widened(block)
        width = _roomy(len(self.slots))
        earlier = [each for each in self._blocks if each < block]
        if earlier:
            # First what came before, then the block: a block that exists knows its past, whenever a process dies.
            self._carry_over(earlier[-1], block, np.arange(len(self.slots)), width)
        self._blocks = sorted([*self._blocks, block])
        return self._open(f"{block}.f8", DAYS, width)

    def _reserve(self, name: str, rows: Packed, row: int, places: Places) -> None:
        """Ask for room on the disk before it is written to. Raises OSError where there is none: a write to a mapped
        file that has no room would end the process."""
        size = places.stop - places.start if isinstance(places, slice) else len(places)
        if not size or not hasattr(os, "posix_fallocate"):
            return
        first, last = (
            (places.start, places.stop - 1) if isinstance(places, slice) else (int(places.min()), int(places.max()))
        )
        with (self._folder / name).open("r+b") as file:
            os.posix_fallocate(file.fileno(), (row * rows.shape[1] + first) * 8, (last - first + 1) * 8)

    def _rows(self, block: int) -> Packed:
        return self._open(f"{block}.f8", DAYS)

    def _widened(self, block: int) -> Packed:
        width = _roomy(len(self.slots))
        for name, height in ((f"{block}.last", 2), (f"{block}.f8", DAYS)):
            if _size(self._folder / name):
                narrow, wide = self._open(name, height), self._open(f"{name}.new", height, width)
                for row in range(height):
                    known = np.flatnonzero(narrow[row])
                    self._reserve(f"{name}.new", wide, row, known)
                    wide[row, known] = narrow[row, known]
                self._maps[f"{name}.new"].memory.flush()
                (self._folder / f"{name}.new").replace(self._folder / name)
                self._maps[name] = self._maps.pop(f"{name}.new")
        return self._rows(block)

    def _open(self, name: str, rows: int, width: int = 0) -> Packed:
        """A file as a table; made (anew, where it is the ``.new`` of another) with ``width`` where it is not there."""
        found = self._maps.get(name)
        self._touched.add(name)
        if found is None:
            path = self._folder / name
            if not _size(path) or name.endswith(".new"):
                with path.open("wb") as file:
                    file.truncate(rows * width * 8)
            found = self._maps[name] = _mapped(path, rows)
        return found.table


@dataclass(frozen=True, slots=True)
class _Mapped:
    """A file as a table in memory."""

    table: Packed
    memory: mmap.mmap

    def release(self) -> None:
        """Let go of its pages."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self.memory.madvise(mmap.MADV_DONTNEED)


def _mapped(path: Path, rows: int) -> _Mapped:
    with path.open("r+b") as file:
        memory = mmap.mmap(file.fileno(), 0)
    return _Mapped(np.frombuffer(memory, dtype=np.uint64).reshape(rows, -1), memory)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _within(places: Ints, width: int) -> Ints:
    return places if not len(places) or places.max() < width else places[places < width]


def _decode(rows: Packed, places: Places, out: Packed) -> None:
    width = rows.shape[1]
    if isinstance(places, slice):
        start, end = min(places.start, width), min(places.stop, width)
        np.bitwise_xor(rows[:, start:end], _NONE, out=out[:, : end - start])
        return
    there = np.flatnonzero((places >= 0) & (places < width))
    out[:, there] = rows[:, places[there]] ^ _NONE


def _pick(row: Packed, places: Places, chosen: Ints) -> Packed:
    """The stored numbers of some of ``places``; 0 where a place is no slot or lies beyond the row."""
    slots = chosen + places.start if isinstance(places, slice) else places[chosen]
    there = (slots >= 0) & (slots < len(row))
    return np.where(there, row[np.where(there, slots, 0)], np.uint64(0))


def _nothing(size: int) -> Packed:
    return np.full(size, _NONE, dtype=np.uint64)


def _roomy(slots: int) -> int:
    """Room for half as many subjects again, in whole pages: a hole takes no room."""
    return -(-max(slots * 3 // 2, 2 * _PAGE) // _PAGE) * _PAGE
