"""Reading the examples of a rule: a tiny history in words (codes R; R04x)."""

import re
from collections.abc import Mapping
from typing import Final, Literal as Choice

from engine.definitions.catalog import Catalog, Metric
from engine.definitions.feature import Feature, ValueType
from engine.definitions.fields import Fields
from engine.definitions.quantities import parse_date, parse_share
from engine.definitions.reading import Ledger, amount, items, known, listed, suggest
from engine.definitions.rule import Example, ExampleEvent, ExampleGoal
from engine.definitions.scope import Scope
from engine.definitions.scorecard_reading import is_share_feature
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode

Value = float | str | bool
THEN: Final[tuple[Choice["fires", "clear", "unknown"], ...]] = ("fires", "clear", "unknown")
WHEN: Final = "write today, 3d ago or last 10d"

_OTHERS: Final = frozenset(map(str, range(2, 100)))
_LAST: Final = re.compile(r"last ([1-9][0-9]{0,2})d")
_AGO: Final = re.compile(r"([1-9][0-9]{0,2})d ago")


def read_example(node: Node, catalog: Catalog, scope: Scope, ledger: Ledger) -> Example:
    """Read one example; every name must be a metric, an event or a name of the scope."""
    fields = Fields(node, ledger, "an example")
    given: dict[str, Mapping[int, Value]] = {}
    people: dict[str, Mapping[str, Mapping[int, Value]]] = {}
    events: list[ExampleEvent] = []
    for key, value in fields.entries("given", required=True):
        type_ = scope.type_of(key.text)
        metric = catalog.metrics.get(key.text)
        if metric is not None and metric.of == "contact" and (type_ is None or _tells_people(value, catalog)):
            people[key.text] = _people(value, metric, catalog, ledger)
        elif type_ is None and key.text in catalog.events:
            events += _events(key.text, value, catalog, ledger)
        elif type_ is None:
            hint = suggest(key.text, [*catalog.metrics, *catalog.events, *scope.names]) or scope.hint(key.text)
            ledger.coded(key, "B001", f'there is no metric, event or value "{key.text}"', hint)
        else:
            given[key.text] = _history(value, type_, key.text, ledger)
    found = Example(
        fields.text("name"),
        given,
        fields.word("then", THEN),
        fields.place,
        _ages(events),
        tuple(events),
        tuple(_goal(key, value, catalog, ledger) for key, value in fields.entries("agreed")),
        people,
    )
    fields.close()
    return found


def _tells_people(node: Node, catalog: Catalog) -> bool:
    return isinstance(node, MapNode) and any(_who(key.text, catalog) for key, _ in node.entries)


def _who(text: str, catalog: Catalog) -> bool:
    """``sponsor``, or another one of them: ``sponsor 2``."""
    role, _, number = text.partition(" ")
    return role in catalog.roles and (not number or number in _OTHERS)


def _people(node: Node, metric: Metric, catalog: Catalog, ledger: Ledger) -> Mapping[str, Mapping[int, Value]]:
    """The histories of contacts, by who they are; a history without a role is somebody's."""
    if not isinstance(node, MapNode) or not _tells_people(node, catalog):
        return {"somebody": _history(node, metric.type, metric.name, ledger)}
    found: dict[str, Mapping[int, Value]] = {}
    for key, value in node.entries:
        if _who(key.text, catalog):
            found[key.text] = _history(value, metric.type, metric.name, ledger)
        else:
            hint = suggest(key.text, catalog.roles) or f"write a role, or several of one: {catalog.roles[0]} 2"
            ledger.coded(key, "B001", f'there is no contact "{key.text}" in an example', hint)
    return found


def _goal(key: ScalarNode, node: Node, catalog: Catalog, ledger: Ledger) -> ExampleGoal:
    is_known = known(key, key.text, catalog.goals, ledger, "goal")
    is_share = is_share_feature(Feature(catalog.goals[key.text].metric), catalog) if is_known else None
    fields = Fields(node, ledger, f'the goal "{key.text}"')
    start = fields.need("start")
    begun = _span(start, ledger) if start is not None else None
    if start is not None and begun is not None and len(begun) > 1:
        ledger.problem(start, 41, "a goal starts on one day", "write 60d ago")
    target, at_start = fields.need("target"), fields.find("at_start")
    found = ExampleGoal(
        key.text,
        amount(target, ledger, '"target"', is_share=is_share) if target else 0.0,
        begun[0] if begun else 0,
        fields.days("within"),
        amount(at_start, ledger, '"at_start"', is_share=is_share) if at_start else 0.0,
    )
    fields.close()
    return found


