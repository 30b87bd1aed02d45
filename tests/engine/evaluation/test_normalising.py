"""Every normaliser against marks worked out by hand, at its ends, where it is unknown, and where it has no say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from engine.definitions.feature import ValueType
from engine.definitions.scorecard import (
    Bounded,
    Carry,
    Categorical,
    Criteria,
    GoalLine,
    Linear,
    Normaliser,
    Piecewise,
    Rank,
    ScoredMetric,
    Spread,
    TargetRatio,
    Threshold,
)
from engine.evaluation.facts import Facts, Peers
from engine.evaluation.features import Features
from engine.evaluation.normalising import marks, measured, normalise
from tests.engine.evaluation import portfolio as p

NAN = float("nan")


def mark(normaliser: Normaliser, *values: float) -> list[float]:
    """Marks of plain values."""
    found: list[float] = normalise(p.scored("a", normaliser=normaliser), np.array(values, dtype=float)).tolist()
    return found


def over(metric: ScoredMetric, known: Facts, missing: Any = "exclude", **more: Any) -> list[float]:
    """Marks of one metric of a portfolio."""
    metrics = (p.metric("a", **more), p.metric("b"), p.metric("word", type=ValueType.TEXT))
    features = Features(p.catalog(*metrics, goals={"g": p.goal("g", "a")}), known)
    found: list[float] = marks(metric, measured(metric, features, missing), features).tolist()
    return found


def portfolio(*values: float, **more: Any) -> Facts:
    """Accounts with these values of ``a`` today."""
    return p.facts(len(values), series={"a": p.series(*({0: value} for value in values))}, **more)


def test_linear_is_clamped_and_may_run_downwards() -> None:
    assert mark(Linear(0, 80), -5, 0, 40, 80, 200) == [0, 0, 50, 100, 100]
    assert mark(Linear(60, 10), 70, 60, 35, 10, 0) == [0, 0, 50, 100, 100]


def test_threshold_is_100_60_or_0() -> None:
    """S0-17, D.6 32."""
    assert mark(Threshold(good=0, poor=3), 0, 1, 2, 3, 9) == [100, 60, 60, 0, 0]
    assert mark(Threshold(good=10, poor=5), 10, 7, 5, 4) == [100, 60, 0, 0]


def test_criteria_are_100_50_or_0_and_the_acceptable_value_itself_is_acceptable() -> None:
    assert mark(Criteria(acceptable=40, highest=80), 39.9, 40, 79.9, 80) == [0, 50, 50, 100]
    assert mark(Criteria(acceptable=3, highest=0), 4, 3, 1, 0) == [0, 50, 50, 100]


def test_a_target_is_attained_by_its_share_and_never_beyond_100() -> None:
    """S0-22: 15 of 20 expected logins are 75 %."""
    assert mark(TargetRatio(20), 15, 20, 30, 0) == [75, 100, 100, 0]
    assert mark(TargetRatio(20), -5) == [0]


def test_where_lower_is_better_a_target_over_the_actual_counts() -> None:
    """4 hours are wanted: 8 hours attain half of it, 2 hours all of it, none at all, too."""
    assert mark(TargetRatio(4, lower_is_better=True), 8, 4, 2, 0, 16) == [50, 100, 100, 100, 25]


def test_a_target_may_be_another_metric_or_a_field_of_the_account() -> None:
    """S0-22, S3-31: actual over expected, each account by its own expectation."""
    known = p.facts(
        4,
        series={"a": p.series({0: 15}, {0: 15}, {0: 15}, {0: 15}), "b": p.series({0: 20}, {0: 60}, {}, {0: 0})},
        fields={"expected": p.numbers(30, 15, NAN, 10)},
    )
    metric = p.scored("a", normaliser=TargetRatio(of="b"))
    assert over(metric, known)[:2] == [75, 25]
    assert np.isnan(over(metric, known)[2:]).all()  # no target, and one that cannot be divided by
    by_field = over(p.scored("a", normaliser=TargetRatio(of="account.expected")), known)
    assert by_field[:2] == [50, 100]
    assert np.isnan(by_field[2])


def test_piecewise_runs_straight_between_its_points_and_flat_beyond_them() -> None:
    """(0, 0) to (10, 80) to (50, 100): 5 is half of 80, 30 half way from 80 to 100."""
    curve = Piecewise(((0, 0), (10, 80), (50, 100)))
    assert mark(curve, -3, 0, 5, 10, 30, 50, 99) == [0, 0, 40, 80, 90, 100, 100]
    peak = Piecewise(((0, 0), (8, 100), (16, 0)))  # too much is no better than too little
    assert mark(peak, 4, 8, 12) == [50, 100, 50]


def test_a_word_has_the_mark_the_author_gave_it_and_an_unlisted_one_is_unknown() -> None:
    """S0-42: a text counts in a score."""
    words = ("content", "worried", "angry")
    known = p.facts(4, series={"word": p.series({0: 0}, {0: 2}, {0: 1}, {})}, words=words)
    scale = Categorical((("angry", 0.0), ("content", 100.0)))
    found = over(p.scored("word", normaliser=scale), known)
    assert found[:2] == [100, 0]
    assert np.isnan(found[2:]).all()


def test_yes_and_no_have_marks_too() -> None:
    assert mark(Categorical((("false", 20.0), ("true", 90.0))), 0, 1) == [20, 90]


def test_outside_its_bounds_a_metric_has_no_mark() -> None:
    """D.6 32, bounded: 5 to 20 invoices are judged, fewer or more say nothing."""
    found = mark(Bounded(5, 25), 4.9, 5, 15, 25, 25.1)
    assert found[1:4] == [0, 50, 100]
    assert np.isnan([found[0], found[4]]).all()
    assert mark(Bounded(25, 5), 20) == [25]


def test_a_goal_counts_by_its_line_or_by_its_target() -> None:
    """S0-34, trap 8: 45 of 100, 45 of 90 days gone: 90 % of the line, 45 % of the target."""
    known = portfolio(45.0, goals={"g": p.agreed(100, 0, 45, 45)})
    assert over(p.scored("a", normaliser=GoalLine("g")), known) == [90]
    assert over(p.scored("a", normaliser=GoalLine("g", final=True)), known) == [45]


@pytest.mark.parametrize(
    "scale",
    [
        Linear(0, 1),
        Threshold(1, 0),
        Criteria(0, 1),
        TargetRatio(5),
        TargetRatio(5, lower_is_better=True),
        TargetRatio(of="b"),
        Piecewise(((0, 0), (1, 100))),
        Categorical((("false", 0.0), ("true", 1.0))),
        Bounded(0, 1),
        GoalLine("g"),
    ],
    ids=repr,
)
def test_what_is_unknown_has_no_mark(scale: Normaliser) -> None:
    assert np.isnan(mark(scale, NAN)).all()


TWENTY = tuple(float(value) for value in range(1, 21))


def ranked(*values: float, scale: Rank, **more: Any) -> list[float]:
    return over(p.scored("a", normaliser=scale), portfolio(*values, **more))


def test_a_mark_of_10_is_the_bottom_tenth() -> None:
    """S0-16, S0-18, S0-19: the rank is 100 x count(values <= v) / N; ties share a mark."""
    found = ranked(*TWENTY, scale=Rank("all", None))
    assert found == [5.0 * place for place in range(1, 21)]
    hundred = np.array(ranked(*(float(value) for value in range(100)), scale=Rank("all", None)))
    assert (hundred <= 10).sum() == 10
    tied = ranked(1.0, 1.0, *TWENTY[2:], scale=Rank("all", None))
    assert tied[:3] == [10, 10, 15]


def test_where_lower_is_better_the_rank_counts_those_that_are_no_better() -> None:
    found = ranked(*TWENTY, scale=Rank("all", None, lower_is_better=True))
    assert (found[0], found[-1]) == (100, 5)


def test_ranks_swap_when_one_account_passes_another() -> None:
    """S0-16."""
    before, after = ranked(*TWENTY, scale=Rank("all", None)), ranked(2.5, *TWENTY[1:], scale=Rank("all", None))
    assert (before[0], before[1]) == (5, 10)
    assert (after[0], after[1]) == (10, 5)


def test_a_rank_of_10_is_rounded_up_and_one_of_100_is_ten_times_the_unrounded() -> None:
    """S0-25, S0-26: place 1 of 20 is tenth 0.5, rounded up 1; place 3 is 1.5, rounded up 2; the best is 10."""
    of_100, of_10 = ranked(*TWENTY, scale=Rank("all", None)), ranked(*TWENTY, scale=Rank("all", None, scale=10))
    assert of_10 == [10.0 * np.ceil(mark / 10) for mark in of_100]
    assert sorted(set(of_10)) == [10.0 * tenth for tenth in range(1, 11)]


@given(st.integers(20, 400))
def test_every_tenth_of_the_accounts_has_its_rank_exactly(size: int) -> None:
    """S0-25: rank r of 10 is held by those of whom at most r tenths and more than r - 1 tenths do no better."""
    found = ranked(*(float(value) for value in range(size)), scale=Rank("all", None, scale=10))
    assert found == [10.0 * -(-10 * place // size) for place in range(1, size + 1)]


def test_a_fall_of_everybody_shows_in_the_floor() -> None:
    """Trap 2: the ranks stay when all lose half, the floor does not."""
    halved = [value / 2 for value in TWENTY]
    assert ranked(*halved, scale=Rank("all", None)) == ranked(*TWENTY, scale=Rank("all", None))
    found = ranked(*halved, scale=Rank("all", 5.0))
    assert found[:9] == [0] * 9
    assert found[9] == 50


def test_too_few_to_compare_with_are_unknown_or_fall_back_to_a_stated_scale() -> None:
    """D.6 32: fewer than 20 known values."""
    assert np.isnan(ranked(*TWENTY[:19], scale=Rank("all", None))).all()
    stated = Rank("all", None, otherwise=Linear(0, 20))
    assert ranked(*TWENTY[:19], scale=stated) == pytest.approx([5.0 * value for value in TWENTY[:19]])
    assert ranked(*TWENTY[:19], scale=replace(stated, floor=3.0))[:4] == pytest.approx([0.0, 0.0, 15.0, 20.0])


def test_accounts_are_ranked_inside_their_stage() -> None:
    """S0-47: compared with a stated cohort."""
    stages = p.texts(*(["adoption"] * 20), *(["renewal"] * 20))
    found = ranked(*TWENTY, *(100 + value for value in TWENTY), scale=Rank("stage", None), fields={"stage": stages})
    assert found[:20] == found[20:] == [5.0 * place for place in range(1, 21)]


def test_a_part_of_the_portfolio_is_compared_with_all_of_it() -> None:
    """The peers of the last whole evaluation stand in for accounts that are not at hand."""
    peers = Peers({("a", "all"): {"": np.array(TWENTY)}})
    assert ranked(5.0, scale=Rank("all", None), peers=peers) == [25]


def test_a_spread_takes_its_ends_from_the_cohort_without_its_outliers() -> None:
    """1 to 20 and 20 again at 1,000: 5 % of 21 values cut one from each end, so 2 scores 0 and 20 scores 100."""
    values = (*TWENTY, 1000.0)
    found = over(p.scored("a", normaliser=Spread("all", 0.05)), portfolio(*values))
    assert (found[0], found[1], found[10], found[19], found[20]) == (0, 0, 50, 100, 100)
    lower = over(p.scored("a", normaliser=Spread("all", 0.05, lower_is_better=True)), portfolio(*values))
    assert lower == pytest.approx([100 - each for each in found])
    assert np.isnan(over(p.scored("a", normaliser=Spread("all", 0.05)), portfolio(*TWENTY[:9]))).all()
    assert np.isnan(over(p.scored("a", normaliser=Spread("all", 0.05)), portfolio(*[7.0] * 30))).all()


def test_a_stale_value_may_be_carried_on_for_some_days() -> None:
    """D.6 35, carry: 12 days old is stale after 7 days, and counts for 30."""
    known = p.facts(3, series={"a": p.series({12: 40}, {31: 40}, {3: 60, 12: 40})})
    metric = p.scored("a")
    plain = over(metric, known, stale_after=7)
    assert np.isnan(plain[:2]).all()
    carried = over(metric, known, Carry(30), stale_after=7)
    assert carried[0] == 40
    assert np.isnan(carried[1])
    assert carried[2] == 60


def test_a_made_value_is_carried_on_from_the_last_day_it_was_known() -> None:
    """The mean over a week is unknown today and was 40 five days ago."""
    known = p.facts(1, series={"a": p.series({12: 40})})
    metric = p.scored("a.mean_7d")
    assert np.isnan(over(metric, known)).all()
    assert over(metric, known, Carry(6)) == [40]
    assert np.isnan(over(metric, known, Carry(5))).all()
