"""Reading rules/catalog.yaml (codes C)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, get_args

from engine.definitions.catalog import Catalog, EventKind, Evidence, Goal, Metric, ProductFeature, Question
from engine.definitions.condition import AnyOf, Condition
from engine.definitions.condition_reading import parse
from engine.definitions.event_source_reading import Declared
from engine.definitions.feature import ValueType
from engine.definitions.fields import Fields
from engine.definitions.goal_reading import read_shape
from engine.definitions.metric_reading import TYPES, feature_metrics, read_metric, with_contacts, with_formula
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger, known, name, scalar, texts_of, word
from engine.definitions.scope import ACCOUNT_FIELDS, contact_scope, product_scope, segment_scope
from engine.definitions.source import MapNode, Node, ScalarNode

RESERVED: Final = frozenset(
    {
        *("account", "contact", "product", "event", "signal", "score", "tier", "cause", "goal"),
        *("in_segment", "response", "feature"),
    }
)
ANSWER_DAYS: Final = 90


def empty_catalog(path: str) -> Catalog:
    """A catalog that declares nothing, to read the other files against where there is no catalog."""
    return Catalog({}, {}, {}, {}, (), (), {}, "", Place(path))


def read_catalog(node: Node, ledger: Ledger, added: Mapping[str, Metric]) -> Catalog:
    """Read the catalog. Formulas and segments are read last, when all names are known.

    ``added``: metrics that other files bring along (responses to playbooks, questions of reports); a metric that is
    declared here under the same name wins.
    """
    fields = Fields(node, ledger, "the catalog")
    read_format(fields)
    events = {key.text: _event(key, value, ledger) for key, value in fields.entries("events")}
    features = {key.text: _feature(key, value, ledger) for key, value in fields.entries("features")}
    seniority = _names(fields, "seniority", "a seniority")
    declared = Declared(events, _names(fields, "roles", "a role"), features, seniority)
    written = fields.entries("metrics", required=True)
    metrics = {key.text: read_metric(key, value, declared, ledger) for key, value in written}
    metrics = with_contacts(metrics, written, declared, ledger)
    catalog = Catalog(
        metrics=metrics,
        events=events,
        goals={key.text: _goal(key, value, metrics, ledger) for key, value in fields.entries("goals")},
        questions={key.text: _question(key, value, ledger) for key, value in fields.entries("questions")},
        roles=declared.roles,
        stages=_names(fields, "stages", "a stage"),
        segments={},
        north_star=fields.text("north_star"),
        place=fields.place,
        features=features,
        seniority=seniority,
        member_roles=_member_roles(fields),
        causes=_causes(fields),
        account_fields={
            key.text: _account_field(key, value, ledger) for key, value in fields.entries("account_fields")
        },
    )
    segments = fields.entries("segments")
    fields.close()
    _check_names(catalog, ledger)
    answers = {name: _answers(question) for name, question in catalog.questions.items()}
    catalog = replace(catalog, metrics={**added, **feature_metrics(features, events), **answers, **metrics})
    return _with_conditions(catalog, node, segments, ledger)


def read_format(fields: Fields) -> None:
    """Every file says ``format: 1``; another number belongs to another version of Backcast."""
    node = fields.need("format")
    if node is not None and not (isinstance(node, ScalarNode) and node.text == "1"):
        fields.ledger.problem(node, 8, "this version reads format 1 only", "write format: 1")


def _with_conditions(
    catalog: Catalog, node: Node, segments: Iterable[tuple[ScalarNode, Node]], ledger: Ledger
) -> Catalog:
    scope = segment_scope(catalog)
    found: dict[str, Condition] = {}
    for key, value in segments:
        name(key, ledger, "a segment")
        nothing = Condition({}, AnyOf(()), frozenset(), value.place)  # the segment is there, if not what it means
        found[key.text] = parse(value, scope, ledger) or nothing
    written = node.get("metrics") if isinstance(node, MapNode) else None
    metrics = dict(catalog.metrics)
    scopes = {"account": scope, "contact": contact_scope(scope, catalog), "product": product_scope(scope, catalog)}
    for key, value in written.entries if isinstance(written, MapNode) else ():
        formula = value.get("formula") if isinstance(value, MapNode) else None
        if formula is not None and key.text in metrics:
            metrics[key.text] = with_formula(metrics[key.text], formula, scopes[metrics[key.text].of], ledger)
    return replace(catalog, metrics=metrics, segments=found)


def _event(key: ScalarNode, node: Node, ledger: Ledger) -> EventKind:
    name(key, ledger, "an event")
    if isinstance(node, ScalarNode) and node.is_empty:
        return EventKind(key.text, {}, key.place)
    fields = Fields(node, ledger, "an event")
    found: dict[str, ValueType] = {}
    for field, value in fields.entries("fields"):
        name(field, ledger, "a field of an event")
        found[field.text] = word(value, TYPES, ledger, f'the type of "{field.text}"')
    fields.close()
    return EventKind(key.text, found, key.place)


def _feature(key: ScalarNode, node: Node, ledger: Ledger) -> ProductFeature:
    name(key, ledger, "a feature")
    fields = Fields(node, ledger, "a feature")
    found = ProductFeature(key.text, fields.text("title"), key.place, fields.truth("key", default=True))
    fields.close()
    return found


def _account_field(key: ScalarNode, node: Node, ledger: Ledger) -> ValueType:
    name(key, ledger, "a field of accounts")
    if key.text in {*ACCOUNT_FIELDS, "segment"}:
        ledger.problem(key, 31, f'accounts have a field "{key.text}" already', "leave it out, or call yours otherwise")
    return word(node, TYPES, ledger, f'the type of "{key.text}"')


def _causes(fields: Fields) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in fields.entries("causes"):
        name(key, fields.ledger, "a cause")
        found[key.text] = scalar(value, fields.ledger, f'"{key.text}"') or ""
    return found


def _goal(key: ScalarNode, node: Node, metrics: Mapping[str, Metric], ledger: Ledger) -> Goal:
    name(key, ledger, "a goal")
    fields = Fields(node, ledger, "a goal")
    metric = fields.need("metric")
    wanted = scalar(metric, ledger, '"metric"') if metric else None
    if metric and wanted and known(metric, wanted, metrics, ledger, "metric") and not _countable(metrics[wanted]):
        ledger.problem(metric, 14, f'"{wanted}" is not a number of an account, so no goal can be set on it')
    shape, points = read_shape(fields)
    found = Goal(key.text, wanted or "", key.place, shape, points, fields.days("stuck_after", 30))
    fields.close()
    return found


def _countable(metric: Metric) -> bool:
    return metric.of == "account" and metric.type.is_numeric


def _question(key: ScalarNode, node: Node, ledger: Ledger) -> Question:
    name(key, ledger, "a question")
    fields = Fields(node, ledger, "a question")
    low, high = read_scale(fields)
    found = Question(key.text, fields.text("ask"), low, high, fields.word("evidence", get_args(Evidence)), key.place)
    fields.close()
    return found


def read_scale(fields: Fields) -> tuple[int, int]:
    """A scale of answers (``1-5``): lowest and highest, at most 11 steps."""
    text = fields.text("scale")
    low, dash, high = text.partition("-")
    plain = dash and low.isascii() and high.isascii() and low.isdigit() and high.isdigit()
    if plain and 0 < int(high[:6]) - int(low[:6]) <= 10:
        return int(low), int(high)
    if text:
        node = fields.find("scale")
        fields.ledger.problem(
            node or fields.place, 5, f'a scale runs from low to high in at most 11 steps, not "{text}"', "write 1-5"
        )
    return 1, 5


def _answers(question: Question) -> Metric:
    return answer_metric(question.name, question.ask, question.evidence, question.place)


def answer_metric(name: str, ask: str, evidence: Evidence, place: Place) -> Metric:
    """The metric that answers to a question become. What somebody said three months ago is not known any more."""
    return Metric(
        name=name,
        title=ask,
        source="feedback",
        evidence=evidence,
        type=ValueType.NUMBER,
        better="higher",
        place=place,
        decimals=0,
        stale_after=ANSWER_DAYS,
    )


def _names(fields: Fields, key: str, what: str) -> tuple[str, ...]:
    nodes = fields.texts(key)
    for node in nodes:
        name(node, fields.ledger, what)
    return texts_of(nodes)


def _member_roles(fields: Fields) -> tuple[str, ...]:
    """Roles stand beside the fields of an account where accounts are pushed, so none may be called like one."""
    taken = {*ACCOUNT_FIELDS, "owner", "manager", "segment", "suppressed", "goals", "fields", "id"}
    taken |= {key.text for key, _ in fields.entries("account_fields")}
    for node in fields.texts("member_roles"):
        if node.text in taken:
            message = f'a role of members cannot be called "{node.text}": accounts have that already'
            fields.ledger.problem(node, 33, message, "call it otherwise, like renewal_owner")
    return _names(fields, "member_roles", "a role of members")


def _check_names(catalog: Catalog, ledger: Ledger) -> None:
    for metric in catalog.metrics.values():
        if metric.name in RESERVED:
            ledger.problem(
                metric.place, 6, f'a metric cannot be called "{metric.name}": conditions use that word otherwise'
            )
    for question in catalog.questions.values():
        if question.name in catalog.metrics:
            message = f'"{question.name}" is a metric already; the answers to a question become a metric of its name'
            ledger.problem(question.place, 15, message, "rename one of them")
