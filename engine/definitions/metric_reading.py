"""Reading one metric of the catalog: pushed, by formula, made of events or made of contacts (codes C)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, get_args

from engine.definitions.catalog import (
    Across,
    Better,
    Combine,
    EventKind,
    Evidence,
    FromEvents,
    Metric,
    ProductFeature,
    Source,
    Subject,
)
from engine.definitions.condition import Compare, Condition, Literal, Var
from engine.definitions.condition_reading import parse
from engine.definitions.event_source_reading import (
    ACCOUNTS_ONLY,
    FEATURE,
    Declared,
    common_fields,
    read_from_contacts,
    read_from_events,
)
from engine.definitions.feature import ValueType
from engine.definitions.fields import Fields
from engine.definitions.reading import Ledger, listed, name, texts_of, word
from engine.definitions.scope import Scope
from engine.definitions.source import MapNode, Node, ScalarNode

TYPES: Final = tuple(ValueType)
WAYS: Final = ("formula", "from_events", "from_contacts")
_DECIMALS: Final = {ValueType.SHARE: 4, ValueType.BOOLEAN: 0}
_SHARES: Final = frozenset({"share of contacts", "in time", "roles"})
_EITHER: Final = frozenset({"key features", "csat", "ces"})


def read_metric(key: ScalarNode, node: Node, declared: Declared, ledger: Ledger) -> Metric:
    """Read all of a metric but its formula and its contacts: those name other metrics."""
    name(key, ledger, "a metric")
    fields = Fields(node, ledger, "a metric")
    type_ = fields.word("type", TYPES)
    across = fields.find("across")
    fields.find("formula"), fields.find("from_contacts")
    from_events = fields.fields("from_events")
    metric = Metric(
        name=key.text,
        title=fields.text("title"),
        source=fields.word("source", get_args(Source)),
        evidence=fields.word("evidence", get_args(Evidence)),
        type=type_,
        better=fields.word("better", get_args(Better)),
        place=key.place,
        unit=fields.text("unit", ""),
        decimals=fields.whole("decimals", _DECIMALS.get(type_, 2), 0, 6),
        combine=fields.word("combine", get_args(Combine), "last"),
        stale_after=fields.days("stale_after", 0),
        of=fields.word("of", get_args(Subject), "account"),
        bears_on_value=fields.text("bears_on_value", ""),
        customer_may_see=fields.truth("customer_may_see", default=False),
        from_events=read_from_events(from_events, declared, ledger) if from_events else None,
        words=texts_of(fields.texts("words")),
        across=word(across, get_args(Across), ledger, '"across"') if across is not None else None,
    )
    fields.close()
    _check_metric(metric, fields, declared)
    return metric


def with_contacts(
    metrics: Mapping[str, Metric], written: Iterable[tuple[ScalarNode, Node]], declared: Declared, ledger: Ledger
) -> dict[str, Metric]:
    """The metrics with what is made of contacts, once all metrics are known."""
    found = dict(metrics)
    for key, value in written:
        node = value.get("from_contacts") if isinstance(value, MapNode) else None
        if node is not None and key.text in found:
            found[key.text] = replace(
                found[key.text], from_contacts=read_from_contacts(node, declared, metrics, ledger)
            )
    return found


def with_formula(metric: Metric, node: Node, scope: Scope, ledger: Ledger) -> Metric:
    """The metric with its formula over the names of ``scope``: those of an account, or of a contact and its account."""
    return replace(metric, formula=parse(node, scope, ledger, numeric=metric.type is not ValueType.BOOLEAN))


def feature_metrics(features: Mapping[str, ProductFeature], events: Mapping[str, EventKind]) -> dict[str, Metric]:
    """How often each declared part of the product is used: ``feature.<name>``, counted per day."""
    using = tuple(event for event, kind in events.items() if kind.fields.get(FEATURE) is ValueType.TEXT)
    if not using:
        return {}
    found = {}
    for feature in features.values():
        var, word_ = Var(f"event.{FEATURE}", ValueType.TEXT), Literal(feature.name, ValueType.TEXT)
        raw = {"==": [{"var": var.name}, feature.name]}
        where = Condition(raw, Compare("==", var, word_), frozenset({var.name}), feature.place)
        metric = Metric(
            name=f"feature.{feature.name}",
            title=f"Use of {feature.title}",
            source="adoption",
            evidence="do",
            type=ValueType.NUMBER,
            better="higher",
            place=feature.place,
            decimals=0,
            bears_on_value="Shows which parts of the product an account relies on.",
            from_events=FromEvents(using, where=where),
        )
        found[metric.name] = metric
    return found


def _check_metric(metric: Metric, fields: Fields, declared: Declared) -> None:
    ledger = fields.ledger
    ways = [way for way in WAYS if way in fields]
    if len(ways) > 1:
        message = f"a metric is made in one way, not by {listed(ways, 'and')}"
        ledger.problem(fields.key_place(ways[0]), 10, message, "declare two metrics, or leave one out")
    kinds = _kinds(metric.from_events, declared) if metric.from_events else (ValueType.NUMBER, ValueType.SHARE)
    if ways and metric.type not in (*kinds, ValueType.BOOLEAN):
        said = f"what it is made of is a {listed([kind.value for kind in kinds])}"
        ledger.problem(
            fields.key_place("type"), 11, f"{said}, not a {metric.type.value}", f"write type: {kinds[0].value}"
        )
    if metric.of != "account" and ("from_contacts" in fields or _of_accounts_only(metric)):
        message = f"what it is made of is said of an account, not of a {metric.of}"
        ledger.problem(fields.key_place("of"), 29, message, "leave out of:")
    if metric.across is not None and (metric.of == "account" or not metric.type.is_numeric):
        message = '"across" rolls numbers of contacts or products up into one of their account'
        ledger.problem(fields.key_place("across"), 30, message, "leave it out")
    if not metric.bears_on_value:
        ledger.note(metric.place, 53, f'it is not said how "{metric.name}" bears on the value for the customer')


def _of_accounts_only(metric: Metric) -> bool:
    source = metric.from_events
    if source is None:
        return False
    return metric.of == "product" or source.count in ACCOUNTS_ONLY or bool(source.until)


def _kinds(source: FromEvents, declared: Declared) -> tuple[ValueType, ...]:
    """The types a metric made of these events can have, the first being the natural one."""
    if source.per:
        return (ValueType.SHARE, ValueType.NUMBER)
    if source.count == "missing roles":
        return (ValueType.TEXT,)
    if source.take == "last":
        own = common_fields(source.events, declared).get(source.field)
        return (own,) if own else (ValueType.NUMBER, ValueType.SHARE, ValueType.TEXT, ValueType.DATE)
    if (source.take or source.count) in _EITHER:
        return (ValueType.NUMBER, ValueType.SHARE)
    if not source.take and source.count in _SHARES:
        return (ValueType.SHARE,)
    own = common_fields(source.events, declared).get(source.field)
    return (own,) if own is ValueType.SHARE and source.take in {"mean", "max"} else (ValueType.NUMBER, ValueType.SHARE)
