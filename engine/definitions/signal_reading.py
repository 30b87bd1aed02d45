"""Reading the signals of a rule: one measure each (codes R; R03x for measures)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal as Choice, get_args

from engine.definitions.catalog import Catalog
from engine.definitions.condition import Condition
from engine.definitions.condition_reading import parse
from engine.definitions.feature import Feature, ValueType, Window
from engine.definitions.fields import Fields
from engine.definitions.reading import Ledger, amount, known, listed, name, scalar, share, texts_of
from engine.definitions.rule import (
    Bound,
    ConditionMeasure,
    EventMeasure,
    GoalMeasure,
    LaterMeasure,
    Limit,
    Measure,
    Signal,
    SilenceMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.definitions.scope import ACCOUNT_FIELDS, Scope, event_scope
from engine.definitions.scorecard_reading import AMONG, is_share_feature, read_feature
from engine.definitions.source import Node, ScalarNode

BOUNDS: Final[tuple[Bound, ...]] = get_args(Bound)
OF: Final[tuple[Choice["line", "target"], ...]] = ("line", "target")
SHAPES: Final[tuple[Choice["linear", "step"], ...]] = ("linear", "step")
PERIODS: Final = ("day", "week", "month", "quarter", "year")
ON: Final = ("first day", "first working day", "last day", "last working day")
NOT_YET: Final = 'this version does not observe {kind} measures: the signal "{signal}" stays unknown'

_GAP: Final = re.compile(r"[0-9]+(\.[0-9]+)?x usual")


@dataclass(frozen=True, slots=True)
class Reach:
    """What the reader of a rule may look up: the catalog, and the names of conditions."""

    catalog: Catalog
    scope: Scope


def read_signal(key: ScalarNode, node: Node, reach: Reach, ledger: Ledger) -> Signal:
    """Read one signal: exactly one measure, and how long it lasts and when it clears."""
    name(key, ledger, "a signal")
    fields = Fields(node, ledger, "a signal")
    kinds = [kind for kind in _MEASURES if kind in fields]
    if "contacts" in kinds:
        kinds = ["contacts"]
    if len(kinds) != 1:
        message = f"a signal needs exactly one measure, not {listed(kinds, 'and') if kinds else 'none'}"
        ledger.problem(fields.place, 30, message, f"measures: {listed(_MEASURES)}")
        return Signal(key.text, LaterMeasure("schedule"), key.place)
    measure = _MEASURES[kinds[0]](fields, reach)
    signal = Signal(key.text, measure, key.place, fields.days("lasting", 0), _clears(fields, measure, reach))
    fields.close()
    if isinstance(measure, LaterMeasure):
        ledger.note(key, 54, NOT_YET.format(kind=measure.kind, signal=key.text))
    return signal


def read_limit(fields: Fields, what: str, *, is_share: bool | None) -> Limit:
    """Exactly one of below, at_most, above and at_least among the keys of ``fields``."""
    found = {bound: node for bound in BOUNDS if (node := fields.find(bound)) is not None}
    if len(found) != 1:
        fields.ledger.problem(fields.place, 31, f"{what} needs exactly one of {listed(BOUNDS, 'and')}")
        return Limit("below", 0.0)
    bound, node = next(iter(found.items()))
    return Limit(bound, amount(node, fields.ledger, f'"{bound}"', is_share=is_share))


def _clears(fields: Fields, measure: Measure, reach: Reach) -> Limit | None:
    inner = fields.fields("clears")
    if inner is None:
        return None
    is_share: bool | None
    match measure:
        case ThresholdMeasure():
            is_share = is_share_feature(measure.feature, reach.catalog)
        case TrendMeasure() | GoalMeasure():
            is_share = True
        case SilenceMeasure():
            is_share = False
        case _:
            fields.ledger.problem(
                fields.key_place("clears"), 32, "this measure has no value that could clear it", "remove clears"
            )
            return None
    limit = read_limit(inner, '"clears"', is_share=is_share)
    inner.close()
    return limit


def _metric(fields: Fields, reach: Reach) -> Feature:
    node = fields.need("metric")
    return read_feature(node, reach.catalog, fields.ledger) if node else Feature("unknown")


def _plain_metric(fields: Fields, reach: Reach) -> str:
    feature = _metric(fields, reach)
    if feature.window is not Window.LATEST:
        place = fields.key_place("metric")
        fields.ledger.problem(
            place, 33, f'a metric is needed here, without ".{feature.name.removeprefix(feature.metric)[1:]}"'
        )
    return feature.metric


def _any_metric(fields: Fields, reach: Reach, of: str = "") -> None:
    node = fields.need("metric")
    text = scalar(node, fields.ledger, '"metric"') if node else None
    if node and text and known(node, text, reach.catalog.metrics, fields.ledger, "metric"):
        metric = reach.catalog.metrics[text]
        if of and metric.of != of:
            fields.ledger.problem(node, 34, f'"{text}" is measured per {metric.of}, not per {of}')


def _threshold(fields: Fields, reach: Reach) -> Measure:
    feature = _metric(fields, reach)
    inner = fields.fields("threshold", required=True)
    if inner is None:
        return ThresholdMeasure(feature, Limit("below", 0.0))
    is_share = is_share_feature(feature, reach.catalog)
    limit = read_limit(inner, '"threshold"', is_share=is_share)
    inner.close()
    return ThresholdMeasure(feature, limit)


def read_change(fields: Fields) -> float:
    """A relative change (``-20%``, ``+10%``), never nothing."""
    node = fields.need("change")
    value = share(node, fields.ledger, '"change"', -1.0, 10.0) if node else None
    if value == 0 and node:
        fields.ledger.problem(node, 35, "a change of nothing is no change", "write -20% or +10%")
    return value or 0.1


def _trend_inner(fields: Fields) -> tuple[float, int, float]:
    inner = fields.fields("trend", required=True)
    if inner is None:
        return 0.1, 1, 0.0
    found = read_change(inner), inner.days("over"), inner.number("min_base", 0.0, 0)
    inner.close()
    return found


def _trend(fields: Fields, reach: Reach) -> Measure:
    return TrendMeasure(_plain_metric(fields, reach), *_trend_inner(fields))


def _goal(fields: Fields, reach: Reach) -> Measure:
    inner = fields.fields("goal", required=True)
    if inner is None:
        return GoalMeasure(1.0, "line")
    attained, of = inner.share("attained_below", None, 0.01, 2.0), inner.word("of", OF, "line")
    agreed = inner.find("agreed")
    if agreed is not None:
        text = scalar(agreed, fields.ledger, '"agreed"') or ""
        if text:
            known(agreed, text, reach.catalog.goals, fields.ledger, "goal")
        inner.close()
        return GoalMeasure(attained, of, agreed=text)
    metric = _plain_metric(inner, reach)
    target, start, shape = inner.need("target"), inner.need("from"), inner.word("shape", SHAPES, "linear")
    is_share = is_share_feature(Feature(metric), reach.catalog)
    found = GoalMeasure(
        attained,
        of,
        metric=metric,
        target=amount(target, fields.ledger, '"target"', is_share=is_share) if target else 0.0,
        start=_date_field(start, fields.ledger) if start else "",
        within=inner.days("within"),
        shape=shape,
    )
    inner.close()
    return found


def _date_field(node: Node, ledger: Ledger) -> str:
    text = scalar(node, ledger, '"from"') or ""
    dates = [f"account.{field}" for field, kind in ACCOUNT_FIELDS.items() if kind is ValueType.DATE]
    if text:
        known(node, text, dates, ledger, "date of an account")
    return text


def _silence(fields: Fields, reach: Reach) -> Measure:
    feature = _metric(fields, reach)
    inner = fields.fields("silence", required=True)
    longer = inner.days("longer_than") if inner else 1
    if inner:
        inner.close()
    return SilenceMeasure(feature, longer)


def _event(fields: Fields, reach: Reach) -> Measure:
    event = read_event(fields, reach)
    where = fields.find("where")
    roles = fields.texts("roles")
    for role in roles:
        known(role, role.text, reach.catalog.roles, fields.ledger, "role")
    condition: Condition | None = None
    if where is not None:
        condition = parse(where, event_scope(reach.scope, reach.catalog, event), fields.ledger)
    return EventMeasure(event, fields.days("for"), condition, texts_of(roles))


def read_event(fields: Fields, reach: Reach) -> str:
    """The name under ``event``, which the catalog must declare."""
    node = fields.need("event")
    text = scalar(node, fields.ledger, '"event"') if node else None
    if node and text:
        known(node, text, reach.catalog.events, fields.ledger, "event")
    return text or ""


def _condition(fields: Fields, reach: Reach) -> Measure:
    node = fields.need("condition")
    condition = parse(node, reach.scope, fields.ledger) if node else None
    return ConditionMeasure(condition) if condition else LaterMeasure("schedule")


def _rank(fields: Fields, reach: Reach) -> Measure:
    _metric(fields, reach)
    if inner := fields.fields("rank", required=True):
        read_limit(inner, '"rank"', is_share=False)
        inner.word("among", AMONG, "all")
        inner.close()
    return LaterMeasure("rank")


def _deviation(fields: Fields, reach: Reach) -> Measure:
    _metric(fields, reach)
    if inner := fields.fields("deviation", required=True):
        read_limit(inner, '"deviation"', is_share=False)
        inner.days("baseline")
        inner.close()
    return LaterMeasure("deviation")


def _rhythm(fields: Fields, reach: Reach) -> Measure:
    _any_metric(fields, reach)
    if inner := fields.fields("rhythm", required=True):
        gap = inner.text("gap")
        if gap and not _GAP.fullmatch(gap):
            fields.ledger.problem(
                inner.key_place("gap"), 36, f'"gap" must be a multiple of the usual, not "{gap}"', "write 2x usual"
            )
        inner.days("over")
        inner.close()
    return LaterMeasure("rhythm")


def _contacts(fields: Fields, reach: Reach) -> Measure:
    if inner := fields.fields("contacts", required=True):
        for role in inner.texts("roles"):
            known(role, role.text, reach.catalog.roles, fields.ledger, "role")
        inner.close()
    _any_metric(fields, reach, of="contact")
    _trend_inner(fields)
    fields.whole("at_least", 1, 1)
    return LaterMeasure("contacts")


def _schedule(fields: Fields, _: Reach) -> Measure:
    fields.word("every", PERIODS)
    fields.word("on", ON, "first day")
    return LaterMeasure("schedule")


_MEASURES: Final[Mapping[str, Callable[[Fields, Reach], Measure]]] = {
    "threshold": _threshold,
    "trend": _trend,
    "goal": _goal,
    "silence": _silence,
    "event": _event,
    "condition": _condition,
    "rank": _rank,
    "deviation": _deviation,
    "rhythm": _rhythm,
    "contacts": _contacts,
    "every": _schedule,
}
