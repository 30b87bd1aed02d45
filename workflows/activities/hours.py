"""By whose calendar a time counts: the member's who has to do something, the account's for everything else."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.calendar import Calendar
from engine.definitions.playbook import Escalation, Span
from engine.running.following import FollowUp
from engine.store.tables import MemberRow
from workflows.activities.scene import Scene


def of_member(session: Session, scene: Scene, address: str) -> Calendar:
    """The calendar by which a member's hours count; the account's where the member has named none."""
    named = session.scalar(select(MemberRow.calendar).where(MemberRow.email == address))
    return scene.bundle.calendars.of(named) if named else scene.calendar


def follow_up(
    scene: Scene, calendar: Calendar, *, due: Span | None, remind: Span | None, escalate: Escalation | None
) -> FollowUp:
    """When somebody is to hear of a task that is ``due`` after a time: ``remind`` before that; the escalation counts
    from now."""
    return FollowUp(
        remind_at=None if remind is None or due is None else scene.until(_sooner(due, remind), calendar),
        escalate_at=None if escalate is None else scene.until(escalate.after, calendar),
        escalate_to="" if escalate is None else escalate.to,
    )


def _sooner(due: Span, by: Span) -> Span:
    """``due`` less ``by``. Working days and days of the calendar do not mix: then a day counts as a day."""
    return Span(max(due.days - by.days, 0.0), due.working)
