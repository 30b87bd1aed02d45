"""Light use is an outlier or the norm, worked out by hand."""

import numpy as np
from hypothesis import given, strategies as st

from engine.evaluation.cohorts import Use, compare, describe, quarters
from engine.evaluation.columns import Texts

NAN = float("nan")


def one_cohort(size: int) -> Texts:
    return Texts(np.zeros(size, dtype=np.int64), ("2026 Q1",))


def test_light_use_among_heavy_users_is_an_outlier() -> None:
    """S3-39: twenty accounts use 50 to 69 units and one uses 3."""
    values = np.array([3.0, *range(50, 70)])
    assert compare(values, one_cohort(21), 20.0) == (Use.OUTLIER, *[Use.FINE] * 20)


def test_light_use_among_light_users_is_the_norm() -> None:
    """S3-39: most of the cohort is light, so this account is like the others."""
    values = np.array([3.0] * 15 + [60.0] * 10)
    assert compare(values, one_cohort(25), 20.0) == (*[Use.NORM] * 15, *[Use.FINE] * 10)


def test_a_cohort_of_fewer_than_twenty_says_nothing() -> None:
    assert set(compare(np.array([3.0] * 19), one_cohort(19), 20.0)) == {Use.UNKNOWN}


def test_an_unknown_value_and_an_unknown_cohort_are_not_judged() -> None:
    cohorts = Texts(np.array([0] * 21 + [-1], dtype=np.int64), ("2026 Q1",))
    found = compare(np.array([NAN, *range(50, 70), 3.0]), cohorts, 20.0)
    assert (found[0], found[-1]) == (Use.UNKNOWN, Use.UNKNOWN)


def test_a_cohort_is_described_by_its_known_values() -> None:
    """S3-40: usage patterns of cohorts are observable. 1 … 5: quartiles 2, 3, 4; lowest tenth 1.4; two below 3."""
    (cohort,) = describe(np.array([1.0, 2.0, 3.0, 4.0, 5.0, NAN]), one_cohort(6), 3.0)
    assert (cohort.accounts, cohort.known, cohort.light) == (6, 5, 2)
    assert (cohort.lowest_tenth, cohort.lower, cohort.median, cohort.upper) == (1.4, 2.0, 3.0, 4.0)


def test_accounts_are_put_in_the_quarter_in_which_they_began() -> None:
    """2026-01-01 is day 20454, 2025-12-31 the day before, 2026-04-01 day 20544."""
    found = quarters(np.array([20454.0, 20453.0, 20544.0, NAN]))
    assert found.words == ("2025 Q4", "2026 Q1", "2026 Q2")
    assert found.codes.tolist() == [1, 0, 2, -1]


@given(st.lists(st.floats(0, 100), min_size=20, max_size=60), st.floats(0, 100))
def test_nobody_at_or_above_the_limit_is_called_light(values: list[float], limit: float) -> None:
    found = compare(np.array(values), one_cohort(len(values)), limit)
    assert all(use is Use.FINE for use, value in zip(found, values, strict=True) if value >= limit)
