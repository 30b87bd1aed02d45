"""The packed columns say what the database says: caught up, made anew, after a death in the middle, and for ever."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from engine.store import points
from engine.store.columns import Columns, open_columns
from engine.store.points import PointColumns
from engine.store.sessions import Store
from engine.store.tables import PointRow

AT = datetime(2026, 9, 1, 20, tzinfo=UTC)
DAY = 20_000

Rows = Sequence[tuple[int, int, int, float]]
"""Points as day, subject, metric, value."""


def columns_of(rows: Rows) -> PointColumns:
    table = np.array([row[:3] for row in rows], dtype=np.int64).reshape(-1, 3)
    values = np.array([row[3] for row in rows], dtype=np.float64)
    return PointColumns(table[:, 1], table[:, 2], table[:, 0], values)


def write(store: Store, *rows: tuple[int, int, int, float]) -> None:
    with store.begin() as session:
        points.add(session, columns_of(rows), AT)


def take(store: Store, *rows: tuple[int, int, int]) -> None:
    with store.begin() as session:
        points.remove(session, columns_of([(*row, 0.0) for row in rows]), AT)


def caught_up(store: Store, packed: Columns) -> int:
    with store.read() as session:
        return packed.catch_up(session).points


def said(packed: Columns, metrics: Sequence[int], ids: Sequence[int], first: int, last: int) -> set[tuple[int, ...]]:
    """Everything the columns say, as points."""
    found = set()
    for metric in metrics:
        grid = packed.grid(metric, np.array(ids, dtype=np.int64), first, last)
        for at, column in zip(*np.nonzero(np.isfinite(grid.values)), strict=True):
            found.add((first + int(at), ids[column], metric, float(grid.values[at, column])))
    return found


def stored(store: Store) -> set[tuple[int, ...]]:
    with store.read() as session:
        rows = session.execute(select(PointRow.day, PointRow.subject_id, PointRow.metric_id, PointRow.value))
        return {tuple(row) for row in rows}


@pytest.fixture
def packed(store: Store, tmp_path: Path) -> Iterator[Columns]:
    opened = open_columns(store, str(tmp_path / "columns"))
    assert opened is not None
    yield opened
    opened.close()


IDS = [1, 2, 3, 5, 90, 4_000]
FIRST, LAST = DAY - 70, DAY + 40


def agrees(store: Store, packed: Columns) -> None:
    caught_up(store, packed)
    assert said(packed, [1, 2, 3], IDS, FIRST, LAST) == stored(store)


def test_what_was_written_is_said(store: Store, packed: Columns) -> None:
    write(store, (DAY, 1, 1, 5.0), (DAY, 90, 2, -0.5), (DAY - 40, 1, 1, 7.25))
    agrees(store, packed)


def test_corrections_removals_and_new_subjects_are_caught_up_with(store: Store, packed: Columns) -> None:
    write(store, (DAY, 1, 1, 5.0), (DAY, 2, 1, 6.0), (DAY, 5, 2, 1.0))
    agrees(store, packed)
    write(store, (DAY, 1, 1, 4.0), (DAY, 3, 1, 9.0), (DAY - 60, 4_000, 3, 2.0))
    agrees(store, packed)
    take(store, (DAY, 2, 1))
    agrees(store, packed)
    assert caught_up(store, packed) == 0
