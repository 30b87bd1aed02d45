"""Scores: marks, weights, multipliers, missing data, exact contributions, tiers, margins, exceptions, overrides."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.scorecard import ForcedTier, GoalLine, Linear, Scorecard, ScoredMetric, Standard, Threshold
from engine.evaluation.evaluation import evaluate
from engine.evaluation.facts import Before, Facts, ScoreOverride
from engine.evaluation.scoring import Scored, contribute, normalise, shares_of
from engine.evaluation.tiers import tier_by_score
from engine.terms import MICRO, Tier
from tests.engine.evaluation import portfolio as p

METRICS = ("a", "b", "c", "d")


def scores(card: Scorecard, *rows: Mapping[str, float], **more: Any) -> Scored:
    """Score accounts given by today's values of their metrics."""
    return evaluate(bundle_of(card), facts_of(*rows, **more)).scores["health"]


def bundle_of(card: Scorecard) -> Any:
    return p.bundle(p.catalog(*(p.metric(name) for name in METRICS)), cards=[card])


def facts_of(*rows: Mapping[str, float], **more: Any) -> Facts:
    known = {name: p.series(*({0: row[name]} if name in row else {} for row in rows)) for name in METRICS}
    return p.facts(len(rows), series=known, **more)


def points(scored: Scored) -> list[float]:
    return [micro / MICRO for micro in scored.computed.tolist()]


def weighted(**weights: float) -> Scorecard:
    return p.scorecard(p.dimension("all", 1.0, *(p.scored(name, weight=weight) for name, weight in weights.items())))


EXAMPLE = p.scorecard(
    p.dimension("outcomes", 0.5, p.scored("a")),
    p.dimension("usage", 0.3, p.scored("b")),
    p.dimension("relationship", 0.2, p.scored("c")),
)


def test_outcomes_usage_and_relationship_weigh_50_30_and_20_percent() -> None:
    """S2-32, S2-33, S4-16: hand-computed: 0.5 x 80 + 0.3 x 60 + 0.2 x 30 = 64."""
    found = scores(EXAMPLE, {"a": 80, "b": 60, "c": 30}, {"a": 40, "b": 100, "c": 0}, {"a": 100, "b": 100, "c": 100})
    assert points(found) == [64.0, 50.0, 100.0]
    assert found.contributions[0].tolist() == [40_000_000, 18_000_000, 6_000_000]


def test_everything_at_its_best_is_exactly_one_hundred() -> None:
    card = weighted(a=1 / 3, b=1 / 3, c=1 / 3)
    assert scores(card, {"a": 100, "b": 100, "c": 100}).computed.tolist() == [100 * MICRO]


def test_metrics_carry_unequal_weights_and_doubling_one_moves_the_score_as_expected() -> None:
    """S0-49: weights 1 and 1 give 50; 2 and 1 give 2/3."""
    even, double = weighted(a=0.5, b=0.5), weighted(a=2 / 3, b=1 / 3)
    row = {"a": 100, "b": 0}
    assert points(scores(even, row)) == [50.0]
    assert scores(double, row).computed.tolist() == [round(100 * MICRO * 2 / 3)]


@pytest.mark.parametrize("multiplier", [1.25, 0.85])
def test_a_multiplier_is_exactly_that_times_the_weight_relative_to_its_siblings(multiplier: float) -> None:
    """S0-51, S0-52."""
    card = p.scorecard(
        p.dimension("one", 0.4, p.scored("a", weight=0.5, multiplier=multiplier), p.scored("b", weight=0.5)),
        p.dimension("other", 0.6, p.scored("c")),
    )
    shares = scores(card, {"a": 1, "b": 1, "c": 1}).shares[0]
    assert shares[0] / shares[1] == pytest.approx(multiplier, rel=1e-12)
    assert shares[0] + shares[1] == pytest.approx(0.4, rel=1e-12)
    assert shares[2] == pytest.approx(0.6, rel=1e-12)


def test_with_a_multiplier_the_tier_drops_at_fewer_escalations() -> None:
    """S0-51, S0-55, S0-38: both crossing points."""

    def first_drop(multiplier: float) -> int:
        escalations = p.scored("a", 10, 0, weight=0.5, multiplier=multiplier)
        card = p.scorecard(p.dimension("all", 1.0, escalations, p.scored("b", weight=0.5)))
        tiers = scores(card, *({"a": count, "b": 100} for count in range(11))).raw_tier.tolist()
        return int(tiers.index(1))

    assert first_drop(1.0) == 6
    assert first_drop(1.25) == 5


