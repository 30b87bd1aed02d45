"""Which place in the packed columns belongs to which subject: an append-only list of subject ids in one file."""

from pathlib import Path
from typing import TypeAlias

import numpy as np

from engine.evaluation.columns import Ints

Places: TypeAlias = slice | Ints
"""Slots of wanted subjects: a slice where they lie side by side in order, else one number each, -1 for none."""


class Slots:
    """The slots of one metric: slot number → subject id. A subject keeps its slot for ever."""

    def __init__(self, path: Path) -> None:
        self._path = path
        raw = path.read_bytes() if path.exists() else b""
        whole = len(raw) // 8 * 8
        if whole != len(raw):
            # A process died while it wrote; the number it did not finish was never used.
            path.write_bytes(raw[:whole])
        self._set(np.frombuffer(raw[:whole], dtype="<i8").astype(np.int64))

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, ids: Ints) -> Places:
        """The slots of ascending ``ids``."""
        if self._order is None and len(ids):
            start = int(np.searchsorted(self._ids, ids[0]))
            if np.array_equal(self._ids[start : start + len(ids)], ids):
                return slice(start, start + len(ids))
        if not len(self._ids):
            return np.full(len(ids), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self._sorted, ids), len(self._ids) - 1)
        found = place if self._order is None else self._order[place]
        return np.where(self._sorted[place] == ids, found, -1).astype(np.int64)

    def found_or_made(self, ids: Ints) -> Places:
        """The slots of ascending ``ids``, each once; those that have none yet get one."""
        found = self.find(ids)
        if isinstance(found, slice) or not len(found) or found.min() >= 0:
            return found
        new = ids[found < 0]
        # At its place rather than at the end: an earlier attempt may have ended half-way, on a full disk.
        with self._path.open("r+b" if self._path.exists() else "wb") as file:
            file.seek(len(self._ids) * 8)
            file.write(new.astype("<i8").tobytes())
            file.truncate()
        self._set(np.concatenate([self._ids, new]))
        return self.find(ids)

    def between(self, firsts: Ints, lasts: Ints) -> Ints:
        """The slots of all subjects whose ids lie in ranges that do not overlap, ``firsts`` to ``lasts``, included."""
        starts = np.searchsorted(self._sorted, firsts)
        sizes = np.searchsorted(self._sorted, lasts, side="right") - starts
        place = np.repeat(starts - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        return (place if self._order is None else self._order[place]).astype(np.int64, copy=False)

    def _set(self, ids: Ints) -> None:
        self._ids = ids
        # Subjects mostly come in the order of their ids; then nothing has to be sorted or looked up twice.
        self._order = None if len(ids) < 2 or bool((np.diff(ids) > 0).all()) else np.argsort(ids, kind="stable")
        self._sorted = ids if self._order is None else ids[self._order]
