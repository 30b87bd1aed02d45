"""Which acts are possible when."""

import pytest

from engine.running.overriding import possible, refusal, skip_refusal
from engine.terms import RunAct, RunState

FINAL = [state for state in RunState if not state.is_open]


@pytest.mark.parametrize("state", FINAL)
@pytest.mark.parametrize("act", RunAct)
def test_nothing_can_be_done_to_a_run_that_has_ended(act: RunAct, state: RunState) -> None:
    assert state.value in refusal(act, state, "wait")
    assert possible(state, "wait") == ()


def test_a_waiting_run_can_be_paused_skipped_and_cancelled() -> None:
    assert possible(RunState.WAITING, "wait") == (RunAct.PAUSE, RunAct.SKIP, RunAct.CANCEL)


def test_a_paused_run_can_be_resumed_and_not_paused_again() -> None:
    assert possible(RunState.PAUSED, "gate") == (RunAct.RESUME, RunAct.SKIP, RunAct.CANCEL)
    assert refusal(RunAct.PAUSE, RunState.PAUSED, "gate") == "The run is paused already."


@pytest.mark.parametrize("act", [RunAct.APPROVE, RunAct.REJECT])
def test_only_a_run_at_a_gate_can_be_approved(act: RunAct) -> None:
    assert refusal(act, RunState.WAITING, "gate") == ""
    assert "any more" in refusal(act, RunState.WAITING, "wait")


def test_a_task_is_only_waited_for_at_a_wait() -> None:
    assert refusal(RunAct.TASK_DONE, RunState.WAITING, "wait") == ""
    assert refusal(RunAct.TASK_DONE, RunState.WAITING, "gate")


def test_a_step_that_is_behind_the_run_or_not_in_it_cannot_be_skipped() -> None:
    known, done = frozenset({"a", "b"}), frozenset({"a"})
    assert skip_refusal("", known, done) == ""
    assert skip_refusal("b", known, done) == ""
    assert skip_refusal("a", known, done) == 'The step "a" has happened already.'
    assert skip_refusal("c", known, done) == 'The run has no step "c".'
