"""Reading playbooks (codes P)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal as Choice, get_args

from engine.definitions.catalog import Catalog
from engine.definitions.catalog_reading import read_format
from engine.definitions.condition import Condition
from engine.definitions.condition_reading import parse
from engine.definitions.message_reading import check_inline
from engine.definitions.playbook import (
    ApproveStep,
    AskStep,
    Audience,
    BranchStep,
    CampaignStep,
    Category,
    EmailStep,
    Playbook,
    ReportStep,
    Span,
    Step,
    TaskStep,
    WaitStep,
    WebhookStep,
)
from engine.definitions.problem import Place
from engine.definitions.reading import (
    Fields,
    Ledger,
    items,
    known,
    length,
    listed,
    name,
    scalar,
    suggest,
    texts_of,
    word,
)
from engine.definitions.scope import Scope, contact_scope
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode

MAX_STEPS: Final = 200
EXITS: Final[tuple[Choice["goal_met", "signal_cleared"], ...]] = ("goal_met", "signal_cleared")
OPEN_TASKS: Final[tuple[Choice["cancel", "keep"], ...]] = ("cancel", "keep")
ON_EXPIRY: Final[tuple[Choice["skip", "cancel"], ...]] = ("skip", "cancel")


@dataclass(slots=True)
class Desk:
    """What the reader of one playbook needs at hand, and the step ids given so far."""

    catalog: Catalog
    scope: Scope
    messages: Collection[str]
    reports: Collection[str]
    ledger: Ledger
    ids: dict[str, Place] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()
    count: int = 0


def read_playbook(
    node: Node, catalog: Catalog, scope: Scope, messages: Collection[str], reports: Collection[str], ledger: Ledger
) -> Playbook:
    """Read one playbook. ``scope``: what its conditions on the account may name; ``messages`` are its own."""
    fields = Fields(node, ledger, "a playbook")
    read_format(fields)
    desk = Desk(catalog, scope, messages, reports, ledger, reserved=frozenset(_explicit_ids(node)))
    written, on_exit = fields.need("steps"), fields.fields("on_exit")
    exits = tuple(word(item, EXITS, ledger, '"exit"') for item in fields.texts("exit"))
    playbook = Playbook(
        name=fields.name("playbook"),
        title=fields.text("title"),
        category=fields.word("category", get_args(Category)),
        steps=_steps(written, desk, "a playbook") if written else (),
        place=fields.key_place("playbook"),
        exit=exits,
        open_tasks=on_exit.word("open_tasks", OPEN_TASKS, "cancel") if on_exit else "cancel",
    )
    if on_exit:
        on_exit.close()
    fields.close()
    if desk.count > MAX_STEPS:
        ledger.problem(playbook.place, 12, f"a playbook has at most {MAX_STEPS} steps, this one has {desk.count}")
    return playbook


def _explicit_ids(node: Node) -> list[str]:
    if isinstance(node, ListNode):
        return [found for item in node.items for found in _explicit_ids(item)]
    if not isinstance(node, MapNode):
        return []
    own = [value.text for key, value in node.entries if key.text == "id" and isinstance(value, ScalarNode)]
    return own + [found for _, value in node.entries for found in _explicit_ids(value)]


def _steps(node: Node, desk: Desk, what: str) -> tuple[Step, ...]:
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
        if len(kinds) > 1:
            message = f"a step is one thing, not {listed(key.text for key in kinds)}"
            desk.ledger.problem(kinds[1], 10, message, 'start each step with "-"')
        return None
    given = node.get("id")
    own = name(given, desk.ledger, "a step") if given else ""
    if own and given:
        _take_id(own, given.place, desk)
    value = node.get(kinds[0].text)
    return _KINDS[kinds[0].text](value, _Head(own, kinds[0].text, kinds[0].place), desk) if value else None


def _take_id(own: str, place: Place, desk: Desk) -> None:
    if own in desk.ids:
        desk.ledger.problem(
            place, 13, f'two steps are called "{own}"', f"the other stands in line {desk.ids[own].line}"
        )
    desk.ids[own] = place


@dataclass(frozen=True, slots=True)
class _Head:
    """What every step starts with: the id the author gave, its kind, its place."""

    given: str
    kind: str
    place: Place

    def id(self, desk: Desk, name: str = "") -> str:
        """The author's id, or kind and name with a number where that is taken."""
        if self.given:
            return self.given
        plain = f"{self.kind}-{name}" if name else self.kind
        candidate, number = plain, 1
        while candidate in desk.ids or candidate in desk.reserved:
            number += 1
            candidate = f"{plain}-{number}"
        desk.ids[candidate] = self.place
        return candidate


def _fields(node: Node, head: _Head, desk: Desk) -> Fields:
    return Fields(node, desk.ledger, f'a step "{head.kind}"')


def _span(fields: Fields, key: str, *, required: bool = False) -> Span | None:
    node = fields.need(key) if required else fields.find(key)
    if node is None:
        return Span(1.0) if required else None
    found = length(node, fields.ledger, f'"{key}"')
    return Span(found.days, found.working)


def _task(node: Node, head: _Head, desk: Desk) -> Step:
    fields = _fields(node, head, desk)
    title = _template(fields, "title", desk)
    step = TaskStep(
        head.id(desk), title, _member(fields, "to"), head.place, _span(fields, "due"), _span(fields, "wait_for_done")
    )
    fields.close()
    return step


def _template(fields: Fields, key: str, desk: Desk) -> str:
    text, node = fields.text(key), fields.find(key)
    if node and text:
        check_inline(text, node.place, desk.catalog, desk.ledger)
    return text


def _member(fields: Fields, key: str) -> str:
    text, node = fields.text(key), fields.find(key)
    if node and text and text != "owner" and "@" not in text:
        fields.ledger.problem(node, 14, f'"{text}" is nobody', "write owner, or a member's e-mail address")
    return text


