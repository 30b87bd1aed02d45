"""Fitted scales: they rank as the truth does, only one way each, and are refused where there is too little."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from engine.effect.fitting import fit_scales, monotone

DRAW = np.random.default_rng(7)
USE, NOISE = DRAW.uniform(0, 100, 4_000), DRAW.normal(size=4_000)
KEPT = DRAW.random(4_000) < USE / 100


def test_weights_sum_to_one_and_marks_span_the_whole_scale() -> None:
    found = fit_scales(["use", "noise"], np.column_stack([USE, NOISE]), KEPT)
    assert sum(scale.weight for scale in found) == pytest.approx(1.0)
    for scale in found:
        marks = [mark for _, mark in scale.points]
        assert min(marks) == 0.0
        assert max(marks) == 100.0


def test_what_decides_gets_the_weight_and_what_does_not_gets_little() -> None:
    """S0-04: how a metric bears on keeping accounts is measured, not only stated."""
    weights = {
        scale.metric: scale.weight for scale in fit_scales(["use", "noise"], np.column_stack([USE, NOISE]), KEPT)
    }
    assert weights["use"] > 0.85


def test_a_metric_of_which_less_is_better_gets_falling_marks() -> None:
    (scale,) = fit_scales(["silence"], 100.0 - USE[:, None], KEPT)
    values, marks = zip(*scale.points, strict=True)
    assert list(values) == sorted(values)
    assert list(marks) == sorted(marks, reverse=True)
    assert (marks[0], marks[-1]) == (100.0, 0.0)


def test_unknown_values_neither_count_nor_break_anything() -> None:
    holes = np.where(np.arange(4_000) % 3 == 0, np.nan, USE)
    (scale,) = fit_scales(["use"], holes[:, None], KEPT)
    assert all(np.isfinite(number) for point in scale.points for number in point)


def test_too_few_accounts_are_refused_with_the_numbers() -> None:
    """S3-06: nothing is fitted, and so nothing predicted, below a minimum sample."""
    with pytest.raises(ValueError, match="at least 200 accounts and 20 of either end; there are 100 and 50"):
        fit_scales(["use"], USE[:100, None], np.arange(100) % 2 == 0)
    with pytest.raises(ValueError, match="there are 4000 and 3"):
        fit_scales(["use"], USE[:, None], np.arange(4_000) >= 3)


@settings(max_examples=100, deadline=None)
@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(-10, 10)))
def test_the_monotone_sequence_never_falls_and_keeps_the_mean(values: np.ndarray) -> None:
    found = monotone(values, np.ones(len(values)))
    assert (np.diff(found) >= -1e-12).all()
    assert found.mean() == pytest.approx(values.mean(), abs=1e-9)
