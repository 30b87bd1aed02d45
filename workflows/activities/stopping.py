"""Coming to a stop: a wait or a gate is opened, unless what a wait waits for is there already."""

from datetime import datetime

from sqlalchemy.orm import Session

from engine.definitions.playbook import ApproveStep, AskStep, CampaignStep, Span, Step, TaskStep, WaitStep
from engine.store import approvals, runs, tasks, waits
from engine.terms import RunState, StepState, TaskState, Verdict
from workflows.activities import mailing
from workflows.activities.moving import ends_at, open_fork, reach_join
from workflows.activities.noting import note
from workflows.activities.scene import Scene
from workflows.payloads import StretchResult


def goes_on(session: Session, scene: Scene, number: int) -> bool:
    """Whether what the wait at ``number`` waits for is there already when the run comes to it."""
    line = scene.lines[number]
    step = scene.meaning(line).step
    if isinstance(step, WaitStep):
        there = step.until is not None and scene.sight is not None and scene.sight.verdict(step.until) is Verdict.HOLDS
    elif isinstance(step, CampaignStep):
        there = False
    else:
        task = tasks.of_step(session, scene.run.id, scene.lines[number - 1].step)
        if task is None:  # left out, or it could not be written: nobody can ever finish it
            note(session, scene, line, StepState.SKIPPED, "There is no task to wait for.")
            return True
        there = task.state is not TaskState.OPEN
    if there:
        note(session, scene, line, StepState.DONE, "It was so already.")
    return there


def stand(session: Session, scene: Scene, number: int) -> StretchResult:
    """Stop at a wait or gate: say what the run waits for, and until when. Or at a fork or a join."""
    line = scene.lines[number]
    if line.kind == "fork":
        return open_fork(session, scene, number)
    if line.kind == "join":
        return reach_join(session, scene, number)
    until = ends_at(scene, number, scene.until(Span(line.days, line.working)))
    if line.kind == "gate":
        sentence = _open_gate(session, scene, number, until)
    else:
        step = scene.meaning(line).step
        condition = step.until.raw if isinstance(step, WaitStep) and step.until is not None else None
        waits.begin(session, scene.run.id, line.step, condition=condition, until=until)
        sentence = _waits_for(step)
    note(session, scene, line, StepState.WAITING, f"{sentence}, at most until {until:%Y-%m-%d %H:%M} UTC.")
    runs.move(
        session, scene.run.id, state=RunState.WAITING, cursor=scene.whole(number), sentence=sentence, at=scene.now
    )
    return StretchResult(number, "gate" if line.kind == "gate" else "wait", until.isoformat())


def _open_gate(session: Session, scene: Scene, number: int, until: datetime) -> str:
    line = scene.lines[number]
    step = scene.meaning(line).step
    by = step.by[0] if isinstance(step, ApproveStep) and step.by[0] != "owner" else scene.account.owner
    approvals.begin(
        session,
        account_id=scene.account.id,
        run_id=scene.run.id,
        step=line.step,
        approver=by,
        items=mailing.items(session, scene, scene.lines[number + 1 : line.target]),
        expires_at=until,
        at=scene.now,
    )
    return f"Waits for the approval of {by or 'a member'}"


def _waits_for(step: Step | None) -> str:
    if isinstance(step, WaitStep):
        return "Waits for a condition to hold" if step.until is not None else "Waits"
    if isinstance(step, CampaignStep):
        return "Waits for the next lesson"
    if isinstance(step, TaskStep | AskStep):
        return "Waits for a task to be done"
    return "Waits to be started by hand"
