"""Messages of a run: who gets them, what they say, and what an approval shows before they go."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.orm import Session

from engine.definitions.message import Message
from engine.definitions.playbook import Audience, CampaignStep, EmailStep, ReportStep, SetStep, Span, TaskStep
from engine.definitions.problem import Place
from engine.errors import Refused
from engine.running.figures import in_context, iso
from engine.running.lines import Line
from engine.running.rendering import RenderedMessage, render_inline, render_message
from engine.store import approvals, bundles, people, reports, secrets
from engine.store.account_figures import figures
from engine.store.approvals import Item
from engine.store.people import Person
from engine.store.touches import Rules
from workflows.activities.audience import audience, lesson_before, still_wanting, why_nobody
from workflows.activities.delivering import Order
from workflows.activities.scene import Scene
from workflows.channels import unsubscribing

_METRIC: Final = re.compile(r"\bmetrics\.([a-z0-9_]+)")
_LATENESS: Final = Span(7.0)
"""How late lessons and reports may be."""
_GOAL: Final = re.compile(r"\bgoals\.([a-z0-9_]+)")

REPORT_MAIL: Final = Message(
    playbook="",
    name="report",
    subject="{{ report.title }}",
    body="""Hello {{ contact.name | default("there") }},

your report is ready. It shows what we agreed, where {{ account.name }} is, and what we did:

{{ report_url }}

The link opens it until {{ report.open_until | date }}. At its end you can tell us whether it matches your view.

{{ owner.name | default("Your customer success team") }}""",
    names=frozenset(),
    place=Place("report"),
)
"""The message that carries a report's link."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a line sends: one order per person. ``nobody`` says why there is none; ``worry``: the owner should know."""

    orders: tuple[Order, ...] = ()
    nobody: str = ""
    worry: bool = True


def post(session: Session, scene: Scene, line: Line) -> Post:
    """The messages of an e-mail or lesson line. Raises Refused where one cannot be written.

    What was approved for the line is sent as it was approved, to whom of its people still can be written to.
    """
    step = scene.meaning(line).step
    if not isinstance(step, EmailStep | CampaignStep):
        raise TypeError(line.kind)
    approved = approvals.approved_items(session, scene.run.id, line.step)
    reachable = people.reachable(session, scene.account.id, scene.seen_at)
    if _is_covered(scene, line):
        texts = {item.contact_id: (item.subject, item.text, item.html) for item in approved}
        found = tuple(person for person in reachable if person.id in texts)
        nobody = "nobody for whom it was approved can be written to"
    else:
        texts = {}
        found = audience(session, scene, line)
        nobody = why_nobody(step.to)
    if not found:
        return Post(nobody=nobody, worry=lesson_before(session, scene, line) is None)
    staying = still_wanting(scene, line, found)
    if not staying:
        return Post(nobody="everybody has done what the lessons are for", worry=False)
    write, order = writer(session, scene, line), _orders(session, scene, line)
    return Post(tuple(order(one, texts.get(one.id) or _triple(write(one))) for one in staying))


def report_post(session: Session, scene: Scene, line: Line) -> Post:
    """The messages that carry the link of a report line's report: as the approval showed it, else composed now."""
    step = scene.meaning(line).step
    if not isinstance(step, ReportStep):
        raise TypeError(line.kind)
    found = people.with_role(session, scene.account.id, step.share_with, scene.seen_at)
    if not found:
        return Post(nobody=why_nobody(Audience(role=step.share_with)))
    shown = reports.of_step(session, scene.run.id, line.step)
    report_id = shown.id if shown else compose_report(session, scene, line)
    if reports.find(session, report_id).approved_at is None:
        gate = approvals.who_approved(session, scene.run.id, line.step)
        reports.approve(session, report_id, member=gate or "automatic", at=scene.now, expires_days=step.expires)
    report = reports.find(session, report_id)
    link = f"{scene.base_url}/r/{reports.token_of(session, report_id)}"
    more = {"report_url": link, "report": _of_report(report)}
    write = _writer(session, scene, REPORT_MAIL, more)
    order = _orders(session, scene, line)
    return Post(tuple(order(person, _triple(write(person))) for person in found))


def items(session: Session, scene: Scene, lines: Iterable[Line]) -> list[Item]:
    """What an approval of ``lines`` shows: each message to each person, and what else would be done.

    A message that cannot be written stands there with the reason, so that nobody approves it unseen.
    """
    found: list[Item] = []
    for line in lines:
        if line.kind in {"email", "lesson"}:
            found += _message_items(session, scene, line)
        elif line.kind in {"report", "task", "ask", "set"}:
            found.append(_other_item(session, scene, line))
    return found


def writer(session: Session, scene: Scene, line: Line) -> Callable[[Person], RenderedMessage]:
    """Writes an e-mail or lesson line's message for one person; reads the account's figures once."""
    meaning = scene.meaning(line)
    name = meaning.lesson or (meaning.step.message if isinstance(meaning.step, EmailStep) else "")
    return _writer(session, scene, scene.bundle.messages[scene.playbook.name, name], {})


def title(scene: Scene, text: str) -> str:
    """A task's title with the account's name and fields in it. Raises Refused."""
    return render_inline(text, _account_context(scene))