def _ages(events: list[ExampleEvent]) -> Mapping[str, tuple[int, ...]]:
    ages: dict[str, list[int]] = {}
    for event in events:
        ages.setdefault(event.event, []).append(event.age)
    return {name: tuple(found) for name, found in ages.items()}


def _history(node: Node, type_: ValueType, name: str, ledger: Ledger) -> Mapping[int, Value]:
    """Values by age in days. Of two spans over one day the shorter wins, and a single day over any span."""
    if isinstance(node, ScalarNode):
        return {0: _value(node, type_, name, ledger)}
    if not isinstance(node, MapNode):
        ledger.problem(node, 40, f'"{name}" must be a value, or values by day', "write 30 or {last 10d: 30}")
        return {}
    spans: list[tuple[range, Value]] = []
    for key, value in node.entries:
        if (span := _span(key, ledger)) is not None:
            spans.append((span, _value(value, type_, name, ledger)))
    found: dict[int, Value] = {}
    for span, said in sorted(spans, key=lambda pair: len(pair[0]), reverse=True):
        found |= dict.fromkeys(span, said)
    return found


def _span(node: Node, ledger: Ledger) -> range | None:
    text = node.text if isinstance(node, ScalarNode) else ""
    if text == "today":
        return range(1)
    if last := _LAST.fullmatch(text):
        return range(int(last[1]))
    if ago := _AGO.fullmatch(text):
        return range(int(ago[1]), int(ago[1]) + 1)
    ledger.problem(node, 41, f'"{text}" is no day or row of days' if text else "a day is needed here", WHEN)
    return None


def _value(node: Node, type_: ValueType, name: str, ledger: Ledger) -> Value:
    text = node.text if isinstance(node, ScalarNode) else ""
    number, truth = (node.number, node.truth) if isinstance(node, ScalarNode) else (None, None)
    percent = parse_share(text)
    if type_ is ValueType.SHARE and (percent is not None or number is not None):
        return percent if percent is not None else number or 0.0
    if type_ is ValueType.NUMBER and number is not None:
        return number
    if type_ is ValueType.BOOLEAN and truth is not None:
        return truth
    if type_ is ValueType.DATE and parse_date(text):
        return text
    if type_ is ValueType.TEXT and text:
        return text
    ledger.problem(node, 42, f'"{name}" is a {type_.value}' + (f', and "{text[:60]}" is not' if text else ""))
    return 0.0


def _events(event: str, node: Node, catalog: Catalog, ledger: Ledger) -> list[ExampleEvent]:
    """``3d ago``, ``[3d ago, 5d ago]``, ``{3d ago: champion}`` (who) or ``{3d ago: {role: user, nps: 4}}`` (what)."""
    if isinstance(node, MapNode):
        found = [(key, _happened(event, value, catalog, ledger)) for key, value in node.entries]
    else:
        days = items(node, ledger, f'"{event}"', one_may_stand_alone=True)
        found = [(day, ("", dict[str, Value]())) for day in days if isinstance(day, ScalarNode)]
        if isinstance(node, ListNode) and len(found) != len(days):
            ledger.problem(node, 41, "a list of days is needed here", WHEN)
    spans = [(_span(day, ledger), said) for day, said in found]
    return [ExampleEvent(event, age, role, fields) for span, (role, fields) in spans if span for age in span]


def _happened(event: str, node: Node, catalog: Catalog, ledger: Ledger) -> tuple[str, Mapping[str, Value]]:
    if isinstance(node, ScalarNode):
        known(node, node.text, catalog.roles, ledger, "role")
        return node.text, {}
    role, fields = "", dict[str, Value]()
    kinds = catalog.events[event].fields
    for key, value in node.entries if isinstance(node, MapNode) else ():
        if key.text == "role" and isinstance(value, ScalarNode):
            known(value, value.text, catalog.roles, ledger, "role")
            role = value.text
        elif key.text in kinds:
            fields[key.text] = _value(value, kinds[key.text], key.text, ledger)
        else:
            hint = suggest(key.text, ["role", *kinds]) or f"there is {listed(['role', *kinds])}"
            ledger.coded(key, "B001", f'the event "{event}" has no field "{key.text}"', hint)
    if isinstance(node, ListNode):
        ledger.problem(node, 40, f'"{event}" must be told as a role or as fields', "write {3d ago: champion}")
    return role, fields
