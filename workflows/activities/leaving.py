"""Why a run moves on or ends: leaving the line it stood at, the exit conditions, and what an end leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from engine.definitions.playbook import ApproveStep, AskStep, CampaignStep, TaskStep, WaitStep
from engine.running.lines import Line
from engine.store import acts, approvals, exits, runs, steps, tasks, waits
from engine.store.approvals import Approval
from engine.terms import ActState, ApprovalState, RunAct, RunState, StepState
from workflows.activities.moving import BEGINNING, go_back, leave_join
from workflows.activities.noting import note, who_skipped, worry
from workflows.activities.scene import Scene
from workflows.payloads import StretchResult

_GATE_ENDS: Final[Mapping[str, ApprovalState]] = {
    "expired": ApprovalState.EXPIRED,
    "elapsed": ApprovalState.EXPIRED,
    "skipped": ApprovalState.WITHDRAWN,
}


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
    return Ending(RunState.DONE, why) if why else None


def leave(session: Session, scene: Scene) -> int | Ending:
    """Leave the line the run stands at. Returns the number of the next line, or how the run ends."""
    line = scene.lines[scene.cursor]
    if scene.outcome == "jumped":
        go_back(session, scene)
    if scene.outcome in BEGINNING:
        return scene.cursor
    waits.end(session, scene.run.id, line.step)
    if line.kind == "join":
        return leave_join(session, scene)
    if line.kind == "gate":
        return _leave_gate(session, scene, line)
    if line.kind != "wait":
        return scene.cursor  # a stretch that stopped on its way is taken up where it began
    note(session, scene, line, *_left(session, scene, line))
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
    if not how.keeps_tasks and scene.playbook.open_tasks == "cancel":
        tasks.close_open(session, scene.run.id, how.sentence, scene.now)
    if how.state is RunState.FAILED:
        worry(session, scene, "run", f"The playbook “{scene.playbook.title}” failed: {scene.run.sentence}")
    return StretchResult(last, "end")


def _exit(session: Session, scene: Scene) -> str:
    evaluation = None if scene.sight is None else scene.sight.evaluation
    found = exits.reasons(scene.bundle, evaluation, [exits.candidate(session, scene.run.id)])
    return found.get(scene.run.id, "")


def _leave_gate(session: Session, scene: Scene, line: Line) -> int | Ending:
    found = approvals.close(session, scene.run.id, line.step, _GATE_ENDS.get(scene.outcome), scene.now)
    if found is None or found.state is ApprovalState.PENDING:
        raise ValueError(f'nobody has decided the approval "{line.step}" of run {scene.run.id}')
    _confirm(session, scene, line.step)
    if found.state is ApprovalState.APPROVED:
        edited = f" (edited by {found.edited_by})" if found.edited_by else ""
        note(session, scene, line, StepState.DONE, f"{found.decided_by} approved it{edited}.")
        return scene.cursor + 1
    why = _why_not(session, scene, line, found)
    note(session, scene, line, StepState.SKIPPED, why)
    step = scene.meaning(line).step
    covers_run = step is None
    gives_up = found.state is ApprovalState.EXPIRED and isinstance(step, ApproveStep) and step.on_expiry == "cancel"
    return Ending(RunState.CANCELLED, why) if covers_run or gives_up else line.target


def _why_not(session: Session, scene: Scene, line: Line, found: Approval) -> str:
    if found.state is ApprovalState.REJECTED:
        return f"{found.decided_by} rejected it: {found.reason}"
    if found.state is ApprovalState.EXPIRED:
        return f"Nobody decided until {found.expires_at:%Y-%m-%d %H:%M} UTC, so nothing of it was done."
    return who_skipped(session, scene, line.step)


def _confirm(session: Session, scene: Scene, step: str) -> None:
    # A decision that came in the moment the time ran out has taken effect here, whatever the update is told later.
    act = acts.latest(session, scene.run.id, (RunAct.APPROVE, RunAct.REJECT), step)
    if act is not None and act.state is ActState.PENDING:
        acts.mark(session, act.id, ActState.APPLIED, "", scene.now)


def _left(session: Session, scene: Scene, line: Line) -> tuple[StepState, str]:
    if scene.outcome == "skipped":
        return StepState.SKIPPED, who_skipped(session, scene, line.step)
    step = scene.meaning(line).step
    has_come = scene.outcome == "satisfied"
    if isinstance(step, WaitStep) and step.until is not None:
        return StepState.DONE, "It has come about." if has_come else f"It did not come about in {_days(line)}."
    if isinstance(step, TaskStep | AskStep) or step is None:
        return StepState.DONE, "The task was done." if has_come else f"The task was not done in {_days(line)}."
    if isinstance(step, CampaignStep):
        return StepState.DONE, f"{_days(line).capitalize()} between two lessons."
    return StepState.DONE, f"Waited {_days(line)}."


def _days(line: Line) -> str:
    kind = "working day" if line.working else "day"
    return f"{line.days:g} {kind}" + ("" if line.days == 1 else "s")
