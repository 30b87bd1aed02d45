"""Every conversion is said so that it can be recomputed by hand, and the account of a silent metric says why."""

import pytest

from engine.definitions.feature import ValueType
from engine.definitions.scorecard import (
    Bounded,
    Categorical,
    Criteria,
    Fades,
    GoalLine,
    Linear,
    Normaliser,
    Piecewise,
    Rank,
    Shown,
    Spread,
    Standard,
    TargetRatio,
    Threshold,
)
from engine.evaluation.conversions import conversion, metric_value, silence, standard_text
from engine.evaluation.describing import describe
from tests.engine.evaluation import portfolio as p

CATALOG = p.catalog(
    p.metric("users", title="Team size", unit="users"),
    p.metric("use", title="Licence use", type=p.SHARE),
    p.metric("mood", title="Mood", type=p.TEXT),
    p.metric("reference", title="Reference", type=ValueType.BOOLEAN),
)


@pytest.mark.parametrize(
    ("metric", "scale", "said"),
    [
        ("use", Linear(0, 0.8), " (0 at 0 %, 100 at 80 %)"),
        ("users", Threshold(10, 5), " (100 at 10 users, 0 at 5 users, 60 between)"),
        ("users", Criteria(5, 10), " (100 at 10 users, 50 from 5 users, 0 below it)"),
        ("users", Criteria(10, 5), " (100 at 5 users, 50 from 10 users, 0 above it)"),
        ("users", Bounded(5, 20), " (0 at 5 users, 100 at 20 users, no say beyond)"),
        ("users", TargetRatio(20), " (100 x it / 20 users, at most 100)"),
        ("users", TargetRatio(4, lower_is_better=True), " (100 x 4 users / it, at most 100)"),
        ("users", Piecewise(((0, 0), (10, 80))), " (0 at 0 users, 80 at 10 users)"),
        ("mood", Categorical((("good", 100), ("bad", 0))), " (good: 100, bad: 0)"),
        ("users", Rank("segment", 5),
         " (the share of those of its segment that do no better, of 100; 0 below 5 users)"),
        ("users", Rank("all", None, scale=10, otherwise=Linear(0, 9)),
         (" (the share of all that do no better, of 100, in tenths rounded up; with fewer than 20 to compare: "
          "0 at 0 users, 100 at 9 users)")),
        ("users", Spread("all", 0.05), " (of all, 0 at the value of rank 5 %, 100 at that of 95 %)"),
        ("users", Spread("all", 0.05, lower_is_better=True),
         " (of all, 0 at the value of rank 95 %, 100 at that of 5 %)"),
        ("use", GoalLine("g"), ""),
        ("users", TargetRatio(of="use"), ""),
    ],
)  # fmt: skip
def test_the_formula_is_said_with_its_numbers(metric: str, scale: Normaliser, said: str) -> None:
    """S0-50: raw value, formula and mark."""
    assert conversion(CATALOG, p.scored(metric, normaliser=scale)) == said


def test_what_fades_says_when_its_weight_is_gone() -> None:
    said = conversion(CATALOG, p.scored("users", 0, 10, fades=Fades(30, 90)))
    assert said == " (0 at 0 users, 100 at 10 users; its weight is gone when it is more than 90 days old)"


@pytest.mark.parametrize(
    ("metric", "scale", "value", "said"),
    [
        ("users", Linear(0, 1), 12.0, "12 users"),
        ("mood", Categorical((("good", 100), ("bad", 0))), 1.0, "bad"),
        ("reference", Categorical((("false", 0), ("true", 100))), 1.0, "yes"),
        ("users", TargetRatio(of="use"), 0.75, "75 % of its target (Licence use)"),
        ("users", GoalLine("g"), 0.9, "90 % of the goal's line"),
        ("users", GoalLine("g", final=True), 0.45, "45 % of the goal's target"),
        ("users", Linear(0, 1), None, "not known"),
    ],
)
def test_what_was_measured_is_said_as_people_call_it(
    metric: str, scale: Normaliser, value: float | None, said: str
) -> None:
    assert metric_value(CATALOG, p.scored(metric, normaliser=scale), value) == said


def test_a_metric_without_a_mark_says_why_it_is_silent() -> None:
    def why(scale: Normaliser, *, is_known: bool, must: bool = False) -> str:
        return silence(CATALOG, p.scored("users", normaliser=scale), is_known=is_known, must_be_known=must)

    assert why(Linear(0, 1), is_known=False) == " and has no say"
    assert why(Linear(0, 1), is_known=False, must=True) == ", and without it there is no score"
    assert why(Shown(), is_known=True) == "; it is only shown and has no say"
    assert why(Bounded(20, 5), is_known=True) == ", not between 5 users and 20 users, and has no say"
    assert why(Rank("all", None), is_known=True) == "; there are too few to compare it with, and it has no say"


def test_a_standard_says_what_is_acceptable() -> None:
    assert standard_text(CATALOG, p.scored("use"), Standard(0.4, 0.8)) == "at least 40 %"
    assert standard_text(CATALOG, p.scored("users"), Standard(3, 0)) == "at most 3 users"


def test_a_scorecard_is_described_with_percentages_of_the_whole() -> None:
    """S1-16, S1-18, S1-36: outcome, North Star and weights that sum to 100 %."""
    card = p.scorecard(
        p.dimension(
            "one", 0.4, p.scored("users", 0, 10, weight=0.5, multiplier=1.25), p.scored("use", 0, 1, weight=0.5)
        ),
        p.dimension("two", 0.6, p.scored("reference", 0, 1, missing="fail")),
        north_star="Teams that stay close plans.",
    )
    said = describe(CATALOG, card)
    assert said[:2] == ("health, a scorecard of accounts: They renew.", "North Star: x; Teams that stay close plans.")
    assert said[2:7] == (
        "40 % one",
        "  22.22 % Team size (0 at 0 users, 100 at 10 users), 1.25 times its weight",
        "  17.78 % Licence use (0 at 0 %, 100 at 100 %)",
        "60 % two",
        "  60 % Reference (0 at no, 100 at yes)",
    )
    assert "  Reference, where not known, leaves no score" in said
    assert "  Doing Well from 75; a customer reads: Going well" in said
