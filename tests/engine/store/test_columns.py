"""The packed columns say what the database says: caught up, made anew, after a death in the middle, and for ever."""

import errno
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sqlalchemy import delete, select, update

from engine.store import point_changes, points
from engine.store.column_files import MetricFiles
from engine.store.columns import CaughtUp, Columns, columns_in, open_columns
from engine.store.points import PointColumns
from engine.store.sessions import Store, connect
from engine.store.tables import PointChangeRow, PointRow
from tests.conftest import MakeStore

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


def said(
    packed: Columns, metrics: Sequence[int], ids: Sequence[int], first: int, last: int
) -> set[tuple[int, int, int, float]]:
    """Everything the columns say, as points."""
    found: set[tuple[int, int, int, float]] = set()
    for metric in metrics:
        grid = packed.grid(metric, np.array(ids, dtype=np.int64), first, last)
        for at, column in zip(*np.nonzero(np.isfinite(grid.values)), strict=True):
            found.add((first + int(at), ids[column], metric, float(grid.values[at, column])))
    return found


def stored(store: Store) -> set[tuple[int, int, int, float]]:
    with store.read() as session:
        rows = session.execute(select(PointRow.day, PointRow.subject_id, PointRow.metric_id, PointRow.value))
        return {(day, subject, metric, value) for day, subject, metric, value in rows}


@pytest.fixture
def packed(store: Store, tmp_path: Path) -> Iterator[Columns]:
    opened = open_columns(store, str(tmp_path / "columns"))
    assert opened is not None
    yield opened
    opened.close()


STEPS = 12
"""So many writes it takes to catch up below."""
IDS = [1, 2, 3, 5, 90, 4_000]
FIRST, LAST = DAY - 70, DAY + 40


def agrees(store: Store, packed: Columns) -> None:
    caught_up(store, packed)
    assert said(packed, [1, 2, 3], IDS, FIRST, LAST) == stored(store)


def knows_the_last_points(store: Store, packed: Columns, metric: int, day: int) -> None:
    """The last point before a day is that of the database, for everybody."""
    grid = packed.grid(metric, np.array(IDS, dtype=np.int64), day, day + 3, lasting=True)
    every = {(when, whose): value for when, whose, of, value in stored(store) if when < day and of == metric}
    for column, subject in enumerate(IDS):
        before = max((when for when, whose in every if whose == subject), default=None)
        assert before is None or every[before, subject] == grid.last_values[column]
        np.testing.assert_equal(grid.last_days[column], np.nan if before is None else before)


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


def test_columns_made_anew_are_the_same(store: Store, packed: Columns) -> None:
    write(store, (DAY, 1, 1, 5.0), (DAY, 4_000, 2, 6.0), (DAY - 65, 5, 2, 1.0))
    agrees(store, packed)
    with store.read() as session:
        assert packed.rebuild(session).anew
    agrees(store, packed)


def test_closed_and_opened_again_only_the_news_are_read(store: Store, tmp_path: Path) -> None:
    folder = str(tmp_path / "columns")
    write(store, *((DAY - age, subject, 1, float(age)) for age in range(30) for subject in (1, 2, 3)))
    with columns_in(store, folder) as packed:
        assert packed is not None
        assert caught_up(store, packed) == 90
    write(store, (DAY, 2, 1, 17.0))
    with columns_in(store, folder) as packed:
        assert packed is not None
        assert caught_up(store, packed) == 1
        agrees(store, packed)


def test_another_process_does_not_get_the_folder(sqlite_store: Store, tmp_path: Path) -> None:
    with columns_in(sqlite_store, str(tmp_path)) as packed:
        assert packed is not None
        assert open_columns(sqlite_store, str(tmp_path)) is None
    with columns_in(sqlite_store, str(tmp_path)) as again:
        assert again is not None


def test_a_folder_that_cannot_be_made_is_done_without(sqlite_store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with columns_in(sqlite_store, str(tmp_path / "file" / "columns")) as packed:
        assert packed is None


def test_the_files_of_another_database_are_thrown_away(make_store: MakeStore, tmp_path: Path) -> None:
    with make_store() as one, make_store() as other:
        write(one, (DAY, 1, 1, 5.0))
        write(other, (DAY, 2, 1, 6.0))
        for store in (one, other, one):
            with columns_in(store, str(tmp_path)) as packed:
                assert packed is not None
                agrees(store, packed)


def test_an_older_copy_of_the_database_is_noticed(sqlite_store: Store, tmp_path: Path) -> None:
    with columns_in(sqlite_store, str(tmp_path / "columns")) as packed:
        assert packed is not None
        write(sqlite_store, (DAY, 1, 1, 5.0))
        write(sqlite_store, (DAY, 2, 1, 5.0))
        agrees(sqlite_store, packed)
        with sqlite_store.begin() as session:  # what a restored backup lacks, and then other changes
            session.execute(delete(PointChangeRow).where(PointChangeRow.id > 1))
            session.execute(delete(PointRow).where(PointRow.subject_id == 2))
        with sqlite_store.begin() as session:
            points.add(session, columns_of([(DAY, 3, 1, 7.0)]), AT + timedelta(seconds=1))
        agrees(sqlite_store, packed)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"layout": 1}', '{"layout": 0, "generation": "x", "mark": [1]}'])
