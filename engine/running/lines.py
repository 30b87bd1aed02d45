"""A playbook compiled to numbered lines, so that where a run is is one number.

Nested steps become lines with targets: a branch has three, a gate (an approval) knows the line after what it covers,
a campaign becomes a row of lessons with waits between. A *stretch* is the row of instant lines from one stop (wait,
gate, end) to the next. The lines travel in the workflow's input; what a step says stands in the run's own bundle
(`engine.running.steps` finds it). Lines only ever lead forward, so every run ends.
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
    Playbook,
    ReportStep,
    Span,
    Step,
    TaskStep,
    WaitStep,
    WebhookStep,
    walk,
)
from engine.terms import Mode

LineKind: TypeAlias = Literal[
    "task", "ask", "email", "lesson", "report", "webhook", "wait", "gate", "branch", "jump", "end"
]

APPROVE_RUN: Final = "approve-run"
START_BY_HAND: Final = "start-by-hand"
RUN_EXPIRES: Final = Span(5, working=True)
"""How long a whole run waits for its yes."""
BY_HAND_AT_MOST: Final = Span(30)
"""How long a run in mode manual waits to be started."""

_NO_TIME: Final = Span(0)
_OUTWARD: Final = {"email", "lesson", "report", "webhook"}
_INSTANT: Final[Mapping[type, LineKind]] = {
    TaskStep: "task",
    AskStep: "ask",
    EmailStep: "email",
    ReportStep: "report",
    WebhookStep: "webhook",
}
_STOPS: Final = {"wait", "gate", "end"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``step`` is unique in the run (``seat-campaign/first-plan`` for a lesson).

    ``kind``: ``task ask email lesson report webhook`` are instant; ``wait`` and ``gate`` stop; ``branch`` and ``jump``
    move; ``end`` ends. ``target`` is where a jump goes, and where a gate goes when it is not approved; ``arms`` are a
    branch's lines for then, otherwise, unknown. ``days`` (working days when ``working``) is a wait's or gate's longest
    time. ``outward``: sends something out of the building.
    """

    kind: LineKind
    step: str
    target: int = -1
    arms: tuple[int, int, int] = (-1, -1, -1)
    days: float = 0.0
    working: bool = False
    outward: bool = False

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


def compile_lines(playbook: Playbook, mode: Mode) -> tuple[Line, ...]:
    """Compile a playbook. Mode ``approve`` puts one gate (step ``approve-run``) in front of everything, ``manual``
    one task (``start-by-hand``) with a wait until it is done."""
    return tuple(_written(playbook, mode).lines)


def meanings(playbook: Playbook, mode: Mode) -> Mapping[str, Meaning]:
    """What each line of `compile_lines` means, by the line's step."""
    page = _written(playbook, mode)
    return {line.step: meaning for line, meaning in zip(page.lines, page.meanings, strict=True)}


def wait_of(step: str) -> str:
    """The step of the wait that follows a task or an ask, or comes before a lesson."""
    return f"{step}/wait"


def exits(lines: tuple[Line, ...], number: int) -> tuple[int, ...]:
    """The numbers of the lines that can follow line ``number``."""
    line = lines[number]
    match line.kind:
        case "end":
            return ()
        case "jump":
            return (line.target,)
        case "branch":
            return line.arms
        case "gate":
            return (number + 1, line.target)
    return (number + 1,)


def is_outward(lines: tuple[Line, ...], cursor: int) -> bool:
    """Whether the stretch that begins at ``cursor`` can send something out, whichever way its branches go.

    A stop at ``cursor`` is left, whichever way it is left; any other line is itself part of the stretch.
    """
    open_lines = list(exits(lines, cursor)) if lines[cursor].stops else [cursor]
    seen: set[int] = set()
    while open_lines:
        number = open_lines.pop()
        if number in seen or lines[number].stops:
            continue
        seen.add(number)
        if lines[number].outward:
            return True
        open_lines += exits(lines, number)
    return False


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

    def _free(self, step: str, *, theirs: bool) -> str:
        used = {line.step for line in self.lines}
        while step in used or (step in self.taken and not theirs):
            step += "~"
        return step


def _written(playbook: Playbook, mode: Mode) -> _Page:
    page = _Page(frozenset(step.id for step in walk(playbook.steps)))
    gate = page.add("gate", APPROVE_RUN, span=RUN_EXPIRES) if mode is Mode.APPROVE else -1
    if mode is Mode.MANUAL:
        page.add("task", START_BY_HAND)
        page.add("wait", wait_of(page.lines[-1].step), span=BY_HAND_AT_MOST)
    for step in playbook.steps:
        _write(page, step)
    if gate >= 0:
        page.aim(gate, len(page.lines))
    page.add("end", "end")
    return page


def _write(page: _Page, step: Step) -> None:
    match step:
        case TaskStep() | AskStep():
            page.add(_INSTANT[type(step)], step.id, step)
            if step.wait_for_done is not None:
                page.add("wait", wait_of(page.lines[-1].step), step, span=step.wait_for_done)
        case EmailStep() | ReportStep() | WebhookStep():
            page.add(_INSTANT[type(step)], step.id, step)
        case WaitStep():
            page.add("wait", step.id, step, span=step.at_most)
        case CampaignStep():
            _write_campaign(page, step)
        case BranchStep():
            _write_branch(page, step)
        case ApproveStep():
            gate = page.add("gate", step.id, step, span=step.expires)
            for inner in step.steps:
                _write(page, inner)
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


def _write_arm(page: _Page, steps: tuple[Step, ...]) -> int:
    start = len(page.lines)
    for step in steps:
        _write(page, step)
    return start
