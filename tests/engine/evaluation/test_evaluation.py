"""The whole evaluation: what reads what, what it needs, what it remembers, and causes of drops."""

from dataclasses import replace
from typing import Any

import numpy as np

from engine.definitions.catalog import FromEvents
from engine.definitions.condition import All, Arithmetic, Not, Var
from engine.definitions.feature import Feature, ValueType, Window
from engine.definitions.rule import (
    ConditionMeasure,
    EventMeasure,
    GoalMeasure,
    Limit,
    Signal,
    SilenceMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.definitions.scorecard import ForcedTier, GoalLine
from engine.evaluation.columns import Numbers, Texts
from engine.evaluation.evaluation import Evaluation, evaluate, needs
from engine.evaluation.facts import Before, Facts, ScoreOverride
from engine.evaluation.remembering import last_known, remember
from engine.terms import MICRO, Tier
from tests.engine.evaluation import portfolio as p

CATALOG = p.catalog(p.metric("users"), p.metric("calls"))
LOW = ThresholdMeasure(Feature("users"), Limit("below", 40))
CARD = p.scorecard(p.dimension("all", 1.0, p.scored("users", weight=0.6), p.scored("calls", weight=0.4)))
FIRED = ForcedTier(p.flag("signal.a.low"), Tier.REQUIRES_ATTENTION, p.PLACE)


def portfolio(users: list[float], calls: list[float], **more: Any) -> Facts:
    points = {"users": p.series(*({0: each} for each in users)), "calls": p.series(*({0: each} for each in calls))}
    return p.facts(len(users), series=points, **more)


def texts(evaluation: Evaluation, name: str) -> list[str | None]:
    column = evaluation.columns[name]
    assert isinstance(column, Texts)
    return [column.words[code] if code >= 0 else None for code in column.codes.tolist()]


def test_rules_that_read_scores_come_after_scorecards_that_read_signals() -> None:
    """The name of the rule that reads is before the one that is read; the order of files decides nothing."""
    attention = ConditionMeasure(p.compare("tier.health", "==", "requires_attention", p.TEXT))
    rules = p.rule("a", {"low": LOW}), p.rule("_reads", {"it": attention})
    card = replace(CARD, forced=(FIRED,))
    found = evaluate(p.bundle(CATALOG, *rules, cards=[card]), portfolio([39, 90], [100, 100]))
    assert found.rules["a"].tolist() == [1, -1]
    assert found.scores["health"].tier.tolist() == [0, 2]
    assert found.rules["_reads"].tolist() == [1, -1]


def test_a_rule_is_a_condition_over_its_own_signals() -> None:
    many = ThresholdMeasure(Feature("calls"), Limit("above", 50))
    when = p.condition(All((Var("signal.low", ValueType.BOOLEAN), Not(Var("signal.many", ValueType.BOOLEAN)))))
    rule = p.rule("a", {"low": LOW, "many": many}, when=when)
    found = evaluate(p.bundle(CATALOG, rule), portfolio([30, 30, 50, 30], [40, 60, 40, np.nan]))
    assert found.signals["a.many"].verdicts.tolist() == [-1, 1, -1, 0]
    assert found.rules["a"].tolist() == [1, -1, -1, 0]


def test_scores_tiers_and_their_past_are_names_like_any_other() -> None:
    """S2-48."""
    before = Before(
        tiers={"health": np.array([2, -1], dtype=np.int8)},
        scores_week_ago={"health": np.array([80.0 * MICRO, np.nan])},
    )
    found = evaluate(p.bundle(CATALOG, cards=[CARD]), portfolio([60, 60], [60, 60], before=before))
    score, change = found.columns["score.health"], found.columns["score.health.change_7d"]
    assert isinstance(score, Numbers)
    assert isinstance(change, Numbers)
    assert score.values.tolist() == [60, 60]
    assert change.values[0] == -20
    assert np.isnan(change.values[1])
    assert texts(found, "tier.health") == ["take_notice", "take_notice"]
    assert texts(found, "tier.health.previous") == ["doing_well", None]


def test_the_cause_is_the_metric_that_fell_most_within_a_week() -> None:
    """S0-57, S0-58."""
    bundle = p.bundle(CATALOG, cards=[CARD])
    week_ago = evaluate(bundle, portfolio([80, 80, 80, 80], [80, 80, 80, 80]))
    before = remember(week_ago, week_ago)
    found = evaluate(bundle, portfolio([40, 80, 90, 79.5], [80, 20, 80, 80], before=before))
    assert texts(found, "cause.health") == ["users", "calls", None, None]
    later = evaluate(bundle, portfolio([40, 80, 90, 80], [80, 20, 80, 80], before=remember(found)))
    assert texts(later, "cause.health") == ["users", "calls", None, None]


def test_an_override_that_ends_is_no_drop() -> None:
    bundle = p.bundle(CATALOG, cards=[CARD])
    person = ScoreOverride(0, "health", "they told me", "ana@example.com", "2026-12-22", micro=95 * MICRO)
    week_ago = evaluate(bundle, portfolio([50], [50], overrides=(person,)))
    found = evaluate(bundle, portfolio([49.9], [50], before=remember(week_ago, week_ago)))
    assert texts(found, "cause.health") == [None]


def test_a_rule_may_ask_for_the_cause() -> None:
    """S0-60."""
    rule = p.rule("a", {"it": ConditionMeasure(p.compare("cause.health", "==", "users", p.TEXT))})
    bundle = p.bundle(CATALOG, rule, cards=[CARD])
    before = remember(week_ago := evaluate(bundle, portfolio([80, 80], [80, 80])), week_ago)
    assert evaluate(bundle, portfolio([40, 80], [80, 20], before=before)).rules["a"].tolist() == [1, -1]


def test_an_outage_of_the_data_does_not_forget_that_a_signal_fired() -> None:
    """Fires, unknown, between the two limits: still the same episode."""
    signal = Signal("low", LOW, p.PLACE, clears=Limit("above", 45))
    bundle = p.bundle(CATALOG, p.rule("a", {"low": signal}))
    first = evaluate(bundle, portfolio([30], [0]))
    second = evaluate(bundle, portfolio([np.nan], [0], before=remember(first)))
    third = evaluate(bundle, portfolio([42], [0], before=remember(second)))
    assert [found.rules["a"].tolist() for found in (first, second, third)] == [[1], [0], [1]]


def test_the_last_known_verdict_is_kept_through_unknown_ones() -> None:
    now, before = np.array([0, 1, -1], dtype=np.int8), np.array([1, -1, 1], dtype=np.int8)
    assert last_known(now, before).tolist() == [1, 1, -1]
    assert last_known(now, None).tolist() == [0, 1, -1]


def test_columns_that_are_given_stand_for_themselves() -> None:
    bundle = p.bundle(CATALOG, p.rule("a", {"it": ConditionMeasure(p.compare("score.health", "<", 50))}), cards=[CARD])
    assert evaluate(bundle, portfolio([90], [90]), {"score.health": p.numbers(40)}).rules["a"].tolist() == [1]


def test_an_evaluation_of_no_accounts_is_empty() -> None:
    found = evaluate(p.bundle(CATALOG, p.rule("a", {"low": LOW}), cards=[CARD]), p.facts(0))
    assert len(found.rules["a"]) == 0
    assert found.scores["health"].contributions.shape == (0, 2)


def test_an_account_with_three_days_of_data_gets_an_answer() -> None:
    """S1-62."""
    trend = TrendMeasure("users", change=-0.2, over=30, min_base=5)
    found = evaluate(p.bundle(CATALOG, p.rule("a", {"it": trend}), cards=[CARD]), portfolio([30], [np.nan]))
    assert found.rules["a"].tolist() == [0]
    assert found.scores["health"].computed.tolist() == [30 * MICRO]


RATIO = p.condition(Arithmetic("/", (Var("users", p.NUMBER), Var("sold", p.NUMBER)), p.SHARE), "users", "sold")
WIDE = p.catalog(
    p.metric("users", stale_after=14),
    p.metric("sold"),
    p.metric("use", formula=RATIO),
    p.metric("unread"),
    p.metric("tickets", combine="sum"),
    p.metric("quiet", from_events=FromEvents(("reply",), silence=True)),
    p.metric("calls", from_events=FromEvents(("call",), over=30)),
    goals={"tickets": p.goal("tickets", "tickets")},
    events={"left": p.event("left")},
    segments={"large": p.compare("sold", ">", 100)},
)


def test_what_a_bundle_needs_is_what_its_names_read() -> None:
    rule = p.rule(
        "a",
        {
            "low": Signal("low", ThresholdMeasure(Feature("use"), Limit("below", 0.4)), p.PLACE, lasting=7),
            "falls": TrendMeasure("users", -0.2, 30, 5),
            "left": EventMeasure("left", 45),
            "quiet": SilenceMeasure(Feature("quiet"), 30),
            "many": ThresholdMeasure(Feature("calls", Window.MEAN, 7), Limit("above", 2)),
        },
    )
    found = needs(p.bundle(WIDE, rule))
    assert found.metrics == {"users", "sold", "quiet", "calls"}
    assert found.events == {"left"}
    assert found.latest == {"sold", "quiet"}
    assert found.goals == frozenset()
    assert found.spans["users"] == 60 + 14 + 1
    assert found.spans["sold"] == 6 + 1
    assert found.spans["calls"] == 7 + 30 + 1
    assert found.spans["left"] == 45
    assert found.days == 75


def test_a_goal_on_amounts_reaches_back_to_where_it_may_have_started() -> None:
    agreed = GoalMeasure(0.8, "line", agreed="tickets")
    own = GoalMeasure(0.8, "line", metric="tickets", target=10, start="account.onboarded_on", within=90)
    assert needs(p.bundle(WIDE, p.rule("a", {"it": agreed}))).spans["tickets"] > 366
    assert needs(p.bundle(WIDE, p.rule("a", {"it": own}))).spans["tickets"] == 91
    card = p.scorecard(p.dimension("all", 1.0, p.scored("tickets", normaliser=GoalLine("tickets"))))
    found = needs(p.bundle(WIDE, cards=[card]))
    assert found.goals == {"tickets"}
    assert found.spans["tickets"] > 366
