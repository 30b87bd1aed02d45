"""A playbook compiled to numbered lines, so that where a run is is one number.

Nested steps become lines with targets: a branch has three, a gate (an approval) knows the line after what it covers,
a campaign becomes a row of lessons with waits between, rows of steps beside each other lie between a fork and its join.
A *stretch* is the row of instant lines from one stop (wait, gate, fork, join, end) to the next. The lines travel in the
workflow's input; what a step says stands in the run's own bundle (`meanings` finds it). Where lines lead is `ways`'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from engine.definitions.playbook import (
    ApproveStep,
    AskStep,
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
from engine.terms import Mode

LineKind: TypeAlias = Literal[
    "task",
    "ask",
    "set",
    "email",
    "lesson",
    "report",
    "webhook",
    "guide",
    "note",
    "notify",
    "wait",
    "gate",
    "fork",
    "join",
    "branch",
    "jump",
    "end",
]

APPROVE_RUN: Final = "approve-run"
VETO_RUN: Final = "veto-run"
START_BY_HAND: Final = "start-by-hand"
RUN_EXPIRES: Final = Span(5, working=True)
"""How long a whole run waits for its yes."""
VETO: Final = Span(1, working=True)
"""How long somebody may stop a run in mode veto, where the rule does not say."""
BY_HAND_AT_MOST: Final = Span(30)
"""How long a run in mode manual waits to be started."""
STUCK_AT_MOST: Final = Span(7)
"""How long a run that cannot go on stays open for somebody to try again."""

_NO_TIME: Final = Span(0)
_OUTWARD: Final = {"email", "lesson", "report", "webhook", "guide", "note", "notify"}
_INSTANT: Final[Mapping[type, LineKind]] = {
    TaskStep: "task",
    AskStep: "ask",
    EmailStep: "email",
    ReportStep: "report",
    NotifyStep: "notify",
    SetStep: "set",
}
_STOPS: Final = {"wait", "gate", "fork", "join", "end"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``step`` is unique in the run (``seat-campaign/first-plan`` for a lesson).

    ``kind``: ``task ask set email lesson report webhook guide note notify`` are instant; ``wait``, ``gate``, ``fork``
    and ``join`` stop; ``branch`` and ``jump`` move; ``end`` ends. ``target`` is where a jump goes, where a gate goes
    when it is not passed, and a fork's join; ``arms`` are a branch's lines for then, otherwise, unknown, or the first
    line of each row of a fork. ``days`` (working days when ``working``) is a wait's or gate's longest time, and at the
    end the run's. ``passes``: a gate that lets through when nobody stopped it in its time (a veto window).
    ``outward``: sends something out of the building.
    """

    kind: LineKind
    step: str
    target: int = -1
    arms: tuple[int, ...] = ()
    days: float = 0.0
    working: bool = False
    outward: bool = False
    passes: bool = False

    @property
    def stops(self) -> bool:
        """Whether a stretch ends at this line."""
        return self.kind in _STOPS


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a line carries out: the playbook's step (None for a line the mode added); ``lesson`` names the message of
    a campaign's lesson."""

    step: Step | None
    lesson: str = ""


def compile_lines(playbook: Playbook, mode: Mode, veto: Span = VETO) -> tuple[Line, ...]:
    """Compile a playbook. Mode ``approve`` puts one gate (step ``approve-run``) in front of everything, ``veto`` one
    (``veto-run``) that opens by itself after the span ``veto``, ``manual`` one task (``start-by-hand``) with a wait
    until it is done."""
    return tuple(_written(playbook, mode, veto).lines)


def meanings(playbook: Playbook, mode: Mode) -> Mapping[str, Meaning]:
    """What each line of `compile_lines` means, by the line's step."""
    page = _written(playbook, mode, VETO)
    return {line.step: meaning for line, meaning in zip(page.lines, page.meanings, strict=True)}


def wait_of(step: str) -> str:
    """The step of the wait that follows a task or an ask, or comes before a lesson."""
    return f"{step}/wait"


