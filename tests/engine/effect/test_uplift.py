"""Newcombe's interval against the published examples, and laws that every interval keeps."""

import pytest
from hypothesis import given, strategies as st

from engine.effect.uplift import Proportion, needed_per_arm, newcombe, quantile, ratio_p, wilson

counts = st.integers(1, 400).flatmap(lambda n: st.integers(0, n).map(lambda met: Proportion(met, n)))


@pytest.mark.parametrize(
    ("treated", "held_out", "low", "high"),
    [
        (Proportion(56, 70), Proportion(48, 80), 0.0524, 0.3339),
        (Proportion(9, 10), Proportion(3, 10), 0.1705, 0.8090),
        (Proportion(6, 7), Proportion(2, 7), 0.0582, 0.8062),
        (Proportion(5, 56), Proportion(0, 29), -0.0381, 0.1926),
        (Proportion(0, 10), Proportion(0, 20), -0.1611, 0.2775),
        (Proportion(0, 10), Proportion(0, 10), -0.2775, 0.2775),
        (Proportion(10, 10), Proportion(0, 20), 0.6791, 1.0000),
        (Proportion(10, 10), Proportion(0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_equals_newcombes_published_examples(
    treated: Proportion, held_out: Proportion, low: float, high: float
) -> None:
    """S2-51. Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10."""
    found = newcombe(treated, held_out)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("share", "low", "high"),
    [
        (Proportion(81, 263), 0.2553, 0.3662),
        (Proportion(15, 148), 0.0624, 0.1605),
        (Proportion(0, 20), 0.0000, 0.1611),
        (Proportion(1, 29), 0.0061, 0.1718),
    ],
)
def test_one_proportion_equals_wilsons_published_examples(share: Proportion, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3."""
    found = wilson(share)
    assert (round(found[0], 4), round(found[1], 4)) == (low, high)


@given(counts, counts)
def test_the_interval_holds_its_estimate_and_stays_possible(treated: Proportion, held_out: Proportion) -> None:
    found = newcombe(treated, held_out)
    assert -1 - 1e-9 <= found.low <= found.uplift <= found.high <= 1 + 1e-9


@given(counts, counts)
def test_exchanging_the_arms_mirrors_the_interval(treated: Proportion, held_out: Proportion) -> None:
    found, mirrored = newcombe(treated, held_out), newcombe(held_out, treated)
    assert (found.low, found.high) == pytest.approx((-mirrored.high, -mirrored.low))


@given(counts, counts)
def test_more_confidence_is_a_wider_interval(treated: Proportion, held_out: Proportion) -> None:
    narrow, wide = newcombe(treated, held_out, 0.8), newcombe(treated, held_out, 0.99)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


def test_two_sided_quantiles_are_the_known_ones() -> None:
    assert quantile(0.95) == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize(("rate", "needed"), [(0.5, 388), (0.3, 356), (0.1, 199), (0.95, 141)])
def test_the_accounts_needed_follow_from_the_power_of_two_proportions(rate: float, needed: int) -> None:
    assert needed_per_arm(rate) == needed


def test_arms_as_drawn_are_likely_and_broken_arms_are_not() -> None:
    assert ratio_p(700, 300, 0.3) == pytest.approx(1.0)
    assert ratio_p(720, 280, 0.3) == pytest.approx(0.1675, abs=1e-3)
    assert ratio_p(800, 200, 0.3) < 0.001


def test_a_few_accounts_say_nothing_about_the_draw() -> None:
    assert ratio_p(4, 0, 0.3) == 1.0
