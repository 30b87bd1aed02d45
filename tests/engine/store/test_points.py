"""Points: idempotent, corrected and never lost, on both databases."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sqlalchemy import select

from engine.store import points
from engine.store.points import Added, PointColumns
from engine.store.sessions import Store
from engine.store.tables import CorrectionRow, PointRow

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)

MakeStore = Callable[[], AbstractContextManager[Store]]
Rows = list[tuple[int, int, int, float]]


def columns(rows: Rows) -> PointColumns:
    """Rows of (day, subject, metric, value)."""
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 4)
    days, subjects, metrics = (table[:, n].astype(np.int64) for n in range(3))
    return PointColumns(subjects, metrics, days, table[:, 3])


def add(store: Store, rows: Rows, at: datetime = AT) -> Added:
    with store.begin() as session:
        return points.add(session, columns(rows), at)


def stored(store: Store) -> Rows:
    with store.read() as session:
        found = session.scalars(select(PointRow).order_by(PointRow.day, PointRow.subject_id, PointRow.metric_id))
        return [(row.day, row.subject_id, row.metric_id, row.value) for row in found]


def corrections(store: Store) -> list[tuple[int, int, int, float, datetime, datetime]]:
    with store.read() as session:
        found = session.scalars(select(CorrectionRow).order_by(CorrectionRow.id)).all()
        return [(r.day, r.subject_id, r.metric_id, r.value, r.recorded_at, r.replaced_at) for r in found]


def test_points_are_stored_once_however_often_they_come(store: Store) -> None:
    rows: Rows = [(20_000, 1, 1, 5.0), (20_001, 1, 1, 6.0), (20_000, 2, 3, -0.5)]
    assert add(store, rows) == Added(new=3)
    assert add(store, rows, AT + timedelta(days=1)) == Added(same=3)
    assert stored(store) == sorted(rows)
    assert corrections(store) == []


def test_a_changed_value_replaces_and_what_it_replaced_is_kept(store: Store) -> None:
    later = AT + timedelta(hours=1)
    add(store, [(20_000, 1, 1, 5.0), (20_000, 2, 1, 7.0)])
    assert add(store, [(20_000, 1, 1, 5.5), (20_000, 2, 1, 7.0), (20_000, 3, 1, 1.0)], later) == Added(1, 1, 1)
    assert stored(store) == [(20_000, 1, 1, 5.5), (20_000, 2, 1, 7.0), (20_000, 3, 1, 1.0)]
    assert corrections(store) == [(20_000, 1, 1, 5.0, AT, later)]


def test_a_point_says_when_its_present_value_was_recorded(store: Store) -> None:
    add(store, [(20_000, 1, 1, 5.0)])
    add(store, [(20_000, 1, 1, 5.0)], AT + timedelta(days=1))
    with store.read() as session:
        assert session.scalars(select(PointRow.recorded_at)).all() == [AT]


def test_of_several_values_for_one_day_the_last_counts(store: Store) -> None:
    assert add(store, [(20_000, 1, 1, 5.0), (20_000, 1, 1, 3.0), (20_000, 1, 1, 4.0)]) == Added(new=1)
    assert stored(store) == [(20_000, 1, 1, 4.0)]


def test_removed_points_are_kept_as_corrections(store: Store) -> None:
    add(store, [(20_000, 1, 1, 5.0), (20_000, 2, 1, 7.0)])
    with store.begin() as session:
        assert points.remove(session, columns([(20_000, 1, 1, 0.0), (20_000, 9, 9, 0.0)]), AT) == 1
    assert stored(store) == [(20_000, 2, 1, 7.0)]
    assert corrections(store) == [(20_000, 1, 1, 5.0, AT, AT)]


def test_nothing_at_all_is_stored_without_complaint(store: Store) -> None:
    assert add(store, []) == Added()


def test_a_value_that_is_no_number_is_never_written(sqlite_store: Store) -> None:
    with pytest.raises(ValueError, match="finite"):
        add(sqlite_store, [(20_000, 1, 1, float("nan"))])


def test_a_single_point_is_recorded_under_its_metrics_name(store: Store) -> None:
    with store.begin() as session:
        assert points.record(session, 7, "report_agreement", 20_000, 4.0, AT) == Added(new=1)
        number = points.metric_ids(session, ["report_agreement"])["report_agreement"]
    assert stored(store) == [(20_000, 7, number, 4.0)]


def test_a_metric_keeps_its_number(store: Store) -> None:
    with store.begin() as session:
        first = points.metric_ids(session, ["b", "a"])
    with store.begin() as session:
        second = points.metric_ids(session, ["c", "a"])
    assert second["a"] == first["a"]
    assert len({*first.values(), *second.values()}) == 3


def test_more_points_than_one_chunk_are_all_stored(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "_CHUNK", 7)
    rows: Rows = [(20_000 + day, subject, 1, float(day)) for subject in range(1, 6) for day in range(10)]
    assert add(store, rows) == Added(new=50)
    assert add(store, rows[::-1]) == Added(same=50)
    assert stored(store) == sorted(rows)


keys = st.tuples(st.integers(20_000, 20_004), st.integers(1, 4), st.integers(1, 3))
batches = st.lists(st.lists(st.tuples(keys, st.sampled_from([0.0, 1.0, 2.5])), max_size=12), max_size=6)


@settings(max_examples=40, deadline=None)
@given(batches=batches)
def test_what_is_stored_is_the_last_value_given_and_every_replaced_value_is_kept(
    make_store: MakeStore, batches: list[list[tuple[tuple[int, int, int], float]]]
) -> None:
    expected: dict[tuple[int, int, int], float] = {}
    replaced = 0
    with make_store() as store:
        for batch in batches:
            add(store, [(*key, value) for key, value in batch])
            replaced += sum(key in expected and expected[key] != value for key, value in dict(batch).items())
            expected |= dict(batch)
        assert stored(store) == sorted((*key, value) for key, value in expected.items())
        assert len(corrections(store)) == replaced
