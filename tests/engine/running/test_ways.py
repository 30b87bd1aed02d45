"""Where lines lead: rows beside each other, and lines that are done once more."""

from hypothesis import given, settings, strategies as st

from engine.definitions.condition import Condition, Literal
from engine.definitions.feature import ValueType
from engine.definitions.playbook import (
    ApproveStep,
    Audience,
    BranchStep,
    EmailStep,
    ParallelStep,
    Playbook,
    Span,
    Step,
    TaskStep,
    WaitStep,
)
from engine.definitions.problem import Place
from engine.running.lines import Line, compile_lines
from engine.running.ways import Jump, again, exits, is_covered, is_outward, origin, row_of
from engine.terms import Mode

HERE = Place("playbooks/p.yaml")
ALWAYS = Condition(True, Literal(True, ValueType.BOOLEAN), frozenset(), HERE)


def _task(name: str) -> TaskStep:
    return TaskStep(name, "Call", ("owner",), HERE)


def _email(name: str) -> EmailStep:
    return EmailStep(name, Audience(role="champion"), "hello", HERE)


def _wait(name: str) -> WaitStep:
    return WaitStep(name, Span(1), HERE)


def _lines(*steps: Step, mode: Mode = Mode.AUTOMATIC) -> tuple[Line, ...]:
    return compile_lines(Playbook("p", "P", "education", steps, HERE), mode)


def _number(lines: tuple[Line, ...], step: str) -> int:
    return next(number for number, line in enumerate(lines) if line.step == step)


NESTED = _lines(
    _task("before"),
    ParallelStep(
        "both",
        (
            (_email("mail"), _wait("quiet")),
            (_task("call"), ParallelStep("inner", ((_task("a"),), (_task("b"),)), HERE), _task("after-inner")),
        ),
        HERE,
    ),
    _task("behind"),
)


def test_a_fork_knows_the_first_line_of_each_row_and_its_join() -> None:
    fork = NESTED[_number(NESTED, "both")]
    assert [NESTED[number].step for number in fork.arms] == ["mail", "call"]
    join = NESTED[fork.target]
    assert (join.kind, join.step) == ("join", "both/joined")
    assert NESTED[fork.target + 1].step == "behind"


def test_a_line_lies_in_the_innermost_row_around_it() -> None:
    rows = {line.step: row_of(NESTED, number) for number, line in enumerate(NESTED)}
    assert rows["before"] == rows["both"] == rows["both/joined"] == rows["behind"] == (0, len(NESTED))
    assert rows["mail"] == rows["quiet"]
    assert rows["call"] == rows["inner"] == rows["after-inner"]
    assert len({rows["before"], rows["mail"], rows["call"], rows["a"], rows["b"]}) == 5


def test_a_stretch_stops_at_a_fork_and_at_a_join() -> None:
    assert not is_outward(NESTED, _number(NESTED, "before"))
    assert is_outward(NESTED, _number(NESTED, "mail"))
    assert not is_outward(NESTED, _number(NESTED, "both/joined"))


def test_what_is_done_again_has_a_new_name_and_what_was_sent_keeps_its_own() -> None:
    lines = _lines(_task("call"), _email("mail"), _wait("quiet"), _task("last"))
    once = again(lines, [Jump(0, 2)])
    assert [line.step for line in once] == ["call#2", "mail", "quiet#2", "last", "end"]
    twice = again(lines, [Jump(0, 2), Jump(2, 3)])
    assert [line.step for line in twice] == ["call#2", "mail", "quiet#3", "last#2", "end"]


def test_a_person_who_says_send_again_gives_the_message_a_new_name() -> None:
    lines = _lines(_email("mail"), _wait("quiet"))
    assert [line.step for line in again(lines, [Jump(0, 1, sends=True)])] == ["mail#2", "quiet#2", "end"]


def test_the_first_name_of_a_line_is_what_the_playbook_knows_it_by() -> None:
    assert [origin(step) for step in ("call", "call#2", "call/wait#13", "seat/first-2")] == [
        "call",
        "call",
        "call/wait",
        "seat/first-2",
    ]


def test_what_an_approval_covers_is_covered_and_nothing_else() -> None:
    gate = ApproveStep("ok", ("owner",), (_email("mail"),), Span(2), "skip", HERE)
    lines = _lines(_task("call"), gate, _task("behind"))
    assert [line.step for number, line in enumerate(lines) if is_covered(lines, number)] == ["mail"]
    whole = _lines(_task("call"), mode=Mode.APPROVE)
    assert [is_covered(whole, number) for number in range(len(whole))] == [False, True, False]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(NESTED) - 1), st.integers(0, len(NESTED) - 1), st.booleans()), max_size=5))
def test_names_stay_unique_and_lines_stay_where_they_are_however_often_one_goes_back(
    jumps: list[tuple[int, int, bool]],
) -> None:
    wanted = [Jump(min(first, last), max(first, last), sends) for first, last, sends in jumps]
    lines = again(NESTED, wanted)
    assert len({line.step for line in lines}) == len(lines)
    assert [origin(line.step) for line in lines] == [line.step for line in NESTED]
    assert [exits(lines, number) for number in range(len(lines))] == [exits(NESTED, n) for n in range(len(NESTED))]


def test_a_branch_beside_another_row_stays_in_its_own() -> None:
    branch = BranchStep("b", ALWAYS, (_email("x"),), (_task("y"),), (), HERE)
    lines = _lines(ParallelStep("both", ((branch,), (_task("z"),)), HERE))
    assert len({row_of(lines, _number(lines, step)) for step in ("b", "x", "y", "b/unknown", "b/after-then")}) == 1
