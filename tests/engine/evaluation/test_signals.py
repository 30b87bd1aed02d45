"""Thresholds, trends, goals, silences, events and conditions on their limits; lasting, and cleared with hysteresis."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from engine.definitions.catalog import FromEvents
from engine.definitions.condition import All, Compare, Literal, Var
from engine.definitions.feature import Feature, ValueType, Window
from engine.definitions.rule import (
    ConditionMeasure,
    EventMeasure,
    GoalMeasure,
    Limit,
    Measure,
    Signal,
    SilenceMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.definitions.scorecard import ForcedTier
from engine.evaluation.evaluation import Observed, evaluate
from engine.evaluation.facts import Before, Facts
from engine.evaluation.scoring import TIERS
from engine.evaluation.signals import contacts_of
from engine.terms import Tier
from tests.engine.evaluation import portfolio as p

USERS = p.metric("users", decimals=0)
HOLDS, FAILS, UNKNOWN = 1, -1, 0


def observe(signal: Measure | Signal, known: Facts, *metrics: Any, **catalog: Any) -> Observed:
    bundle = p.bundle(p.catalog(*(metrics or (USERS,)), **catalog), p.rule("rule", {"it": signal}))
    return evaluate(bundle, known).signals["rule.it"]


def verdicts(signal: Measure | Signal, known: Facts, *metrics: Any, **catalog: Any) -> list[int]:
    found: list[int] = observe(signal, known, *metrics, **catalog).verdicts.tolist()
    return found


def users(*rows: Mapping[int, float], **more: Any) -> Facts:
    return p.facts(len(rows), series={"users": p.series(*rows)}, **more)


def signal(measure: Measure, **more: Any) -> Signal:
    return Signal("it", measure, p.PLACE, **more)


def test_a_minimum_fires_below_it_and_not_at_or_above_it() -> None:
    """S2-26."""
    measure = ThresholdMeasure(Feature("users"), Limit("below", 40))
    assert verdicts(measure, users({0: 39}, {0: 40}, {0: 41}, {})) == [HOLDS, FAILS, FAILS, UNKNOWN]
    at_most = ThresholdMeasure(Feature("users"), Limit("at_most", 40))
    assert verdicts(at_most, users({0: 39}, {0: 40}, {0: 41}, {})) == [HOLDS, HOLDS, FAILS, UNKNOWN]


def test_a_maximum_fires_above_it_and_not_at_or_below_it() -> None:
    """S2-27."""
    measure = ThresholdMeasure(Feature("users"), Limit("above", 40))
    assert verdicts(measure, users({0: 41}, {0: 40}, {0: 39}, {})) == [HOLDS, FAILS, FAILS, UNKNOWN]
    at_least = ThresholdMeasure(Feature("users"), Limit("at_least", 40))
    assert verdicts(at_least, users({0: 41}, {0: 40}, {0: 39}, {})) == [HOLDS, HOLDS, FAILS, UNKNOWN]


def flat(now: float, before: float, over: int = 30) -> dict[int, float]:
    return {age: now if age < over else before for age in range(2 * over)}


def test_a_rise_of_exactly_ten_percent_fires_and_one_of_9_9_does_not() -> None:
    """S2-28."""
    measure = TrendMeasure("users", change=0.10, over=30, min_base=5)
    found = observe(measure, users(flat(110, 100), flat(1099, 1000), flat(1100, 1000)))
    assert found.verdicts.tolist() == [HOLDS, FAILS, HOLDS]
    assert found.values.tolist() == [0.1, 0.099, 0.1]


def test_a_fall_of_exactly_twenty_percent_fires_and_one_of_19_9_does_not() -> None:
    """S2-28."""
    measure = TrendMeasure("users", change=-0.20, over=30, min_base=5)
    assert verdicts(measure, users(flat(80, 100), flat(801, 1000), flat(120, 100))) == [HOLDS, FAILS, FAILS]


def test_a_zero_or_small_base_makes_a_trend_unknown() -> None:
    """S2-28: one user who becomes two is no rise of 100 %."""
    measure = TrendMeasure("users", change=0.10, over=30, min_base=5)
    known = users(flat(2, 1), flat(5, 0), flat(10, 5), {0: 100})
    assert verdicts(measure, known) == [UNKNOWN, UNKNOWN, HOLDS, UNKNOWN]
    assert verdicts(TrendMeasure("users", 0.1, 30, 0), users(flat(5, 0))) == [UNKNOWN]


def goal(attained_below: float, of: Any = "line", **more: Any) -> GoalMeasure:
    return GoalMeasure(attained_below=attained_below, of=of, agreed="users", **more)


def goals(value: float, target: float, age: int, remaining: int, start: float = 0.0) -> Facts:
    return users({0: value}, goals={"users": p.agreed(target, start, age, remaining)})


def test_79_percent_of_a_goal_fires_and_80_percent_does_not() -> None:
    """S2-29."""
    goal_of = {"users": p.goal("users", "users")}
    for value, expected in ((79, HOLDS), (80, FAILS), (81, FAILS)):
        assert verdicts(goal(0.8, "target"), goals(value, 100, 10, 80), goals=goal_of) == [expected]
        assert verdicts(goal(0.8), goals(value, 100, 90, 0), goals=goal_of) == [expected]


def test_at_half_time_the_line_asks_for_half_of_the_target() -> None:
    """S2-31: expected 50, actual 45 is 90 % of the line."""
    found = observe(goal(0.9), goals(45, 100, 45, 45), goals={"users": p.goal("users", "users")})
    assert found.values.tolist() == [0.9]
    assert found.verdicts.tolist() == [FAILS]


def test_a_goal_is_unknown_on_its_first_day_before_it_and_where_nothing_was_agreed() -> None:
    goal_of = {"users": p.goal("users", "users")}
    assert verdicts(goal(0.8), goals(10, 100, 0, 90), goals=goal_of) == [UNKNOWN]
    assert verdicts(goal(0.8), goals(10, 100, -5, 90), goals=goal_of) == [UNKNOWN]
    assert verdicts(goal(0.8), users({0: 10}), goals=goal_of) == [UNKNOWN]


def test_after_its_end_a_goal_is_measured_against_its_target() -> None:
    found = observe(goal(0.8), goals(90, 100, 120, -30), goals={"users": p.goal("users", "users")})
    assert found.values.tolist() == [0.9]


def test_a_goal_for_which_lower_is_better_uses_the_same_line() -> None:
    """From 60 to 20 in 80 days: after 40 days the line asks for 40; 44 is 80 % of the way there."""
    found = observe(goal(0.8), goals(44, 20, 40, 40, start=60), goals={"users": p.goal("users", "users")})
    assert found.values.tolist() == [0.8]


def test_a_goal_on_amounts_counts_everything_since_its_start() -> None:
    tickets = p.metric("tickets", combine="sum", decimals=0)
    measure = GoalMeasure(attained_below=0.8, of="line", agreed="tickets")
    history = p.series(dict.fromkeys(range(60), 10.0))
    known = p.facts(1, series={"tickets": history}, goals={"tickets": p.agreed(900, 0, 30, 30)})
    found = observe(measure, known, tickets, goals={"tickets": p.goal("tickets", "tickets")})
    assert found.values.tolist() == [round(310 / 450, 12)]


def test_an_own_goal_starts_at_a_date_of_the_account() -> None:
    measure = GoalMeasure(0.8, "line", metric="users", target=100, start="account.onboarded_on", within=90)
    known = users({0: 30}, {0: 30}, fields={"onboarded_on": p.numbers(p.AT - 45, np.nan)})
    assert verdicts(measure, known) == [HOLDS, UNKNOWN]


def test_a_step_goal_expects_nothing_before_its_end() -> None:
    goal_of = {"users": p.goal("users", "users", shape="step")}
    assert verdicts(goal(0.8), goals(10, 100, 45, 45), goals=goal_of) == [UNKNOWN]
    assert verdicts(goal(0.8), goals(79, 100, 90, 0), goals=goal_of) == [HOLDS]


def test_silence_fires_after_more_days_than_said_and_is_unknown_where_nothing_was_ever_heard() -> None:
    measure = SilenceMeasure(Feature("users"), longer_than=30)
    assert verdicts(measure, users({31: 1}, {30: 1}, {0: 1}, {})) == [HOLDS, FAILS, FAILS, UNKNOWN]


def test_silence_of_a_metric_of_days_looks_at_its_value() -> None:
    quiet = p.metric("quiet", from_events=FromEvents(("reply",), silence=True, with_roles=("champion",)))
    people = ((0, {"champion"}), (0, {"user"}), (1, {"user"}))
    events = {"reply": p.happenings((0, 0, 40), (0, 1, 2), (1, 2, 1))}
    found = observe(
        SilenceMeasure(Feature("quiet"), 30),
        p.facts(2, people=people, events=events),
        quiet,
        events={"reply": p.event("reply")},
    )
    assert found.verdicts.tolist() == [HOLDS, UNKNOWN]
    assert found.values[0] == 40


PEOPLE = ((0, {"champion"}), (0, {"user"}), (1, {"user"}), (2, {"champion", "user"}))
LEFT = {"left": p.event("left", nps=ValueType.NUMBER)}


def test_an_event_fires_within_its_days_for_contacts_with_the_role() -> None:
    """S2-25, S4-26."""
    measure = EventMeasure("left", within=30, roles=("champion",))
    events = {"left": p.happenings((0, 0, 29), (0, 1, 2), (1, 2, 1), (2, 3, 30))}
    found = observe(measure, p.facts(4, people=PEOPLE, events=events), USERS, events=LEFT)
    assert found.verdicts.tolist() == [HOLDS, FAILS, FAILS, FAILS]
    assert found.sources.tolist() == [500, -1, -1, -1]
    assert found.values[0] == 29


def test_an_event_without_a_contact_is_nobody_s_with_a_role() -> None:
    events = {"left": p.happenings((0, -1, 3))}
    known = p.facts(1, people=PEOPLE[:2], events=events)
    assert verdicts(EventMeasure("left", 30, roles=("champion",)), known, USERS, events=LEFT) == [FAILS]
    assert verdicts(EventMeasure("left", 30), known, USERS, events=LEFT) == [HOLDS]


def test_an_event_whose_field_is_missing_may_be_meant() -> None:
    where = p.compare("event.nps", "<=", 6)
    events = {"left": p.happenings((0, 0, 3), (1, 2, 1), (2, 3, 1), nps=p.numbers(6, 7, np.nan))}
    known = p.facts(4, people=PEOPLE, events=events)
    assert verdicts(EventMeasure("left", 30, where), known, USERS, events=LEFT) == [HOLDS, FAILS, UNKNOWN, FAILS]


def test_a_condition_on_events_may_read_the_account() -> None:
    where = p.condition(
        All((p.compare("event.nps", "<=", 6).tree, p.compare("account.arr", ">", 10).tree)), "event.nps", "account.arr"
    )
    events = {"left": p.happenings((0, 0, 3), (1, 2, 1), nps=p.numbers(6, 6))}
    known = p.facts(3, people=PEOPLE, events=events, fields={"arr": p.numbers(20, 5, 20)})
    assert verdicts(EventMeasure("left", 30, where), known, USERS, events=LEFT) == [HOLDS, FAILS, FAILS]


def test_the_contacts_behind_an_event_are_named() -> None:
    """S4-24."""
    measure = EventMeasure("left", 30, roles=("user",))
    events = {"left": p.happenings((0, 0, 29), (0, 1, 2), (0, 1, 1), (1, 2, 1), (2, 3, 40))}
    known = p.facts(3, people=PEOPLE, events=events)
    assert contacts_of(measure, known, {}) == {0: (1,), 1: (2,)}


def test_a_condition_fires_where_it_holds_and_shows_what_it_compared() -> None:
    found = observe(
        ConditionMeasure(p.compare("account.arr", ">=", 10)), p.facts(3, fields={"arr": p.numbers(10, 9, np.nan)})
    )
    assert found.verdicts.tolist() == [HOLDS, FAILS, UNKNOWN]
    assert found.values[:2].tolist() == [10, 9]


LOW = ThresholdMeasure(Feature("users"), Limit("below", 40))


def test_lasting_needs_every_one_of_the_days() -> None:
    week = dict.fromkeys(range(7), 30.0)
    known = users(week, {**week, 6: 50.0}, {**week, 7: 50.0}, dict.fromkeys(range(6), 30.0), {**week, 0: 50.0})
    assert verdicts(signal(LOW, lasting=7), known) == [HOLDS, FAILS, HOLDS, UNKNOWN, FAILS]


def test_an_unknown_day_does_not_hide_a_day_on_which_it_failed() -> None:
    assert verdicts(signal(LOW, lasting=7), users({5: 50.0, 0: 30.0})) == [FAILS]


def test_a_trend_can_last_too() -> None:
    measure = TrendMeasure("users", change=-0.2, over=10, min_base=0)
    fallen = {age: 70.0 if age < 13 else 100.0 for age in range(40)}
    just = {age: 70.0 if age < 8 else 100.0 for age in range(40)}
    assert verdicts(signal(measure, lasting=3), users(fallen, just)) == [HOLDS, FAILS]


CLEARING = signal(LOW, clears=Limit("above", 45))


def test_once_firing_a_signal_stays_so_until_it_certainly_clears() -> None:
    known = users({0: 42}, {0: 46}, {0: 30}, {}, before=Before(firing={"rule.it": np.ones(4, dtype=np.int8)}))
    assert verdicts(CLEARING, known) == [HOLDS, FAILS, HOLDS, UNKNOWN]


@pytest.mark.parametrize("before", [FAILS, UNKNOWN])
def test_what_was_not_firing_needs_the_measure_itself(before: int) -> None:
    firing = np.full(4, before, dtype=np.int8)
    known = users({0: 42}, {0: 46}, {0: 30}, {}, before=Before(firing={"rule.it": firing}))
    assert verdicts(CLEARING, known) == [FAILS, FAILS, HOLDS, UNKNOWN]


def test_a_signal_may_read_a_condition_on_a_windowed_feature() -> None:
    tree = Compare("<", Var("users.mean_7d", ValueType.NUMBER), Literal(5.0, ValueType.NUMBER))
    known = users(dict.fromkeys(range(7), 4.0), {0: 6.0})
    assert verdicts(ConditionMeasure(p.condition(tree, "users.mean_7d")), known) == [HOLDS, FAILS]
    assert verdicts(ThresholdMeasure(Feature("users", Window.MEAN, 7), Limit("below", 5)), known) == [HOLDS, FAILS]


def test_a_rule_fires_on_the_slope_of_an_outcome_metric() -> None:
    """S0-48: half a lead a day over the history of ninety days."""
    leads = p.metric("leads", source="outcomes", decimals=1)
    falling = {age: 50 + age / 2 for age in range(90)}
    known = p.facts(3, series={"leads": p.series(falling, dict.fromkeys(range(90), 50.0), {0: 50.0})})
    measure = ThresholdMeasure(Feature("leads", Window.SLOPE, 90), Limit("at_most", -0.5))
    assert verdicts(measure, known, leads) == [HOLDS, FAILS, UNKNOWN]


def test_a_score_reads_the_same_signal_as_the_rules_with_all_it_remembers() -> None:
    """S2-03: 42 is under no limit, but the signal fires since it was under 40 and has not cleared."""
    forced = ForcedTier(p.flag("signal.rule.it"), Tier.REQUIRES_ATTENTION, p.PLACE)
    card = p.scorecard(p.dimension("all", 1.0, p.scored("users")), forced=(forced,))
    bundle = p.bundle(p.catalog(USERS), p.rule("rule", {"it": CLEARING}), cards=[card])
    known = users({0: 82}, {0: 42}, {0: 82}, before=Before(firing={"rule.it": np.array([-1, 1, 1], dtype=np.int8)}))
    seen = evaluate(bundle, known)
    assert seen.signals["rule.it"].verdicts.tolist() == [FAILS, HOLDS, FAILS]
    assert seen.rules["rule"].tolist() == [FAILS, HOLDS, FAILS]
    assert [TIERS[tier] for tier in seen.scores["health"].tier.tolist()] == [
        Tier.DOING_WELL,
        Tier.REQUIRES_ATTENTION,
        Tier.DOING_WELL,
    ]
