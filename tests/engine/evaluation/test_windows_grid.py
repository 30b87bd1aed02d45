"""A grid of days and a list of points say the same of every window, to the last bit."""

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import given, settings, strategies as st

from engine.evaluation import windows, windows_grid
from engine.evaluation.columns import Floats, Ints
from engine.evaluation.facts import Grid
from tests.engine.evaluation.portfolio import AT, series

SPAN = 40
VALUES = st.floats(-1e15, 1e15) | st.floats(-1e3, 1e3) | st.integers(-5, 5).map(float)
ROWS = st.lists(
    st.dictionaries(st.integers(0, SPAN - 1) | st.integers(60, 90), VALUES, max_size=30), min_size=1, max_size=5
)


def grid(*rows: Mapping[int, float]) -> Grid:
    """Each row maps the age of a point in days to its value, as in `series`; at most one of them before the span."""
    values = np.full((SPAN, len(rows)), np.nan)
    days, last = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for row, ages in enumerate(rows):
        for age, value in ages.items():
            if age < SPAN:
                values[SPAN - 1 - age, row] = value
            else:
                days[row], last[row] = AT - age, value
    return Grid(AT - SPAN + 1, values, days, last)


def one_before(ages: Mapping[int, float]) -> dict[int, float]:
    """Of the points before the span only the last, as the store hands them out."""
    last = min((age for age in ages if age >= SPAN), default=None)
    return {age: value for age, value in ages.items() if age < SPAN or age == last}


def same(one: Floats | Ints, other: Floats | Ints) -> None:
    assert one.shape == other.shape
    assert one.astype(np.float64).tobytes() == other.astype(np.float64).tobytes()


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(0, SPAN), st.integers(1, 120), st.integers(0, 4), st.integers(0, 100))
def test_every_window_is_the_same_of_both_to_the_last_bit(
    rows: Sequence[Mapping[int, float]], ago: int, days: int, decimals: int, stale_after: int
) -> None:
    rows = [one_before(row) for row in rows]
    dense, sparse, size, day = grid(*rows), series(*rows), len(rows), AT - ago
    first = np.array([AT - 3.0 * at if at % 4 else np.nan for at in range(size)])
    for look in (windows.mean, windows.slope):
        same(look(dense, size, day, days, decimals), look(sparse, size, day, days, decimals))
    for one, other in zip(
        windows.total(dense, size, day, days, decimals), windows.total(sparse, size, day, days, decimals), strict=True
    ):
        same(one, other)
    same(windows.latest(dense, size, day, stale_after), windows.latest(sparse, size, day, stale_after))
    same(windows.days_since(dense, size, day), windows.days_since(sparse, size, day))
    same(
        windows.total_since(dense, size, day, first, decimals), windows.total_since(sparse, size, day, first, decimals)
    )
    same(windows.matrix(dense, size, day, days), windows.matrix(sparse, size, day, days))
    for row in range(size):
        assert windows.days_of(dense, row).tolist() == windows.days_of(sparse, row).tolist()


@settings(max_examples=60, deadline=None)
@given(ROWS, st.data(), st.integers(0, 20))
def test_what_is_added_up_over_contacts_is_the_same_of_both(
    rows: Sequence[Mapping[int, float]], data: st.DataObject, ago: int
) -> None:
    rows = [one_before(row) for row in rows]
    owners = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows))), dtype=np.int64)
    dense, sparse = windows.summed(grid(*rows), owners, 3), windows.summed(series(*rows), owners, 3)
    same(windows.latest(dense, 3, AT - ago), windows.latest(sparse, 3, AT - ago))
    same(windows.mean(dense, 3, AT - ago, SPAN - ago, 2), windows.mean(sparse, 3, AT - ago, SPAN - ago, 2))


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_a_grid_lists_its_points(rows: Sequence[Mapping[int, float]]) -> None:
    rows = [one_before(row) for row in rows]
    found, expected = windows_grid.listed(grid(*rows)), series(*rows)
    assert found.rows.tolist() == expected.rows.tolist()
    assert found.days.tolist() == expected.days.tolist()
    same(found.values, expected.values)


def test_nobody_at_all_is_no_trouble() -> None:
    nobody = Grid(AT - 9, np.zeros((10, 0)), np.zeros(0), np.zeros(0))
    for look in (windows.mean, windows.slope):
        assert look(nobody, 0, AT, 5, 2).shape == (0,)
    assert windows.latest(nobody, 0, AT).shape == (0,)
    assert windows.days_since(nobody, 0, AT).shape == (0,)