def test_a_state_nobody_can_read_is_no_trouble(sqlite_store: Store, tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    write(sqlite_store, (DAY, 1, 1, 5.0))
    with columns_in(sqlite_store, str(tmp_path)) as packed:
        assert packed is not None
        agrees(sqlite_store, packed)


def test_a_trail_that_was_cut_off_leads_to_columns_made_anew(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_changes, "KEPT", 3)
    with columns_in(sqlite_store, str(tmp_path / "columns")) as packed:
        assert packed is not None
        write(sqlite_store, (DAY, 1, 1, 0.5))
        agrees(sqlite_store, packed)
        for age in range(12):
            write(sqlite_store, (DAY - age, 1, 1, float(age)))
        with sqlite_store.read() as session:
            assert len(session.scalars(select(PointChangeRow)).all()) <= 7
            assert packed.catch_up(session).anew
        agrees(sqlite_store, packed)


def test_a_session_that_looks_at_an_older_state_changes_nothing(store: Store, packed: Columns) -> None:
    """Two cycles at once read from the same columns; the one that began earlier must not make them anew."""
    write(store, (DAY, 1, 1, 5.0))
    caught_up(store, packed)
    with store.read() as earlier:
        earlier.scalar(select(PointChangeRow.id).limit(1))  # from here on it sees this state
        for number in range(3):
            write(store, (DAY, 2, 1, float(number)))
            write(store, (DAY, 3, 1, float(number)))
            caught_up(store, packed)
            assert packed.catch_up(earlier) == CaughtUp(0)
        with store.read() as now:
            packed.rebuild(now)
        assert packed.catch_up(earlier) == CaughtUp(0)
    agrees(store, packed)


def test_a_full_disk_is_an_error_and_not_the_end(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with columns_in(sqlite_store, str(tmp_path / "columns")) as packed:
        assert packed is not None
        write(sqlite_store, (DAY, 1, 1, 5.0))
        caught_up(sqlite_store, packed)
        write(sqlite_store, (DAY, 2, 1, 6.0))
        with monkeypatch.context() as patched:
            patched.setattr("os.posix_fallocate", full)
            with pytest.raises(OSError, match="No space"):
                caught_up(sqlite_store, packed)
        agrees(sqlite_store, packed)


def test_new_subjects_that_only_half_reached_the_disk_get_their_places_again(
    sqlite_store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "columns"
    with columns_in(sqlite_store, str(folder)) as packed:
        assert packed is not None
        write(sqlite_store, (DAY, 1, 1, 5.0))
        caught_up(sqlite_store, packed)
        with next(folder.glob("made-*/1/slots.i8")).open("ab") as file:
            file.write(b"\x5a" * 12)
        write(sqlite_store, (DAY, 2, 1, 6.0), (DAY, 90, 1, 7.0))
        agrees(sqlite_store, packed)
    with columns_in(sqlite_store, str(folder)) as packed:
        assert packed is not None
        assert caught_up(sqlite_store, packed) == 0
        agrees(sqlite_store, packed)


def test_a_difference_is_found_and_mended(store: Store, packed: Columns) -> None:
    """A promise of the columns: they never say for long what the database does not."""
    write(store, (DAY, 1, 1, 5.0), (DAY, 2, 1, 6.0), (DAY, 2, 2, 6.0))
    agrees(store, packed)
    with store.begin() as session:  # past the only module that writes points, as somebody with a console might
        session.execute(update(PointRow).where(PointRow.subject_id == 1).values(value=5.5))
        session.execute(delete(PointRow).where(PointRow.metric_id == 2))
        session.add(PointRow(day=DAY, subject_id=3, metric_id=3, value=1.0, recorded_at=AT))
    with store.read() as session:
        assert packed.catch_up(session).points == 0
        assert packed.differing(session, DAY) == 3
        assert packed.differing(session, DAY - 1) == 0
        assert any(packed.spot_check(session) for _ in range(64))
        packed.rebuild(session)
        assert packed.differing(session, DAY) == 0


@pytest.mark.parametrize("day", [DAY + 1, DAY - 5, DAY - 40])
def test_the_last_point_before_a_span_is_found_however_old_it_is(store: Store, packed: Columns, day: int) -> None:
    write(store, (DAY - 400, 1, 1, 4.0), (DAY - 300, 2, 1, 3.0), (DAY - 6, 2, 1, 2.0), (DAY, 90, 1, 1.0))
    caught_up(store, packed)
    write(store, (DAY - 200, 1, 1, 5.0), (DAY - 350, 3, 1, 6.0))
    take(store, (DAY - 300, 2, 1))
    caught_up(store, packed)
    knows_the_last_points(store, packed, 1, day)


def test_more_subjects_than_a_block_had_room_for(sqlite_store: Store, tmp_path: Path) -> None:
    with columns_in(sqlite_store, str(tmp_path / "columns")) as packed:
        assert packed is not None
        write(sqlite_store, (DAY - 40, 7, 1, 7.0), (DAY, 7, 1, 5.0))
        caught_up(sqlite_store, packed)
        many = list(range(1, 3_000))
        write(sqlite_store, *((DAY, subject, 1, float(subject)) for subject in many))
        write(sqlite_store, (DAY - 40, 2_999, 1, 9.0))
        caught_up(sqlite_store, packed)
        assert said(packed, [1], many, FIRST, LAST) == stored(sqlite_store)
        grid = packed.grid(1, np.array([7, 2_999], dtype=np.int64), DAY, DAY, lasting=True)
        assert grid.last_values.tolist() == [7.0, 9.0]


POINT = st.tuples(
    st.sampled_from([DAY + 40, DAY, DAY - 1, DAY - 31, DAY - 70]), st.sampled_from(IDS), st.integers(1, 3)
)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.lists(st.tuples(POINT, st.floats(-9, 9)), max_size=6)),
        st.tuples(st.just("remove"), st.lists(POINT, max_size=3)),
        st.tuples(st.just("catch up"), st.just([])),
        st.tuples(st.just("open again"), st.just([])),
    ),
    max_size=8,
)


