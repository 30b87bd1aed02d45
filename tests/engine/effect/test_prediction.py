"""Chances of grow, flat and churn: they sum to 1, are calibrated out of time, and are refused on little data."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.effect.prediction import Future, Known, Predictor, TooFew, fit_predictor


def drawn(accounts: int = 600, days: int = 12, seed: int = 1, noise: float = 0.0) -> Known:
    """Accounts whose score decides: churn is likelier the lower, growth the higher it is."""
    draw = np.random.default_rng(seed)
    score = draw.uniform(0, 1, size=(days, accounts))
    churn = 1 / (1 + np.exp(4 * (score - 0.3)))
    grow = 1 / (1 + np.exp(-4 * (score - 0.8)))
    luck, more = draw.random((2, days, accounts))
    futures = np.where(luck < churn, Future.CHURN, np.where(more < grow, Future.GROW, Future.FLAT))
    seen = score + noise * draw.normal(size=score.shape)
    number = np.tile(np.arange(accounts), days)
    return Known(np.repeat(np.arange(days) * 30, accounts), number, seen.reshape(-1, 1), futures.ravel().astype(int))


def fitted(known: Known) -> Predictor:
    found = fit_predictor(known)
    assert isinstance(found, Predictor)
    return found


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100))
def test_the_three_chances_sum_to_one(seed: int) -> None:
    """S3-03, S3-04, S3-05: grow, renew flat and churn each have a chance, and the three sum to 1."""
    chances = fitted(drawn(300, seed=seed)).chances(np.linspace(-3, 3, 50)[:, None])
    assert chances.sum(axis=1) == pytest.approx(np.ones(50))
    assert (chances >= 0).all()


def test_a_low_score_churns_and_a_high_one_grows() -> None:
    """S1-01: whether an account is likely to grow or at risk of churning."""
    low, high = fitted(drawn()).chances(np.array([[0.05], [0.95]]))
    assert low[Future.CHURN] > 0.6
    assert high[Future.CHURN] < 0.3
    assert low[Future.GROW] < 0.1
    assert high[Future.GROW] > 0.4


def test_later_accounts_are_given_the_chance_that_comes_true() -> None:
    """S3-06: calibrated out of time; the told chance lies in the interval of what happened, band by band."""
    (churn, grow) = fitted(drawn(1_500)).judged
    assert (churn.future, grow.future) == (Future.CHURN, Future.GROW)
    for judged in (churn, grow):
        assert judged.better_than_base_rate
        inside = [band.low <= band.told <= band.high for band in judged.bands]
        assert sum(inside) >= len(inside) - 1


def test_what_says_nothing_is_no_better_than_the_base_rate() -> None:
    known = drawn()
    blind = Known(known.days, known.accounts, np.random.default_rng(5).normal(size=(len(known.days), 1)), known.futures)
    for judged in fitted(blind).judged:
        assert judged.brier >= judged.brier_of_base_rate - 0.001


def test_the_judged_days_come_after_the_fitted_ones() -> None:
    """Days on which the world turned round are not seen by the fit: it is judged to be worse than the base rate."""
    known = drawn()
    turned = known.days >= 270
    columns = np.where(turned[:, None], 1 - known.columns, known.columns)
    churn, _ = fitted(Known(known.days, known.accounts, columns, known.futures)).judged
    assert not churn.better_than_base_rate


def test_too_few_accounts_are_refused_with_the_number_that_is_missing() -> None:
    """S3-06: no prediction below the minimum sample."""
    assert fit_predictor(drawn(150)) == TooFew(
        "50 more accounts with a known end are needed to fit, set and judge a prediction"
    )


def test_too_few_of_a_kind_are_refused() -> None:
    known = drawn()
    nobody_grew = np.where(known.futures == Future.GROW, Future.FLAT, known.futures)
    assert fit_predictor(Known(known.days, known.accounts, known.columns, nobody_grew)) == TooFew(
        "20 more accounts that grew are needed to tell them apart"
    )


def test_fewer_than_three_days_cannot_be_judged_out_of_time() -> None:
    assert isinstance(fit_predictor(drawn(days=2)), TooFew)


def test_an_unknown_value_has_no_chances() -> None:
    assert np.isnan(fitted(drawn()).chances(np.array([[np.nan]]))).all()
