"""Figures of accuracy, worked out by hand, and the laws they keep."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from engine.evaluation.accuracy import auc, average_precision, brier, precision_at_top

RISKS = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
HAPPENED = np.array([True, False, True, False, False])


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    """Pairs (it happened, it did not): 0.9 beats 3, 0.7 beats 2 of 3: 5 of 6."""
    assert auc(RISKS, HAPPENED) == pytest.approx(5 / 6)


def test_a_tie_counts_half() -> None:
    assert auc(np.array([1.0, 1.0]), np.array([True, False])) == 0.5


def test_auc_is_unknown_where_all_outcomes_are_the_same() -> None:
    assert np.isnan(auc(RISKS, np.ones(5, dtype=np.bool_)))


def test_average_precision_weighs_precision_by_the_recall_won() -> None:
    """First hit at rank 1 (1/1), second at rank 3 (2/3): (1 + 2/3) / 2."""
    assert average_precision(RISKS, HAPPENED) == pytest.approx((1 + 2 / 3) / 2)


def test_average_precision_of_a_constant_is_the_base_rate() -> None:
    assert average_precision(np.zeros(5), HAPPENED) == pytest.approx(0.4)


def test_precision_at_the_top_averages_over_ties_at_the_cut() -> None:
    """The top 40 % are two: 0.9 happened, 0.8 did not. All tied: the base rate."""
    assert precision_at_top(RISKS, HAPPENED, 0.4) == pytest.approx(0.5)
    assert precision_at_top(np.zeros(5), HAPPENED, 0.4) == pytest.approx(0.4)


def test_brier_is_the_mean_squared_difference() -> None:
    assert brier(np.array([0.8, 0.3]), np.array([True, False])) == pytest.approx((0.2**2 + 0.3**2) / 2)


@given(st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_equals_the_count_over_all_pairs_and_turns_round_with_the_order(rows: list[tuple[int, bool]]) -> None:
    risks, happened = np.array([float(r) for r, _ in rows]), np.array([h for _, h in rows])
    pairs = [(a > b) + (a == b) / 2 for a in risks[happened] for b in risks[~happened]]
    if not pairs:
        assert np.isnan(auc(risks, happened))
        return
    assert auc(risks, happened) == pytest.approx(sum(pairs) / len(pairs))
    assert auc(-risks, happened) == pytest.approx(1 - auc(risks, happened))
