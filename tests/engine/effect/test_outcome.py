"""Every kind of success criterion, judged from data: met, not met, unknown."""

from collections.abc import Callable

import pytest

from engine.definitions.bundle import Bundle
from engine.effect.outcome import DueOutcome, JudgedOutcome, judge
from engine.evaluation.evaluation import Evaluation, needs
from engine.terms import Arm, OutcomeState

Seen = Callable[..., Evaluation]
MET, NOT_MET, UNKNOWN = OutcomeState.MET, OutcomeState.NOT_MET, OutcomeState.UNKNOWN


def due(
    rule: str, account_id: int = 10, *, baseline: float | None = None, decided: int = 55, on: int = 100
) -> DueOutcome:
    return DueOutcome(1, account_id, rule, "help", Arm.TREATED, baseline, decided, on)


def one(bundle: Bundle, evaluation: Evaluation, outcome: DueOutcome) -> JudgedOutcome:
    (judged,) = judge(bundle, evaluation, [outcome])
    return judged


@pytest.mark.parametrize(("value", "state"), [(0.6, MET), (0.59, NOT_MET)])
def test_a_limit_is_judged_by_the_value_of_the_due_day(
    bundle: Bundle, seen: Seen, value: float, state: OutcomeState
) -> None:
    """S2-51."""
    judged = one(bundle, seen(100, {"used": [(0, 90, 0.9), (0, 100, value)]}), due("limit"))
    assert (judged.state, judged.value) == (state, value)


def test_the_sentence_says_what_was_measured_and_what_was_needed(bundle: Bundle, seen: Seen) -> None:
    judged = one(bundle, seen(100, {"used": [(0, 100, 0.64)]}), due("limit"))
    assert judged.sentence == "used was 64 % on 1970-04-11; at least 60 % was needed"


def test_an_outcome_without_data_is_unknown_and_not_a_failure(bundle: Bundle, seen: Seen) -> None:
    judged = one(bundle, seen(100), due("limit"))
    assert (judged.state, judged.value) == (UNKNOWN, None)
    assert judged.sentence == "used is not known on 1970-04-11: the data is missing"


def test_a_stale_value_is_no_value(bundle: Bundle, seen: Seen) -> None:
    judged = one(bundle, seen(100, {"users": [(0, 80, 50.0)]}), due("condition"))
    assert judged.state is UNKNOWN


def test_a_late_cycle_judges_as_of_the_due_day(bundle: Bundle, seen: Seen) -> None:
    evaluation = seen(110, {"used": [(0, 100, 0.7), (0, 105, 0.1)]})
    judged = one(bundle, evaluation, due("limit"))
    assert (judged.state, judged.value, judged.judged_on) == (MET, 0.7, 110)


@pytest.mark.parametrize(("now", "state"), [(115.0, MET), (114.0, NOT_MET)])
def test_a_change_is_relative_to_the_value_at_the_decision(
    bundle: Bundle, seen: Seen, now: float, state: OutcomeState
) -> None:
    evaluation = seen(100, {"users": [(0, day, now) for day in range(94, 101)]})
    judged = one(bundle, evaluation, due("change", baseline=100.0))
    assert judged.state is state


def test_a_change_in_words_names_both_values(bundle: Bundle, seen: Seen) -> None:
    evaluation = seen(100, {"users": [(0, day, 130.0) for day in range(94, 101)]})
    judged = one(bundle, evaluation, due("change", baseline=100.0))
    assert judged.sentence == (
        "users.mean_7d went from 100.0 to 130.0 by 1970-04-11, a change of +30 %; +15 % was needed"
    )


@pytest.mark.parametrize("baseline", [None, 0.0])
def test_a_change_without_a_baseline_is_unknown(bundle: Bundle, seen: Seen, baseline: float | None) -> None:
    evaluation = seen(100, {"users": [(0, 100, 130.0)]})
    judged = one(bundle, evaluation, due("change", baseline=baseline))
    assert judged.state is UNKNOWN
    assert "no value at the decision" in judged.sentence


@pytest.mark.parametrize(
    ("day", "state"),
    [(55, NOT_MET), (56, MET), (100, MET), (101, NOT_MET)],
    ids=["on the day of the decision", "the day after", "on the due day", "too late"],
)
def test_an_event_counts_after_the_decision_and_up_to_the_due_day(
    bundle: Bundle, seen: Seen, day: int, state: OutcomeState
) -> None:
    judged = one(bundle, seen(105, events=[(0, day), (1, 70)]), due("event"))
    assert judged.state is state


def test_an_event_of_another_account_does_not_count(bundle: Bundle, seen: Seen) -> None:
    evaluation = seen(100, events=[(1, 70)])
    states = {
        each.due.account_id: each.state for each in judge(bundle, evaluation, [due("event", 10), due("event", 20)])
    }
    assert states == {10: NOT_MET, 20: MET}


@pytest.mark.parametrize("rule", ["limit", "change", "event", "condition"])
def test_a_customer_who_left_counts_as_not_met(bundle: Bundle, seen: Seen, rule: str) -> None:
    points = {"used": [(0, 100, 0.9)], "users": [(0, 100, 500.0)]}
    evaluation = seen(100, points, [(0, 70)], stages=("churned", "adoption", "adoption"))
    judged = one(bundle, evaluation, due(rule, baseline=1.0))
    assert judged.state is NOT_MET
    assert judged.sentence == "the customer had left by 1970-04-11, which counts as not met"


@pytest.mark.parametrize(("users", "state"), [(11.0, MET), (10.0, NOT_MET)])
def test_a_condition_is_judged_on_the_due_day(bundle: Bundle, seen: Seen, users: float, state: OutcomeState) -> None:
    assert one(bundle, seen(100, {"users": [(0, 100, users)]}), due("condition")).state is state


@pytest.mark.parametrize("rule", ["limit", "change", "event", "condition"])
def test_an_account_that_is_gone_from_the_data_is_unknown(bundle: Bundle, seen: Seen, rule: str) -> None:
    judged = one(bundle, seen(100, {"users": [(2, 100, 50.0)]}), due(rule, 99, baseline=1.0))
    assert judged.state is UNKNOWN


def test_an_outcome_whose_rule_was_deleted_is_unknown(bundle: Bundle, seen: Seen) -> None:
    judged = one(bundle, seen(100), due("deleted"))
    assert judged.state is UNKNOWN
    assert '"deleted" is no longer there' in judged.sentence


def test_both_arms_are_judged_alike(bundle: Bundle, seen: Seen) -> None:
    evaluation = seen(100, {"used": [(0, 100, 0.7), (1, 100, 0.7)]})
    held_out = DueOutcome(2, 20, "limit", "help", Arm.HELD_OUT, None, 55, 100)
    assert [each.state for each in judge(bundle, evaluation, [due("limit"), held_out])] == [MET, MET]


def test_what_success_reads_is_loaded_with_time_for_a_late_cycle(bundle: Bundle) -> None:
    wanted = needs(bundle)
    assert wanted.events == {"named"}
    assert wanted.days >= 45 + 14
    assert {"users"} <= wanted.metrics
