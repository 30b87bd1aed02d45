"""Why a run moves on or ends: leaving the line it stood at, the exit conditions, and what an end leaves behind."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.store import acts, approvals, assignees, exits, recovered, runs, steps, tasks, waits
from engine.terms import RunAct, RunState
from workflows.activities import gates, waiting
from workflows.activities.moving import BEGINNING, go_back, leave_join
from workflows.activities.noting import note, worry
from workflows.activities.scene import Scene
from workflows.payloads import StretchResult


@dataclass(frozen=True, slots=True)
class Ending:
    """The run ends here. ``keeps_tasks``: what is still to do for members stays to do."""

    state: RunState
    sentence: str
    keeps_tasks: bool = False


def ending(session: Session, scene: Scene) -> Ending | None:
    """Why the run ends before it moves on; None when it goes on."""
    if scene.outcome == "cancelled":
        act = acts.latest(session, scene.run.id, (RunAct.CANCEL,))
        why = f"{act.actor} cancelled the run: {act.reason}" if act else "The run was cancelled."
        return Ending(RunState.CANCELLED, why)
    if scene.outcome == "failed":
        return Ending(RunState.FAILED, f"It could not go on: {scene.run.sentence}", keeps_tasks=True)
    if scene.outcome == "overdue":
        days = f"{scene.playbook.max_duration:g} days"
        return Ending(RunState.DONE, f"Ended after {days}, the longest time this playbook may take.")
    if scene.account.barred:
        return Ending(RunState.CANCELLED, f"Ended, because {scene.account.barred}.")
    why = _exit(session, scene)
    if not why and scene.outcome == "exit":
        why = "What the run was for has come about."
    if exits.is_recovery(why) and scene.run.decision_id is not None and recovered.is_untouched(session, scene.run.id):
        why = f"{why.rstrip('.')}; {recovered.BY_ITSELF}."
    return Ending(RunState.DONE, why) if why else None


def leave(session: Session, scene: Scene) -> int | Ending:
    """Leave the line the run stands at. Returns the number of the next line, or how the run ends."""
    line = scene.lines[scene.cursor]
    if scene.outcome == "jumped":
        go_back(session, scene)
    if scene.outcome in BEGINNING:
        return scene.cursor
    if line.kind == "wait" and waiting.stays(session, scene):
        return scene.cursor
    waits.end(session, scene.run.id, line.step)
    if line.kind == "join":
        return leave_join(session, scene)
    if line.kind == "gate":
        found = gates.leave_gate(session, scene, scene.cursor)
        return Ending(RunState.CANCELLED, found.why) if found.gives_up else found.number
    if line.kind != "wait":
        return scene.cursor  # a stretch that stopped on its way is taken up where it began
    note(session, scene, line, *waiting.left(session, scene, line))
    if scene.meaning(line).step is None and scene.outcome == "elapsed":
        return Ending(RunState.CANCELLED, f"Nobody started it by hand within {line.days:g} days.")
    return scene.cursor + 1


def end(session: Session, scene: Scene, how: Ending) -> StretchResult:
    """End the run: nothing waits for it any more, and its open tasks go as the playbook says."""
    last = len(scene.lines) - 1
    if not runs.find(session, scene.run.id).state.is_open:
        return StretchResult(last, "end")
    runs.move(
        session, scene.run.id, state=how.state, cursor=scene.whole(scene.cursor), sentence=how.sentence, at=scene.now
    )
    waits.end(session, scene.run.id)
    steps.end_open(session, scene.run.id, "The run ended before this was over.", scene.now)
    approvals.withdraw_all(session, scene.run.id, scene.now)
    if not how.keeps_tasks:
        _end_tasks(session, scene, how.sentence)
    if how.state is RunState.FAILED:
        worry(session, scene, "run", f"The playbook “{scene.playbook.title}” failed: {scene.run.sentence}")
    return StretchResult(last, "end")


def _end_tasks(session: Session, scene: Scene, why: str) -> None:
    """What is still to do for members is cancelled, stays where it is, or goes to whoever owns the account now."""
    if scene.playbook.open_tasks == "cancel":
        tasks.close_open(session, scene.run.id, why, scene.now)
    elif scene.playbook.open_tasks == "hand_over":
        tasks.hand_over(session, scene.run.id, assignees.resolve(session, scene.account.id, ("owner",), scene.now))


def _exit(session: Session, scene: Scene) -> str:
    evaluation = None if scene.sight is None else scene.sight.evaluation
    found = exits.reasons(scene.bundle, evaluation, [exits.candidate(session, scene.run.id, scene.playbook)])
    return found.get(scene.run.id, "")
