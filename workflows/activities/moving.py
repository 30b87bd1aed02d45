"""Moves of a run that are no steps: rows beside each other, looking once more, going back, being stuck."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from engine.running import overriding
from engine.running.lines import STUCK_AT_MOST
from engine.running.ways import Jump
from engine.store import acts, approvals, done_again, runs, steps, tasks, waits
from engine.terms import RunAct, RunState, StepState, TaskState
from workflows.activities.noting import note, worry
from workflows.activities.scene import Scene
from workflows.payloads import Outcome, StretchResult

BEGINNING: Final[frozenset[Outcome]] = frozenset({"begin", "again", "resumed", "jumped"})
"""Outcomes that do not leave the line the run stands at, but begin at it."""

_TASKS_TO_LOOK: Final = 20
"""So often at most the owner is told that a run is stuck at one step."""


def open_fork(session: Session, scene: Scene, number: int) -> StretchResult:
    """Open the rows of a fork; each goes on by itself."""
    line = scene.lines[number]
    sentence = f"Goes on in {len(line.arms)} rows beside each other"
    note(session, scene, line, StepState.WAITING, f"{sentence}.")
    _move(session, scene, scene.whole(number), sentence)
    return StretchResult(number, "fork")


def reach_join(session: Session, scene: Scene, number: int) -> StretchResult:
    """One row of a fork is through; the run goes on when the others are."""
    _move(session, scene, scene.whole(number), "Waits until the rows beside are through as well")
    return StretchResult(number, "join")


def leave_join(session: Session, scene: Scene) -> int:
    """All rows of a fork are through. Returns the line behind them."""
    line = next(one for one in scene.lines if one.kind == "fork" and one.target == scene.cursor)
    note(session, scene, line, StepState.DONE, f"All {len(line.arms)} rows are through.")
    return scene.cursor + 1


def ends_at(scene: Scene, number: int, otherwise: datetime) -> datetime:
    """When the stop at ``number`` is over: ``otherwise``, or when it was to be over before it was looked at again."""
    is_looked_at_again = scene.ends and number == scene.cursor and scene.outcome in {"again", "resumed"}
    return datetime.fromisoformat(scene.ends) if is_looked_at_again else otherwise


def go_back(session: Session, scene: Scene) -> None:
    """A person jumped back: what stood open at lines that are to be done again is closed, and what could not be sent
    there is tried again."""
    act = acts.latest(session, scene.run.id, (RunAct.JUMP,))
    why = f"{act.actor} went back to an earlier step: {act.reason}" if act else "The run went back to an earlier step."
    done_again.close_left(session, scene.run.id, [line.step for line in scene.lines], why, scene.now)
    jump = done_again.last(session, scene.run.id)
    between = scene.lines[jump.first : jump.last + 1] if jump else ()
    done_again.open_unsent(session, scene.run.id, [line.step for line in between if line.outward], scene.now)


def stick(session: Session, scene: Scene) -> StretchResult:
    """The stretch cannot be done: say so, and stand still until somebody tries again, skips, or cancels."""
    until = scene.until(STUCK_AT_MOST)
    before = scene.run.sentence.rstrip(".")
    sentence = f"{overriding.STUCK}: {before}. Try again, skip the step, or cancel, until {until:%Y-%m-%d %H:%M} UTC"
    runs.move(session, scene.run.id, state=RunState.WAITING, cursor=scene.run.cursor, sentence=sentence, at=scene.now)
    worry(session, scene, _to_look_at(session, scene), f"“{scene.playbook.title}” could not go on")
    return StretchResult(scene.cursor, "stuck", until.isoformat())


def _to_look_at(session: Session, scene: Scene) -> str:
    """The step of the task to look at a run that is stuck: the one that is still open, else one more."""
    stuck = f"{scene.lines[scene.cursor].step}/stuck"
    for name in (stuck, *(f"{stuck}-{number}" for number in range(2, _TASKS_TO_LOOK))):
        given = tasks.of_step(session, scene.run.id, f"{name}/look")
        if given is None or given.state is TaskState.OPEN:
            return name
    return stuck


def record_move(session: Session, run_id: int, kind: str, jumps: list[Jump], at: datetime) -> None:
    """Write what an act does to the row of an open run: paused, going on, at work once more, under other names."""
    run = runs.hold(session, run_id)
    if not run.state.is_open:
        return
    state, sentence = run.state, run.sentence
    match kind:
        case RunAct.PAUSE:
            state, sentence = RunState.PAUSED, f"Paused. Before: {run.sentence}"
        case RunAct.RESUME:
            state, sentence = RunState.WAITING, run.sentence.removeprefix("Paused. Before: ")
        case RunAct.RETRY:
            sentence = "Tries again"
        case RunAct.JUMP:
            done_again.write(session, run_id, jumps)
        case _:
            return
    runs.move(session, run.id, state=state, cursor=run.cursor, sentence=sentence, at=at)


def close_unread(session: Session, run_id: int, cursor: int, state: RunState, why: str, at: datetime) -> int:
    """Close a run whose definitions cannot be read any more, so that it does not stay open for ever. Returns its last
    line."""
    run = runs.hold(session, run_id)
    if run.state.is_open:
        runs.move(session, run.id, state=state, cursor=cursor, sentence=f"Closed: {why}", at=at)
        waits.end(session, run.id)
        steps.end_open(session, run.id, "The run ended before this was over.", at)
        approvals.withdraw_all(session, run.id, at)
    return len(run.lines) - 1


def _move(session: Session, scene: Scene, cursor: int, sentence: str) -> None:
    runs.move(session, scene.run.id, state=RunState.WAITING, cursor=cursor, sentence=sentence, at=scene.now)
