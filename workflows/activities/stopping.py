"""Coming to a stop: a wait or a gate is opened, unless what a wait waits for is there already."""

from sqlalchemy.orm import Session

from engine.definitions.playbook import CampaignStep, WaitStep
from engine.store import approvals, runs, tasks
from engine.terms import RunState, StepState, TaskState
from workflows.activities import gates, waiting
from workflows.activities.moving import ends_at, open_fork, reach_join
from workflows.activities.noting import note
from workflows.activities.scene import Scene
from workflows.payloads import StretchResult


def goes_on(session: Session, scene: Scene, number: int) -> bool:
    """Whether what the wait at ``number`` waits for is there already when the run comes to it."""
    line = scene.lines[number]
    step = scene.meaning(line).step
    if isinstance(step, WaitStep):
        there = waiting.is_there(session, scene, step)
    elif isinstance(step, CampaignStep):
        there = False
    else:
        task = tasks.of_step(session, scene.run.id, scene.lines[number - 1].step)
        if task is None:  # left out, or it could not be written: nobody can ever finish it
            note(session, scene, line, StepState.SKIPPED, "There is no task to wait for.")
            return True
        there = task.state is not TaskState.OPEN
    if there:
        note(session, scene, line, StepState.DONE, _already(scene, number))
    return there


def stand(session: Session, scene: Scene, number: int) -> StretchResult:
    """Stop at a wait or gate: say what the run waits for, and until when. Or at a fork or a join."""
    line = scene.lines[number]
    if line.kind == "fork":
        return open_fork(session, scene, number)
    if line.kind == "join":
        return reach_join(session, scene, number)
    if line.kind == "gate":
        sentence, own = gates.open_gate(session, scene, number)
        until = ends_at(scene, number, own)
        approvals.extend(session, scene.run.id, line.step, until)
    else:
        sentence, until = waiting.begin(session, scene, number)
    note(session, scene, line, StepState.WAITING, f"{sentence}, at most until {until:%Y-%m-%d %H:%M} UTC.")
    runs.move(
        session, scene.run.id, state=RunState.WAITING, cursor=scene.whole(number), sentence=sentence, at=scene.now
    )
    return StretchResult(number, "gate" if line.kind == "gate" else "wait", until.isoformat())


def _already(scene: Scene, number: int) -> str:
    has_waited = number == scene.cursor and scene.outcome in {"again", "resumed"}
    return "It has come about." if has_waited else "It was so already."
