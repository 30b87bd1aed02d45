"""What a stretch writes beside its work: the ledger of steps, and tasks for an owner who should look."""

from sqlalchemy.orm import Session

from engine.running.lines import Line
from engine.store import acts, assignees, steps, tasks
from engine.terms import RunAct, StepState
from workflows.activities.scene import Scene


def note(session: Session, scene: Scene, line: Line, state: StepState, sentence: str) -> None:
    """Write what happened to a line."""
    steps.record(session, scene.run.id, line.step, line.kind, state, sentence, scene.now)


def worry(session: Session, scene: Scene, step: str, what: str) -> None:
    """Give the owner, or who stands in, a task about something that did not go as the playbook says; once per step."""
    tasks.open_task(
        session,
        account_id=scene.account.id,
        run_id=scene.run.id,
        step=f"{step}/look",
        title=f"{scene.account.name}: {what}",
        assignee=assignees.resolve(session, scene.account.id, ("owner",), scene.now) or scene.account.owner,
        at=scene.now,
    )


def who_skipped(session: Session, scene: Scene, step: str) -> str:
    """Who left a step out, and why, as a sentence. An act without a step means the line the run stood at."""
    found = acts.latest(session, scene.run.id, (RunAct.SKIP,), step) or acts.latest(
        session, scene.run.id, (RunAct.SKIP,)
    )
    return f"{found.actor} left this out: {found.reason}" if found else "Left out."
