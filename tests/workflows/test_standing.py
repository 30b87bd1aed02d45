"""The state of a run, without Temporal: laws that hold whatever is told to it in whatever order."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings, strategies as st

from engine.running.lines import Line
from engine.running.ways import Jump
from tests.workflows.standings import AT, TWO_ROWS, Played
from workflows.payloads import Act, Outcome, RunInput, StretchResult, Wake
from workflows.standing import Standing

LINES = [Line("wait", "first", days=1), Line("gate", "yes", target=2, days=1), Line("end", "end")]
_STEPS = ["", "before", "first", "both", "call", "call/wait", "yes", "mail", "last", "end"]
ACTS = st.builds(
    Act,
    act_id=st.just(1),
    kind=st.sampled_from(["approve", "reject", "pause", "resume", "skip", "task_done", "jump", "retry"]),
    step=st.sampled_from(_STEPS),
    sends=st.booleans(),
    stretch=st.booleans(),
)
CANCELS = st.just(Act(1, "cancel"))
WAKES = st.builds(Wake, outcome=st.sampled_from(["satisfied", "again"]), step=st.sampled_from(_STEPS[1:]))
EXITS = st.just(Wake("exit"))
DAYS = st.floats(0, 4)


def play(words: list[Act | Wake | float], lines: list[Line] = TWO_ROWS) -> Played:
    played = Played.of(lines)
    for word in words:
        if isinstance(word, float):
            played.later(word)
        else:
            played.tell(word)
    return played


def again(state: Standing, lines: list[Line]) -> Standing:
    """The state a run continues with as new."""
    return Standing.of(state.carried(RunInput(run_id=1, lines=lines)), AT + timedelta(days=999))


@settings(deadline=None)
@given(words=st.lists(ACTS | WAKES | DAYS, max_size=12))
def test_whatever_it_is_told_a_run_never_stands_without_a_way_on(words: list[Act | Wake | float]) -> None:
    played = play(words)
    if not played.state.ended:
        assert played.state.due(played.now) is None
        assert played.state.paused or played.state.next_time
    played.later(100)
    assert played.state.ended


@settings(deadline=None)
@given(before=st.lists(ACTS | WAKES | DAYS, max_size=8))
def test_cancelling_ends_a_run_wherever_it_stands(before: list[Act | Wake | float]) -> None:
    played = play(before)
    if not played.state.ended:
        assert not played.tell(Act(1, "cancel"))
        assert played.outcomes[-1] == "cancelled"
        assert played.state.ended


@settings(deadline=None)
@given(before=st.lists(ACTS | WAKES | DAYS, max_size=8), after=st.lists(WAKES | EXITS | st.floats(0, 0.5), max_size=5))
def test_a_paused_run_stands_still_until_its_longest_time_is_over(
    before: list[Act | Wake | float], after: list[Act | Wake | float]
) -> None:
    played = play(before)
    if played.state.ended or (not played.state.paused and played.tell(Act(1, "pause"))):
        return
    done = list(played.outcomes)
    for word in after:
        played.later(word) if isinstance(word, float) else played.tell(word)
    assert played.state.ended or played.outcomes == done
    played.later(100)
    assert played.outcomes == [*done, "overdue"] or played.outcomes[-1] == "overdue"


@settings(deadline=None)
@given(words=st.lists(st.one_of(ACTS, WAKES, EXITS, CANCELS, DAYS), max_size=12))
def test_what_a_run_continues_with_is_what_it_had(words: list[Act | Wake | float]) -> None:
    played = play(words)
    if played.state.ended:
        return
    state, copy = played.state, again(played.state, TWO_ROWS)
    assert (copy.lines, copy.expires, copy.next_time) == (state.lines, state.expires, state.next_time)
    for days in (0, 2, 100):
        now = played.now + timedelta(days=days)
        assert copy.due(now) == state.due(now)


@settings(deadline=None)
@given(words=st.lists(ACTS | WAKES | DAYS, max_size=12))
def test_nothing_is_sent_twice_unless_a_person_says_so(words: list[Act | Wake | float]) -> None:
    """Whoever goes back without "send again" meets the message under its old name, which the ledger knows as sent."""
    said = [replace(word, sends=False) if isinstance(word, Act) else word for word in words]
    assert not [step for step in play(said).done if step.startswith("mail#")]


@settings(deadline=None)
@given(words=st.lists(ACTS | WAKES | DAYS, max_size=12))
def test_every_other_line_is_done_at_most_once_under_each_name(words: list[Act | Wake | float]) -> None:
    played = play(words)
    done = [step for step in played.done if not step.startswith(("mail", "both/"))]
    assert len(done) == len(set(done))


def test_rows_beside_each_other_wait_for_the_last_of_them() -> None:
    played = play([1.0])
    assert played.stands == {"both", "call/wait", "yes"}
    played.tell(Act(1, "approve", "yes"))
    assert played.stands == {"both", "call/wait"}
    played.later(5)
    assert played.stands == {"last"}
    assert played.outcomes == ["begin", "elapsed", "begin", "begin", "approved", "elapsed", "joined"]


def test_a_row_that_is_due_does_not_wait_for_the_others() -> None:
    played = play([1.0, 2.0])
    assert played.outcomes[-1] == "expired"
    assert played.stands == {"both", "call/wait"}


def test_rows_within_rows_join_from_the_inside_out() -> None:
    lines = [
        Line("fork", "outer", arms=(1, 7), target=9),
        Line("fork", "inner", arms=(2, 4), target=6),
        Line("wait", "a", days=1),
        Line("jump", "inner/after-1", target=6),
        Line("wait", "b", days=2),
        Line("jump", "inner/after-2", target=6),
        Line("join", "inner/joined"),
        Line("jump", "outer/after-1", target=9),
        Line("wait", "c", days=1),
        Line("join", "outer/joined"),
        Line("end", "end"),
    ]
    lines[0] = replace(lines[0], arms=(1, 8))
    played = Played.of(lines)
    assert played.stands == {"outer", "inner", "a", "b", "c"}
    played.later(1)
    assert played.stands == {"outer", "inner", "b"}
    assert played.state.open_fork == 0
    played.later(1)
    assert played.state.ended
    assert played.outcomes.count("joined") == 2


def test_an_exit_in_one_row_ends_the_whole_run() -> None:
    played = play([1.0, Wake("exit")])
    assert (played.state.ended, played.outcomes[-1]) == (True, "exit")


def test_a_gate_is_decided_once() -> None:
    played = Played.of(LINES)
    played.later(1)
    played.tell(Act(1, "pause"))
    assert not played.tell(Act(2, "approve", "yes"))
    assert played.tell(Act(3, "reject", "yes")) == 'the approval "yes" is already approved'
    played.tell(Act(4, "resume"))
    assert played.outcomes[-1] == "approved"


def test_what_comes_for_a_step_while_the_run_is_paused_counts_when_it_goes_on() -> None:
    played = play([Act(1, "pause"), Wake("satisfied", "first")])
    assert played.stands == {"first"}
    played.tell(Act(2, "resume"))
    assert played.outcomes[:2] == ["begin", "satisfied"]


def test_a_run_that_goes_on_looks_at_every_stop_once_more() -> None:
    played = play([1.0, Act(1, "pause"), Act(2, "resume")])
    assert played.outcomes[-2:] == ["resumed", "resumed"]
    assert played.stands == {"both", "call/wait", "yes"}


def test_a_pause_takes_time_away_from_waits_unless_they_are_to_stretch() -> None:
    kept = play([Act(1, "pause"), 3.0, Act(2, "resume")])
    stretched = play([Act(1, "pause"), 3.0, Act(2, "resume", stretch=True)])
    assert "elapsed" in kept.outcomes
    assert stretched.outcomes == ["begin", "resumed"]
    stretched.later(1)
    assert "elapsed" in stretched.outcomes


def test_a_date_that_has_moved_is_looked_at_again_without_leaving_the_wait() -> None:
    played = play([])
    played.state.wake(Wake("again", "first"))
    move = played.state.due(AT)
    assert move is not None
    assert move.outcome == "again"
    played.state.leave(move)
    played.state.busy = False
    played.state.arrive(move, StretchResult(1, "wait", (AT + timedelta(days=9)).isoformat()))
    played.later(8)
    assert played.stands == {"first"}
    played.later(1)
    assert played.stands != {"first"}


def test_a_stretch_that_was_interrupted_is_still_to_be_done() -> None:
    played = play([])
    played.now += timedelta(days=1)
    move = played.state.due(played.now)
    assert move is not None
    played.state.leave(move)
    played.state.busy = False
    played.state.pause(played.now)
    assert played.state.due(played.now) is None
    assert again(played.state, TWO_ROWS).is_moving
    played.tell(Act(1, "resume"))
    assert "before" in played.done
    assert played.stands == {"both", "call/wait", "yes"}


def stuck(outcome: Outcome = "begin") -> Played:
    played = Played(Standing.of(RunInput(run_id=1, lines=TWO_ROWS), AT))
    move = played.state.due(AT)
    assert move is not None
    assert move.outcome == outcome
    played.state.leave(move)
    played.state.busy = False
    played.state.arrive(move, StretchResult(0, "stuck", (AT + timedelta(days=7)).isoformat()))
    return played


def test_rows_a_pause_and_everything_told_are_carried_on() -> None:
    state = play([1.0, Act(1, "jump", "call"), Act(2, "skip", "last"), Act(3, "pause"), Act(4, "approve", "yes")]).state
    copy = again(state, TWO_ROWS)
    assert (copy.strands, copy.expires, copy.paused) == (state.strands, state.expires, state.paused)
    assert (copy.skips, copy.kept, copy.jumps) == (["last"], {"yes": "approved"}, [Jump(3, 4)])


def test_a_run_that_is_stuck_waits_a_week_for_somebody_and_then_fails() -> None:
    played = stuck()
    played.later(6.9)
    assert played.outcomes == []
    played.later(0.1)
    assert played.outcomes == ["failed"]


def test_trying_again_does_the_same_stretch_for_the_same_reason() -> None:
    played = stuck()
    assert not played.tell(Act(1, "retry"))
    assert played.outcomes == ["begin"]
    assert played.stands == {"first"}


def test_skipping_a_step_of_a_stuck_run_tries_again_without_it() -> None:
    played = stuck()
    assert played.tell(Act(1, "skip")) == "the run could not go on: say which step to skip, or try again"
    assert not played.tell(Act(1, "skip", "before"))
    assert played.state.skips == ["before"]
    assert played.outcomes == ["begin"]


def test_the_longest_time_of_a_run_counts_from_its_beginning() -> None:
    played = play([])
    assert played.state.expires == (AT + timedelta(days=90)).isoformat()
    scaled = Standing.of(RunInput(run_id=1, lines=TWO_ROWS, day_seconds=1), AT)
    assert scaled.expires == (AT + timedelta(seconds=90)).isoformat()
    assert Standing.of(RunInput(run_id=1, lines=LINES), AT).expires == ""
