"""Scorecards: weights, normalisers, tiers."""

import pytest

from engine.definitions.feature import Feature, Window
from engine.definitions.scorecard import Band, GoalLine, Linear, Rank, Standard, Threshold
from engine.terms import Tier
from tests.bad_files.workspace import BASE, CARD, bundle_of, notes_of, sentences_of, with_edit

HAPPY = "{threshold: {good: 4, poor: 2}}"


def test_a_scorecard_is_dimensions_of_weighted_metrics() -> None:
    """S1-18: how much weight each signal carries is declared, and the weights sum to 100 %."""
    card = bundle_of(BASE).scorecards["health"]
    assert [(dimension.name, dimension.weight) for dimension in card.dimensions] == [("usage", 0.7), ("voice", 0.3)]
    assert [metric.normaliser for metric in card.metrics] == [Linear(0.0, 0.8), Linear(0.0, 50.0), Threshold(4.0, 2.0)]
    assert card.metrics[1].feature == Feature("active_users", Window.MEAN, 30)
    assert sum(card.shares.values()) == pytest.approx(1.0)


def test_metrics_without_a_weight_share_their_dimension_equally() -> None:
    assert bundle_of(BASE).scorecards["health"].metrics[2].weight == 1.0
    two = with_edit(CARD, f"      happy: {HAPPY}", f"      happy: {HAPPY}\n      seats_sold: {{linear: [0, 9]}}")
    assert [metric.weight for metric in bundle_of(two).scorecards["health"].metrics[2:]] == [0.5, 0.5]


def test_tiers_are_three_bands_that_rise_from_0() -> None:
    assert bundle_of(BASE).scorecards["health"].bands == (
        Band(Tier.REQUIRES_ATTENTION, 0.0, "Let us talk"),
        Band(Tier.TAKE_NOTICE, 50.0, "Good"),
        Band(Tier.DOING_WELL, 75.0, "Going well"),
    )


def test_the_desired_outcome_is_required() -> None:
    """S1-16."""
    texts = with_edit(CARD, "desired_outcome: The customer renews.\n", "")
    assert sentences_of(texts) == ['S001 a scorecard needs "desired_outcome"']


def test_a_goal_may_be_the_one_agreed_on_the_metric() -> None:
    texts = with_edit(CARD, f"      happy: {HAPPY}", "      active_users: {goal: agreed, multiplier: 1.25}")
    metric = bundle_of(texts).scorecards["health"].metrics[2]
    assert (metric.normaliser, metric.multiplier) == (GoalLine("more_users"), 1.25)


def test_a_metric_may_carry_its_standard_and_a_tier_may_be_forced() -> None:
    texts = with_edit(
        CARD, "[0%, 80%], weight: 60%", "[0%, 80%], weight: 60%, standard: {acceptable: 40%, highest: 80%}"
    )
    forced = "  forced:\n    - {when: {var: in_segment.enterprise}, tier: take_notice}\n  margin: 5\n"
    card = bundle_of({**texts, CARD: texts[CARD] + forced}).scorecards["health"]
    assert card.metrics[0].standard == Standard(0.4, 0.8)
    assert [(found.tier, found.when.names) for found in card.forced] == [
        (Tier.TAKE_NOTICE, frozenset({"in_segment.enterprise"}))
    ]
    assert card.margin == 5.0


def test_a_rank_says_when_it_would_be_unknown_and_what_it_would_hide() -> None:
    bare = with_edit(CARD, HAPPY, "{rank: {among: segment}}")
    alone = 'where fewer than 20 accounts can be compared, "happy" is unknown'
    assert notes_of(bare) == [
        f"{alone}; otherwise: {{linear: [0, 100]}} gives it a mark there",
        'if "happy" falls for everybody at once, no mark shows it; floor: states the value below which it counts as 0',
    ]
    assert bundle_of(bare).scorecards["health"].metrics[2].normaliser == Rank("segment", None)
    whole = with_edit(CARD, HAPPY, "{rank: {among: all, floor: 2, scale: 10, otherwise: {linear: [1, 5]}}}")
    assert notes_of(whole) == []
    assert bundle_of(whole).scorecards["health"].metrics[2].normaliser == Rank(
        "all", 2.0, scale=10, otherwise=Linear(1.0, 5.0)
    )


def test_tiers_by_criteria_need_a_standard() -> None:
    """S0-14: a tier can be decided by criteria instead of the number."""
    by_criteria = with_edit(CARD, "tiers:\n", "tiers:\n  by: criteria\n")
    assert sentences_of(by_criteria) == ["S016 tiers by criteria need a standard on at least one metric"]
    standard = "[0%, 80%], standard: {acceptable: 40%, highest: 80%}"
    assert bundle_of(with_edit(CARD, "[0%, 80%]", standard, by_criteria)).scorecards["health"].tiers_by == "criteria"


@pytest.mark.parametrize(
    ("instead", "write", "sentences"),
    [
        ("linear: [0, 50]", "linear: [0]", [
            "S011 linear has two ends: the value that scores 0 and the one that scores 100"
        ]),
        ("linear: [0, 50]", "linear: [5, 5]", ["S011 both ends of linear are the same value"]),
        ("linear: [0, 50]", "linear: 50", ['S002 "linear" must be a list, not "50"']),
        (HAPPY, "{threshold: {good: 4, poor: 4}}", ["S012 good and poor are the same value"]),
        (HAPPY, "{threshold: {good: 4}}", ['S001 "threshold" needs "poor"']),
        (HAPPY, "{linear: [0, 5], multiplier: 0}", ['S005 "multiplier" must be between 0.01 and 100, not "0"']),
        ("{from: 0,", "{from: 10,", ["S013 the first tier starts from 0, so that no score is without a tier"]),
        ("weight: 70%", "weight: heavy", [
            'S002 "weight" must be a share like "40%", not "heavy"',
        ]),
        ("      happy: ", "      account.name: ", ['B001 there is no metric "account.name"']),
        ("active_users.mean_30d", "utilization.mean_30d", [
            'S002 an end of linear must be a share like "40%", not "50"',
        ]),
        (", weight: 40%}", "}", ['S001 a scored metric needs "weight"']),
        ("doing_well", "going_well", ['S004 unknown key "going_well"']),
        (f"    metrics:\n      happy: {HAPPY}", "    metrics: {}", ['S015 the dimension "voice" has no metric']),
        (f"      happy: {HAPPY}", f"      happy: {HAPPY}\n      utilization: {{linear: [0%, 1%]}}", [
            'S007 "utilization" is scored twice'
        ]),
    ],
)  # fmt: skip
def test_a_scorecard_refuses(instead: str, write: str, sentences: list[str]) -> None:
    """S2-34."""
    found = sentences_of(with_edit(CARD, instead, write))
    assert sorted(found) == sorted(sentences)
