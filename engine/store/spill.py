"""Rows of one body on their way to the database: kept on disk once they are many, given back in the order of the key.

Sorting them there, run by run, is what lets one transaction write them in order with little memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.accepting import Accepted
from engine.evaluation.columns import Ints

ROWS: Final = 200_000
"""So many rows make a run, and about so many come back at once."""

_STRIDE: Final = 1_024
_ROW: Final = np.dtype([("subject", "<i8"), ("metric", "<i4"), ("day", "<i4"), ("value", "<f8")])
_SUBJECT_BITS: Final = 40

_Rows = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """One sorted run: where it begins in the file (rows), how long it is, and the key of every 1,024th row."""

    start: int
    length: int
    sample: Ints


class Spill:
    """A temporary file of rows. Rows with one day and subject come back in the order they went
    in, whatever came between."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._runs: list[_Run] = []
        self._waiting: list[_Rows] = []
        self._count = 0

    def close(self) -> None:
        """Give the disk back."""
        if self._file is not None:
            self._file.close()

    def add(self, points: Accepted) -> None:
        """Keep some rows."""
        rows = np.empty(len(points), dtype=_ROW)
        rows["subject"], rows["metric"] = points.subjects, points.metrics
        rows["day"], rows["value"] = points.days, points.values
        self._waiting.append(rows)
        self._count += len(rows)
        if self._count >= ROWS:
            self._put_down()

    def chunks(self) -> Iterator[Accepted]:
        """All rows, sorted by day and subject; no day of a subject is split between two chunks."""
        if not self._runs:
            yield from [_accepted(_sorted(self._waiting))] if self._count else []
            return
        if self._count:
            self._put_down()
        ends = self._ends()
        starts = [0] * len(self._runs)
        for end in ends:
            parts = [self._read(run, a, b) for run, a, b in zip(self._runs, starts, end, strict=True) if b > a]
            starts = end
            if parts:
                yield _accepted(_sorted(parts))

    def _put_down(self) -> None:
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115  (closed with the spill)
        rows = _sorted(self._waiting)
        start = self._runs[-1].start + self._runs[-1].length if self._runs else 0
        self._file.write(rows.tobytes())
        self._runs.append(_Run(start, len(rows), _keys(rows[::_STRIDE])))
        self._waiting, self._count = [], 0

    def _ends(self) -> list[list[int]]:
        """Where each chunk ends in each run."""
        sample = np.sort(np.concatenate([run.sample for run in self._runs]))
        limits = np.unique(sample[ROWS // _STRIDE :: max(1, ROWS // _STRIDE)]).tolist()
        return [*([self._before(run, limit) for run in self._runs] for limit in limits), [r.length for r in self._runs]]

    def _before(self, run: _Run, key: int) -> int:
        """How many rows of a run lie before a key."""
        block = max(0, int(np.searchsorted(run.sample, key)) - 1)
        rows = self._read(run, block * _STRIDE, min(run.length, (block + 1) * _STRIDE))
        return block * _STRIDE + int(np.searchsorted(_keys(rows), key))

    def _read(self, run: _Run, start: int, end: int) -> _Rows:
        if self._file is None:
            raise ValueError("nothing was put down yet")
        self._file.seek((run.start + start) * _ROW.itemsize)
        return np.frombuffer(self._file.read((end - start) * _ROW.itemsize), dtype=_ROW)


def _sorted(parts: list[_Rows]) -> _Rows:
    rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
    keys = _keys(rows)
    if (keys[1:] >= keys[:-1]).all():
        return rows
    return rows[np.argsort(keys, kind="stable")]


def _keys(rows: _Rows) -> Ints:
    keys: Ints = (rows["day"].astype(np.int64) << _SUBJECT_BITS) | rows["subject"]
    return keys


def _accepted(rows: _Rows) -> Accepted:
    subjects, metrics, days = (rows[name].astype(np.int64) for name in ("subject", "metric", "day"))
    return Accepted(subjects, metrics, days, rows["value"].astype(np.float64))
