"""Reading the measures of a metric: threshold, trend, goal, silence, rank, deviation, rhythm, slip (codes R03x)."""

import re
from dataclasses import replace
from typing import Final, Literal as Choice, get_args

from engine.definitions.feature import Feature, ValueType
from engine.definitions.fields import Fields
from engine.definitions.goal_reading import read_shape
from engine.definitions.measure import (
    Among,
    DeviationMeasure,
    GoalMeasure,
    Limit,
    Pattern,
    RankMeasure,
    RhythmMeasure,
    SilenceMeasure,
    SlipMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.definitions.measure_parts import (
    Reach,
    read_any_metric,
    read_change,
    read_limit,
    read_metric,
    read_plain_metric,
    read_roles,
)
from engine.definitions.reading import Ledger, amount, known, scalar
from engine.definitions.scope import ACCOUNT_FIELDS
from engine.definitions.scorecard_reading import is_share_feature
from engine.definitions.source import Node

OF: Final[tuple[Choice["line", "target"], ...]] = ("line", "target")
LEAST_POINTS: Final = 14
LEAST_GAPS: Final = 4

_GAP: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)x usual")


def read_threshold(fields: Fields, reach: Reach) -> ThresholdMeasure:
    """``{metric: …, threshold: {below: 40%}}``."""
    feature = read_metric(fields, reach)
    inner = fields.fields("threshold", required=True)
    if inner is None:
        return ThresholdMeasure(feature, Limit("below", 0.0))
    limit = read_limit(inner, '"threshold"', is_share=is_share_feature(feature, reach.catalog))
    inner.close()
    return ThresholdMeasure(feature, limit)


def read_trend(fields: Fields, reach: Reach) -> TrendMeasure:
    """``{metric: …, trend: {change: -20%, over: 30d, min_base: 5}}``."""
    metric = read_plain_metric(fields, reach)
    inner = fields.fields("trend", required=True)
    if inner is None:
        return TrendMeasure(metric, 0.1, 1, 0.0)
    found = TrendMeasure(metric, read_change(inner), inner.days("over"), inner.number("min_base", 0.0, 0))
    inner.close()
    return found


def read_goal(fields: Fields, reach: Reach) -> GoalMeasure:
    """``{goal: {agreed: …, attained_below: 80%, of: line}}``, or an own target with ``from`` and ``within``."""
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
    metric = read_plain_metric(inner, reach)
    target, start = inner.need("target"), inner.need("from")
    shape, points = read_shape(inner)
    is_share = is_share_feature(Feature(metric), reach.catalog)
    found = GoalMeasure(
        attained,
        of,
        metric=metric,
        target=amount(target, fields.ledger, '"target"', is_share=is_share) if target else 0.0,
        start=read_date_field(start, fields.ledger, "from") if start else "",
        within=inner.days("within"),
        shape=shape,
        points=points,
    )
    inner.close()
    return found


def read_date_field(node: Node, ledger: Ledger, key: str) -> str:
    """The name of a date of the account, such as ``account.renewal_on``."""
    text = scalar(node, ledger, f'"{key}"') or ""
    dates = [f"account.{field}" for field, kind in ACCOUNT_FIELDS.items() if kind is ValueType.DATE]
    if text:
        known(node, text, dates, ledger, "date of an account")
    return text


def read_silence(fields: Fields, reach: Reach) -> SilenceMeasure:
    """``{metric: …, silence: {longer_than: 30d}}``."""
    feature = read_metric(fields, reach)
    inner = fields.fields("silence", required=True)
    longer = inner.days("longer_than") if inner else 1
    if inner:
        inner.close()
    return SilenceMeasure(feature, longer)


