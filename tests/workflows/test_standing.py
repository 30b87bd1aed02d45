"""The state of a run, without Temporal: laws that hold whatever is told to it in whatever order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from engine.running.lines import Line
from workflows.payloads import Act, RunInput, StretchResult, Wake
from workflows.standing import Standing

AT = datetime(2026, 3, 2, tzinfo=UTC)
LINES = [Line("wait", "first", days=1), Line("gate", "yes", target=2, days=1), Line("end", "end")]
ACTS = st.builds(
    Act,
    act_id=st.just(1),
    kind=st.sampled_from(["approve", "reject", "pause", "resume", "skip", "cancel", "task_done"]),
    step=st.sampled_from(["", "first", "yes", "end"]),
)
WAKES = st.builds(Wake, outcome=st.sampled_from(["satisfied", "exit"]), step=st.sampled_from(["first", "yes"]))


def standing_at(cursor: int) -> Standing:
    state = Standing.of(RunInput(run_id=1, lines=LINES))
    state.arrive(StretchResult(cursor, "gate" if cursor else "wait", (AT + timedelta(days=1)).isoformat()))
    return state


def tell(state: Standing, word: Act | Wake) -> None:
    if isinstance(word, Wake):
        state.wake(word)
    elif not state.refusal(word):
        state.apply(word)


@given(cursor=st.integers(0, 1), words=st.lists(ACTS | WAKES, max_size=8))
def test_a_cancelled_run_is_closed_and_a_paused_one_stands_still(cursor: int, words: list[Act | Wake]) -> None:
    state = standing_at(cursor)
    for word in words:
        tell(state, word)
    outcome = state.outcome(AT + timedelta(days=2))
    if state.cancelled:
        assert outcome == "cancelled"
    elif state.paused:
        assert outcome is None
    else:
        assert outcome is not None


@given(words=st.lists(ACTS, max_size=8))
def test_a_gate_is_decided_once(words: list[Act]) -> None:
    state, first = standing_at(1), ""
    for word in words:
        tell(state, word)
        first = first or state.kept.get("yes", "")
        assert state.kept.get("yes", "") == first


@given(words=st.lists(ACTS | WAKES, max_size=8))
def test_what_a_run_continues_with_is_what_it_had(words: list[Act | Wake]) -> None:
    state = standing_at(1)
    for word in words:
        tell(state, word)
    again = Standing.of(
        RunInput(
            run_id=1,
            lines=LINES,
            cursor=state.cursor,
            begun=True,
            deadline=state.deadline,
            paused=state.paused,
            skips=state.skips,
            kept=state.kept,
        ),
    )
    for later in (timedelta(0), timedelta(days=2)):
        assert again.outcome(AT + later) == state.outcome(AT + later)


def test_an_approval_of_a_step_that_is_no_gate_is_refused_even_while_a_stretch_is_at_work() -> None:
    state = Standing.of(RunInput(run_id=1, lines=LINES))
    assert state.busy
    assert state.refusal(Act(1, "approve", "first"))
    assert not state.refusal(Act(1, "approve", "yes"))
