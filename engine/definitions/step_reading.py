"""Reading the steps of a playbook (codes P): one small reader for each kind."""

from collections.abc import Callable, Mapping
from typing import Final, Literal as Choice

from engine.definitions.condition import Condition
from engine.definitions.condition_reading import parse
from engine.definitions.playbook import (
    ApproveStep,
    AskStep,
    BranchStep,
    CampaignStep,
    EmailStep,
    ReportStep,
    Span,
    Step,
    TaskStep,
    WaitStep,
    WebhookStep,
)
from engine.definitions.problem import Place
from engine.definitions.reading import items, known, length, listed, name, scalar, suggest, texts_of
from engine.definitions.scope import contact_scope
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode
from engine.definitions.step_parts import Desk, Head, audience, member, span, step_fields, template
from engine.definitions.template_checking import check_inline

ON_EXPIRY: Final[tuple[Choice["skip", "cancel"], ...]] = ("skip", "cancel")


def read_steps(node: Node, desk: Desk, what: str) -> tuple[Step, ...]:
    """Read a list of steps, ``what`` being the whole that they belong to."""
    written = items(node, desk.ledger, f"the steps of {what}")
    if isinstance(node, ListNode) and not written:
        desk.ledger.problem(node, 11, f"{what} needs at least one step")
    return tuple(step for item in written if (step := _step(item, desk)) is not None)


def _step(node: Node, desk: Desk) -> Step | None:
    desk.count += 1
    if not isinstance(node, MapNode):
        desk.ledger.problem(
            node, 10, "a step is a kind with its details", f"for example - email: {{…}}; kinds: {listed(_KINDS)}"
        )
        return None
    kinds = [key for key, _ in node.entries if key.text in _KINDS]
    for key, _ in node.entries:
        if key.text not in _KINDS and key.text != "id":
            desk.ledger.problem(
                key, 4, f'unknown kind of step "{key.text}"', suggest(key.text, _KINDS) or f"kinds: {listed(_KINDS)}"
            )
    if len(kinds) != 1:
        if not [key for key, _ in node.entries if key.text != "id"]:
            hint = f"for example - email: {{…}}; kinds: {listed(_KINDS)}"
            desk.ledger.problem(node, 10, "this step does nothing", hint)
        if len(kinds) > 1:
            message = f"a step is one thing, not {listed([key.text for key in kinds], 'and')}"
            desk.ledger.problem(kinds[1], 10, message, 'start each step with "-"')
        return None
    given = node.get("id")
    own = name(given, desk.ledger, "a step") if given else ""
    if own and given:
        _take_id(own, given.place, desk)
    value = node.get(kinds[0].text)
    return _KINDS[kinds[0].text](value, Head(own, kinds[0].text, kinds[0].place), desk) if value else None


def _take_id(own: str, place: Place, desk: Desk) -> None:
    if own in desk.ids:
        desk.ledger.problem(
            place, 13, f'two steps are called "{own}"', f"the other stands in line {desk.ids[own].line}"
        )
    desk.ids[own] = place


def _task(node: Node, head: Head, desk: Desk) -> Step:
    fields = step_fields(node, head, desk)
    title = template(fields, "title", desk)
    step = TaskStep(
        head.id(desk), title, (member(fields, "to"),), head.place, span(fields, "due"), span(fields, "wait_for_done")
    )
    fields.close()
    return step


def _ask(node: Node, head: Head, desk: Desk) -> Step:
    fields = step_fields(node, head, desk)
    questions = fields.texts("questions", required=True)
    for question in questions:
        known(question, question.text, desk.catalog.questions, desk.ledger, "question")
    if "questions" in fields and not questions:
        desk.ledger.problem(fields.key_place("questions"), 11, "there is no question to ask")
    step = AskStep(
        head.id(desk),
        texts_of(questions),
        (member(fields, "to"),),
        head.place,
        span(fields, "due"),
        span(fields, "wait_for_done"),
    )
    fields.close()
    return step


