"""Reading rules/scorecards/*.yaml (codes S)."""

from collections.abc import Sequence
from typing import Final, Literal as Choice

from engine.definitions.catalog import Catalog
from engine.definitions.catalog_reading import read_format
from engine.definitions.condition_reading import parse
from engine.definitions.feature import Feature, ValueType, feature_type, parse_feature
from engine.definitions.fields import Fields
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger, amount, items, known, name, scalar, suggest
from engine.definitions.scope import Scope
from engine.definitions.scorecard import (
    Band,
    Dimension,
    ForcedTier,
    GoalLine,
    Linear,
    Normaliser,
    Rank,
    Scorecard,
    ScoredMetric,
    Standard,
    Threshold,
)
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode
from engine.terms import Tier

AMONG: Final[tuple[Choice["all", "segment", "stage"], ...]] = ("all", "segment", "stage")
MISSING: Final[tuple[Choice["exclude", "neutral", "worst"], ...]] = ("exclude", "neutral", "worst")
BY: Final[tuple[Choice["score", "criteria"], ...]] = ("score", "criteria")
NORMALISERS: Final = ("linear", "threshold", "goal", "rank")
TIERS: Final = tuple(Tier)


def read_scorecard(node: Node, catalog: Catalog, scope: Scope, ledger: Ledger) -> Scorecard:
    """Read one scorecard; metrics and conditions are checked against the catalog and the scope."""
    fields = Fields(node, ledger, "a scorecard")
    read_format(fields)
    applies_to = fields.find("applies_to")
    tiers = fields.fields("tiers", required=True)
    written = fields.entries("dimensions", required=True)
    dimensions = tuple(_dimension(key, value, catalog, ledger) for key, value in written)
    if written:
        _check_sum([dimension.weight for dimension in dimensions], fields.key_place("dimensions"), "dimensions", ledger)
    _check_once(dimensions, ledger)
    card = Scorecard(
        name=fields.name("scorecard"),
        desired_outcome=fields.text("desired_outcome"),
        dimensions=dimensions,
        bands=_bands(tiers) if tiers else (),
        place=fields.key_place("scorecard"),
        applies_to=parse(applies_to, scope, ledger) if applies_to else None,
        missing=_missing(fields),
        min_coverage=fields.share("min_coverage", 0.6),
        tiers_by=tiers.word("by", BY, "score") if tiers else "score",
        margin=tiers.number("margin", 3.0, 0, 50) if tiers else 3.0,
        forced=_forced(tiers, scope) if tiers else (),
    )
    if tiers:
        tiers.close()
        if card.tiers_by == "criteria" and card.metrics and not any(metric.standard for metric in card.metrics):
            message = "tiers by criteria need a standard on at least one metric"
            ledger.problem(tiers.key_place("by"), 16, message, "write standard: {acceptable: 40%, highest: 80%}")
    fields.close()
    return card


def _missing(fields: Fields) -> Choice["exclude", "neutral", "worst"]:
    node = fields.find("missing")
    if node is None:
        return "exclude"
    if isinstance(node, MapNode):
        carry = Fields(node, fields.ledger, '"missing"')
        carry.days("carry")
        carry.close()
    elif not (isinstance(node, ScalarNode) and node.text == "fail"):
        return fields.word("missing", MISSING)
    fields.ledger.note(node, 50, "this version neither carries values on nor fails: a missing metric is excluded")
    return "exclude"


def _dimension(key: ScalarNode, node: Node, catalog: Catalog, ledger: Ledger) -> Dimension:
    name(key, ledger, "a dimension")
    fields = Fields(node, ledger, "a dimension")
    weight = fields.share("weight", None)
    written = fields.entries("metrics", required=True)
    if "metrics" in fields and not written:
        ledger.problem(fields.key_place("metrics"), 15, f'the dimension "{key.text}" has no metric')
    weighted = [value for _, value in written if isinstance(value, MapNode) and value.get("weight") is not None]
    equal = 1 / len(written) if written and not weighted else None
    metrics = tuple(_scored(metric, value, equal, catalog, ledger) for metric, value in written)
    if weighted and len(weighted) == len(written):
        _check_sum(
            [metric.weight for metric in metrics], fields.key_place("metrics"), f'metrics of "{key.text}"', ledger
        )
    fields.close()
    return Dimension(key.text, weight, metrics, key.place)


