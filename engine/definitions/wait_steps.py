"""Reading waits (codes P): for a time, until a condition holds, a date comes or an event happens."""

from typing import Final

from engine.definitions.condition_reading import parse
from engine.definitions.feature import ValueType
from engine.definitions.fields import Fields
from engine.definitions.playbook import Span, Step, WaitStep
from engine.definitions.reading import known, listed, scalar, suggest
from engine.definitions.scope import event_scope
from engine.definitions.source import Node, ScalarNode
from engine.definitions.step_parts import Desk, Head, span, span_of, step_fields

_REASONS: Final = ("until", "until_date", "event")
_NO_TIME: Final = Span(0.0)


def read_wait(node: Node, head: Head, desk: Desk) -> Step:
    """``wait: 3d``, or with ``at_most`` one of ``until``, ``until_date`` and ``event``."""
    if isinstance(node, ScalarNode):
        return WaitStep(head.id(desk), span_of(node, desk.ledger, '"wait"'), head.place)
    fields = step_fields(node, head, desk)
    until = fields.find("until")
    condition = parse(until, desk.scope, desk.ledger) if until else None
    date, before = _date(fields, desk), span(fields, "before")
    event = _event(fields, desk)
    where = fields.find("where")
    narrowed = parse(where, event_scope(desk.scope, desk.catalog, event), desk.ledger) if where and event else None
    fields.refuse("for", "write wait: 3d where it is for a time alone")
    _check_reasons(fields, desk)
    step = WaitStep(
        id=head.id(desk),
        at_most=span(fields, "at_most", required=True) or Span(1.0),
        place=head.place,
        until=condition,
        until_date=date,
        before=before or _NO_TIME,
        event=event,
        where=narrowed,
    )
    fields.close()
    return step


def _date(fields: Fields, desk: Desk) -> str:
    node = fields.find("until_date")
    text = scalar(node, desk.ledger, '"until_date"') or "" if node else ""
    if node is None or not text or (text.startswith("account.") and desk.scope.type_of(text) is ValueType.DATE):
        return text
    dates = [name for name, kind in desk.scope.names.items() if kind is ValueType.DATE and name.startswith("account.")]
    hint = suggest(text, dates) or f"dates: {listed(dates)}"
    desk.ledger.problem(node, 19, f'"{text[:60]}" is no date of an account', hint)
    return text


def _event(fields: Fields, desk: Desk) -> str:
    node = fields.find("event")
    text = scalar(node, desk.ledger, '"event"') or "" if node else ""
    return text if node and text and known(node, text, desk.catalog.events, desk.ledger, "event") else ""


def _check_reasons(fields: Fields, desk: Desk) -> None:
    given = [key for key in _REASONS if key in fields]
    if len(given) > 1:
        message = f"a wait is for one thing, not for {listed(given, 'and')}"
        desk.ledger.problem(fields.key_place(given[1]), 20, message, "write two waits, one after the other")
    for key, needs in (("before", "until_date"), ("where", "event")):
        if key in fields and needs not in fields:
            desk.ledger.problem(fields.key_place(key), 20, f'"{key}" belongs to "{needs}"', f"write {needs} beside it")
