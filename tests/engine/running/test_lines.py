"""Laws and examples of compiled playbooks."""

from dataclasses import replace

from hypothesis import given, settings, strategies as st

from engine.definitions.condition import Condition, Literal
from engine.definitions.feature import ValueType
from engine.definitions.playbook import (
    ApproveStep,
    AskStep,
    Audience,
    BranchStep,
    CampaignStep,
    EmailStep,
    NotifyStep,
    ParallelStep,
    Playbook,
    ReportStep,
    SetStep,
    Span,
    Step,
    TaskStep,
    WaitStep,
    WebhookStep,
    walk,
)
from engine.definitions.problem import Place
from engine.running.lines import compile_lines, meanings
from engine.running.ways import exits, is_outward
from engine.terms import Mode

HERE = Place("playbooks/p.yaml")
ALWAYS = Condition(True, Literal(True, ValueType.BOOLEAN), frozenset(), HERE)
CHAMPION = Audience(role="champion")


def _task(name: str, *, waits: bool = False) -> TaskStep:
    return TaskStep(name, "Call", ("owner",), HERE, wait_for_done=Span(5) if waits else None)


def _email(name: str) -> EmailStep:
    return EmailStep(name, CHAMPION, "hello", HERE)


def _playbook(*steps: Step) -> Playbook:
    return Playbook("p", "P", "education", steps, HERE)


_LEAVES: st.SearchStrategy[Step] = st.one_of(
    st.builds(_task, st.just("x"), waits=st.booleans()),
    st.builds(
        lambda waits: AskStep("x", ("q",), ("owner",), HERE, wait_for_done=waits), st.sampled_from([None, Span(2)])
    ),
    st.builds(_email, st.just("x")),
    st.builds(
        lambda lessons: CampaignStep("x", CHAMPION, Span(3), tuple(lessons), HERE),
        st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=4),
    ),
    st.just(WaitStep("x", Span(7), HERE)),
    st.just(ReportStep("x", "quarterly", "sponsor", 30, HERE)),
    st.builds(lambda kind: WebhookStep("x", "crm", {}, HERE, kind), st.sampled_from(["webhook", "guide", "note"])),
    st.just(NotifyStep("x", ("owner",), "Look", HERE)),
    st.just(SetStep("x", "stage", "renewal", HERE)),
)


def _nest(inner: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    arms = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        st.builds(lambda a, b, c: BranchStep("x", ALWAYS, a, b, c, HERE), arms, arms, arms),
        st.builds(
            lambda a, then: ApproveStep("x", ("owner",), a, Span(2, working=True), then, HERE),
            arms,
            st.sampled_from(["skip", "cancel", "go"]),
        ),
        st.builds(lambda rows: ParallelStep("x", tuple(rows), HERE), st.lists(arms, min_size=2, max_size=3)),
    )


_STEPS = st.recursive(_LEAVES, _nest, max_leaves=12)
# Names an author might choose although the compiler uses them as well.
_NAMES = ("end", "approve-run", "start-by-hand", "a", "b/wait", "b", "c/after-then", "c", "d/unknown", "d")


def _named(steps: tuple[Step, ...], names: list[str]) -> tuple[Step, ...]:
    return tuple(_renamed(step, names) for step in steps)


def _renamed(step: Step, names: list[str]) -> Step:
    step = replace(step, id=names.pop(0))
    if isinstance(step, BranchStep):
        then, otherwise = _named(step.then, names), _named(step.otherwise, names)
        return replace(step, then=then, otherwise=otherwise, unknown=_named(step.unknown, names))
    if isinstance(step, ParallelStep):
        return replace(step, arms=tuple(_named(arm, names) for arm in step.arms))
    return replace(step, steps=_named(step.steps, names)) if isinstance(step, ApproveStep) else step


@st.composite
def playbooks(draw: st.DrawFn) -> Playbook:
    steps = tuple(draw(st.lists(_STEPS, max_size=6)))
    pool = [*draw(st.permutations(_NAMES)), *(f"s{number}" for number in range(len(walk(steps))))]
    return _playbook(*_named(steps, pool))


@settings(max_examples=150, deadline=None)
@given(playbooks(), st.sampled_from(Mode))
def test_step_names_are_unique_and_every_line_means_something(playbook: Playbook, mode: Mode) -> None:
    lines = compile_lines(playbook, mode)
    assert len({line.step for line in lines}) == len(lines)
    assert set(meanings(playbook, mode)) == {line.step for line in lines}


@settings(max_examples=150, deadline=None)
@given(playbooks(), st.sampled_from(Mode))
def test_every_line_can_be_reached(playbook: Playbook, mode: Mode) -> None:
    lines = compile_lines(playbook, mode)
    seen, todo = set(), [0]
    while todo:
        number = todo.pop()
        if number not in seen:
            seen.add(number)
            todo += exits(lines, number)
    unreached = set(range(len(lines))) - seen
    assert {lines[number].kind for number in unreached} == set()


@settings(max_examples=150, deadline=None)
@given(playbooks(), st.sampled_from(Mode))
def test_lines_only_lead_forward_so_every_stretch_stops_and_every_run_ends(playbook: Playbook, mode: Mode) -> None:
    lines = compile_lines(playbook, mode)
    assert [number for number, line in enumerate(lines) if line.kind == "end"] == [len(lines) - 1]
    for number, line in enumerate(lines[:-1]):
        following = exits(lines, number)
        assert following
        assert all(number < after < len(lines) for after in following), line


