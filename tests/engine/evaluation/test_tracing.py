"""Why a rule says what it says: the tree with values and verdicts, the guard, the arm, the place."""

import numpy as np

from engine.definitions.condition import All, AnyOf, Not
from engine.definitions.feature import Feature
from engine.definitions.rule import Action, ConditionMeasure, Guard, HoldOut, Limit, ThresholdMeasure, TrendMeasure
from engine.evaluation.deciding import Past
from engine.evaluation.evaluation import evaluate
from engine.evaluation.facts import Facts
from engine.evaluation.holdout import draw
from engine.evaluation.tracing import Node, trace, why_rule
from engine.evaluation.wording import day_text
from engine.terms import Mode, Verdict
from tests.engine.evaluation import portfolio as p

CATALOG = p.catalog(p.metric("users", title="Active users"))
LARGE = p.compare("account.arr", ">=", 100)
STAGE = p.compare("account.stage", "!=", "churned", p.TEXT)
RULE = p.rule(
    "low",
    {
        "low_use": ThresholdMeasure(Feature("users"), Limit("below", 40)),
        "customer": ConditionMeasure(p.condition(AnyOf((LARGE.tree, STAGE.tree)), "account.arr", "account.stage")),
    },
    actions=(Action("visit", Mode.APPROVE, p.PLACE, LARGE), Action("mail", Mode.AUTOMATIC, p.PLACE)),
    guard=Guard(hold_out=HoldOut(0.1)),
)
BUNDLE = p.bundle(CATALOG, RULE)


def known() -> Facts:
    fields = {"arr": p.numbers(50, np.nan), "stage": p.texts("value", "churned")}
    return p.facts(2, series={"users": p.series({0: 30}, {0: 50})}, fields=fields)


def node(tree: All | AnyOf | Not, row: int) -> Node:
    return trace(CATALOG, tree, evaluate(BUNDLE, known()).columns, row)


def test_every_node_has_its_verdict_and_its_values_and_the_reference_agrees() -> None:
    found = node(All((p.compare("users", "<", 40).tree, Not(LARGE.tree))), 0)
    assert (found.text, found.verdict, found.reference) == ("all of", Verdict.HOLDS, None)
    low, negated = found.children
    assert (low.text, low.verdict, low.reference) == ("Active users is below 40", Verdict.HOLDS, True)
    assert low.values == (("Active users", "30"),)
    assert (negated.text, negated.children[0].reference) == ("not", False)


def test_the_reference_is_not_asked_where_something_is_missing() -> None:
    found = node(AnyOf((LARGE.tree, STAGE.tree)), 1)
    large, stage = found.children
    assert (large.verdict, large.reference, large.values) == (
        Verdict.UNKNOWN,
        None,
        (("the account's ARR", "not known"),),
    )
    assert (stage.verdict, stage.reference) == (Verdict.FAILS, False)
    assert found.verdict is Verdict.UNKNOWN


def test_the_trace_shows_signals_tree_guard_arm_and_place() -> None:
    past = Past(episode_ended={("low", 100): p.AT - 10}, recent_starts={"low": 2})
    lines = why_rule(BUNDLE, evaluate(BUNDLE, known()), past, 0, "low")
    drawn = draw("low", "mail", "a0", p.AT // 180)
    assert lines[0] == f"low fires for a0 on {day_text(p.AT)} (rules/test.yaml:1:1)"
    expected = [
        "  low_use fires: Active users is 30, below 40 (rules/test.yaml:1:1)",
        f"    Active users: the last point is of {day_text(p.AT)}",
        "    any of: holds",
        "      the account's ARR is at least 100: fails (the account's ARR is 50)",
        "      the account's stage is not churned: holds (the account's stage is value)",
        "    signal.low_use: holds (signal.low_use is yes)",
        "  no episode is open",
        f"  cooldown of 30 days: until {day_text(p.AT + 20)}",
        "  new runs in 24 hours: 2 of at most 50",
        "  visit, approve (rules/test.yaml:1:1): for accounts where the account's ARR is at least 100: fails",
        "  mail, automatic (rules/test.yaml:1:1): for every account",
        f"    arm: {'held out' if drawn < 0.1 else 'treated'} (drew {drawn:.4f}; held out below 10 %)",
    ]
    assert [line for line in expected if line not in lines] == []


def test_the_same_question_gets_the_same_answer() -> None:
    evaluation = evaluate(BUNDLE, known())
    assert why_rule(BUNDLE, evaluation, Past(), 1, "low") == why_rule(BUNDLE, evaluation, Past(), 1, "low")


def test_the_points_a_trend_looked_at_are_counted() -> None:
    """S0-59: from the signal down to its points."""
    falls = p.rule("falls", {"it": TrendMeasure("users", -0.2, 5, 0)})
    bundle = p.bundle(CATALOG, falls)
    known = p.facts(2, series={"users": p.series(dict.fromkeys(range(2, 30), 5.0), {})})
    evaluation = evaluate(bundle, known)
    counted = f"    Active users: 8 points in the 10 days to {day_text(p.AT)}, the last of {day_text(p.AT - 2)}"
    assert counted in why_rule(bundle, evaluation, Past(), 0, "falls")
    assert "    Active users: no points" in why_rule(bundle, evaluation, Past(), 1, "falls")
