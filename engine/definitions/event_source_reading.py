"""Reading how a metric is made of events (``from_events``) or of contacts (``from_contacts``); codes C016 to C029."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, get_args

from engine.definitions.catalog import (
    IDLE_MINUTES,
    Counted,
    EventKind,
    FromContacts,
    FromEvents,
    Given,
    Metric,
    ProductFeature,
    Taken,
)
from engine.definitions.condition import Condition
from engine.definitions.condition_reading import parse
from engine.definitions.feature import Feature, ValueType, feature_type, parse_feature
from engine.definitions.fields import Fields
from engine.definitions.reading import Ledger, amount, known, listed, number, scalar, texts_of, word
from engine.definitions.scope import Scope
from engine.definitions.source import Node, ScalarNode

NUMERIC: Final = frozenset({"sum", "mean", "max", "nps", "csat", "ces", "ces mean"})
PAIRED: Final = ("hours", "in time", "open")
ACCOUNTS_ONLY: Final = frozenset({*PAIRED, "roles", "missing roles", "departments", "seniority", "share of contacts"})
FEATURE: Final = "feature"
_MINUTES: Final = re.compile(r"([1-9][0-9]{0,2}) ?(?:min|minutes?)")


@dataclass(frozen=True, slots=True)
class Declared:
    """What a metric that is made of events or contacts may name."""

    events: Mapping[str, EventKind]
    roles: tuple[str, ...]
    features: Mapping[str, ProductFeature]
    seniority: tuple[str, ...]


def read_from_events(fields: Fields, declared: Declared, ledger: Ledger) -> FromEvents:
    """Read ``from_events``; every name must be declared, and what is said must go together."""
    events, roles = _events(fields, declared, ledger), _roles(fields, declared, ledger)
    silence, take = fields.find("silence"), fields.find("take")
    if silence is not None:
        word(silence, ("days",), ledger, '"silence"')
    common = common_fields(events, declared)
    per, until = (_event(fields.find(key), declared, ledger) for key in ("per", "until"))
    found = FromEvents(
        events=events,
        count=fields.word("count", get_args(Counted), "hours" if until else "events"),
        over=fields.days("over", 0),
        silence=silence is not None,
        with_roles=roles,
        where=_where(fields.find("where"), common, declared, ledger),
        take=word(take, get_args(Taken), ledger, '"take"') if take is not None else None,
        field=_field(fields.find("field"), common, ledger),
        per=per,
        until=until,
        by=_field(fields.find("by"), common, ledger),
        within=fields.days("within", 0),
        idle=_idle(fields.find("idle"), ledger),
    )
    _check(found, fields, common, declared)
    fields.close()
    return found


def common_fields(events: tuple[str, ...], declared: Declared) -> Mapping[str, ValueType]:
    """The fields that all of the events carry, with one type each."""
    kinds = [declared.events[name].fields for name in events if name in declared.events]
    first = kinds[0] if kinds else {}
    return {name: kind for name, kind in first.items() if all(each.get(name) is kind for each in kinds)}


def feature_words(features: Mapping[str, ProductFeature]) -> dict[str, frozenset[str]]:
    """The only words an event's ``feature`` can be, where features are declared."""
    return {f"event.{FEATURE}": frozenset(features)} if features else {}


def _events(fields: Fields, declared: Declared, ledger: Ledger) -> tuple[str, ...]:
    nodes = fields.texts("event", required=True)
    for node in nodes:
        known(node, node.text, declared.events, ledger, "event")
    return texts_of(nodes)


def _roles(fields: Fields, declared: Declared, ledger: Ledger) -> tuple[str, ...]:
    nodes = fields.texts("with_roles")
    for node in nodes:
        known(node, node.text, declared.roles, ledger, "role")
    return texts_of(nodes)


def _event(node: Node | None, declared: Declared, ledger: Ledger) -> str:
    text = None if node is None else scalar(node, ledger, "an event")
    if node is None or text is None:
        return ""
    known(node, text, declared.events, ledger, "event")
    return text


def _field(node: Node | None, common: Mapping[str, ValueType], ledger: Ledger) -> str:
    text = None if node is None else scalar(node, ledger, "a field")
    if node is None or text is None:
        return ""
    known(node, text, common, ledger, "field", " that all of these events carry")
    return text


def _where(node: Node | None, common: Mapping[str, ValueType], declared: Declared, ledger: Ledger) -> Condition | None:
    if node is None:
        return None
    names = {f"event.{name}": kind for name, kind in common.items()}
    return parse(node, Scope(names, {}, feature_words(declared.features)), ledger)


def _idle(node: Node | None, ledger: Ledger) -> int:
    if node is None:
        return IDLE_MINUTES
    found = _MINUTES.fullmatch(node.text) if isinstance(node, ScalarNode) else None
    if found is None:
        ledger.problem(node, 16, '"idle" must be a number of minutes', "write 5 minutes")
    return int(found[1]) if found else IDLE_MINUTES