@settings(max_examples=150, deadline=None)
@given(playbooks(), st.sampled_from(Mode))
def test_every_step_of_the_playbook_keeps_its_own_name(playbook: Playbook, mode: Mode) -> None:
    known = meanings(playbook, mode)
    for step in walk(playbook.steps):
        if not isinstance(step, CampaignStep):
            assert known[step.id].step == step


def test_a_campaign_becomes_lessons_with_waits_between() -> None:
    campaign = CampaignStep("seat", CHAMPION, Span(3), ("first", "second", "first"), HERE)
    lines = compile_lines(_playbook(campaign), Mode.AUTOMATIC)
    assert [(line.kind, line.step, line.days) for line in lines] == [
        ("lesson", "seat/first", 0),
        ("wait", "seat/second/wait", 3),
        ("lesson", "seat/second", 0),
        ("wait", "seat/first-2/wait", 3),
        ("lesson", "seat/first-2", 0),
        ("end", "end", 730),
    ]
    assert meanings(_playbook(campaign), Mode.AUTOMATIC)["seat/first-2"].lesson == "first"


def test_a_task_that_waits_is_a_task_and_a_wait() -> None:
    lines = compile_lines(_playbook(_task("call", waits=True)), Mode.AUTOMATIC)
    assert [(line.kind, line.step, line.days) for line in lines[:2]] == [("task", "call", 0), ("wait", "call/wait", 5)]


def test_a_gate_that_is_not_passed_goes_behind_what_it_covers() -> None:
    gate = ApproveStep("ok", ("owner",), (_email("one"), _email("two")), Span(2, working=True), "skip", HERE)
    lines = compile_lines(_playbook(gate, _email("three")), Mode.AUTOMATIC)
    assert lines[lines[0].target].step == "three"
    assert (lines[0].days, lines[0].working) == (2, True)


def test_mode_approve_puts_one_gate_in_front_of_everything() -> None:
    """S2-13, S2-14: the same playbook asks in one mode and goes by itself in the other."""
    playbook = _playbook(_email("hello"))
    asked, by_itself = compile_lines(playbook, Mode.APPROVE), compile_lines(playbook, Mode.AUTOMATIC)
    assert [line.step for line in asked] == ["approve-run", "hello", "end"]
    assert asked[0].target == 2
    assert [line.step for line in by_itself] == ["hello", "end"]


def test_mode_veto_puts_a_gate_in_front_that_opens_by_itself() -> None:
    lines = compile_lines(_playbook(_email("hello")), Mode.VETO, Span(4 / 8, working=True))
    assert [line.step for line in lines] == ["veto-run", "hello", "end"]
    assert (lines[0].passes, lines[0].days, lines[0].working, lines[0].target) == (True, 0.5, True, 2)


def test_only_a_gate_whose_expiry_says_go_passes_by_itself() -> None:
    for on_expiry, passes in (("go", True), ("skip", False), ("cancel", False)):
        gate = ApproveStep("ok", ("owner",), (_email("one"),), Span(2), on_expiry, HERE)  # type: ignore[arg-type]  # its words
        assert compile_lines(_playbook(gate), Mode.AUTOMATIC)[0].passes is passes


def test_calls_to_other_systems_are_lines_of_their_kind_that_go_out() -> None:
    steps = [WebhookStep(kind, "crm", {}, HERE, kind) for kind in ("webhook", "guide", "note")]
    lines = compile_lines(
        _playbook(*steps, NotifyStep("tell", ("owner",), "Look", HERE), SetStep("flag", "stage", "renewal", HERE)),
        Mode.AUTOMATIC,
    )
    assert [(line.kind, line.outward) for line in lines[:-1]] == [
        ("webhook", True),
        ("guide", True),
        ("note", True),
        ("notify", True),
        ("set", False),
    ]


def test_the_last_line_says_how_long_a_run_takes_at_most() -> None:
    lines = compile_lines(replace(_playbook(_email("hello")), max_duration=90), Mode.AUTOMATIC)
    assert (lines[-1].kind, lines[-1].days) == ("end", 90)


def test_mode_manual_sends_nothing_before_a_person_did_the_task() -> None:
    """S2-11."""
    lines = compile_lines(_playbook(_email("hello")), Mode.MANUAL)
    assert [line.step for line in lines] == ["start-by-hand", "start-by-hand/wait", "hello", "end"]
    assert not is_outward(lines, 0)
    assert is_outward(lines, 1)


def test_a_branch_without_an_unknown_arm_gives_the_owner_a_task() -> None:
    branch = BranchStep("b", ALWAYS, (_email("yes"),), (), (), HERE)
    lines = compile_lines(_playbook(branch), Mode.AUTOMATIC)
    then, otherwise, unknown = lines[0].arms
    assert lines[then].step == "yes"
    assert (lines[otherwise].kind, lines[otherwise].target) == ("jump", len(lines) - 1)
    assert (lines[unknown].kind, lines[unknown].step) == ("task", "b/unknown")


def test_a_stretch_is_outward_when_any_way_through_it_sends() -> None:
    branch = BranchStep("b", ALWAYS, (_task("t"),), (_email("mail"),), (_task("u"),), HERE)
    lines = compile_lines(_playbook(_task("first"), WaitStep("w", Span(1), HERE), branch), Mode.AUTOMATIC)
    assert not is_outward(lines, 0)
    assert is_outward(lines, 1)


def test_a_stretch_does_not_look_behind_the_next_stop() -> None:
    lines = compile_lines(_playbook(_task("t"), WaitStep("w", Span(1), HERE), _email("mail")), Mode.AUTOMATIC)
    assert not is_outward(lines, 0)
