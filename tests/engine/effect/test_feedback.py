"""Points that come back from outcomes."""

import pytest

from engine.effect.feedback import FeedbackPoint, feedback
from engine.effect.outcome import DueOutcome, JudgedOutcome
from engine.terms import Arm, OutcomeState


def judged(arm: Arm, state: OutcomeState) -> JudgedOutcome:
    due = DueOutcome(1, 10, "seats-unused", "seat-activation", arm, None, 55, 100)
    return JudgedOutcome(due, state, None, "why", 101)


@pytest.mark.parametrize(("state", "value"), [(OutcomeState.MET, 1.0), (OutcomeState.NOT_MET, 0.0)])
def test_a_treated_account_answers_with_a_point_on_the_day_it_is_judged(state: OutcomeState, value: float) -> None:
    point = FeedbackPoint(account_id=10, metric="response.seat-activation", day=101, value=value)
    assert feedback([judged(Arm.TREATED, state)]) == (point,)


def test_a_held_out_account_gives_no_point() -> None:
    assert feedback([judged(Arm.HELD_OUT, OutcomeState.MET)]) == ()


def test_an_unknown_outcome_is_not_a_zero() -> None:
    assert feedback([judged(Arm.TREATED, OutcomeState.UNKNOWN)]) == ()
