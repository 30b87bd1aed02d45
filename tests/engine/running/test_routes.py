"""The way of a run through its lines, on a clock of its own."""

from datetime import UTC, date, datetime, timedelta

from engine.definitions.calendar import Calendar
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
from engine.running.lines import compile_lines, meanings
from engine.running.routes import Knowing, Position, Visit, visits
from engine.terms import Mode

MONDAY = datetime(2026, 9, 7, 10, tzinfo=UTC)
HERE = Place("playbooks/try.yaml")
CONDITION = Condition(True, Literal(True, ValueType.BOOLEAN), frozenset(), HERE)


def _email(name: str) -> EmailStep:
    return EmailStep(name, Audience(role="champion"), name, HERE)


def _wait(name: str, days: float, *, working: bool = False) -> WaitStep:
    return WaitStep(name, Span(days, working), HERE)


def _way(*steps: Step, mode: Mode = Mode.AUTOMATIC, knowing: Knowing | None = None) -> dict[str, Visit]:
    playbook = Playbook("try", "Try", "education", steps, HERE)
    lines = compile_lines(playbook, mode)
    found = visits(lines, meanings(playbook, mode), [Position(MONDAY, 0)], knowing or Knowing())
    return {lines[one.number].step: one for one in found}


def _days(way: dict[str, Visit], step: str) -> float:
    return (way[step].at - MONDAY) / timedelta(days=1)


def test_waits_last_their_longest_and_working_days_skip_the_weekend() -> None:
    way = _way(_email("a"), _wait("w", 3), _email("b"), _wait("v", 3, working=True), _email("c"))
    assert [_days(way, step) for step in ("a", "b", "c", "end")] == [0, 3, 8, 8], "Thursday and three working days"


def test_holidays_of_the_accounts_calendar_count() -> None:
    calendar = Calendar("home", holidays=frozenset({date(2026, 9, 8)}))
    way = _way(_wait("w", 1, working=True), _email("a"), knowing=Knowing(calendar=calendar))
    assert _days(way, "a") == 2


def test_a_branch_goes_the_way_that_is_known() -> None:
    branch = BranchStep("b", CONDITION, (_email("yes"),), (_email("no"),), (_email("who-knows"),), HERE)
    for arm, step in enumerate(("yes", "no", "who-knows")):
        assert set(_way(branch, knowing=Knowing(arms={0: arm}))) == {step, "end"}
    assert set(_way(branch)) == {"who-knows", "end"}, "what nobody judged is unknown"


def test_a_condition_that_holds_already_is_not_waited_for() -> None:
    wait = WaitStep("w", Span(9), HERE, until=CONDITION)
    assert _days(_way(wait, _email("a"), knowing=Knowing(arms={0: 0})), "a") == 0
    assert _days(_way(wait, _email("a")), "a") == 9


def test_a_date_is_waited_for_as_far_as_it_is_known() -> None:
    wait = WaitStep("w", Span(90), HERE, until_date="account.renewal_on", before=Span(30))
    renewal = MONDAY + timedelta(days=40)
    assert _days(_way(wait, _email("a"), knowing=Knowing(dates={"account.renewal_on": renewal})), "a") == 10
    assert _days(_way(wait, _email("a")), "a") == 90


def test_a_task_that_is_waited_for_is_done_when_it_is_due() -> None:
    task = TaskStep("t", "Call", ("owner",), HERE, due=Span(2, working=True), wait_for_done=Span(10))
    way = _way(task, _email("a"))
    assert way["t"].until == MONDAY + timedelta(days=2)
    assert _days(way, "a") == 2


def test_an_approval_takes_a_working_day_and_a_veto_window_its_whole_time() -> None:
    inside = (_email("a"),)
    gate = ApproveStep("g", ("owner",), inside, Span(3, working=True), "skip", HERE)
    veto = ApproveStep("g", ("owner",), inside, Span(3, working=True), "go", HERE)
    short = ApproveStep("g", ("owner",), inside, Span(0.5, working=True), "skip", HERE)
    assert _days(_way(gate), "a") == 1
    assert _days(_way(veto), "a") == 3
    assert "a" not in _way(short), "whoever decides after a day is too late for an approval of half a day"


def test_modes_put_a_yes_or_a_start_by_hand_in_front() -> None:
    assert _days(_way(_email("a"), mode=Mode.APPROVE), "a") == 1
    assert _days(_way(_email("a"), mode=Mode.MANUAL), "a") == 1
    assert _days(_way(_email("a")), "a") == 0


def test_rows_beside_each_other_join_when_the_last_is_through() -> None:
    beside = ParallelStep("p", ((_wait("w", 2), _email("a")), (_wait("v", 5), _email("b"))), HERE)
    way = _way(beside, _email("c"))
    assert [_days(way, step) for step in ("a", "b", "c")] == [2, 5, 5]


def test_a_run_is_taken_up_where_it_stands() -> None:
    playbook = Playbook("try", "Try", "education", (_email("a"), _wait("w", 3), _email("b")), HERE)
    lines, known = compile_lines(playbook, Mode.AUTOMATIC), meanings(playbook, Mode.AUTOMATIC)
    left = visits(lines, known, [Position(MONDAY, 1, left=True)], Knowing())
    assert [(lines[one.number].step, one.at) for one in left] == [("b", MONDAY), ("end", MONDAY)]