@dataclass(slots=True)
class _Page:
    """The lines written so far and what they mean. ``taken``: steps the author named, which ours must not repeat."""

    taken: frozenset[str]
    lines: list[Line] = field(default_factory=list)
    meanings: list[Meaning] = field(default_factory=list)

    def add(self, kind: LineKind, step: str, of: Step | None = None, *, span: Span = _NO_TIME, lesson: str = "") -> int:
        """Write one line; its number."""
        name = self._free(step, theirs=of is not None and step == of.id)
        line = Line(kind, name, days=span.days, working=span.working, outward=kind in _OUTWARD)
        self.lines.append(line)
        self.meanings.append(Meaning(of, lesson))
        return len(self.lines) - 1

    def aim(self, number: int, target: int) -> None:
        self.lines[number] = replace(self.lines[number], target=target)

    def gate(self, step: str, of: Step | None, span: Span, *, passes: bool) -> int:
        """Write a gate; what it covers follows, and `aim` says where that ends."""
        number = self.add("gate", step, of, span=span)
        self.lines[number] = replace(self.lines[number], passes=passes)
        return number

    def _free(self, step: str, *, theirs: bool) -> str:
        used = {line.step for line in self.lines}
        while step in used or (step in self.taken and not theirs):
            step += "~"
        return step


def _written(playbook: Playbook, mode: Mode, veto: Span) -> _Page:
    page = _Page(frozenset(step.id for step in walk(playbook.steps)))
    gate = -1
    if mode is Mode.APPROVE:
        gate = page.gate(APPROVE_RUN, None, RUN_EXPIRES, passes=False)
    elif mode is Mode.VETO:
        gate = page.gate(VETO_RUN, None, veto, passes=True)
    elif mode is Mode.MANUAL:
        page.add("task", START_BY_HAND)
        page.add("wait", wait_of(page.lines[-1].step), span=BY_HAND_AT_MOST)
    for step in playbook.steps:
        _write(page, step)
    if gate >= 0:
        page.aim(gate, len(page.lines))
    page.add("end", "end", span=Span(playbook.max_duration))
    return page


def _write(page: _Page, step: Step) -> None:
    match step:
        case TaskStep() | AskStep():
            page.add(_INSTANT[type(step)], step.id, step)
            if step.wait_for_done is not None:
                page.add("wait", wait_of(page.lines[-1].step), step, span=step.wait_for_done)
        case EmailStep() | ReportStep() | NotifyStep() | SetStep():
            page.add(_INSTANT[type(step)], step.id, step)
        case WebhookStep():
            page.add(step.kind, step.id, step)
        case WaitStep():
            page.add("wait", step.id, step, span=step.at_most)
        case CampaignStep():
            _write_campaign(page, step)
        case BranchStep():
            _write_branch(page, step)
        case ParallelStep():
            _write_parallel(page, step)
        case ApproveStep():
            gate = page.gate(step.id, step, step.expires, passes=step.on_expiry == "go")
            _write_arm(page, step.steps)
            page.aim(gate, len(page.lines))


def _write_campaign(page: _Page, step: CampaignStep) -> None:
    seen: dict[str, int] = {}
    for number, lesson in enumerate(step.lessons):
        seen[lesson] = seen.get(lesson, 0) + 1
        name = f"{step.id}/{lesson}" + (f"-{seen[lesson]}" if seen[lesson] > 1 else "")
        if number:
            page.add("wait", wait_of(name), step, span=step.every)
        page.add("lesson", name, step, lesson=lesson)


def _write_branch(page: _Page, step: BranchStep) -> None:
    branch = page.add("branch", step.id, step)
    then = _write_arm(page, step.then)
    after_then = page.add("jump", f"{step.id}/after-then", step)
    otherwise = _write_arm(page, step.otherwise)
    after_else = page.add("jump", f"{step.id}/after-else", step)
    unknown = _write_arm(page, step.unknown)
    if not step.unknown:
        page.add("task", f"{step.id}/unknown", step)
    page.aim(after_then, len(page.lines))
    page.aim(after_else, len(page.lines))
    page.lines[branch] = replace(page.lines[branch], arms=(then, otherwise, unknown))


def _write_parallel(page: _Page, step: ParallelStep) -> None:
    fork = page.add("fork", step.id, step)
    starts, ends = [], []
    for number, arm in enumerate(step.arms, start=1):
        starts.append(_write_arm(page, arm))
        ends.append(page.add("jump", f"{step.id}/after-{number}", step))
    join = page.add("join", f"{step.id}/joined", step)
    for end in ends:
        page.aim(end, join)
    page.lines[fork] = replace(page.lines[fork], arms=tuple(starts), target=join)


def _write_arm(page: _Page, steps: tuple[Step, ...]) -> int:
    start = len(page.lines)
    for step in steps:
        _write(page, step)
    return start
