"""Reading the steps that leave the building (codes P): email, campaign, report, webhook, guide, note."""

from typing import Final, Literal as Choice, get_args

from engine.definitions.condition import Condition
from engine.definitions.condition_reading import parse
from engine.definitions.connection import Connection
from engine.definitions.fields import Fields
from engine.definitions.playbook import Audience, CampaignStep, EmailStep, ReportStep, Span, Step, WebhookStep
from engine.definitions.reading import known, listed, scalar, texts_of
from engine.definitions.scope import contact_scope
from engine.definitions.source import Node
from engine.definitions.step_parts import Desk, Head, audience, span, step_fields
from engine.definitions.template_checking import check_inline

Sender = Choice["owner", "company"]
OnAmbiguous = Choice["hold", "retry", "treat_as_sent"]
SENDERS: Final[tuple[Sender, ...]] = get_args(Sender)
ON_AMBIGUOUS: Final[tuple[OnAmbiguous, ...]] = get_args(OnAmbiguous)
RECEIVERS: Final = {"webhook": ("webhook", "guide", "crm"), "guide": ("guide", "webhook"), "note": ("crm", "webhook")}
"""Kind of step → the kinds of connections that understand it."""
LONGEST_LINK: Final = 90
_A_WEEK: Final = Span(7.0)


def read_email(node: Node, head: Head, desk: Desk) -> Step:
    """One message to each contact of an audience."""
    fields = step_fields(node, head, desk)
    message, named = fields.name("message"), fields.find("message")
    if named and message:
        known(named, message, desk.messages, desk.ledger, "message", " of this playbook")
    step = EmailStep(
        id=head.id(desk, message),
        to=audience(fields, desk) or Audience(),
        message=message,
        place=head.place,
        sender=fields.word("sender", SENDERS, "owner"),
        copy_owner=fields.truth("copy_owner", default=False),
        max_lateness=span(fields, "max_lateness") or _A_WEEK,
        on_ambiguous=fields.word("on_ambiguous", ON_AMBIGUOUS, "hold"),
    )
    fields.close()
    return step


def read_campaign(node: Node, head: Head, desk: Desk) -> Step:
    """Lessons to each contact of an audience, in a rhythm."""
    fields = step_fields(node, head, desk)
    stop = fields.find("stop_when")
    lessons = fields.texts("lessons", required=True)
    for lesson in lessons:
        known(lesson, lesson.text, desk.messages, desk.ledger, "message", " of this playbook")
    if "lessons" in fields and not lessons:
        desk.ledger.problem(fields.key_place("lessons"), 11, "a campaign needs at least one lesson")
    condition: Condition | None = None
    if stop is not None:
        condition = parse(stop, contact_scope(desk.scope, desk.catalog), desk.ledger)
    step = CampaignStep(
        id=head.id(desk),
        to=audience(fields, desk) or Audience(),
        every=span(fields, "every", required=True) or Span(1.0),
        lessons=texts_of(lessons),
        place=head.place,
        stop_when=condition,
    )
    fields.close()
    return step


def read_report(node: Node, head: Head, desk: Desk) -> Step:
    """A report to the contacts of a role, by a link."""
    fields = step_fields(node, head, desk)
    use, named, role = fields.name("use"), fields.find("use"), fields.need("share_with")
    if named and use:
        known(named, use, desk.reports, desk.ledger, "report")
    text = scalar(role, desk.ledger, '"share_with"') or "" if role else ""
    if role and text:
        known(role, text, desk.catalog.roles, desk.ledger, "role")
    expires = fields.days("expires", 30)
    if expires > LONGEST_LINK:
        at = fields.key_place("expires")
        desk.ledger.problem(at, 5, "a link to a report is good for at most 90 days", "write 90d")
    step = ReportStep(head.id(desk, use), use, text, expires, head.place)
    fields.close()
    return step


def read_webhook(node: Node, head: Head, desk: Desk) -> Step:
    """A call to a connection: any webhook, or a note in the CRM."""
    fields = step_fields(node, head, desk)
    kind: Choice["webhook", "note"] = "note" if head.kind == "note" else "webhook"
    to = _receiver(fields, head, desk)
    step = WebhookStep(head.id(desk, to), to, _body(fields, desk), head.place, kind)
    fields.close()
    return step


def read_guide(node: Node, head: Head, desk: Desk) -> Step:
    """A guide inside the product, for the contacts of an audience."""
    fields = step_fields(node, head, desk)
    to, people = _receiver(fields, head, desk), audience(fields, desk, "audience")
    step = WebhookStep(head.id(desk, to), to, _body(fields, desk), head.place, "guide", people)
    fields.close()
    return step


def _receiver(fields: Fields, head: Head, desk: Desk) -> str:
    to, node = fields.text("to"), fields.find("to")
    if node is None or not to:
        return to
    if "://" in to:  # it is not repeated: it may be a secret
        message = f"a {head.kind} goes to a connection, not to an address"
        desk.ledger.problem(node, 18, message, "declare it in rules/connections.yaml, and write its name here")
        return ""
    if not known(node, to, desk.connections, desk.ledger, "connection"):
        return to
    connection: Connection = desk.connections[to]
    if connection.kind not in RECEIVERS[head.kind]:
        message = f'"{to}" is a connection of kind {connection.kind}, which understands no {head.kind}'
        kinds = f"kinds for a {head.kind}: {listed(RECEIVERS[head.kind])}"
        hint = "a chat is written to with notify" if connection.kind == "chat" else kinds
        desk.ledger.problem(node, 18, message, hint)
    return to


def _body(fields: Fields, desk: Desk) -> dict[str, str]:
    body: dict[str, str] = {}
    for key, value in fields.entries("body"):
        text = scalar(value, desk.ledger, f'"{key.text}"')
        if text is not None:
            check_inline(text, value.place, desk.catalog, desk.ledger)
            body[key.text] = text
    return body
