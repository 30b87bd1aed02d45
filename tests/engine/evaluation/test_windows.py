"""Windows over series: exact sums, last points, slopes, and what lies outside."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.evaluation import windows
from engine.evaluation.facts import Series
from tests.engine.evaluation.portfolio import AT, series

POINTS = st.dictionaries(st.integers(0, 40), st.floats(-1e6, 1e6).map(lambda value: round(value, 2)), max_size=25)


def cut(known: Series, last: int) -> Series:
    kept = known.days <= last
    return Series(known.rows[kept], known.days[kept], known.values[kept])


@settings(max_examples=60, deadline=None)
@given(st.lists(POINTS, min_size=1, max_size=4), st.integers(1, 40), st.integers(0, 10))
def test_a_window_s_sum_is_the_exact_sum_of_its_points(rows: list[dict[int, float]], days: int, ago: int) -> None:
    known = series(*rows)
    sums, counts = windows.total(known, len(rows), AT - ago, days, 2)
    for row, points in enumerate(rows):
        inside = [value for age, value in points.items() if ago <= age < ago + days]
        assert counts[row] == len(inside)
        assert sums[row] == sum(round(value * 100) for value in inside)


@settings(max_examples=60, deadline=None)
@given(st.lists(POINTS, min_size=1, max_size=4), st.integers(1, 30), st.integers(0, 30))
def test_points_after_the_day_change_nothing(rows: list[dict[int, float]], days: int, ago: int) -> None:
    whole, known = series(*rows), cut(series(*rows), AT - ago)
    for look in (windows.mean, windows.slope):
        expected = look(known, len(rows), AT - ago, days, 2)
        np.testing.assert_array_equal(look(whole, len(rows), AT - ago, days, 2), expected)
    np.testing.assert_array_equal(
        windows.latest(whole, len(rows), AT - ago, 5), windows.latest(known, len(rows), AT - ago, 5)
    )


def test_the_latest_value_is_unknown_once_it_is_older_than_allowed() -> None:
    known = series({14: 7.0}, {15: 7.0}, {})
    assert windows.latest(known, 3, AT, 14)[0] == 7.0
    assert np.isnan(windows.latest(known, 3, AT, 14)[1:]).all()
    assert windows.latest(known, 3, AT).tolist()[:2] == [7.0, 7.0]


def test_days_since_counts_from_the_last_point_and_never_any_is_unknown() -> None:
    found = windows.days_since(series({3: 1.0, 9: 1.0}, {}), 2, AT)
    assert found[0] == 3
    assert np.isnan(found[1])


def test_a_slope_is_the_change_per_day_of_the_fitted_line() -> None:
    line = {age: 50.0 - 2.0 * age for age in range(10)}
    noisy = {age: 50.0 - 2.0 * age + (0.5 if age % 2 else -0.5) for age in range(10)}
    found = windows.slope(series(line, noisy, {0: 1.0}), 3, AT, 10, 2)
    assert found[0] == pytest.approx(2.0)
    ages = np.arange(10.0)
    assert found[1] == pytest.approx(-np.polyfit(ages, [noisy[int(age)] for age in ages], 1)[0])
    assert np.isnan(found[2])


def test_amounts_since_a_day_of_each_account_s_own_are_added_up() -> None:
    known = series({5: 1.0, 3: 2.0, 0: 4.0}, {5: 1.0, 3: 2.0, 0: 4.0}, {1: 1.0})
    first = np.array([AT - 3.0, AT - 10.0, np.nan])
    found = windows.total_since(known, 3, AT, first, 0)
    assert found[:2].tolist() == [6.0, 7.0]
    assert np.isnan(found[2])


def test_contacts_are_added_up_to_their_accounts() -> None:
    found = windows.summed(series({1: 2.0}, {1: 3.0, 0: 1.0}, {0: 5.0}), np.array([0, 0, 1]), 2)
    assert isinstance(found, Series)
    assert found.rows.tolist() == [0, 0, 1]
    assert found.days.tolist() == [AT - 1, AT, AT]
    assert found.values.tolist() == [5.0, 1.0, 5.0]
