"""What a run says to systems and colleagues: webhooks, in-app guides, CRM notes, a line in a chat or to members.

Only values that the playbook names leave the building, with the keys by which a receiver knows the account and, for a
guide, its contacts: no names of people, no addresses.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from engine.definitions.connection import Connection
from engine.definitions.playbook import Audience, NotifyStep, WebhookStep
from engine.errors import Refused
from engine.running.lines import Line
from engine.store import approvals, assignees, bundles, in_product, notices, people, steps
from engine.store.approvals import Item
from engine.terms import StepState
from workflows.activities import mailing
from workflows.activities.calling import Calling
from workflows.activities.noting import note
from workflows.activities.scene import Scene

KINDS: Final = frozenset({"webhook", "guide", "note", "notify"})
"""The kinds of lines that say something so."""
MAX_BODY: Final = 64 * 1024
UNWRITTEN: Final = "(cannot be written)"


@dataclass(frozen=True, slots=True)
class Calls:
    """What a line calls. ``nobody`` says why there is nothing to call; ``worry``: the owner should know."""

    orders: tuple[Calling, ...] = ()
    nobody: str = ""
    worry: bool = True


def post(session: Session, scene: Scene, line: Line) -> Calls:
    """The call of a webhook, guide or note line. Raises Refused where its body cannot be written.

    What was approved for the line is sent as it was approved, for whoever of its contacts is still there.
    """
    step = _webhook(scene, line)
    connection = _connection(session, scene, step.to)
    said = _approved(session, scene, line) or _said(session, scene, step)
    if step.audience is not None:
        # Each of them once, in one call: the receiver's own product shows it to whoever is named.
        there = {key for _, key in in_product.contacts(session, scene.account.id, scene.seen_at)}
        said["contacts"] = [key for key in said["contacts"] if key in there]
        if not said["contacts"]:
            return Calls(nobody="no contact of the account is in its audience")
    began = _since(session, scene, line).astimezone(UTC).isoformat()
    body = {"type": f"backcast.{step.kind}", "timestamp": began, "data": _about(scene, line) | said}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > MAX_BODY:
        raise Refused(f'the body for "{step.to}" would be larger than 64 KiB')
    return Calls((_order(scene, line, connection, f"{step.kind} to {connection.name}", text),))


def notify(session: Session, scene: Scene, line: Line) -> Calls:
    """Tell colleagues, in the queue of notices; the chats a notify line names are to be called. Raises Refused."""
    step = scene.meaning(line).step
    if not isinstance(step, NotifyStep):
        raise TypeError(line.kind)
    approved = approvals.approved_items(session, scene.run.id, line.step)
    text = approved[0].subject if approved else mailing.title(scene, step.text)
    link = f"/accounts/{scene.account.id}"
    chats = [name for name in step.to if name in scene.bundle.connections]
    words = [word for word in step.to if word not in chats]
    member = assignees.resolve(session, scene.account.id, words, scene.now) if words else ""
    if member:
        notices.tell(
            session,
            key=f"run-{scene.run.id}-{line.step}",
            member=member,
            subject=": ".join(filter(None, (scene.account.name, scene.challenge, scene.playbook.title))),
            text=text,
            at=scene.now,
            account_id=scene.account.id,
            link=link,
        )
    said = json.dumps({"text": f"{_for_chat(text)}\n{scene.base_url}{link}"}, ensure_ascii=False)
    found = [_connection(session, scene, name) for name in chats]
    ours = tuple(_order(scene, line, connection, text[:200], said) for connection in found)
    if member and not ours:
        note(session, scene, line, StepState.DONE, f"Told {member}.")
    return Calls(ours, "" if member or ours else "nobody is there to be told")


def items(session: Session, scene: Scene, line: Line) -> list[Item]:
    """What an approval shows of a line that calls: what would be said, and to whom."""
    step = scene.meaning(line).step
    if isinstance(step, NotifyStep):
        return [Item(line.step, line.kind, None, ", ".join(step.to), mailing.title(scene, step.text))]
    step = _webhook(scene, line)
    try:
        said = json.dumps(_said(session, scene, step), ensure_ascii=False, indent=2)
    except Refused as refused:
        return [Item(line.step, line.kind, None, step.to, UNWRITTEN, str(refused))]
    return [Item(line.step, line.kind, None, step.to, f"{step.kind} to {step.to}", said)]


def _webhook(scene: Scene, line: Line) -> WebhookStep:
    step = scene.meaning(line).step
    if not isinstance(step, WebhookStep):
        raise TypeError(line.kind)
    return step


def _about(scene: Scene, line: Line) -> dict[str, Any]:
    """By what a receiver knows what it is about."""
    return {
        "account": {"key": scene.account.key, "name": scene.account.name},
        "challenge": scene.challenge or None,
        "playbook": scene.playbook.name,
        "step": line.step,
        "run": scene.run.id,
    }


def _said(session: Session, scene: Scene, step: WebhookStep) -> dict[str, Any]:
    """What a step says: its values, and for a guide the contacts it is for."""
    said: dict[str, Any] = {"values": {key: mailing.title(scene, text) for key, text in step.body.items()}}
    return said if step.audience is None else said | {"contacts": _shown_to(session, scene, step.audience)}


def _approved(session: Session, scene: Scene, line: Line) -> dict[str, Any]:
    """What was approved for a line; empty where nobody was asked. Raises Refused where it could not be written then."""
    found = approvals.approved_items(session, scene.run.id, line.step)
    if not found:
        return {}
    if found[0].subject == UNWRITTEN:
        raise Refused(f"it could not be written when it was approved: {found[0].text}")
    said: dict[str, Any] = json.loads(found[0].text)
    return said


def _shown_to(session: Session, scene: Scene, audience: Audience) -> list[str]:
    """The keys of the contacts a guide is for. They need no address: they meet it in the product."""
    found = in_product.contacts(session, scene.account.id, scene.seen_at)
    if audience.signal:
        behind = scene.sight.contacts_behind(scene.run.rule, audience.signal) if scene.sight else None
        return [key for person, key in found if behind is not None and person.id in behind]
    chosen = [person for person, _ in found if not audience.role or audience.role in person.roles]
    if audience.idle_for:
        chosen = list(people.idle(session, chosen, audience.idle_for, scene.seen_at))
    meant = {person.id for person in chosen}
    return [key for person, key in found if person.id in meant]


def _connection(session: Session, scene: Scene, name: str) -> Connection:
    """The connection as it is today: a URL that was corrected is meant for open runs too."""
    now = bundles.in_force(session)
    found = (now.connections.get(name) if now else None) or scene.bundle.connections.get(name)
    if found is None:
        raise Refused(f'there is no connection "{name}" in rules/connections.yaml')
    return found


def _since(session: Session, scene: Scene, line: Line) -> datetime:
    """When the run first came to the line: what is repeated says the same."""
    known = next((one for one in steps.of_run(session, scene.run.id) if one.step == line.step), None)
    return known.at if known else scene.now


def _order(scene: Scene, line: Line, connection: Connection, subject: str, body: str) -> Calling:
    return Calling(
        run_id=scene.run.id,
        step=line.step,
        account_id=scene.account.id,
        connection=connection,
        subject=subject,
        body=body,
        category=scene.playbook.category,
        priority=scene.playbook.priority,
        contacts=line.kind == "guide",
        day_seconds=scene.run.day_seconds,
    )


def _for_chat(text: str) -> str:
    """Data cannot mention a channel or make a link: in a chat's text these three mean something."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