def read_rank(fields: Fields, reach: Reach) -> RankMeasure:
    """``{metric: …, rank: {at_most: 10, among: segment, floor: 2}}``."""
    feature = read_metric(fields, reach)
    inner = fields.fields("rank", required=True)
    if inner is None:
        return RankMeasure(feature, Limit("at_most", 10.0))
    limit, node = read_limit(inner, '"rank"', is_share=False), inner.find("floor")
    is_share = is_share_feature(feature, reach.catalog)
    floor = None if node is None else amount(node, fields.ledger, '"floor"', is_share=is_share)
    found = RankMeasure(feature, limit, inner.word("among", get_args(Among), "all"), floor)
    inner.close()
    if not 0 <= limit.value <= 100:
        message = f"a mark lies between 0 and 100, not at {limit.value:g}"
        fields.ledger.problem(fields.key_place("rank"), 37, message, "the bottom tenth is at_most: 10")
    return found


def read_deviation(fields: Fields, reach: Reach) -> DeviationMeasure:
    """``{metric: …, deviation: {below: -3, baseline: 90d, recent: 7d, least: 14}}``."""
    metric = read_plain_metric(fields, reach)
    inner = fields.fields("deviation", required=True)
    if inner is None:
        return DeviationMeasure(metric, Limit("below", -3.0), 90)
    limit, baseline = read_limit(inner, '"deviation"', is_share=False), inner.days("baseline")
    found = DeviationMeasure(
        metric, limit, baseline, inner.days("recent", 0), inner.whole("least", LEAST_POINTS, 2, 1_000)
    )
    inner.close()
    if "baseline" in inner and baseline < found.least:
        message = f"{baseline} days cannot hold the {found.least} points that a baseline needs"
        fields.ledger.problem(inner.key_place("baseline"), 38, message, "lengthen it, or write least: 7")
    return found


def read_rhythm(fields: Fields, reach: Reach) -> RhythmMeasure:
    """``{metric: …, rhythm: {gap: 2x usual, over: 90d, least: 4}}``."""
    metric = read_any_metric(fields, reach)
    inner = fields.fields("rhythm", required=True)
    if inner is None:
        return RhythmMeasure(metric, 2.0, 90)
    gap = inner.text("gap")
    times = _GAP.fullmatch(gap)
    if gap and not (times and float(times[1]) > 1):
        message = f'"gap" must be a multiple of the usual above 1, not "{gap}"'
        fields.ledger.problem(inner.key_place("gap"), 36, message, "write 2x usual")
    found = RhythmMeasure(
        metric, float(times[1]) if times else 2.0, inner.days("over"), inner.whole("least", LEAST_GAPS, 2, 1_000)
    )
    inner.close()
    if "over" in inner and found.over <= found.least:
        message = f"{found.over} days cannot hold {found.least} gaps"
        fields.ledger.problem(inner.key_place("over"), 38, message, "lengthen it: over: 90d")
    return found


def read_slip(fields: Fields, reach: Reach) -> SlipMeasure:
    """``{metric: …, slip: {pattern: key_users, over: 30d, roles: [key_user]}}``."""
    metric = read_plain_metric(fields, replace(reach, of="contact"))
    inner = fields.fields("slip", required=True)
    if inner is None:
        return SlipMeasure(metric, "broad")
    found = SlipMeasure(
        metric,
        inner.word("pattern", get_args(Pattern)),
        inner.days("over", 30),
        read_roles(inner, reach),
        inner.share("fall", 0.2, 0.01),
        inner.share("broad", 0.6, 0.01),
        inner.share("few", 0.25, 0.01),
        inner.number("min_base", 0.0, 0),
    )
    inner.close()
    if not found.roles and found.pattern in {"key_users", "none"}:
        message = f'the pattern "{found.pattern}" asks for key users: say which roles they have'
        fields.ledger.problem(
            inner.place, 39, message, f"write roles: [{', '.join(reach.catalog.roles[:2]) or 'sponsor'}]"
        )
    if found.few >= found.broad:
        message = f"few ({found.few:.0%}) must be less than broad ({found.broad:.0%})"
        fields.ledger.problem(inner.place, 39, message, "leave both out: then they are 25% and 60%")
    return found