@settings(max_examples=30, deadline=None)
@given(ACTS)
def test_whatever_is_written_in_whatever_order_the_columns_say_the_same(
    make_store: MakeStore, acts: list[tuple[str, list[Any]]]
) -> None:
    with make_store() as store, tempfile.TemporaryDirectory() as folder:
        packed = open_columns(store, folder)
        assert packed is not None
        for act, rows in acts:
            match act:
                case "write":
                    write(store, *((*key, value) for key, value in rows))
                case "remove":
                    take(store, *rows)
                case "open again":
                    packed.close()
                    packed = open_columns(store, folder)
                    assert packed is not None
                case _:
                    caught_up(store, packed)
        agrees(store, packed)
        for metric, day in product((1, 2, 3), (DAY + 41, DAY, DAY - 31, DAY - 69)):
            knows_the_last_points(store, packed, metric, day)
        with store.read() as session:
            assert not any(packed.differing(session, day) for day in {DAY + 40, DAY, DAY - 1, DAY - 31, DAY - 70})
        packed.close()


def die_while_catching_up(url: str, folder: str, steps: int) -> int:
    """Catch up in a process of its own that is killed before it writes for the so many-th time; how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = steps

    def counted(act: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*given: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*given)

        return dying

    for name in ("write", "clear", "settle", "flush", "_carry_over"):
        setattr(MetricFiles, name, counted(getattr(MetricFiles, name)))
    store = connect(url)
    packed = open_columns(store, folder)
    assert packed is not None
    caught_up(store, packed)
    packed.close()
    os._exit(0)


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4, 6, 8, 9, 10, 11, STEPS])
def test_a_process_that_is_killed_while_it_catches_up_loses_nothing(
    sqlite_store: Store, tmp_path: Path, steps: int
) -> None:
    folder = str(tmp_path / "columns")
    write(sqlite_store, (DAY - 40, 1, 1, 5.0), (DAY - 40, 2, 2, 6.0))
    with columns_in(sqlite_store, folder) as packed:
        assert packed is not None
        caught_up(sqlite_store, packed)
    write(sqlite_store, (DAY, 1, 1, 7.0), (DAY, 90, 1, 7.5), (DAY - 40, 1, 1, 5.5))
    take(sqlite_store, (DAY - 40, 2, 2))
    assert die_while_catching_up(str(sqlite_store.engine.url), folder, steps) == (-9 if steps < STEPS else 0)
    with columns_in(sqlite_store, folder) as packed:
        assert packed is not None
        agrees(sqlite_store, packed)
        grid = packed.grid(1, np.array([1], dtype=np.int64), DAY, DAY, lasting=True)
        assert grid.last_values.tolist() == [5.5]