def _scored(key: ScalarNode, node: Node, equal: float | None, catalog: Catalog, ledger: Ledger) -> ScoredMetric:
    feature = read_feature(key, catalog, ledger)
    fields = Fields(node, ledger, "a scored metric")
    is_share = is_share_feature(feature, catalog)
    multiplier = fields.number("multiplier", 1.0, 0.01, 100)
    weight = fields.share("weight", equal)
    if equal is not None and "weight" not in fields:
        weight = equal
    standard = fields.fields("standard")
    scored = ScoredMetric(
        feature=feature,
        normaliser=_normaliser(fields, feature, catalog, is_share=is_share),
        weight=weight,
        place=key.place,
        multiplier=multiplier,
        standard=_standard(standard, is_share=is_share) if standard else None,
    )
    fields.close()
    if weight <= 0 and "weight" in fields:
        ledger.problem(fields.key_place("weight"), 5, "a weight must be more than 0%", "leave the metric out")
    return scored


def read_feature(node: Node, catalog: Catalog, ledger: Ledger) -> Feature:
    """A numeric feature of an account metric: ``active_users``, ``orders.days_since``, ``response.x.mean_90d``."""
    text = scalar(node, ledger, "a metric") or ""
    feature = parse_feature(text)
    nobody = Feature(text or "unknown")
    if feature is None or feature.metric not in catalog.metrics:
        if text:
            wanted = feature.metric if feature else text
            hint = suggest(wanted, catalog.metrics) or suggest(text, catalog.metrics)
            ledger.coded(node, "B001", f'there is no metric "{wanted}"', hint)
        return nobody
    metric = catalog.metrics[feature.metric]
    if metric.of != "account":
        message = f'"{metric.name}" is measured per {metric.of}; a number of the account is needed here'
        ledger.coded(node, "B011", message, "declare a metric of the account for it")
        return nobody
    type_ = feature_type(metric.type, feature.window)
    if type_ is None or not (type_.is_numeric or type_ is ValueType.BOOLEAN):
        ledger.coded(node, "B012", f'"{text}" is no number: "{metric.name}" is a {metric.type.value}')
    return feature


def is_share_feature(feature: Feature, catalog: Catalog) -> bool | None:
    """Whether values of a feature are shares; None where its metric is unknown (that has been said already)."""
    metric = catalog.metrics.get(feature.metric)
    return feature_type(metric.type, feature.window) is ValueType.SHARE if metric else None


def _normaliser(fields: Fields, feature: Feature, catalog: Catalog, *, is_share: bool | None) -> Normaliser:
    ledger = fields.ledger
    found = {kind: node for kind in NORMALISERS if (node := fields.find(kind)) is not None}
    if len(found) != 1:
        message = "a scored metric needs exactly one of linear, threshold, goal and rank"
        ledger.problem(fields.place, 10, message, "for example linear: [0, 100]")
        return Linear(0.0, 1.0)
    kind, node = next(iter(found.items()))
    match kind:
        case "linear":
            return _linear(node, ledger, is_share=is_share)
        case "threshold":
            return _threshold(Fields(node, ledger, '"threshold"'), is_share=is_share)
        case "goal":
            return _goal(node, feature, catalog, ledger)
    ledger.note(
        fields.key_place("rank"), 52, f'this version has no ranks in scores: "{feature.name}" counts as unknown'
    )
    return _rank(Fields(node, ledger, '"rank"'), is_share=is_share)


def _linear(node: Node, ledger: Ledger, *, is_share: bool | None) -> Linear:
    ends = items(node, ledger, '"linear"')
    if isinstance(node, ListNode) and len(ends) != 2:
        ledger.problem(
            node, 11, "linear has two ends: the value that scores 0 and the one that scores 100", "write [0, 80]"
        )
    if len(ends) != 2:
        return Linear(0.0, 1.0)
    zero, full = (amount(end, ledger, "an end of linear", is_share=is_share) for end in ends)
    if zero == full:
        ledger.problem(node, 11, "both ends of linear are the same value")
        return Linear(0.0, 1.0)
    return Linear(zero, full)