def test_the_conversion_can_be_computed_by_hand() -> None:
    """S0-50: raw value, mark, share and contribution are all there."""
    metric = p.scored("a", normaliser=Linear(0.0, 0.8), weight=0.6)
    card = p.scorecard(p.dimension("all", 1.0, metric, p.scored("b", weight=0.4)))
    found = scores(card, {"a": 0.3, "b": 50})
    assert found.values[0].tolist() == [0.3, 50]
    assert found.normalised[0].tolist() == pytest.approx([37.5, 50])
    assert found.contributions[0].tolist() == [round(0.6 * 37.5 * MICRO), round(0.4 * 50 * MICRO)]


def mark(normaliser: Any, *values: float) -> list[float]:
    metric = ScoredMetric(p.scored("a").feature, normaliser, 1.0, p.PLACE)
    found: list[float] = normalise(metric, np.array(values)).tolist()
    return found


def test_a_linear_mark_is_clamped_and_may_run_downwards() -> None:
    assert mark(Linear(0, 80), -5, 0, 40, 80, 200) == [0, 0, 50, 100, 100]
    assert mark(Linear(60, 10), 70, 60, 35, 10, 0) == [0, 0, 50, 100, 100]


def test_a_threshold_mark_is_100_60_or_0() -> None:
    """S0-17, D.6 32."""
    assert mark(Threshold(good=0, poor=3), 0, 1, 2, 3, 9) == [100, 60, 60, 0, 0]
    assert mark(Threshold(good=10, poor=5), 10, 7, 5, 4) == [100, 60, 0, 0]
    assert np.isnan(mark(Threshold(good=0, poor=3), np.nan)).all()


def test_a_goal_s_mark_is_its_attainment_clamped() -> None:
    """S0-34."""
    card = p.scorecard(p.dimension("all", 1.0, p.scored("a", normaliser=GoalLine("a"))))
    bundle = p.bundle(p.catalog(p.metric("a"), goals={"a": p.goal("a", "a")}), cards=[card])
    known = facts_of({"a": 45}, {"a": 60}, {"a": 10}, goals={"a": p.agreed(100, 0, 45, 45, size=3)})
    assert points(evaluate(bundle, known).scores["health"]) == [90.0, 100.0, 20.0]


def test_missing_data_is_left_out_neutral_or_worst() -> None:
    row = {"a": 80, "b": 60}
    assert points(scores(EXAMPLE, row)) == [pytest.approx((0.5 * 80 + 0.3 * 60) / 0.8)]
    assert points(scores(replace(EXAMPLE, missing="neutral"), row)) == [68.0]
    assert points(scores(replace(EXAMPLE, missing="worst"), row)) == [58.0]


def test_what_is_left_out_goes_to_its_siblings_first() -> None:
    card = p.scorecard(
        p.dimension("one", 0.4, p.scored("a", weight=0.5), p.scored("b", weight=0.5)),
        p.dimension("other", 0.6, p.scored("c")),
    )
    assert scores(card, {"a": 1, "c": 1}).shares[0].tolist() == pytest.approx([0.4, 0, 0.6])
    assert scores(card, {"a": 1, "b": 1}).shares[0].tolist() == pytest.approx([0.5, 0.5, 0])


def test_below_the_minimum_coverage_there_is_no_score_and_at_it_there_is() -> None:
    """S1-61."""
    card = replace(EXAMPLE, min_coverage=0.5)
    found = scores(card, {"a": 10}, {"b": 100, "c": 100}, {"b": 90}, {})
    assert found.coverage.tolist() == [0.5, 0.5, 0.3, 0.0]
    assert (found.computed >= 0).tolist() == [True, True, False, False]
    assert found.raw_tier.tolist() == [0, 2, -1, -1]
    assert not found.contributions[2:].any()


def test_a_scorecard_scores_only_accounts_it_certainly_applies_to() -> None:
    card = replace(EXAMPLE, applies_to=p.compare("account.stage", "!=", "churned", p.TEXT))
    row = {"a": 80, "b": 60, "c": 30}
    found = scores(card, row, row, row, fields={"stage": p.texts("value", "churned", None)})
    assert found.applies.tolist() == [True, False, False]
    assert found.computed.tolist() == [64 * MICRO, -1, -1]


MATRIX = st.integers(1, 5).flatmap(
    lambda metrics: st.tuples(
        st.lists(st.floats(0.001, 10), min_size=metrics, max_size=metrics),
        st.lists(st.lists(st.none() | st.floats(0, 100), min_size=metrics, max_size=metrics), min_size=1, max_size=6),
    )
)


