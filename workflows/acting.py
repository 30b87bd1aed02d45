"""What a person can do to a run where it stands: why an act cannot take effect, and what it does when it can.

Asked by the validator of the workflow's update and once more by its handler, over the same plain state.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from engine.running.ways import Jump, is_covered, origin, row_of
from engine.terms import RunAct
from workflows.payloads import Act, Strand
from workflows.standing import RUN, Standing

INTERRUPTING: Final = frozenset({RunAct.PAUSE, RunAct.CANCEL, RunAct.SKIP, RunAct.JUMP})
"""Acts that do not wait until a relay that is down answers again."""

_NO_STEPS: Final = frozenset({"jump", "join", "end"})


def refusal(at: Standing, act: Act) -> str:
    """Why this act cannot take effect now; empty when it can.

    While a stretch is at work an approval may be ahead of the news that the run stands at its gate, so then only
    the existence of the gate is asked for; the handler asks again when the stretch is done.
    """
    if at.ended:
        return "the run has ended"
    if at.cancelled:
        return "the run is being cancelled"
    refuse = _REFUSALS.get(act.kind)
    return refuse(at, act) if refuse else f'there is no act "{act.kind}"'


def apply(at: Standing, act: Act, now: datetime) -> None:
    """Do what a person asked; the caller has made sure that `refusal` has nothing against it."""
    step = act.step or at.line(at.trunk).step
    match act.kind:
        case RunAct.PAUSE:
            at.pause(now)
        case RunAct.RESUME:
            at.resume(now, stretch=act.stretch)
        case RunAct.CANCEL:
            at.kept[RUN] = "cancelled"
        case RunAct.APPROVE:
            at.kept[step] = "approved"
        case RunAct.REJECT:
            at.kept[step] = "rejected"
        case RunAct.TASK_DONE:
            at.kept.setdefault(step, "satisfied")
        case RunAct.SKIP:
            at.skips.append(step)
            _unstick(at)
        case RunAct.RETRY:
            _unstick(at)
        case RunAct.JUMP:
            jump = jump_of(at, act)
            at.jump(_strand_in_row_of(at, jump.first) or at.trunk, jump)


def jump_of(at: Standing, act: Act) -> Jump:
    """The jump that an act asks for, where `refusal` has nothing against it. An open fork is given up whole."""
    first = _number(at, act.step)
    strand = _strand_in_row_of(at, first) or at.trunk
    last = at.line(strand).target if strand.stop == "fork" else strand.cursor
    return Jump(first, last, act.sends)


def _may(_at: Standing, _act: Act) -> str:
    return ""


def _gate(at: Standing, act: Act) -> str:
    if at.is_moving and any(line.kind == "gate" and line.step == act.step for line in at.lines):
        return ""
    if not any(one.stop == "gate" and at.line(one).step == act.step for one in at.strands):
        return f'the run does not stand at the approval "{act.step}"'
    return f'the approval "{act.step}" is already {at.kept[act.step]}' if act.step in at.kept else ""


def _pause(at: Standing, _act: Act) -> str:
    return "the run is already paused" if at.paused else ""


def _resume(at: Standing, _act: Act) -> str:
    return "" if at.paused else "the run is not paused"


def _skip(at: Standing, act: Act) -> str:
    if act.step in at.skips:
        return f'the step "{act.step}" is already skipped'
    if act.step:
        return "" if _is_ahead(at, _number(at, act.step)) else f'the step "{act.step}" is not ahead of this run'
    if len(at.strands) > 1:
        return "the run stands at several steps: say which one to skip"
    if at.trunk.stop == "stuck":
        return "the run could not go on: say which step to skip, or try again"
    return "" if at.trunk.stop and not at.is_moving else "the run is between two steps"


def _retry(at: Standing, _act: Act) -> str:
    return "" if any(one.stop == "stuck" for one in at.strands) else "nothing in the run has failed"


def _jump(at: Standing, act: Act) -> str:
    number = _number(at, act.step)
    if number < 0 or at.lines[number].kind in _NO_STEPS:
        return f'there is no step "{act.step}" in this run'
    strand = _strand_in_row_of(at, number)
    if strand is None:
        return f'the step "{act.step}" belongs to steps beside each other that are not at work now'
    if number > strand.cursor:
        return f'the step "{act.step}" is not behind this run: only steps behind it can be done again'
    if act.sends and is_covered(at.lines, number):
        return f'the step "{act.step}" was approved with others: to send it again, go back to the approval'
    return ""


_REFUSALS: Final[Mapping[str, Callable[[Standing, Act], str]]] = {
    RunAct.APPROVE: _gate,
    RunAct.REJECT: _gate,
    RunAct.PAUSE: _pause,
    RunAct.RESUME: _resume,
    RunAct.SKIP: _skip,
    RunAct.RETRY: _retry,
    RunAct.JUMP: _jump,
    RunAct.CANCEL: _may,
    RunAct.TASK_DONE: _may,
}


def _number(at: Standing, step: str) -> int:
    """The line of a step, also by the name it had before it was to be done again; -1: there is none."""
    by_name = (number for number, line in enumerate(at.lines) if line.step == step)
    by_origin = (number for number, line in enumerate(at.compiled) if line.step == origin(step))
    return next(by_name, next(by_origin, -1))


def _strand_in_row_of(at: Standing, number: int) -> Strand | None:
    row = row_of(at.lines, number)
    return next((one for one in at.strands if row_of(at.lines, one.cursor) == row), None)


def _is_ahead(at: Standing, number: int) -> bool:
    """Whether line ``number`` can still be reached: in its row, or in a fork that is ahead and not open."""
    if number < 0:
        return False
    strand = _strand_in_row_of(at, number)
    if strand is not None:
        return number >= strand.cursor
    first = row_of(at.lines, number)[0]
    fork = next(fork for fork, line in enumerate(at.lines) if line.kind == "fork" and first in line.arms)
    is_open = any(one.cursor == fork and one.stop == "fork" for one in at.strands)
    return not is_open and _is_ahead(at, fork)


def _unstick(at: Standing) -> None:
    for strand in at.strands:
        if strand.stop == "stuck":
            strand.stop, strand.deadline = "", ""
