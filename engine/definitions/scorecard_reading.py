"""Reading rules/scorecards/*.yaml (codes S): whom a scorecard is for, dimensions, lines, weights, missing data."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal as Choice, get_args

from engine.definitions.catalog import Catalog, Subject
from engine.definitions.catalog_reading import read_format
from engine.definitions.condition_reading import parse
from engine.definitions.feature import Feature, ValueType, Window, feature_type, parse_feature
from engine.definitions.fields import Fields
from engine.definitions.normaliser_reading import AMONG as AMONG, NORMALISERS, Measured, read_normaliser, two_values
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger, days, known, name, scalar, suggest, word
from engine.definitions.rolled_up import PREFIX
from engine.definitions.scope import Scope, contact_scope
from engine.definitions.scorecard import (
    Carry,
    Categorical,
    Criteria,
    Dimension,
    Fades,
    Missing,
    RollUp,
    Scorecard,
    ScoredMetric,
    Shown,
    Standard,
)
from engine.definitions.source import MapNode, Node, ScalarNode
from engine.definitions.tier_reading import read_tiers

OF: Final[tuple[Subject, ...]] = get_args(Subject)
MISSING: Final[tuple[Choice["exclude", "neutral", "worst", "fail"], ...]] = ("exclude", "neutral", "worst", "fail")
HOW: Final[tuple[Choice["worst", "mean"], ...]] = ("worst", "mean")


def read_scorecard(node: Node, catalog: Catalog, scope: Scope, ledger: Ledger) -> Scorecard:
    """Read one scorecard; metrics and conditions are checked against the catalog and the scope."""
    fields = Fields(node, ledger, "a scorecard")
    read_format(fields)
    of = fields.word("of", OF, "account")
    scope = scope_of(of, scope, catalog)
    applies_to, tiers = fields.find("applies_to"), fields.fields("tiers", required=True)
    dimensions = _dimensions(fields, of, catalog, scope)
    card = Scorecard(
        name=fields.name("scorecard"),
        desired_outcome=fields.text("desired_outcome"),
        dimensions=dimensions,
        bands=(),
        place=fields.key_place("scorecard"),
        applies_to=parse(applies_to, scope, ledger) if applies_to else None,
        missing=_missing(fields) or "exclude",
        min_coverage=fields.share("min_coverage", 0.6),
        of=of,
        roles=_roles(fields, of, catalog),
        priority=_priority(fields, of),
        roll_up=_roll_up(fields, of, catalog),
        feedback=_feedback(fields, catalog),
        north_star=fields.text("north_star", ""),
    )
    fields.close()
    return read_tiers(card, tiers, scope) if tiers else card


def scope_of(of: Subject, scope: Scope, catalog: Catalog) -> Scope:
    """The names a scorecard of accounts, contacts or products may use: its own subject's, and the account's."""
    if of == "account":
        return scope
    own = {f"{of}.{name}": metric.type for name, metric in catalog.metrics.items() if metric.of == of}
    wider = contact_scope(scope, catalog) if of == "contact" else scope
    return replace(wider, metrics={**wider.metrics, **own})


def _dimensions(fields: Fields, of: Subject, catalog: Catalog, scope: Scope) -> tuple[Dimension, ...]:
    ledger, written = fields.ledger, fields.entries("dimensions", required=True)
    before = len(ledger.problems)
    found = tuple(_dimension(key, value, of, catalog, scope, ledger) for key, value in written)
    is_unread = len(ledger.problems) > before and not all(dimension.weight for dimension in found)
    if written and not is_unread:
        _check_sum([dimension.weight for dimension in found], fields.key_place("dimensions"), "dimensions", ledger)
    _check_once(found, ledger)
    return found


def _dimension(key: ScalarNode, node: Node, of: Subject, catalog: Catalog, scope: Scope, ledger: Ledger) -> Dimension:
    name(key, ledger, "a dimension")
    fields = Fields(node, ledger, "a dimension")
    weight = fields.share("weight", None)
    written = fields.entries("metrics", required=True)
    counting = [value for _, value in written if not _is_only_shown(value)]
    if "metrics" in fields and not counting:
        ledger.problem(fields.key_place("metrics"), 15, f'the dimension "{key.text}" has no metric')
    weighted = [value for value in counting if isinstance(value, MapNode) and value.get("weight") is not None]
    equal = 1 / len(counting) if counting and not weighted else None
    reader = _Lines(of, catalog, scope, ledger)
    metrics = tuple(reader.scored(metric, value, equal) for metric, value in written)
    if weighted and len(weighted) == len(counting):
        weights, at = [metric.weight for metric in metrics], fields.key_place("metrics")
        _check_sum(weights, at, f'metrics of "{key.text}"', ledger)
    fields.close()
    return Dimension(key.text, weight, metrics, key.place)


def _is_only_shown(node: Node) -> bool:
    written = node.get("scored") if isinstance(node, MapNode) else None
    return isinstance(written, ScalarNode) and written.truth is False


class _Lines:
    """Reads the metrics of a scorecard, one by one."""

    def __init__(self, of: Subject, catalog: Catalog, scope: Scope, ledger: Ledger) -> None:
        self.of, self.catalog, self.scope, self.ledger = of, catalog, scope, ledger

    def scored(self, key: ScalarNode, node: Node, equal: float | None) -> ScoredMetric:
        """One line; ``equal`` is its weight where no line of the dimension states one."""
        is_categorical = isinstance(node, MapNode) and node.get("categorical") is not None
        feature = read_feature(key, self.catalog, self.ledger, self.of, may_be_text=is_categorical)
        fields = Fields(node, self.ledger, "a scored metric")
        if not fields.truth("scored", default=True):
            return self._shown(fields, feature, key)
        multiplier = fields.number("multiplier", 1.0, 0.01, 100)
        weight = fields.share("weight", equal)
        if equal is not None and "weight" not in fields:
            weight = equal
        normaliser = read_normaliser(fields, Measured(feature, self.catalog, self.scope, self.of))
        line = ScoredMetric(feature, normaliser, weight, key.place, multiplier)
        line = replace(
            line, standard=self._standard(fields, line), missing=_missing(fields), fades=self._fades(fields, line)
        )
        fields.close()
        if weight <= 0 and "weight" in fields:
            hint = "scored: false shows a metric without scoring it"
            self.ledger.problem(fields.key_place("weight"), 5, "a weight must be more than 0%", hint)
        return line

    def _shown(self, fields: Fields, feature: Feature, key: ScalarNode) -> ScoredMetric:
        for kind in (*NORMALISERS, "weight", "multiplier", "standard", "missing", "fades"):
            if fields.find(kind) is not None:
                message = f'"{feature.name}" is not scored, so "{kind}" has no effect'
                self.ledger.note(fields.key_place(kind), 54, message)
        fields.close()
        return ScoredMetric(feature, Shown(), 0.0, key.place)

    def _standard(self, fields: Fields, line: ScoredMetric) -> Standard | None:
        written = fields.fields("standard")
        if isinstance(line.normaliser, Criteria):
            if written:
                self.ledger.problem(written.place, 16, "criteria are the standard already", "leave out standard")
            return Standard(line.normaliser.acceptable, line.normaliser.highest)
        if written is None:
            return None
        if isinstance(line.normaliser, Categorical):
            self.ledger.problem(written.place, 16, "a standard needs a number to compare with", "leave it out")
        is_share = True if line.is_attainment else is_share_feature(line.feature, self.catalog)
        return Standard(*two_values(written, "acceptable", "highest", is_share=is_share))

    def _fades(self, fields: Fields, line: ScoredMetric) -> Fades | None:
        node = fields.find("fades")
        if node is None:
            return None
        if isinstance(node, MapNode):
            inner = Fields(node, self.ledger, '"fades"')
            start, gone = inner.days("from", 0), inner.days("gone")
            inner.close()
        else:
            start = gone = days(node, self.ledger, '"fades"')
        if gone < start:
            self.ledger.problem(node, 21, "the weight is gone before it starts to fade", "write {from: 30d, gone: 90d}")
        metric = self.catalog.metrics.get(line.feature.metric)
        if metric is not None and 0 < metric.stale_after <= start:
            message = f'"{metric.name}" is unknown after {metric.stale_after} days, before its weight fades'
            self.ledger.note(node, 55, message)
        return Fades(start, gone)


def read_feature(
    node: Node, catalog: Catalog, ledger: Ledger, of: Subject = "account", *, may_be_text: bool = False
) -> Feature:
    """A numeric feature of a metric of an account (or contact, product): ``active_users``, ``orders.days_since``.

    A metric of contacts or products that the catalog puts together ``across`` them is one of the account, too.
    """
    text = scalar(node, ledger, "a metric") or ""
    feature = parse_feature(text)
    nobody = Feature(text or "unknown")
    if feature is None or feature.metric not in catalog.metrics:
        if text:
            wanted = feature.metric if feature else text
            hint = suggest(wanted, catalog.metrics) or suggest(text, catalog.metrics)
            if text.startswith(PREFIX):
                hint = hint or "only scores of contacts and products that are rolled up can be scored again"
            ledger.coded(node, "B001", f'there is no metric "{wanted}"', hint)
        return nobody
    metric = catalog.metrics[feature.metric]
    if metric.of != of and not (of == "account" and metric.across):
        message = f'"{metric.name}" is measured per {metric.of}; a number of the {of} is needed here'
        ledger.coded(node, "B011", message, f"declare a metric of the {of} for it")
        return nobody
    if metric.name.startswith(PREFIX) and feature.window is not Window.LATEST:
        ledger.coded(node, "B012", f'of "{metric.name}" only the present value is kept', f'write "{metric.name}"')
        return nobody
    type_ = feature_type(metric.type, feature.window)
    is_text = may_be_text and type_ is ValueType.TEXT
    if not is_text and (type_ is None or not (type_.is_numeric or type_ is ValueType.BOOLEAN)):
        ledger.coded(node, "B012", f'"{text}" is no number: "{metric.name}" is a {metric.type.value}')
    return feature


def is_share_feature(feature: Feature, catalog: Catalog) -> bool | None:
    """Whether values of a feature are shares; None where its metric is unknown (that has been said already)."""
    metric = catalog.metrics.get(feature.metric)
    return feature_type(metric.type, feature.window) is ValueType.SHARE if metric else None


def _missing(fields: Fields) -> Missing | None:
    node = fields.find("missing")
    if node is None:
        return None
    if isinstance(node, MapNode):
        inner = Fields(node, fields.ledger, '"missing"')
        carried = Carry(inner.days("carry"))
        inner.close()
        return carried
    return word(node, MISSING, fields.ledger, '"missing"')


def _roles(fields: Fields, of: Subject, catalog: Catalog) -> tuple[str, ...]:
    found = fields.texts("roles")
    for role in found:
        known(role, role.text, catalog.roles, fields.ledger, "role")
    if found and of != "contact":
        fields.ledger.problem(fields.key_place("roles"), 22, "only contacts have roles", "write of: contact")
    return tuple(role.text for role in found)


def _priority(fields: Fields, of: Subject) -> int | None:
    if "priority" in fields and of != "account":
        message = "a priority decides between scorecards of accounts"
        fields.ledger.problem(fields.key_place("priority"), 22, message, "leave it out")
    return fields.whole("priority", 0, 0, 1_000) if fields.find("priority") is not None else None


def _roll_up(fields: Fields, of: Subject, catalog: Catalog) -> RollUp | None:
    node = fields.find("roll_up")
    if node is None:
        return None
    if of == "account":
        message = "contacts and products are rolled up into their account; accounts are not"
        fields.ledger.problem(fields.key_place("roll_up"), 22, message, "write of: contact or of: product")
    if isinstance(node, MapNode):
        inner = Fields(node, fields.ledger, '"roll_up"')
        by = inner.need("weighted_by")
        inner.close()
        return RollUp("weighted", read_feature(by, catalog, fields.ledger, of).name if by else "")
    return RollUp(word(node, HOW, fields.ledger, '"roll_up"'))


def _feedback(fields: Fields, catalog: Catalog) -> str:
    node = fields.find("feedback")
    text = (scalar(node, fields.ledger, '"feedback"') if node else None) or ""
    if node and text:
        known(node, text, catalog.questions, fields.ledger, "question")
    return text


def _check_sum(weights: Sequence[float], at: Place, what: str, ledger: Ledger) -> None:
    whole = sum(weights)
    if abs(whole - 1) > 1e-9:
        ledger.problem(at, 14, f"the weights of the {what} sum to {whole * 100:.6g}%, not to 100%", _sum_hint(whole))


def _sum_hint(whole: float) -> str:
    return f"{abs(1 - whole) * 100:.6g}% {'is missing' if whole < 1 else 'is too much'}"


def _check_once(dimensions: Sequence[Dimension], ledger: Ledger) -> None:
    seen: dict[str, ScoredMetric] = {}
    for metric in (metric for dimension in dimensions for metric in dimension.metrics):
        if metric.name in seen:
            message = f'"{metric.name}" is scored twice'
            ledger.problem(metric.place, 7, message, f"it also stands in line {seen[metric.name].place.line}")
        seen[metric.name] = metric