@settings(max_examples=150, deadline=None)
@given(MATRIX)
def test_contributions_are_whole_and_sum_to_the_score_exactly(
    drawn: tuple[list[float], list[list[float | None]]],
) -> None:
    """S0-50, S0-58."""
    weights, rows = drawn
    names = [f"m{at}" for at in range(len(weights))]
    whole = sum(weights)
    card = p.scorecard(
        p.dimension(
            "all", 1.0, *(p.scored(name, weight=each / whole) for name, each in zip(names, weights, strict=True))
        )
    )
    marks = np.array([[np.nan if mark is None else mark for mark in row] for row in rows])
    known = ~np.isnan(marks)
    shares = shares_of(card, known)
    exact = (shares * np.nan_to_num(marks)).sum(axis=1) * MICRO
    found = contribute(shares, np.nan_to_num(marks), known.any(axis=1))
    assert found.dtype == np.int64
    assert (found >= 0).all()
    assert np.abs(found.sum(axis=1) - exact).max() <= 0.51
    assert (np.abs(found - shares * np.nan_to_num(marks) * MICRO) <= len(weights)).all()
    assert (
        (found.sum(axis=1) == 100 * MICRO) | ~(known.any(axis=1) & (np.nan_to_num(marks, nan=100) == 100).all(axis=1))
    ).all()


def test_tiers_are_half_open_bands() -> None:
    """S0-08, S3-01."""
    micro = np.array([0, 50 * MICRO - 1, 50 * MICRO, 75 * MICRO - 1, 75 * MICRO, 100 * MICRO, -1])
    assert tier_by_score(EXAMPLE, micro).tolist() == [0, 0, 1, 1, 2, 2, -1]


ONE = p.scorecard(p.dimension("all", 1.0, p.scored("a")))


def settled(score: float, before: int) -> int:
    known = {"health": np.array([before], dtype=np.int8)}
    return int(scores(ONE, {"a": score}, before=Before(tiers=known)).tier[0])


@pytest.mark.parametrize(
    ("score", "before", "expected"),
    [(48, 1, 1), (47, 1, 1), (46.9, 1, 0), (52.9, 0, 0), (53, 0, 1), (76, 0, 1), (78, 0, 2), (10, 2, 0), (60, -1, 1)],
)
def test_a_tier_is_left_only_past_the_cut_by_the_margin(score: float, before: int, expected: int) -> None:
    assert settled(score, before) == expected


def test_the_raw_tier_stays_beside_the_settled_one() -> None:
    found = scores(ONE, {"a": 48}, before=Before(tiers={"health": np.array([1], dtype=np.int8)}))
    assert (found.raw_tier.tolist(), found.computed_tier.tolist()) == ([0], [1])


FORCED = replace(ONE, forced=(ForcedTier(p.compare("b", ">", 0), Tier.REQUIRES_ATTENTION, p.PLACE),))


def test_an_exception_decides_the_tier_where_it_certainly_holds() -> None:
    found = scores(FORCED, {"a": 90, "b": 1}, {"a": 90, "b": 0}, {"a": 90}, {"b": 1})
    assert found.computed_tier.tolist() == [0, 2, 2, 0]
    assert found.raw_tier.tolist() == [2, 2, 2, -1]
    assert found.forced.tolist() == [0, -1, -1, 0]


def test_an_override_changes_what_counts_and_keeps_what_was_computed() -> None:
    """S2-39."""
    person: dict[str, Any] = {"reason": "they told me", "author": "csm@example.com", "expires": "2026-12-22"}
    changes = (
        ScoreOverride(0, "health", micro=30 * MICRO, **person),
        ScoreOverride(1, "health", tier="doing_well", **person),
        ScoreOverride(2, "other", micro=0, **person),
    )
    row = {"a": 90, "b": 1}
    found = scores(FORCED, row, row, row, overrides=changes)
    assert found.computed.tolist() == [90 * MICRO] * 3
    assert found.effective.tolist() == [30 * MICRO, 90 * MICRO, 90 * MICRO]
    assert found.computed_tier.tolist() == [0, 0, 0]
    assert found.tier.tolist() == [0, 2, 0]


CRITERIA = p.scorecard(
    p.dimension(
        "all",
        1.0,
        p.scored("a", weight=0.5, standard=Standard(acceptable=40, highest=80)),
        p.scored("b", weight=0.5, standard=Standard(acceptable=3, highest=0), normaliser=Linear(10, 0)),
    ),
    tiers_by="criteria",
)


def test_tiers_by_criteria_put_a_floor_before_the_best() -> None:
    """S0-09, S0-11, S0-13, S0-14: one below its floor needs attention whatever the others say."""
    found = scores(
        CRITERIA, {"a": 80, "b": 0}, {"a": 80, "b": 2}, {"a": 39, "b": 0}, {"a": 40, "b": 3}, {"a": 100, "b": 4}
    )
    assert found.tier.tolist() == [2, 1, 0, 1, 0]


def test_the_same_score_can_be_two_tiers_by_criteria_and_one_by_score() -> None:
    """S0-14."""
    rows = ({"a": 100, "b": 4}, {"a": 60, "b": 0})
    assert points(scores(CRITERIA, *rows)) == [80.0, 80.0]
    assert scores(CRITERIA, *rows).tier.tolist() == [0, 1]
    assert scores(replace(CRITERIA, tiers_by="score"), *rows).tier.tolist() == [2, 2]