def _check(source: FromEvents, fields: Fields, common: Mapping[str, ValueType], declared: Declared) -> None:
    ledger, place = fields.ledger, fields.place
    alone = [key for key in ("count", "over", "take", "per", "until", "within", "idle") if key in fields]
    if source.silence and alone:
        message = "silence is the days since the last event; it has no count and no span"
        ledger.problem(fields.key_place("silence"), 12, message, f"leave out {listed(alone, 'and')}")
        return
    ways = [key for key in ("take", "per", "until") if key in fields]
    if len(ways) > 1 or (ways and ways[0] != "until" and "count" in fields):
        both = listed([f'"{key}"' for key in [*(["count"] if "count" in fields else []), *ways]], "and")
        ledger.problem(place, 17, f"{both} are different ways to make a number of events", "choose one of them")
    _check_take(source, fields, common)
    _check_pairs(source, fields)
    if not source.is_daily and not source.over and not source.silence:
        what = f'"{source.take or source.count}"' if not source.per else '"per"'
        ledger.problem(place, 18, f"{what} looks at the events of a span of days", "write over: 30d")
    if source.count == "share of contacts" and not source.within:
        ledger.problem(place, 19, '"share of contacts" needs the days they have from joining', "write within: 30d")
    elif source.within and source.count not in {"share of contacts", "in time"}:
        message = '"within" belongs to "share of contacts" and "in time"'
        ledger.problem(fields.key_place("within"), 19, message, "the span that is looked at is written over: 30d")
    if source.count in {"roles", "missing roles"} and not source.with_roles:
        ledger.problem(place, 20, f'"{source.count}" needs the roles that ought to be reached', "write with_roles: […]")
    if source.count == "seniority" and not declared.seniority:
        hint = "write seniority: [staff, manager, director] in the catalog, the lowest first"
        ledger.problem(fields.key_place("count"), 21, "the catalog does not say which seniority is higher", hint)
    if source.count == "key features":
        _check_features(fields, common, declared)


def _check_take(source: FromEvents, fields: Fields, common: Mapping[str, ValueType]) -> None:
    ledger = fields.ledger
    if source.take and not source.field and "field" not in fields:
        hint = f"write field: {next(iter(common), 'amount')}"
        ledger.problem(fields.key_place("take"), 22, f'"take: {source.take}" needs a field', hint)
    elif source.field and not source.take:
        ledger.problem(fields.key_place("field"), 22, "it is not said what to take of the field", "write take: sum")
    kind = common.get(source.field)
    if source.take in NUMERIC and kind is not None and not kind.is_numeric and kind is not ValueType.BOOLEAN:
        message = f'"take: {source.take}" needs numbers, and "{source.field}" is a {kind.value}'
        ledger.problem(fields.key_place("field"), 23, message)


def _check_pairs(source: FromEvents, fields: Fields) -> None:
    ledger = fields.ledger
    if source.until and not source.by and "by" not in fields:
        message = "it is not said which field tells what belongs together"
        ledger.problem(fields.key_place("until"), 24, message, "write by: ticket")
    if source.until and source.count not in PAIRED:
        message = f"of what is opened and resolved there are {listed(PAIRED)}"
        ledger.problem(fields.key_place("count"), 24, message, "write count: hours")
    if not source.until and (source.count in PAIRED or source.by):
        ledger.problem(fields.place, 24, "it is not said which event resolves", "write until: ticket_resolved")
    if source.count == "in time" and not source.within:
        ledger.problem(fields.key_place("count"), 19, '"in time" needs the days there are', "write within: 2d")


def _check_features(fields: Fields, common: Mapping[str, ValueType], declared: Declared) -> None:
    place = fields.key_place("count")
    if common.get(FEATURE) is not ValueType.TEXT:
        message = f'the events have no text field "{FEATURE}" that names the part of the product'
        fields.ledger.problem(place, 25, message, f"write fields: {{{FEATURE}: text}} at the event")
    if not any(feature.key for feature in declared.features.values()):
        hint = "write features: {reports: {title: Reports}} in the catalog"
        fields.ledger.problem(place, 25, "the catalog declares no key feature", hint)


def read_from_contacts(node: Node, declared: Declared, metrics: Mapping[str, Metric], ledger: Ledger) -> FromContacts:
    """Read ``from_contacts``; its metric is one of contacts, and is read when all metrics are known."""
    fields = Fields(node, ledger, '"from_contacts"')
    named, given = fields.find("metric"), fields.word("give", get_args(Given), "number")
    feature = _contact_feature(named, metrics, ledger) if named is not None else None
    low, high = (_limit(fields.find(key), key, feature, metrics, ledger) for key in ("at_least", "below"))
    found = FromContacts(feature, given, low, high, _roles(fields, declared, ledger))
    if named is None and (given != "number" or low is not None or high is not None):
        message = "it is not said which metric of the contacts is meant"
        ledger.problem(fields.place, 26, message, "write metric: logins.sum_30d")
    if given == "share" and named is not None and low is None and high is None:
        hint = "write at_least: 1"
        ledger.problem(fields.place, 26, "a share of the contacts needs a limit that some of them reach", hint)
    fields.close()
    return found


def _contact_feature(node: Node, metrics: Mapping[str, Metric], ledger: Ledger) -> Feature | None:
    text = scalar(node, ledger, '"metric"') or ""
    own = {name: metric for name, metric in metrics.items() if metric.of == "contact"}
    feature = Feature(text) if text in own else parse_feature(text)
    if feature is None or feature.metric not in own:
        known(node, text, own, ledger, "metric", " of contacts")
        return None
    if feature_type(own[feature.metric].type, feature.window) in {ValueType.TEXT, ValueType.DATE, None}:
        ledger.problem(node, 27, f'"{text}" is no number, so contacts cannot be counted by it')
    return feature


def _limit(
    node: Node | None, key: str, feature: Feature | None, metrics: Mapping[str, Metric], ledger: Ledger
) -> float | None:
    if node is None:
        return None
    if feature is None:
        return number(node, ledger, f'"{key}"')
    kind = feature_type(metrics[feature.metric].type, feature.window)
    return amount(node, ledger, f'"{key}"', is_share=kind is ValueType.SHARE)
