"""Reading the steps that colleagues have a part in (codes P): task, ask, notify, set."""

from engine.definitions.feature import ValueType
from engine.definitions.fields import Fields
from engine.definitions.playbook import AskStep, NotifyStep, SetStep, Span, Step, TaskStep
from engine.definitions.quantities import parse_date, parse_share
from engine.definitions.reading import but, known, listed, number, scalar, suggest, texts_of
from engine.definitions.source import MapNode, Node, ScalarNode
from engine.definitions.step_parts import Desk, Head, codes, escalation, members, span, step_fields, template
from engine.definitions.template_checking import check_inline


def read_task(node: Node, head: Head, desk: Desk) -> Step:
    """A to-do for a member."""
    fields = step_fields(node, head, desk)
    step = TaskStep(
        id=head.id(desk),
        title=template(fields, "title", desk),
        to=members(fields, "to", desk),
        place=head.place,
        due=span(fields, "due"),
        wait_for_done=span(fields, "wait_for_done"),
        outcomes=codes(fields, "outcomes", "an outcome"),
        causes=_causes(fields, desk),
        checklist=_checklist(fields, desk),
        remind=span(fields, "remind"),
        escalate=escalation(fields, desk),
    )
    _check_reminder(fields, step.remind, step.due)
    fields.close()
    return step


def _causes(fields: Fields, desk: Desk) -> tuple[str, ...]:
    """Codes of the catalog, or ``all`` of them."""
    found = fields.texts("causes")
    if [node.text for node in found] == ["all"] and desk.catalog.causes:
        return tuple(desk.catalog.causes)
    for node in found:
        known(node, node.text, desk.catalog.causes, desk.ledger, "cause")
    return texts_of(found)


def _checklist(fields: Fields, desk: Desk) -> tuple[str, ...]:
    found = fields.texts("checklist")
    for node in found:
        check_inline(node.text, node.place, desk.catalog, desk.ledger)
    return texts_of(found)


def _check_reminder(fields: Fields, remind: Span | None, due: Span | None) -> None:
    if remind is None:
        return
    at = fields.key_place("remind")
    if due is None:
        hint = "write due: 3 working days beside it"
        fields.ledger.problem(at, 16, "a reminder comes before something is due, and this is never due", hint)
    elif remind.working == due.working and remind.days >= due.days:
        hint = "it says how long before: remind: 1 working day"
        fields.ledger.problem(at, 16, "this would remind before the task is even there", hint)


def read_ask(node: Node, head: Head, desk: Desk) -> Step:
    """Questions of the catalog to a member."""
    fields = step_fields(node, head, desk)
    questions = fields.texts("questions", required=True)
    for question in questions:
        known(question, question.text, desk.catalog.questions, desk.ledger, "question")
    if "questions" in fields and not questions:
        desk.ledger.problem(fields.key_place("questions"), 11, "there is no question to ask")
    step = AskStep(
        id=head.id(desk),
        questions=texts_of(questions),
        to=members(fields, "to", desk),
        place=head.place,
        due=span(fields, "due"),
        wait_for_done=span(fields, "wait_for_done"),
        remind=span(fields, "remind"),
        escalate=escalation(fields, desk),
    )
    _check_reminder(fields, step.remind, step.due)
    fields.close()
    return step


def read_notify(node: Node, head: Head, desk: Desk) -> Step:
    """A line to colleagues: members, or chats by the name of their connection."""
    fields = step_fields(node, head, desk)
    chats = [each.name for each in desk.connections.values() if each.kind == "chat"]
    to, text = members(fields, "to", desk, chats), template(fields, "text", desk)
    step = NotifyStep(head.id(desk), to, text, head.place)
    fields.close()
    return step


def read_set(node: Node, head: Head, desk: Desk) -> Step | None:
    """``set: {stage: renewal}``: one field of the account."""
    ledger, kinds = desk.ledger, {"stage": ValueType.TEXT, **desk.catalog.account_fields}
    if not isinstance(node, MapNode) or len(node.entries) != 1:
        several = isinstance(node, MapNode) and len(node.entries) > 1
        said = "a step sets one field" if several else f"what is set is a field with its value{but(node)}"
        ledger.problem(node, 17, said, "write a step for each" if several else "write set: {stage: renewal}")
        return None
    key, value = node.entries[0]
    if key.text not in kinds:
        more = f"there is {listed(kinds)}; more are declared as account_fields of the catalog"
        hint = suggest(key.text, kinds) or more
        ledger.problem(key, 17, f'"{key.text}" is no field of accounts that can be set', hint)
        return None
    if key.text == "stage" and isinstance(value, ScalarNode):
        known(value, value.text, desk.catalog.stages, ledger, "stage")
    return SetStep(head.id(desk, key.text), key.text, _value(key, value, kinds[key.text], desk), head.place)


def _value(key: ScalarNode, node: Node, kind: ValueType, desk: Desk) -> str | float | bool:
    text, what = scalar(node, desk.ledger, f'"{key.text}"'), f'"{key.text}"'
    if text is None or not isinstance(node, ScalarNode):
        return ""
    if kind is ValueType.BOOLEAN:
        if node.truth is None:
            desk.ledger.problem(node, 2, f"{what} must be true or false{but(node)}")
        return bool(node.truth)
    if kind is ValueType.NUMBER:
        return number(node, desk.ledger, what) or 0.0
    if kind is ValueType.SHARE:
        found = parse_share(text)
        if found is None:
            desk.ledger.problem(node, 2, f'{what} must be a share like "40%"{but(node)}')
        return found or 0.0
    if kind is ValueType.DATE and parse_date(text) is None:
        desk.ledger.problem(node, 2, f"{what} must be a date like 2027-03-01{but(node)}")
    return text
