"""What a run does by itself: it gives members tasks (to-dos, questions, what it cannot decide), and sets fields."""

from sqlalchemy.orm import Session

from engine.definitions.calendar import Calendar
from engine.definitions.playbook import AskStep, BranchStep, SetStep, Step, TaskStep
from engine.running.lines import Line
from engine.store import assignees, setting, tasks
from engine.store.finishing import NO_CODES, Codes
from engine.store.remembering import remembered
from engine.terms import StepState
from workflows.activities import hours, mailing
from workflows.activities.noting import note
from workflows.activities.scene import Scene
from workflows.crash_points import pass_by, stand_at


def give_task(session: Session, scene: Scene, line: Line) -> None:
    """Give the task of a task or ask line. Raises Refused when its title cannot be written."""
    stand_at(line.step)
    pass_by("before_claim")
    step = scene.meaning(line).step
    asks = step if isinstance(step, TaskStep | AskStep) else None
    to, calendar = _whom(session, scene, asks.to if asks else ("owner",))
    due = asks.due if asks else None
    title = _title(scene, line)
    tasks.open_task(
        session,
        account_id=scene.account.id,
        run_id=scene.run.id,
        step=line.step,
        title=title,
        assignee=to,
        at=scene.now,
        due_at=scene.until(due, calendar) if due else None,
        questions=_questions(scene, step),
        codes=_codes(scene, step),
        follow_up=hours.follow_up(
            scene, calendar, due=due, remind=asks.remind if asks else None, escalate=asks.escalate if asks else None
        ),
    )
    note(session, scene, line, StepState.DONE, f"Task for {to or 'nobody'}: {title}")
    pass_by("after_claim")


def _whom(session: Session, scene: Scene, asked: tuple[str, ...]) -> tuple[str, Calendar]:
    """Who is to do it, and the calendar that counts for them: looked up once for all tasks of a stretch."""
    known = remembered(session, "whom")
    if asked not in known:
        to = assignees.resolve(session, scene.account.id, asked, scene.now) or scene.account.owner
        known[asked] = (to, hours.of_member(session, scene, to))
    found: tuple[str, Calendar] = known[asked]
    return found


def set_value(session: Session, scene: Scene, line: Line) -> None:
    """Set the field of the account that a set line names."""
    step = scene.meaning(line).step
    if not isinstance(step, SetStep):
        raise TypeError(line.kind)
    said = setting.set_field(session, scene.account.id, name=step.name, value=step.value, at=scene.now)
    note(session, scene, line, StepState.DONE, f"{said[:1].upper()}{said[1:]}.")


def _questions(scene: Scene, step: Step | None) -> dict[str, str]:
    asked = scene.bundle.catalog.questions
    return {name: asked[name].ask for name in step.questions} if isinstance(step, AskStep) else {}


def _codes(scene: Scene, step: Step | None) -> Codes:
    if not isinstance(step, TaskStep):
        return NO_CODES
    return Codes(step.outcomes, step.causes, tuple(mailing.title(scene, point) for point in step.checklist))


def _title(scene: Scene, line: Line) -> str:
    step = scene.meaning(line).step
    name = scene.account.name
    if isinstance(step, TaskStep):
        return mailing.title(scene, step.title)
    if isinstance(step, AskStep):
        return f"{name}: {len(step.questions)} question" + ("" if len(step.questions) == 1 else "s")
    if isinstance(step, BranchStep):
        missing = ", ".join(sorted(step.condition.names))
        return f"{name}: decide how “{scene.playbook.title}” goes on, because data is missing ({missing})"
    why = f"{scene.challenge}: " if scene.challenge else ""
    return f"{name}: {why}start “{scene.playbook.title}” when the time is right"
