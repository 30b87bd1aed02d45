"""Outcomes back into the metrics: whether the customer's situation improved when we acted."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.effect.outcome import JudgedOutcome
from engine.terms import Arm, OutcomeState


@dataclass(frozen=True, slots=True)
class FeedbackPoint:
    """One point to record: ``metric`` of an account on a day (since 1970-01-01)."""

    account_id: int
    metric: str
    day: int
    value: float


def feedback(judged: Iterable[JudgedOutcome]) -> tuple[FeedbackPoint, ...]:
    """A point ``response.<playbook>`` for each judged outcome of a treated account: 1 met, 0 not met.

    Held-out accounts were not acted on, and an unknown outcome is not a zero: neither gives a point.
    """
    return tuple(
        FeedbackPoint(
            account_id=each.due.account_id,
            metric=f"response.{each.due.playbook}",
            day=each.judged_on,
            value=1.0 if each.state is OutcomeState.MET else 0.0,
        )
        for each in judged
        if each.due.arm is not Arm.HELD_OUT and each.state in {OutcomeState.MET, OutcomeState.NOT_MET}
    )
