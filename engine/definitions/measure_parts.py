"""What the readers of measures share: limits, changes, metrics of accounts or of contacts, roles, events."""

from dataclasses import dataclass
from typing import Final, get_args

from engine.definitions.catalog import Catalog, Subject
from engine.definitions.feature import Feature, ValueType, Window, feature_type, parse_feature
from engine.definitions.fields import Fields
from engine.definitions.measure import Bound, Limit
from engine.definitions.reading import amount, known, listed, scalar, share, texts_of
from engine.definitions.scope import Scope
from engine.definitions.scorecard_reading import read_feature
from engine.definitions.source import MapNode

BOUNDS: Final[tuple[Bound, ...]] = get_args(Bound)


@dataclass(frozen=True, slots=True)
class Reach:
    """What the reader of a rule may look up: the catalog, and the names of conditions.

    ``of`` says whose metrics are meant: the account's, or those of its contacts.
    """

    catalog: Catalog
    scope: Scope
    of: Subject = "account"


def read_limit(fields: Fields, what: str, *, is_share: bool | None) -> Limit:
    """Exactly one of below, at_most, above and at_least among the keys of ``fields``."""
    found = {bound: node for bound in BOUNDS if (node := fields.find(bound)) is not None}
    if len(found) != 1:
        if isinstance(fields.node, MapNode):
            message = f"{what} needs exactly one of {listed(BOUNDS, 'and')}"
            hint = "for example below: 40%" if is_share else "for example below: 5"
            fields.ledger.problem(fields.place, 31, message, hint)
        return Limit("below", 0.0)
    bound, node = next(iter(found.items()))
    return Limit(bound, amount(node, fields.ledger, f'"{bound}"', is_share=is_share))


def read_change(fields: Fields) -> float:
    """A relative change (``-20%``, ``+10%``), never nothing."""
    node = fields.need("change")
    value = share(node, fields.ledger, '"change"', -1.0, 10.0) if node else None
    if value == 0 and node:
        fields.ledger.problem(node, 35, "a change of nothing is no change", "write -20% or +10%")
    return value or 0.1


def read_event(fields: Fields, reach: Reach) -> str:
    """The name under ``event``, which the catalog must declare."""
    node = fields.need("event")
    text = scalar(node, fields.ledger, '"event"') if node else None
    if node and text:
        known(node, text, reach.catalog.events, fields.ledger, "event")
    return text or ""


def read_roles(fields: Fields, reach: Reach, *, required: bool = False) -> tuple[str, ...]:
    """The roles under ``roles``, which the catalog must declare."""
    roles = fields.texts("roles", required=required)
    for role in roles:
        known(role, role.text, reach.catalog.roles, fields.ledger, "role")
    return texts_of(roles)


def read_metric(fields: Fields, reach: Reach) -> Feature:
    """The numeric feature under ``metric``, of what the measure is about."""
    node = fields.need("metric")
    if node is None:
        return Feature("unknown")
    if reach.of == "account":
        return read_feature(node, reach.catalog, fields.ledger)
    text = scalar(node, fields.ledger, '"metric"') or ""
    feature = parse_feature(text) or Feature(text or "unknown")
    if not text or not known(node, feature.metric, reach.catalog.metrics, fields.ledger, "metric"):
        return feature
    metric = reach.catalog.metrics[feature.metric]
    type_ = feature_type(metric.type, feature.window)
    if metric.of != reach.of:
        hint = f"metrics of contacts: {listed(_of_contacts(reach)) or 'none is declared'}"
        fields.ledger.problem(node, 34, f'"{metric.name}" is measured per {metric.of}, not per {reach.of}', hint)
    elif type_ is None or not (type_.is_numeric or type_ is ValueType.BOOLEAN):
        fields.ledger.coded(node, "B012", f'"{text}" is no number: "{metric.name}" is a {metric.type.value}')
    return feature


def read_plain_metric(fields: Fields, reach: Reach) -> str:
    """The metric under ``metric``, which must not be seen through a window."""
    feature = read_metric(fields, reach)
    if feature.window is not Window.LATEST:
        message = f'a metric is needed here, without ".{feature.name.removeprefix(feature.metric)[1:]}"'
        at = fields.find("metric") or fields.place
        fields.ledger.problem(at, 33, message, f'write "{feature.metric}"')
    return feature.metric


def read_any_metric(fields: Fields, reach: Reach) -> str:
    """A metric of the account, or one of its contacts whose values are added up."""
    if reach.of != "account":
        return read_plain_metric(fields, reach)
    node = fields.need("metric")
    text = scalar(node, fields.ledger, '"metric"') if node else None
    if node and text and known(node, text, reach.catalog.metrics, fields.ledger, "metric"):
        kind = reach.catalog.metrics[text].type
        if not (kind.is_numeric or kind is ValueType.BOOLEAN):
            fields.ledger.coded(node, "B012", f'"{text}" is no number, but a {kind.value}')
    return text or "unknown"


def _of_contacts(reach: Reach) -> tuple[str, ...]:
    return tuple(name for name, metric in reach.catalog.metrics.items() if metric.of == reach.of)
