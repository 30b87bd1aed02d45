"""Who a message is for: a role, the idle ones of a role, the people a signal names, or whoever answered."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from engine.definitions.measure import EventMeasure
from engine.definitions.playbook import Audience, CampaignStep, EmailStep
from engine.running.lines import Line
from engine.store import people, steps
from engine.store.people import Person
from engine.terms import StepState
from workflows.activities.scene import Scene


def audience(session: Session, scene: Scene, line: Line) -> tuple[Person, ...]:
    """Who a message line is for now: of a campaign that has begun, those who got its lesson before."""
    step = scene.meaning(line).step
    if not isinstance(step, EmailStep | CampaignStep):
        raise TypeError(line.kind)
    reachable = people.reachable(session, scene.account.id, scene.seen_at)
    if (before := lesson_before(session, scene, line)) is not None:
        had = people.written_to(session, scene.run.id, before.step)
        return tuple(person for person in reachable if person.id in had)
    if step.to.respondent:
        answered = _respondents(session, scene)
        return tuple(person for person in reachable if person.id in answered)
    if step.to.signal:
        named = scene.sight.contacts_behind(scene.run.rule, step.to.signal) if scene.sight else None
        if named is not None:
            return tuple(person for person in reachable if person.id in named)
        event = scene.sight.event_behind(scene.run.rule, step.to.signal) if scene.sight else None
        contact = None if event is None else people.of_event(session, event)
        return tuple(person for person in reachable if person.id == contact)
    chosen = [person for person in reachable if step.to.role in person.roles]
    return people.idle(session, chosen, step.to.idle_for, scene.seen_at) if step.to.idle_for else tuple(chosen)


def still_wanting(scene: Scene, line: Line, found: Iterable[Person]) -> tuple[Person, ...]:
    """Of a campaign's people those for whom it is not over; of any other message all."""
    step = scene.meaning(line).step
    if not isinstance(step, CampaignStep) or step.stop_when is None or scene.sight is None:
        return tuple(found)
    stopped = scene.sight.contacts_for_whom(step.stop_when)
    return tuple(person for person in found if person.id not in stopped)


def lesson_before(session: Session, scene: Scene, line: Line) -> Line | None:
    """The last lesson of the same campaign that was sent; None for the first."""
    campaign = scene.meaning(line).step
    if not isinstance(campaign, CampaignStep):
        return None
    before = scene.lines[: scene.lines.index(line)]
    lessons = [one for one in before if one.kind == "lesson" and scene.meaning(one).step == campaign]
    sent = [one for one in lessons if steps.state_of(session, scene.run.id, one.step) is StepState.DONE]
    return sent[-1] if sent else None


def _respondents(session: Session, scene: Scene) -> frozenset[int]:
    """Whose events make the run's rule fire: whoever answered, asked, complained."""
    rule = scene.bundle.rules.get(scene.run.rule)
    if rule is None or scene.sight is None:
        return frozenset()
    asked = [name for name, signal in rule.signals.items() if isinstance(signal.measure, EventMeasure)]
    events = [event for name in asked if (event := scene.sight.event_behind(rule.name, name)) is not None]
    return frozenset(contact for event in events if (contact := people.of_event(session, event)) is not None)


def why_nobody(to: Audience) -> str:
    """Why there is nobody to write to, without a full stop."""
    if to.respondent:
        return "no contact with an address stands behind what started the run"
    if to.signal:
        return f"no contact with an address stands behind the signal {to.signal}"
    idle = f" and has not logged in for {to.idle_for} days" if to.idle_for else ""
    return f"no contact with the role {to.role}{idle} can be written to"