def _email(node: Node, head: Head, desk: Desk) -> Step:
    fields = step_fields(node, head, desk)
    message, named = fields.name("message"), fields.find("message")
    if named and message:
        known(named, message, desk.messages, desk.ledger, "message", " of this playbook")
    step = EmailStep(head.id(desk, message), audience(fields, desk), message, head.place)
    fields.close()
    return step


def _campaign(node: Node, head: Head, desk: Desk) -> Step:
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
        to=audience(fields, desk),
        every=span(fields, "every", required=True) or Span(1.0),
        lessons=texts_of(lessons),
        place=head.place,
        stop_when=condition,
    )
    fields.close()
    return step


def _wait(node: Node, head: Head, desk: Desk) -> Step:
    if isinstance(node, ScalarNode):
        found = length(node, desk.ledger, '"wait"')
        return WaitStep(head.id(desk), Span(found.days, found.working), head.place)
    fields = step_fields(node, head, desk)
    until = fields.find("until")
    at_most = span(fields, "at_most", required=True) or Span(1.0)
    condition = parse(until, desk.scope, desk.ledger) if until else None
    fields.close()
    return WaitStep(head.id(desk), at_most, head.place, condition)


def _branch(node: Node, head: Head, desk: Desk) -> Step | None:
    fields = step_fields(node, head, desk)
    own = head.id(desk)
    condition, then = fields.need("if"), fields.need("then")
    otherwise, unknown = fields.find("else"), fields.find("unknown")
    read = parse(condition, desk.scope, desk.ledger) if condition else None
    arms = [read_steps(arm, desk, "a branch") if arm else () for arm in (then, otherwise, unknown)]
    fields.close()
    return BranchStep(own, read, arms[0], arms[1], arms[2], head.place) if read else None


def _approve(node: Node, head: Head, desk: Desk) -> Step:
    fields = step_fields(node, head, desk)
    own = head.id(desk)
    steps = fields.need("steps")
    by = member(fields, "by")
    inner = read_steps(steps, desk, "an approval") if steps else ()
    if waits := [
        step
        for step in inner
        if not isinstance(step, EmailStep | ReportStep | TaskStep | AskStep | WebhookStep | CampaignStep)
    ]:
        message = "an approval covers what can be shown when it opens: no waits, branches or approvals inside"
        desk.ledger.problem(waits[0].place, 15, message, "put them after the approval")
    step = ApproveStep(
        own,
        (by,),
        inner,
        span(fields, "expires", required=True) or Span(1.0),
        fields.word("on_expiry", ON_EXPIRY, "skip"),
        head.place,
    )
    fields.close()
    return step


def _report(node: Node, head: Head, desk: Desk) -> Step:
    fields = step_fields(node, head, desk)
    use, named, role = fields.name("use"), fields.find("use"), fields.need("share_with")
    if named and use:
        known(named, use, desk.reports, desk.ledger, "report")
    text = scalar(role, desk.ledger, '"share_with"') or "" if role else ""
    if role and text:
        known(role, text, desk.catalog.roles, desk.ledger, "role")
    expires = fields.days("expires", 30)
    if expires > 90:
        desk.ledger.problem(
            fields.key_place("expires"), 5, "a link to a report is good for at most 90 days", "write 90d"
        )
    step = ReportStep(head.id(desk, use), use, text, expires, head.place)
    fields.close()
    return step


def _webhook(node: Node, head: Head, desk: Desk) -> Step:
    fields = step_fields(node, head, desk)
    body: dict[str, str] = {}
    for key, value in fields.entries("body"):
        text = scalar(value, desk.ledger, f'"{key.text}"')
        if text is not None:
            check_inline(text, value.place, desk.catalog, desk.ledger)
            body[key.text] = text
    to = fields.name("to")
    step = WebhookStep(head.id(desk, to), to, body, head.place)
    fields.close()
    desk.ledger.note(head.place, 51, f'this version calls no webhooks: the step "{step.id}" is recorded as skipped')
    return step


_KINDS: Final[Mapping[str, Callable[[Node, Head, Desk], Step | None]]] = {
    "task": _task,
    "ask": _ask,
    "email": _email,
    "campaign": _campaign,
    "wait": _wait,
    "branch": _branch,
    "approve": _approve,
    "report": _report,
    "webhook": _webhook,
}