def _two(fields: Fields, first: str, second: str, *, is_share: bool | None) -> tuple[float, float]:
    nodes = fields.need(first), fields.need(second)
    fields.close()
    values = [
        amount(node, fields.ledger, f'"{key}"', is_share=is_share) if node else 0.0
        for key, node in zip((first, second), nodes, strict=True)
    ]
    return values[0], values[1]


def _threshold(fields: Fields, *, is_share: bool | None) -> Threshold:
    good, poor = _two(fields, "good", "poor", is_share=is_share)
    if good == poor and "good" in fields and "poor" in fields:
        fields.ledger.problem(fields.place, 12, "good and poor are the same value")
    return Threshold(good, poor)


def _standard(fields: Fields, *, is_share: bool | None) -> Standard:
    return Standard(*_two(fields, "acceptable", "highest", is_share=is_share))


def _goal(node: Node, feature: Feature, catalog: Catalog, ledger: Ledger) -> GoalLine:
    text = scalar(node, ledger, '"goal"') or ""
    if text != "agreed":
        if text:
            known(node, text, catalog.goals, ledger, "goal")
        return GoalLine(text)
    goals = [goal.name for goal in catalog.goals.values() if goal.metric == feature.name]
    if not goals:
        message = f'no goal of the catalog is about "{feature.name}"'
        ledger.coded(node, "B013", message, "declare it under goals in rules/catalog.yaml")
    elif len(goals) > 1:
        ledger.coded(node, "B013", f'several goals are about "{feature.name}"', "name the goal instead of agreed")
    return GoalLine(goals[0] if goals else "")


def _rank(fields: Fields, *, is_share: bool | None) -> Rank:
    among = fields.word("among", AMONG, "all")
    node = fields.find("floor")
    floor = None if node is None else amount(node, fields.ledger, '"floor"', is_share=is_share)
    fields.close()
    return Rank(among, floor)


def _bands(tiers: Fields) -> tuple[Band, ...]:
    found: list[Band] = []
    for tier in TIERS:
        fields = tiers.fields(tier.value, required=True)
        if fields is None:
            continue
        band = Band(tier, fields.number("from", None, 0, 100), fields.text("customer_wording"))
        fields.close()
        if "from" in fields:
            at = fields.key_place("from")
            if not found and band.start != 0:
                tiers.ledger.problem(at, 13, "the first tier starts from 0, so that no score is without a tier")
            if found and band.start <= found[-1].start:
                message = f"{tier.value} must start above {found[-1].tier.value} ({found[-1].start:g})"
                tiers.ledger.problem(at, 13, message)
        found.append(band)
    return tuple(found)


def _forced(tiers: Fields, scope: Scope) -> tuple[ForcedTier, ...]:
    node = tiers.find("forced")
    found: list[ForcedTier] = []
    for item in items(node, tiers.ledger, '"forced"') if node else ():
        fields = Fields(item, tiers.ledger, "a forced tier")
        when = fields.need("when")
        condition = parse(when, scope, tiers.ledger) if when else None
        tier = fields.word("tier", TIERS)
        fields.close()
        if condition:
            found.append(ForcedTier(condition, tier, fields.place))
    return tuple(found)


def _check_sum(weights: Sequence[float], at: Place, what: str, ledger: Ledger) -> None:
    whole = sum(weights)
    if abs(whole - 1) > 1e-9:
        ledger.problem(at, 14, f"the weights of the {what} sum to {whole * 100:.6g}%, not to 100%")


def _check_once(dimensions: Sequence[Dimension], ledger: Ledger) -> None:
    seen: dict[str, ScoredMetric] = {}
    for metric in (metric for dimension in dimensions for metric in dimension.metrics):
        if metric.name in seen:
            message = f'"{metric.name}" is scored twice'
            ledger.problem(metric.place, 7, message, f"it also stands in line {seen[metric.name].place.line}")
        seen[metric.name] = metric
