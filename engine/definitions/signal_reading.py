"""Reading the signals of a rule: one measure each, how long it lasts, when it clears (codes R; R03x for measures)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal as Choice, get_args

from engine.definitions.condition import Condition
from engine.definitions.condition_reading import parse
from engine.definitions.feature import Feature
from engine.definitions.fields import Fields
from engine.definitions.measure import (
    KNOWN_DAYS,
    ClockMeasure,
    ConditionMeasure,
    ContactsMeasure,
    EventMeasure,
    GoalMeasure,
    Limit,
    Measure,
    On,
    Period,
    PersonMeasure,
    RankMeasure,
    ScheduleMeasure,
    SlipMeasure,
    ThresholdMeasure,
    TrendMeasure,
    is_remembered,
)
from engine.definitions.measure_parts import (
    BOUNDS as BOUNDS,
    Reach as Reach,
    read_change as read_change,
    read_event as read_event,
    read_limit as read_limit,
    read_roles,
)
from engine.definitions.measure_reading import (
    read_date_field,
    read_deviation,
    read_goal,
    read_rank,
    read_rhythm,
    read_silence,
    read_slip,
    read_threshold,
    read_trend,
)
from engine.definitions.quantities import parse_share
from engine.definitions.reading import Ledger, listed, name, suggest
from engine.definitions.rule import Signal
from engine.definitions.scope import event_scope
from engine.definitions.scorecard_reading import is_share_feature
from engine.definitions.source import MapNode, Node, ScalarNode

_BESIDE: Final = frozenset({"metric", "lasting", "clears", "at_least", "roles", "where", "for", "on", "by", "until"})
"""Keys that stand beside a measure and are none themselves."""

_NOTHING: Final = ThresholdMeasure(Feature("unknown"), Limit("below", 0.0))
"""Stands where a measure could not be read; a bundle with problems is never evaluated."""


def read_signal(key: ScalarNode, node: Node, reach: Reach, ledger: Ledger) -> Signal:
    """Read one signal: exactly one measure, and how long it lasts and when it clears."""
    name(key, ledger, "a signal")
    fields = Fields(node, ledger, "a signal")
    kinds = [kind for kind in _MEASURES if kind in fields]
    if "contacts" in kinds:
        kinds = ["contacts"]
    if len(kinds) != 1:
        message = f"a signal needs exactly one measure, not {listed(kinds, 'and') if kinds else 'none'}"
        hint = _nearest(fields, kinds, _MEASURES) or f"measures: {listed(_MEASURES)}"
        ledger.problem(fields.place, 30, message, hint)
        return Signal(key.text, _NOTHING, key.place)
    measure = _MEASURES[kinds[0]](fields, reach)
    signal = Signal(key.text, measure, key.place, fields.days("lasting", 0), _clears(fields, measure, reach))
    fields.close()
    _check_lasting(signal, fields)
    _check_clears(signal, fields)
    if isinstance(measure, RankMeasure) and measure.floor is None:
        message = "a rank hides that everybody falls at once: give it a floor beside the limit, floor: 5"
        ledger.note(key, 55, message)
    return signal


def _nearest(fields: Fields, kinds: Sequence[str], measures: Mapping[str, Any]) -> str:
    """The measure that a key seems to mean where there is none."""
    keys = [key.text for key, _ in fields.node.entries] if isinstance(fields.node, MapNode) and not kinds else []
    return next((hint for key in keys if key not in _BESIDE and (hint := suggest(key, measures))), "")


def _check_clears(signal: Signal, fields: Fields) -> None:
    """What clears a limit lies on its other side: else a signal would clear in the moment it fires, or never."""
    limit, clears = getattr(signal.measure, "limit", None), signal.clears
    if not isinstance(limit, Limit) or not isinstance(clears, Limit):
        return
    is_low = limit.bound in {"below", "at_most"}
    other = "above" if is_low else "below"
    place = fields.key_place("clears")
    if (clears.bound in {"below", "at_most"}) == is_low:
        message = f'"{clears.bound}" clears on the same side on which "{limit.bound}" fires'
        fields.ledger.problem(place, 24, message, f"write clears: {{{other}: …}}")
    elif (clears.value < limit.value) if is_low else (clears.value > limit.value):
        message = f'it would clear while its value is still "{limit.bound}" the limit'
        hint = f"write clears: {{{other}: …}} with the limit itself or a value beyond it"
        fields.ledger.problem(place, 24, message, hint)


def _check_lasting(signal: Signal, fields: Fields) -> None:
    measure = signal.measure
    if signal.lasting > 1 and isinstance(measure, ScheduleMeasure | ClockMeasure):
        message = "a day of the calendar does not last"
        fields.ledger.problem(fields.key_place("lasting"), 20, message, "remove lasting")
    if signal.lasting > KNOWN_DAYS and is_remembered(measure):
        message = f"what rests on scores, tiers, causes, signals or ranks is remembered for {KNOWN_DAYS} days"
        fields.ledger.problem(fields.key_place("lasting"), 20, message, f"write lasting: {KNOWN_DAYS}d or less")
    if signal.lasting > 1 and isinstance(measure, EventMeasure) and signal.lasting > measure.within:
        message = f"what counts for {measure.within} days cannot last {signal.lasting}: the signal never fires"
        fields.ledger.problem(fields.key_place("lasting"), 20, message, "lengthen for, or remove lasting")


def _clears(fields: Fields, measure: Measure, reach: Reach) -> Limit | Condition | None:
    """A limit on what is measured (``{above: 45%}``), or a condition (``{condition: …}``) for any measure."""
    inner = fields.fields("clears")
    if inner is None:
        return None
    if "condition" in inner:
        node = inner.need("condition")
        condition = parse(node, reach.scope, fields.ledger) if node else None
        inner.close()
        return condition
    if isinstance(measure, EventMeasure | ConditionMeasure | ScheduleMeasure | ClockMeasure):
        message = "this measure has no value that could clear it"
        fields.ledger.problem(fields.key_place("clears"), 32, message, "say when: clears: {condition: …}")
        return None
    limit = read_limit(inner, '"clears"', is_share=_measures_share(measure, reach))
    inner.close()
    return limit


def _measures_share(measure: Measure, reach: Reach) -> bool | None:
    match measure:
        case ThresholdMeasure(feature):
            return is_share_feature(feature, reach.catalog)
        case ContactsMeasure(share=share):
            return share is not None
        case TrendMeasure() | GoalMeasure() | SlipMeasure():
            return True
    return False


def _event(fields: Fields, reach: Reach) -> Measure:
    event = read_event(fields, reach)
    where = fields.find("where")
    roles = read_roles(fields, reach)
    condition: Condition | None = None
    if where is not None:
        condition = parse(where, event_scope(reach.scope, reach.catalog, event), fields.ledger)
    return EventMeasure(event, fields.days("for"), condition, roles)


def _condition(fields: Fields, reach: Reach) -> Measure:
    node = fields.need("condition")
    condition = parse(node, reach.scope, fields.ledger) if node else None
    return ConditionMeasure(condition) if condition else _NOTHING


def _contacts(fields: Fields, reach: Reach) -> Measure:
    inner = fields.fields("contacts", required=True)
    roles: tuple[str, ...] = ()
    if inner:
        roles = read_roles(inner, reach)
        inner.close()
    kinds = [kind for kind in _PERSONS if kind in fields]
    if len(kinds) != 1:
        message = f"contacts need exactly one measure, not {listed(kinds, 'and') if kinds else 'none'}"
        hint = _nearest(fields, kinds, _PERSONS) or f"measures of contacts: {listed(_PERSONS)}"
        fields.ledger.problem(fields.place, 30, message, hint)
        for key in ("metric", "at_least", *_PERSONS):
            fields.find(key)  # what belongs to the measure is not unknown, only one too many or too few
        return _NOTHING
    measure = _PERSONS[kinds[0]](fields, replace(reach, of="contact"))
    least, share = _at_least(fields)
    return ContactsMeasure(measure, roles, least, share)


def _at_least(fields: Fields) -> tuple[int, float | None]:
    node = fields.find("at_least")
    if isinstance(node, ScalarNode) and parse_share(node.text) is not None:
        return 1, fields.share("at_least", None, 0.01)
    return fields.whole("at_least", 1, 1), None


def _schedule(fields: Fields, _: Reach) -> Measure:
    node = fields.find("every")
    if isinstance(node, ScalarNode) and node.text == "day":
        message = "what fires every day never ends, and a rule starts when it begins to fire"
        fields.ledger.problem(node, 21, message, "write every: week, or give the playbook a rhythm")
        return ScheduleMeasure("week")
    return ScheduleMeasure(fields.word("every", get_args(Period)), fields.word("on", get_args(On), "first day"))


def _before(fields: Fields, reach: Reach) -> Measure:
    return _clock(fields, reach, "before")


def _after(fields: Fields, reach: Reach) -> Measure:
    return _clock(fields, reach, "after")


def _clock(fields: Fields, _: Reach, side: Choice["before", "after"]) -> Measure:
    date = fields.need(side)
    by, until = fields.days("by"), fields.days("until") if "until" in fields else None
    if until is not None and (until >= by if side == "before" else until <= by):
        message = f'"until" must come after "by": {"fewer" if side == "before" else "more"} than {by} days'
        fields.ledger.problem(fields.key_place("until"), 22, message)
    return ClockMeasure(read_date_field(date, fields.ledger, side) if date else "", by, until, side)


_PERSONS: Final[Mapping[str, Callable[[Fields, Reach], PersonMeasure]]] = {
    "threshold": read_threshold,
    "trend": read_trend,
    "silence": read_silence,
    "deviation": read_deviation,
    "rhythm": read_rhythm,
}

_MEASURES: Final[Mapping[str, Callable[[Fields, Reach], Measure]]] = {
    "threshold": read_threshold,
    "trend": read_trend,
    "goal": read_goal,
    "silence": read_silence,
    "event": _event,
    "condition": _condition,
    "rank": read_rank,
    "deviation": read_deviation,
    "rhythm": read_rhythm,
    "contacts": _contacts,
    "slip": read_slip,
    "every": _schedule,
    "before": _before,
    "after": _after,
}