def _ask(node: Node, head: _Head, desk: Desk) -> Step:
    fields = _fields(node, head, desk)
    questions = fields.texts("questions", required=True)
    for question in questions:
        known(question, question.text, desk.catalog.questions, desk.ledger, "question")
    if "questions" in fields and not questions:
        desk.ledger.problem(fields.key_place("questions"), 11, "there is no question to ask")
    step = AskStep(
        head.id(desk),
        texts_of(questions),
        _member(fields, "to"),
        head.place,
        _span(fields, "due"),
        _span(fields, "wait_for_done"),
    )
    fields.close()
    return step


def _audience(fields: Fields, desk: Desk) -> Audience:
    node = fields.need("to")
    if node is None:
        return Audience()
    if isinstance(node, MapNode):
        inner = Fields(node, desk.ledger, '"to"')
        role = inner.need("role")
        text = scalar(role, desk.ledger, '"role"') or "" if role else ""
        if role and text:
            known(role, text, desk.catalog.roles, desk.ledger, "role")
        found = Audience(role=text, idle_for=inner.days("idle_for", 0))
        inner.close()
        return found
    text = scalar(node, desk.ledger, '"to"') or ""
    if text.startswith("signal."):
        return Audience(signal=text.removeprefix("signal."))
    if text == "respondent":
        desk.ledger.note(node, 50, "this version does not follow who answered: nobody is a respondent yet")
        return Audience(respondent=True)
    if text:
        known(node, text, desk.catalog.roles, desk.ledger, "role")
    return Audience(role=text)


def _email(node: Node, head: _Head, desk: Desk) -> Step:
    fields = _fields(node, head, desk)
    message, named = fields.name("message"), fields.find("message")
    if named and message:
        known(named, message, desk.messages, desk.ledger, "message of this playbook")
    step = EmailStep(head.id(desk, message), _audience(fields, desk), message, head.place)
    fields.close()
    return step


def _campaign(node: Node, head: _Head, desk: Desk) -> Step:
    fields = _fields(node, head, desk)
    stop = fields.find("stop_when")
    lessons = fields.texts("lessons", required=True)
    for lesson in lessons:
        known(lesson, lesson.text, desk.messages, desk.ledger, "message of this playbook")
    if "lessons" in fields and not lessons:
        desk.ledger.problem(fields.key_place("lessons"), 11, "a campaign needs at least one lesson")
    condition: Condition | None = None
    if stop is not None:
        condition = parse(stop, contact_scope(desk.scope, desk.catalog), desk.ledger)
    step = CampaignStep(
        id=head.id(desk),
        to=_audience(fields, desk),
        every=_span(fields, "every", required=True) or Span(1.0),
        lessons=texts_of(lessons),
        place=head.place,
        stop_when=condition,
    )
    fields.close()
    return step


def _wait(node: Node, head: _Head, desk: Desk) -> Step:
    if isinstance(node, ScalarNode):
        found = length(node, desk.ledger, '"wait"')
        return WaitStep(head.id(desk), Span(found.days, found.working), head.place)
    fields = _fields(node, head, desk)
    until = fields.find("until")
    at_most = _span(fields, "at_most", required=True) or Span(1.0)
    condition = parse(until, desk.scope, desk.ledger) if until else None
    fields.close()
    return WaitStep(head.id(desk), at_most, head.place, condition)


def _branch(node: Node, head: _Head, desk: Desk) -> Step | None:
    fields = _fields(node, head, desk)
    own = head.id(desk)
    condition, then = fields.need("if"), fields.need("then")
    otherwise, unknown = fields.find("else"), fields.find("unknown")
    read = parse(condition, desk.scope, desk.ledger) if condition else None
    arms = [_steps(arm, desk, "a branch") if arm else () for arm in (then, otherwise, unknown)]
    fields.close()
    return BranchStep(own, read, arms[0], arms[1], arms[2], head.place) if read else None


def _approve(node: Node, head: _Head, desk: Desk) -> Step:
    fields = _fields(node, head, desk)
    own = head.id(desk)
    steps = fields.need("steps")
    by = _member(fields, "by")
    inner = _steps(steps, desk, "an approval") if steps else ()
    if waits := [
        step
        for step in inner
        if not isinstance(step, EmailStep | ReportStep | TaskStep | AskStep | WebhookStep | CampaignStep)
    ]:
        message = "an approval covers what can be shown when it opens: no waits, branches or approvals inside"
        desk.ledger.problem(waits[0].place, 15, message, "put them after the approval")
    step = ApproveStep(
        own,
        by,
        inner,
        _span(fields, "expires", required=True) or Span(1.0),
        fields.word("on_expiry", ON_EXPIRY, "skip"),
        head.place,
    )
    fields.close()
    return step


def _report(node: Node, head: _Head, desk: Desk) -> Step:
    fields = _fields(node, head, desk)
    use, named, role = fields.name("use"), fields.find("use"), fields.need("share_with")
    if named and use:
        known(named, use, desk.reports, desk.ledger, "report")
    text = scalar(role, desk.ledger, '"share_with"') or "" if role else ""
    if role and text:
        known(role, text, desk.catalog.roles, desk.ledger, "role")
    expires = fields.days("expires", 30)
    if expires > 90:
        desk.ledger.problem(fields.key_place("expires"), 5, "a link to a report is good for at most 90 days")
    step = ReportStep(head.id(desk, use), use, text, expires, head.place)
    fields.close()
    return step


def _webhook(node: Node, head: _Head, desk: Desk) -> Step:
    fields = _fields(node, head, desk)
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


_KINDS: Final[Mapping[str, Callable[[Node, _Head, Desk], Step | None]]] = {
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
