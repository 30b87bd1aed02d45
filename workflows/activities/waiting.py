"""Waits of a playbook: for a time, until a condition holds, until a date of the account, until something happens."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.definitions.playbook import AskStep, CampaignStep, Span, Step, TaskStep, WaitStep
from engine.running.dates import date_of
from engine.running.lines import Line
from engine.store import awaited, waits
from engine.store.tables import AccountRow
from engine.terms import StepState, Verdict
from workflows.activities.moving import ends_at
from workflows.activities.noting import who_skipped
from workflows.activities.scene import Scene


def is_there(session: Session, scene: Scene, step: WaitStep) -> bool:
    """Whether what a wait waits for has come. What is unknown has not."""
    if step.until is not None:
        return scene.sight is not None and scene.sight.verdict(step.until) is Verdict.HOLDS
    if not step.until_date:
        return False
    due = awaited.due_at(scene.bundle, _fields(session, scene), step, scene.run, scene.now)
    return due is not None and due <= scene.now


def begin(session: Session, scene: Scene, number: int) -> tuple[str, datetime]:
    """Begin to wait at ``number``, or go on waiting there. Returns what for, and until when at most."""
    line = scene.lines[number]
    step = scene.meaning(line).step
    until = ends_at(scene, number, scene.until(Span(line.days, line.working)))
    counts = isinstance(step, WaitStep) and bool(step.until_date or step.event)
    since = (waits.since(session, scene.run.id, line.step) or scene.now) if counts else None
    if isinstance(step, WaitStep) and step.until_date and since is not None:
        until = awaited.until(scene.bundle, _fields(session, scene), step, scene.run, since, scene.now)
    waits.begin(
        session,
        scene.run.id,
        line.step,
        condition=step.until.raw if isinstance(step, WaitStep) and step.until is not None else None,
        until=until,
        event=step.event if isinstance(step, WaitStep) else "",
        since=since,
    )
    return _what_for(session, scene, step), until


def stays(session: Session, scene: Scene) -> bool:
    """Whether the run goes on waiting although its time is up: the date it waits for has moved."""
    line = scene.lines[scene.cursor]
    step = scene.meaning(line).step
    if scene.outcome != "elapsed" or not isinstance(step, WaitStep) or not step.until_date:
        return False
    since = waits.since(session, scene.run.id, line.step)
    if since is None:
        return False
    until = awaited.until(scene.bundle, _fields(session, scene), step, scene.run, since, scene.now)
    return until > scene.now


def left(session: Session, scene: Scene, line: Line) -> tuple[StepState, str]:
    """What is written of a wait that the run leaves."""
    if scene.outcome == "skipped":
        return StepState.SKIPPED, who_skipped(session, scene, line.step)
    step = scene.meaning(line).step
    has_come = scene.outcome == "satisfied"
    if isinstance(step, WaitStep) and step.until_date:
        date = _date(session, scene, step)
        return StepState.DONE, f"It is time: {date}." if is_there(session, scene, step) else _in_vain(line)
    if isinstance(step, WaitStep) and (step.until is not None or step.event):
        return StepState.DONE, "It has come about." if has_come else _in_vain(line)
    if isinstance(step, TaskStep | AskStep) or step is None:
        return StepState.DONE, "The task was done." if has_come else f"The task was not done in {_days(line)}."
    if isinstance(step, CampaignStep):
        return StepState.DONE, f"{_days(line).capitalize()} between two lessons."
    return StepState.DONE, f"Waited {_days(line)}."


def _what_for(session: Session, scene: Scene, step: Step | None) -> str:
    if isinstance(step, WaitStep):
        if step.until_date:
            return f"Waits for {_date(session, scene, step)}"
        if step.event:
            return f"Waits for the event {step.event}"
        return "Waits for a condition to hold" if step.until is not None else "Waits"
    if isinstance(step, CampaignStep):
        return "Waits for the next lesson"
    if isinstance(step, TaskStep | AskStep):
        return "Waits for a task to be done"
    return "Waits to be started by hand"


def _date(session: Session, scene: Scene, step: WaitStep) -> str:
    """The date in words: 5 days before renewal_on (2026-12-01)."""
    name = step.until_date.removeprefix("account.")
    day = date_of(_fields(session, scene), name)
    before = f"{_span(step.before.days, working=step.before.working)} before " if step.before.days else ""
    return f"{before}{name} ({day.isoformat() if day else 'not known yet'})"


def _fields(session: Session, scene: Scene) -> dict[str, Any]:
    return awaited.dates_of(session.get_one(AccountRow, scene.account.id))


def _in_vain(line: Line) -> str:
    return f"It did not come about in {_days(line)}."


def _days(line: Line) -> str:
    return _span(line.days, working=line.working)


def _span(days: float, *, working: bool) -> str:
    return f"{days:g} {'working day' if working else 'day'}" + ("" if days == 1 else "s")
