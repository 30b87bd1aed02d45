"""Goals by name: the three statuses, lines through the author's own points, progress that stands still."""

from typing import Any

import pytest

from engine.definitions.condition import Compare, Literal, Var
from engine.definitions.feature import ValueType
from engine.definitions.measure import ConditionMeasure, GoalMeasure
from engine.definitions.rule import Signal
from engine.evaluation.columns import Numbers, Texts
from engine.evaluation.evaluation import evaluate
from engine.evaluation.facts import Facts
from engine.evaluation.features import Features
from engine.evaluation.goals import expected
from engine.evaluation.reading import needs
from engine.running.figures import Figures, in_context
from tests.engine.evaluation import portfolio as p

USERS = p.metric("users", decimals=0)
PLANS = p.metric("plans", decimals=0, combine="sum")


def stands(known: Facts, metric: Any = USERS, **goal: Any) -> tuple[str, float]:
    features = Features(p.catalog(metric, goals={"it": p.goal("it", metric.name, **goal)}), known)
    status, share = features["goal.it.status"], features["goal.it.attainment"]
    assert isinstance(status, Texts)
    assert isinstance(share, Numbers)
    return (status.words[status.codes[0]] if status.codes[0] >= 0 else "unknown"), float(share.values[0])


def known(values: dict[int, float], target: float = 100, age: int = 50, remaining: int = 50, start: float = 0) -> Facts:
    return p.facts(1, series={"users": p.series(values)}, goals={"it": p.agreed(target, start, age, remaining)})


@pytest.mark.parametrize(
    ("value", "status"),
    [(50, "on_track"), (51, "on_track"), (49.9, "behind"), (40, "behind"), (39.9, "stuck"), (0, "stuck")],
)
def test_a_goal_is_on_track_on_its_line_behind_down_to_80_percent_of_it_and_stuck_below(
    value: float, status: str
) -> None:
    """S2-31, S3-31: at half time the line of 100 asks for 50."""
    metric = p.metric("users", decimals=1)
    assert stands(known({0: value, 40: 1.0}), metric) == (status, round(value / 50, 12))


def test_a_goal_behind_whose_progress_stands_still_is_stuck() -> None:
    assert stands(known({0: 45, 30: 44}))[0] == "behind"
    assert stands(known({0: 45, 29: 44, 30: 45}))[0] == "stuck"
    assert stands(known({0: 45, 30: 46}))[0] == "stuck"
    assert stands(known({0: 45, 10: 45, 30: 40}), stuck_after=10)[0] == "stuck"
    assert stands(known({0: 60, 30: 60}))[0] == "on_track"


def test_a_goal_younger_than_that_cannot_have_stood_still_so_long() -> None:
    assert stands(known({0: 18, 25: 18}, age=20, remaining=80))[0] == "behind"


def test_progress_downwards_counts_where_lower_is_better() -> None:
    """From 60 to 20: at half time the line asks for 40; 42 is 90 % of the way."""
    assert stands(known({0: 42, 30: 50}, target=20, start=60)) == ("behind", 0.9)
    assert stands(known({0: 42, 30: 41}, target=20, start=60))[0] == "stuck"


def test_a_sum_stands_still_when_nothing_is_added() -> None:
    facts = p.facts(1, series={"plans": p.series({35: 45.0})}, goals={"it": p.agreed(100, 0, 50, 50)})
    assert stands(facts, PLANS) == ("stuck", 0.9)
    facts = p.facts(1, series={"plans": p.series({35: 44.0, 0: 1.0})}, goals={"it": p.agreed(100, 0, 50, 50)})
    assert stands(facts, PLANS) == ("behind", 0.9)


def test_a_goal_that_has_not_begun_or_is_not_agreed_has_no_status() -> None:
    assert stands(known({0: 5}, age=0))[0] == "unknown"
    assert stands(p.facts(1, series={"users": p.series({0: 5})}))[0] == "unknown"


@pytest.mark.parametrize(("age", "asked"), [(0, 0), (10, 4), (25, 10), (50, 40), (75, 70), (100, 100), (140, 100)])
def test_a_line_may_run_through_the_author_s_own_points(age: int, asked: float) -> None:
    """Slow at first: 10 of 100 after a quarter of the time, 40 at half time; straight between."""
    line = p.goal("it", "users", shape="points", points=((0.25, 0.1), (0.5, 0.4)))
    assert expected(p.agreed(100, 0, age, 100 - age), p.AT, line)[0] == pytest.approx(asked)


def test_an_own_goal_may_have_points_too() -> None:
    measure = GoalMeasure(
        0.8,
        "line",
        metric="users",
        target=100,
        start="account.onboarded_on",
        within=100,
        shape="points",
        points=((0.5, 0.2),),
    )
    facts = p.facts(
        2, series={"users": p.series({0: 16}, {0: 15})}, fields={"onboarded_on": p.numbers(p.AT - 50, p.AT - 50)}
    )
    found = evaluate(p.bundle(p.catalog(USERS), p.rule("r", {"it": measure})), facts).signals["r.it"]
    assert found.values.tolist() == [0.8, 0.75]
    assert found.verdicts.tolist() == [-1, 1]


IS_STUCK = ConditionMeasure(
    p.condition(
        Compare("==", Var("goal.it.status", ValueType.TEXT), Literal("stuck", ValueType.TEXT)), "goal.it.status"
    )
)


def test_a_status_can_last_and_what_it_needs_is_loaded() -> None:
    """It is worked out anew from the points, so it needs no memory of earlier evaluations."""
    bundle = p.bundle(
        p.catalog(USERS, goals={"it": p.goal("it", "users")}),
        p.rule("r", {"it": Signal("it", IS_STUCK, p.PLACE, lasting=5)}),
    )
    facts = p.facts(
        2,
        series={"users": p.series({0: 30, 1: 60, 90: 1}, {3: 30, 4: 60, 90: 1})},
        goals={"it": p.agreed(100, 0, 50, 50, size=2)},
    )
    assert evaluate(bundle, facts).signals["r.it"].verdicts.tolist() == [-1, -1]
    facts = p.facts(1, series={"users": p.series({6: 30, 90: 1})}, goals={"it": p.agreed(100, 0, 50, 50)})
    assert evaluate(bundle, facts).signals["r.it"].verdicts.tolist() == [1]
    wanted = needs(bundle)
    assert wanted.goals == {"it"}
    assert wanted.spans["users"] > 30


def test_messages_and_reports_can_say_how_a_goal_stands() -> None:
    features = Features(p.catalog(USERS, goals={"it": p.goal("it", "users")}), known({0: 45, 30: 44}))
    told = in_context(Figures(features), frozenset(), frozenset({"it"}))["goals"]["it"]
    assert (told["attainment"], told["status"]) == (0.9, "behind")
