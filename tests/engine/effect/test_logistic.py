"""Logistic regression: the known solution, the bound at zero, and what cannot be fitted."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.effect.logistic import fit_logistic


def test_one_column_of_two_values_gives_the_odds_of_the_table() -> None:
    """30 of 40 where x is 1 and 10 of 60 where it is 0: intercept log(10/50), slope log(30/10) - log(10/50)."""
    column = np.array([1.0] * 40 + [0.0] * 60)[:, None]
    happened = np.array([True] * 30 + [False] * 10 + [True] * 10 + [False] * 50)
    found = fit_logistic(column, happened, ridge=0.0)
    assert found.intercept == pytest.approx(np.log(10 / 50))
    assert found.slopes[0] == pytest.approx(np.log(30 / 10) - np.log(10 / 50))
    assert found.chances(np.array([[1.0], [0.0]])) == pytest.approx([0.75, 1 / 6])


def test_a_coefficient_that_would_be_negative_stays_at_zero_where_that_is_asked() -> None:
    draw = np.random.default_rng(3)
    columns = draw.normal(size=(500, 2))
    happened = draw.random(500) < 1 / (1 + np.exp(-(columns[:, 0] - columns[:, 1])))
    assert fit_logistic(columns, happened).slopes[1] < -0.5
    bounded = fit_logistic(columns, happened, never_negative=True).slopes
    assert bounded[1] == 0.0
    assert bounded[0] > 0.5


def test_perfectly_separated_outcomes_converge_because_of_the_penalty() -> None:
    column = np.arange(10.0)[:, None]
    chances = fit_logistic(column, np.arange(10) >= 5).chances(column)
    assert np.isfinite(chances).all()
    assert (np.diff(chances) > 0).all()


def test_outcomes_that_are_all_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing to tell apart"):
        fit_logistic(np.ones((5, 1)), np.ones(5, dtype=np.bool_))


def test_an_unknown_value_has_an_unknown_chance() -> None:
    fitted = fit_logistic(np.arange(10.0)[:, None], np.arange(10) % 3 == 0)
    assert np.isnan(fitted.chances(np.array([[np.nan]]))).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_mean_chance_equals_the_share_that_happened(seed: int, width: int) -> None:
    """The intercept is not penalised, so the fit is right on average (the score equation of the intercept)."""
    draw = np.random.default_rng(seed)
    columns = draw.normal(size=(80, width)) * draw.uniform(0.1, 10)
    happened = draw.random(80) < 0.3
    happened[:2] = [True, False]
    assert fit_logistic(columns, happened).chances(columns).mean() == pytest.approx(happened.mean(), abs=1e-6)
