"""Examples in rules: told as one account, evaluated like any other, and shown with what was measured."""

from typing import Any

import pytest

from engine.definitions.bundle import Bundle
from engine.definitions.catalog import FromEvents
from engine.definitions.condition import Arithmetic, Var
from engine.definitions.feature import Feature, Window
from engine.definitions.measure import (
    ClockMeasure,
    ConditionMeasure,
    ContactsMeasure,
    EventMeasure,
    GoalMeasure,
    Limit,
    RankMeasure,
    ScheduleMeasure,
    SilenceMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.definitions.problem import Place
from engine.definitions.rule import Example, ExampleEvent, ExampleGoal, Signal
from engine.evaluation.examples import check_examples, tell
from tests.engine.evaluation import portfolio as p

RATIO = p.condition(Arithmetic("/", (Var("users", p.NUMBER), Var("sold", p.NUMBER)), p.SHARE), "users", "sold")
CATALOG = p.catalog(
    p.metric("users"),
    p.metric("sold"),
    p.metric("use", title="Licence utilisation", type=p.SHARE, formula=RATIO),
    p.metric("quiet", title="Quiet", from_events=FromEvents(("reply",), silence=True)),
    p.metric("calls", from_events=FromEvents(("call",), over=30)),
    p.metric("tickets", combine="sum"),
    goals={"tickets": p.goal("tickets", "tickets")},
    events={name: p.event(name) for name in ("reply", "call", "left")},
)
LOW = Signal("low", ThresholdMeasure(Feature("use"), Limit("below", 0.4)), p.PLACE, lasting=7)
PLACE = Place("rules/low.yaml", 30, 5)


def example(given: dict[str, Any], then: Any = "fires", **more: Any) -> Example:
    return Example("an example", given, then, PLACE, **more)


def bundle(signal: Any, *examples: Example) -> Bundle:
    return p.bundle(CATALOG, p.rule("rule", {"it": signal}, examples=examples))


def said(signal: Any, told: Example) -> int:
    return int(tell(bundle(signal), told).rules["rule"][0])


WEEK: dict[str, Any] = {"sold": {0: 100.0}, "users": dict.fromkeys(range(10), 30.0)}


def test_an_example_that_comes_out_is_no_problem() -> None:
    assert check_examples(bundle(LOW, example(WEEK), example({"users": {0: 30.0}}, "unknown"))) == ()


def test_an_example_that_does_not_come_out_is_a_problem_at_its_place_with_what_was_measured() -> None:
    (problem,) = check_examples(bundle(LOW, example(WEEK, "clear")))
    assert (problem.place, problem.code) == (PLACE, "R050")
    assert problem.message == 'the example "an example" says clear, but the rule says fires'
    assert problem.hint == "it fires: Licence utilisation is 30 %, below 40 % for 7 days"


def test_a_derived_metric_may_be_given_directly() -> None:
    assert said(LOW, example({"use": {0: 0.3}})) == 1
    assert said(ThresholdMeasure(Feature("calls"), Limit("above", 2)), example({"calls": {0: 3.0}})) == 1


@pytest.mark.parametrize(("days", "expected"), [(40.0, 1), (20.0, -1)])
def test_the_days_of_a_silence_may_be_given_or_follow_from_events(days: float, expected: int) -> None:
    silence = SilenceMeasure(Feature("quiet"), 30)
    assert said(silence, example({"quiet": {0: days}})) == expected
    assert said(silence, example({}, happened=(ExampleEvent("reply", int(days)),))) == expected


def test_an_event_happens_to_the_contact_with_its_role() -> None:
    left = EventMeasure("left", 30, roles=("champion",))
    assert said(left, example({}, happened=(ExampleEvent("left", 5, "champion"),))) == 1
    assert said(left, example({}, happened=(ExampleEvent("left", 5, "user"),))) == -1
    assert said(left, example({}, happened=(ExampleEvent("left", 5),))) == -1
    assert said(left, example({}, events={"left": (5,)})) == -1


def test_an_agreed_goal_is_counted_from_its_start() -> None:
    behind = GoalMeasure(0.8, "line", agreed="tickets")
    goal = (ExampleGoal("tickets", 900.0, 30, 60),)
    assert said(behind, example({"tickets": dict.fromkeys(range(60), 10.0)}, agreed=goal)) == 1
    assert said(behind, example({"tickets": dict.fromkeys(range(60), 16.0)}, agreed=goal)) == -1


def test_account_facts_scores_and_dates_can_be_told() -> None:
    small = ConditionMeasure(p.compare("account.arr", "<", 100))
    assert said(small, example({"account.arr": {0: 50.0}})) == 1
    churned = ConditionMeasure(p.compare("account.stage", "==", "churned", p.TEXT))
    assert said(churned, example({"account.stage": {0: "churned"}})) == 1
    near = ConditionMeasure(p.compare("account.renewal_in_days", "<=", 120))
    assert said(near, example({"account.renewal_on": {0: "2026-07-01"}})) == 1
    assert said(near, example({"account.renewal_on": {0: "2027-07-01"}})) == -1
    assert said(near, example({})) == 0


def test_amounts_of_a_day_are_not_taken_to_have_been_so_all_along() -> None:
    monthly = Feature("tickets", Window.SUM, 30)
    assert said(ThresholdMeasure(monthly, Limit("at_most", 3)), example({"tickets": {0: 3.0}})) == 1
    assert (
        said(ThresholdMeasure(Feature("users", Window.SUM, 30), Limit("at_least", 90)), example({"users": {0: 3.0}}))
        == 1
    )


PEOPLE = p.catalog(
    p.metric("logins", of="contact", from_events=FromEvents(("login",))),
    p.metric("seats", of="contact", decimals=0),
    roles=("sponsor", "user"),
    events={"login": p.event("login")},
)
LESS, SAME = {age: 1.0 if age < 30 else 2.0 for age in range(60)}, dict.fromkeys(range(60), 2.0)
FALL = TrendMeasure("logins", -0.2, 30, 0)


def said_of_people(measure: Any, people: dict[str, Any], **more: Any) -> int:
    told = p.bundle(PEOPLE, p.rule("rule", {"it": measure}))
    return int(tell(told, example({}, people=people, **more)).rules["rule"][0])


def test_contacts_are_told_by_their_role_and_there_may_be_several_of_one() -> None:
    two = ContactsMeasure(FALL, ("user",), 2)
    assert said_of_people(two, {"logins": {"user": LESS, "sponsor": LESS}}) == -1
    assert said_of_people(two, {"logins": {"user": LESS, "user 2": LESS}}) == 1
    assert said_of_people(ContactsMeasure(FALL, ("sponsor",)), {"logins": {"sponsor": LESS, "user": SAME}}) == 1
    assert said_of_people(ContactsMeasure(FALL), {"logins": {"somebody": LESS}}) == 1
    assert said_of_people(ContactsMeasure(FALL, ("user",)), {"logins": {"somebody": LESS}}) == 0
    seats = ContactsMeasure(ThresholdMeasure(Feature("seats"), Limit("below", 3)))
    assert said_of_people(seats, {"seats": {"user": {0: 2.0}}}) == 1


def test_what_happened_to_people_counts_as_theirs() -> None:
    fallen = tuple(ExampleEvent("login", age, "user") for age in range(30, 60))
    assert said_of_people(ContactsMeasure(FALL, ("user",)), {}, happened=fallen) == 1
    assert said_of_people(ContactsMeasure(FALL, ("sponsor",)), {}, happened=fallen) == 0


LOW_SCORE = Signal("it", ConditionMeasure(p.compare("score.health", "<", 50)), p.PLACE, lasting=5)


@pytest.mark.parametrize(
    ("told", "then"),
    [
        ({0: 40.0}, "fires"),
        (dict.fromkeys(range(5), 40.0), "fires"),
        ({**dict.fromkeys(range(5), 40.0), 3: 60.0}, "clear"),
        (dict.fromkeys(range(4), 40.0), "unknown"),
        ({0: 60.0}, "clear"),
    ],
)
def test_what_is_remembered_is_told_day_by_day(told: dict[int, float], then: str) -> None:
    assert check_examples(bundle(LOW_SCORE, example({"score.health": told}, then))) == ()


def test_an_example_tells_the_mark_among_peers_it_does_not_have() -> None:
    lowest = RankMeasure(Feature("users"), Limit("at_most", 10), "segment", 5)
    assert said(lowest, example({"users": {0: 20.0}, "users.rank": {0: 10.0}})) == 1
    assert said(lowest, example({"users": {0: 20.0}, "users.rank": {0: 11.0}})) == -1
    assert said(lowest, example({"users": {0: 4.0}})) == 1
    assert said(lowest, example({"users": {0: 20.0}})) == 0


def test_goals_clocks_and_schedules_can_be_told() -> None:
    status = ConditionMeasure(p.compare("goal.tickets.status", "==", "stuck", p.TEXT))
    goal = (ExampleGoal("tickets", 900.0, 30, 60),)
    assert said(status, example({"tickets": dict.fromkeys(range(60), 10.0)}, agreed=goal)) == 1
    assert said(status, example({"tickets": dict.fromkeys(range(60), 16.0)}, agreed=goal)) == -1
    clock = ClockMeasure("account.renewal_on", 90)
    assert said(clock, example({"account.renewal_on": {0: "2026-08-30"}})) == 1
    assert said(clock, example({"account.renewal_on": {0: "2026-08-31"}})) == -1
    assert said(ScheduleMeasure("month"), example({})) == 1
    assert said(ScheduleMeasure("quarter"), example({})) == -1