def compose_report(session: Session, scene: Scene, line: Line) -> int:
    """The report of a report line, composed from the present figures unless it is approved already."""
    step = scene.meaning(line).step
    if not isinstance(step, ReportStep):
        raise TypeError(line.kind)
    return reports.compose_for(
        session, scene.bundle, scene.account.id, step.use, scene.seen_at, scene.run.id, line.step, step.share_with
    )


def _writer(
    session: Session, scene: Scene, message: Message, more: Mapping[str, Any]
) -> Callable[[Person], RenderedMessage]:
    text = "\n".join(f"{one.subject}\n{one.body}" for one in (message, *message.variants.values()))
    catalog = scene.bundle.catalog
    metrics = frozenset(_METRIC.findall(text)) & catalog.metrics.keys()
    goals = frozenset(_GOAL.findall(text)) & catalog.goals.keys()
    base = _account_context(scene)
    if metrics or goals:
        seen = figures(session, scene.bundle, scene.account.id, people.day_of(scene.seen_at), metrics)
        base |= in_context(seen, metrics, goals)
    secret = secrets.get(session, unsubscribing.SECRET)
    at_home = str(scene.account.fields.get("language") or "")

    def write(person: Person) -> RenderedMessage:
        token = unsubscribing.make_token(secret, person.address, scene.playbook.category)
        own = {"contact": _contact_context(person), "unsubscribe_url": unsubscribing.link(scene.base_url, token)}
        return render_message(message.for_language(person.language or at_home), {**base, **own, **more})

    return write


def _account_context(scene: Scene) -> dict[str, Any]:
    account = scene.account
    fields = dict(account.fields)
    fields |= {name: iso(fields[name]) for name in ("onboarded_on", "renewal_on") if fields.get(name) is not None}
    own = {"key": account.key, "name": account.name, "owner_name": account.owner_name or "Your customer success team"}
    owner = {"name": account.owner_name or None, "email": account.owner or None}
    return {
        "account": {**fields, **own},
        "owner": owner,
        "member": {"name": own["owner_name"]},
        "challenge": {"title": scene.challenge or None},
        "report_url": scene.base_url,
    }


def _contact_context(person: Person) -> dict[str, Any]:
    name = person.name.strip() or person.address.partition("@")[0]
    return {"name": name, "first_name": name.split()[0], "email": person.address, "roles": list(person.roles)}


def _orders(session: Session, scene: Scene, line: Line) -> Callable[[Person, tuple[str, str, str]], Order]:
    """Makes the orders of a line. What holds for all messages is what is in force now, not when the run began."""
    step, account = scene.meaning(line).step, scene.account
    in_force = bundles.in_force(session) or scene.bundle
    is_owners = not isinstance(step, EmailStep) or step.sender == "owner"
    whole = Order(
        run_id=scene.run.id,
        step=line.step,
        account_id=account.id,
        contact_id=None,
        category=scene.playbook.category,
        subject="",
        text="",
        html="",
        sender=scene.sender,
        base_url=scene.base_url,
        sender_name=account.owner_name if is_owners else "",
        # Only the address of somebody who signs in is known to be one.
        reply_to=account.owner if is_owners and account.owner_name else "",
        priority=scene.playbook.priority,
        max_lateness=step.max_lateness if isinstance(step, EmailStep) else _LATENESS,
        on_ambiguous=step.on_ambiguous if isinstance(step, EmailStep) else "hold",
        rules=Rules(in_force.contact_policy, in_force.calendars),
    )

    def order(person: Person, content: tuple[str, str, str]) -> Order:
        subject, text, html = content
        return replace(whole, contact_id=person.id, name=person.name, subject=subject, text=text, html=html)

    return order


def _triple(message: RenderedMessage) -> tuple[str, str, str]:
    return message.subject, message.text, message.html


def _is_covered(scene: Scene, line: Line) -> bool:
    """Whether an approval stands before the line: then nothing goes but what it showed."""
    number = scene.lines.index(line)
    return any(gate.kind == "gate" and gate.target > number for gate in scene.lines[:number])


def _message_items(session: Session, scene: Scene, line: Line) -> list[Item]:
    write = writer(session, scene, line)
    found: list[Item] = []
    for person in audience(session, scene, line):
        try:
            subject, text, html = _triple(write(person))
        except Refused as refused:
            # Without a contact it is never sent, whoever approves it.
            found.append(Item(line.step, line.kind, None, person.name, "(cannot be written)", str(refused)))
        else:
            found.append(Item(line.step, line.kind, person.id, person.name, subject, text, html, person.masked))
    return found


def _other_item(session: Session, scene: Scene, line: Line) -> Item:
    step = scene.meaning(line).step
    if isinstance(step, ReportStep):
        content = reports.find(session, compose_report(session, scene, line)).content
        names = [person.name for person in people.with_role(session, scene.account.id, step.share_with, scene.seen_at)]
        to = ", ".join(names) or f"nobody has the role {step.share_with}"
        return Item(line.step, line.kind, None, to, content["title"], "The report, by a link.")
    if isinstance(step, SetStep):
        return Item(line.step, line.kind, None, scene.account.name, f"{step.name} becomes {step.value}")
    shown = title(scene, step.title) if isinstance(step, TaskStep) else line.step
    return Item(line.step, line.kind, None, scene.account.owner, shown)


def _of_report(report: reports.Draft) -> Mapping[str, Any]:
    until = report.expires_at.date().isoformat() if report.expires_at else None
    return {"title": report.content["title"], "open_until": until}
