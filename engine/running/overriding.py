"""What a person may do to a run: in which state, at which kind of line, and why not.

The pages ask it which buttons to show, the store and the workflow's update validator whether to refuse; all three get
the same sentence. The row of an approval decides who won; this only says what makes sense at all.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from engine.running.lines import LineKind
from engine.terms import RunAct, RunState

NEEDS_REASON: Final = frozenset({RunAct.REJECT, RunAct.SKIP, RunAct.JUMP, RunAct.CANCEL})
"""Acts that are not taken without a reason: somebody will ask later."""

STUCK: Final = "It could not go on"
"""How the sentence of a run begins that stands still until somebody tries again, skips the step or cancels."""

VERBS: Final[Mapping[RunAct, str]] = {
    RunAct.APPROVE: "approve",
    RunAct.REJECT: "reject",
    RunAct.PAUSE: "pause",
    RunAct.RESUME: "resume",
    RunAct.SKIP: "skip",
    RunAct.JUMP: "jump back in",
    RunAct.RETRY: "retry",
    RunAct.CANCEL: "cancel",
    RunAct.TASK_DONE: "finish a task of",
}
"""The act as a verb, for buttons and sentences."""


def refusal(act: RunAct, state: RunState, at_kind: LineKind | None, *, stuck: bool = False) -> str:
    """Why ``act`` is not possible for a run in ``state`` that stands at a line of ``at_kind`` (None: not known yet).

    ``stuck``: it could not go on and waits for a person. Empty when it is possible.
    """
    if not state.is_open:
        return f"The run is {state.value}: nothing can be changed in it any more."
    match act:
        case RunAct.PAUSE if state is RunState.PAUSED:
            return "The run is paused already."
        case RunAct.RESUME if state is not RunState.PAUSED:
            return "The run is not paused, so there is nothing to resume."
        case RunAct.RETRY if not stuck:
            return "Nothing in the run has failed, so there is nothing to try again."
        case RunAct.APPROVE | RunAct.REJECT if at_kind is not None and at_kind not in {"gate", "fork"}:
            return "The run does not wait for an approval any more."
        case RunAct.TASK_DONE if at_kind is not None and at_kind not in {"wait", "fork"}:
            return "The run does not wait for a task any more."
    return ""


def skip_refusal(step: str, known: frozenset[str], done: frozenset[str]) -> str:
    """Why ``step`` cannot be skipped, where ``known`` are the run's steps and ``done`` those behind it; else empty.

    An empty step means the line the run stands at.
    """
    if not step:
        return ""
    if step not in known:
        return f'The run has no step "{step}".'
    return f'The step "{step}" has happened already.' if step in done else ""


def jump_refusal(step: str, known: Sequence[str], behind: frozenset[str]) -> str:
    """Why a run cannot go back to ``step``, where ``known`` are its steps and ``behind`` those it has come to; else
    empty."""
    if not step:
        return "Say which step the run is to go back to."
    if step not in known:
        return f'The run has no step "{step}".'
    return "" if step in behind else f'The step "{step}" is still ahead: a run goes back, never forward.'


def possible(state: RunState, at_kind: LineKind | None, *, stuck: bool = False) -> tuple[RunAct, ...]:
    """The acts a page offers for a run. Approving and rejecting belong to the approval, finishing to the task, going
    back to a step."""
    offered = (RunAct.PAUSE, RunAct.RESUME, RunAct.RETRY, RunAct.SKIP, RunAct.CANCEL)
    return tuple(act for act in offered if not refusal(act, state, at_kind, stuck=stuck))
