"""Reading how a metric becomes a mark of 0–100: the normalisers of a scorecard (codes S010–S012, S017–S020)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal as Choice, get_args

from engine.definitions.catalog import Catalog, Subject
from engine.definitions.feature import Feature, ValueType, Window, feature_type
from engine.definitions.fields import Fields
from engine.definitions.reading import Ledger, amount, but, items, known, listed, number, scalar, suggest, word
from engine.definitions.scope import Scope
from engine.definitions.scorecard import (
    Absolute,
    Bounded,
    Categorical,
    Cohort,
    Criteria,
    GoalLine,
    Linear,
    Normaliser,
    Piecewise,
    Rank,
    Relative,
    Spread,
    TargetRatio,
    Threshold,
)
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode

AMONG: Final[tuple[Cohort, ...]] = get_args(Cohort)
NORMALISERS: Final = (
    "linear",
    "threshold",
    "goal",
    "rank",
    "target_ratio",
    "piecewise",
    "categorical",
    "bounded",
    "criteria",
)
_WAYS: Final[tuple[Choice["higher", "lower"], ...]] = ("higher", "lower")
_NONE: Final = Linear(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """What is being normalised, and what may be named beside it."""

    feature: Feature
    catalog: Catalog
    scope: Scope
    of: Subject = "account"

    @property
    def type(self) -> ValueType | None:
        """The static type of the feature, None where its metric is unknown (that has been said already)."""
        metric = self.catalog.metrics.get(self.feature.metric)
        return feature_type(metric.type, self.feature.window) if metric else None

    @property
    def is_share(self) -> bool | None:
        """Whether values are shares; None where nothing is known of the metric."""
        return None if self.type is None else self.type is ValueType.SHARE


def read_normaliser(fields: Fields, measured: Measured) -> Normaliser:
    """Read the one normaliser among the keys of a scored metric."""
    ledger = fields.ledger
    found = {kind: node for kind in NORMALISERS if (node := fields.find(kind)) is not None}
    if len(found) != 1:
        message = f"a scored metric needs exactly one of {listed(NORMALISERS, 'and')}"
        ledger.problem(fields.place, 10, message, "for example linear: [0, 100]; scored: false only shows a metric")
        return _NONE
    kind, node = next(iter(found.items()))
    if kind in {"linear", "rank"} and isinstance(node, MapNode):
        if measured.of != "account":
            # A cycle evaluates accounts part by part and knows of all of them only what accounts are compared by.
            message = f"this compares accounts, and {measured.of}s are not compared with each other"
            ledger.problem(node, 24, message, "use a scale of its own, for example linear: [0, 20]")
        return _relative(kind, Fields(node, ledger, f'"{kind}"'), measured)
    return _absolute(kind, node, ledger, measured)


def _absolute(kind: str, node: Node, ledger: Ledger, measured: Measured) -> Absolute:
    read: Mapping[str, Callable[[Node, Ledger, Measured], Absolute]] = {
        "linear": _linear,
        "threshold": _threshold,
        "goal": _goal,
        "target_ratio": _target_ratio,
        "piecewise": _piecewise,
        "categorical": _categorical,
        "bounded": _bounded,
        "criteria": _criteria,
    }
    if kind not in read:
        ledger.problem(node, 2, f'"{kind}" must have keys and values{but(node)}', "write rank: {among: all}")
        return _NONE
    return read[kind](node, ledger, measured)


def _ends(node: Node, ledger: Ledger, kind: str, measured: Measured) -> tuple[float, float]:
    ends = items(node, ledger, f'"{kind}"')
    if isinstance(node, ListNode) and len(ends) != 2:
        message = f"{kind} has two ends: the value that scores 0 and the one that scores 100"
        ledger.problem(node, 11, message, "write [0, 80]")
    if len(ends) != 2:
        return _NONE.zero, _NONE.full
    zero, full = (amount(end, ledger, f"an end of {kind}", is_share=measured.is_share) for end in ends)
    if zero == full:
        message = f"both ends of {kind} are the same value"
        ledger.problem(node, 11, message, "write the one that scores 0 first: [0, 80]")
        return _NONE.zero, _NONE.full
    return zero, full


def _linear(node: Node, ledger: Ledger, measured: Measured) -> Linear:
    return Linear(*_ends(node, ledger, "linear", measured))


def _bounded(node: Node, ledger: Ledger, measured: Measured) -> Bounded:
    return Bounded(*_ends(node, ledger, "bounded", measured))


def two_values(fields: Fields, first: str, second: str, *, is_share: bool | None) -> tuple[float, float]:
    """The two values a mapping consists of."""
    nodes = fields.need(first), fields.need(second)
    fields.close()
    values = [
        amount(node, fields.ledger, f'"{key}"', is_share=is_share) if node else 0.0
        for key, node in zip((first, second), nodes, strict=True)
    ]
    return values[0], values[1]


def _threshold(node: Node, ledger: Ledger, measured: Measured) -> Threshold:
    fields = Fields(node, ledger, '"threshold"')
    good, poor = two_values(fields, "good", "poor", is_share=measured.is_share)
    if good == poor and "good" in fields and "poor" in fields:
        ledger.problem(fields.place, 12, "good and poor are the same value", "one of them is the better one")
    return Threshold(good, poor)


def _criteria(node: Node, ledger: Ledger, measured: Measured) -> Criteria:
    fields = Fields(node, ledger, '"criteria"')
    acceptable, highest = two_values(fields, "acceptable", "highest", is_share=measured.is_share)
    if acceptable == highest and "acceptable" in fields and "highest" in fields:
        ledger.problem(fields.place, 12, "acceptable and highest are the same value", "one of them is the better one")
    return Criteria(acceptable, highest)


def _goal(node: Node, ledger: Ledger, measured: Measured) -> GoalLine:
    if isinstance(node, MapNode):
        fields = Fields(node, ledger, '"goal"')
        agreed, final = fields.need("agreed"), fields.word("of", ("line", "target"), "line") == "target"
        fields.close()
        return GoalLine(_goal_name(agreed, ledger, measured) if agreed else "", final)
    return GoalLine(_goal_name(node, ledger, measured))


def _goal_name(node: Node, ledger: Ledger, measured: Measured) -> str:
    catalog, text = measured.catalog, scalar(node, ledger, '"goal"') or ""
    if text != "agreed":
        if text:
            known(node, text, catalog.goals, ledger, "goal")
        return text
    goals = [goal.name for goal in catalog.goals.values() if goal.metric == measured.feature.name]
    if not goals:
        message = f'no goal of the catalog is about "{measured.feature.name}"'
        ledger.coded(node, "B013", message, "declare it under goals in rules/catalog.yaml")
    elif len(goals) > 1:
        message = f'several goals are about "{measured.feature.name}"'
        ledger.coded(node, "B013", message, "name the goal instead of agreed")
    return goals[0] if goals else ""


def _target_ratio(node: Node, ledger: Ledger, measured: Measured) -> TargetRatio:
    if not isinstance(node, MapNode):
        value, of = _target(node, ledger, measured)
        return TargetRatio(value, of, lower_is_better=_lower(None, node, ledger, measured))
    fields = Fields(node, ledger, '"target_ratio"')
    written = fields.need("target")
    value, of = _target(written, ledger, measured) if written else (1.0, "")
    way = _lower(fields.find("direction"), node, ledger, measured)
    fields.close()
    return TargetRatio(value, of, lower_is_better=way)


def _target(node: Node, ledger: Ledger, measured: Measured) -> tuple[float, str]:
    text = node.text if isinstance(node, ScalarNode) else ""
    type_ = measured.scope.type_of(text) if text else None
    if type_ is not None:
        if not type_.is_numeric:
            ledger.coded(node, "B012", f'"{text}" is no number: it is a {type_.value}', "a target is a number")
        return 0.0, text
    if text and text[0].isalpha():
        ledger.coded(node, "B001", f'there is no metric or field "{text}"', measured.scope.hint(text))
        return 0.0, text
    value = amount(node, ledger, "a target", is_share=measured.is_share)
    if value <= 0:
        ledger.problem(node, 5, f"a target must be more than 0{but(node)}", "use linear for values below zero")
    return value or 1.0, ""


def _lower(written: Node | None, at: Node, ledger: Ledger, measured: Measured) -> bool:
    """Whether lower is better: as stated, or as the catalog says of the metric."""
    if written is not None:
        return word(written, _WAYS, ledger, '"direction"') == "lower"
    metric = measured.catalog.metrics.get(measured.feature.metric)
    if measured.feature.window is Window.DAYS_SINCE:
        return True
    if metric is not None and metric.better == "neither":
        message = f'of "{metric.name}" neither more nor less is better, so this needs a direction'
        ledger.problem(at, 17, message, "write direction: higher or direction: lower")
    return metric is not None and metric.better == "lower"


def _piecewise(node: Node, ledger: Ledger, measured: Measured) -> Piecewise:
    found: list[tuple[float, float]] = []
    for item in items(node, ledger, '"piecewise"'):
        pair = items(item, ledger, "a point of piecewise")
        if isinstance(item, ListNode) and len(pair) != 2:
            ledger.problem(item, 18, "a point is a value and its mark of 0 to 100", "write [50%, 80]")
        if len(pair) == 2:
            value = amount(pair[0], ledger, "a value of piecewise", is_share=measured.is_share)
            mark = number(pair[1], ledger, "a mark", 0, 100)
            if found and value <= found[-1][0]:
                ledger.problem(
                    pair[0], 18, "the values of piecewise must rise from point to point", "put them in order"
                )
            found.append((value, mark or 0.0))
    if isinstance(node, ListNode) and len(node.items) < 2:
        ledger.problem(node, 18, "piecewise needs at least two points", "write [[0, 0], [10, 80], [50, 100]]")
    return Piecewise(tuple(found) or ((0.0, 0.0),))


def _categorical(node: Node, ledger: Ledger, measured: Measured) -> Categorical:
    if not isinstance(node, MapNode):
        ledger.problem(node, 2, f'"categorical" must have words and marks{but(node)}', "write {low: 20, high: 100}")
        return Categorical(())
    marks = {key.text: number(value, ledger, f'the mark of "{key.text}"', 0, 100) or 0.0 for key, value in node.entries}
    if measured.type is ValueType.NUMBER or measured.type is ValueType.SHARE or measured.type is ValueType.DATE:
        message = f'"{measured.feature.name}" is a {measured.type.value}; categorical is for texts and booleans'
        ledger.problem(node, 19, message, "use threshold or piecewise")
    words = _words(measured)
    for word_ in marks:
        if words and word_ not in words:
            hint = suggest(word_, words) or f"it is {listed(words)}"
            ledger.problem(node.place, 19, f'"{measured.feature.name}" is never "{word_}"', hint)
    if missing := [word_ for word_ in words if word_ not in marks]:
        message = f'"{measured.feature.name}" can also be {listed(missing)}, which has no mark'
        ledger.problem(node, 19, message, "a word without a mark would be unknown")
    if measured.type is ValueType.BOOLEAN:
        return Categorical((("false", marks.get("false", 0.0)), ("true", marks.get("true", 0.0))))
    return Categorical(tuple(marks.items()))


def _words(measured: Measured) -> tuple[str, ...]:
    """The words a metric can say, where they are known."""
    if measured.type is ValueType.BOOLEAN:
        return ("true", "false")
    metric = measured.catalog.metrics.get(measured.feature.metric)
    return metric.words if metric else ()


def _relative(kind: str, fields: Fields, measured: Measured) -> Relative:
    ledger = fields.ledger
    among = fields.word("among", AMONG, "all")
    floor = fields.find("floor")
    worst = None if floor is None else amount(floor, ledger, '"floor"', is_share=measured.is_share)
    lower = _lower(fields.find("direction"), fields.node, ledger, measured)
    otherwise = fields.fields("otherwise")
    instead = _otherwise(otherwise, measured) if otherwise else None
    found: Relative
    if kind == "linear":
        found = Spread(among, fields.share("winsorise", 0.05, 0.0, 0.49), worst, lower, instead)
    else:
        found = Rank(among, worst, lower, 10 if fields.word("scale", ("100", "10"), "100") == "10" else 100, instead)
    fields.close()
    if instead is None and not otherwise:
        message = f'where fewer than 20 accounts can be compared, "{measured.feature.name}" is unknown'
        ledger.note(fields.place, 52, f"{message}; otherwise: {{linear: [0, 100]}} gives it a mark there")
    if worst is None:
        message = f'if "{measured.feature.name}" falls for everybody at once, no mark shows it'
        ledger.note(fields.place, 53, f"{message}; floor: states the value below which it counts as 0")
    return found


def _otherwise(fields: Fields, measured: Measured) -> Absolute | None:
    wanted = tuple(kind for kind in NORMALISERS if kind != "rank")
    found = {kind: node for kind in wanted if (node := fields.find(kind)) is not None}
    fields.close()
    kind, node = next(iter(found.items()), ("", None))
    if len(found) != 1 or node is None or (kind == "linear" and isinstance(node, MapNode)):
        message = "otherwise needs exactly one scale that does not depend on others"
        fields.ledger.problem(fields.place, 20, message, "for example otherwise: {linear: [0, 100]}")
        return None
    return _absolute(kind, node, fields.ledger, measured)
