"""The measures of one metric, over accounts or over contacts alike: threshold, trend, silence, goal, rank, deviation,
rhythm."""

import numpy as np

from engine.definitions.feature import Feature, Window
from engine.definitions.measure import (
    DeviationMeasure,
    GoalMeasure,
    Limit,
    PersonMeasure,
    RankMeasure,
    RhythmMeasure,
    SilenceMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.evaluation.columns import Flags, Floats, Numbers
from engine.evaluation.deviations import deviation
from engine.evaluation.features import Features, relative_change
from engine.evaluation.goals import attainment
from engine.evaluation.observed import Observed, against, plain
from engine.evaluation.peers import rank
from engine.evaluation.rhythms import rhythm


def of_metric(measure: PersonMeasure | GoalMeasure | RankMeasure, features: Features) -> Observed:
    """What a measure of a metric says of every subject on the day of ``features``."""
    match measure:
        case ThresholdMeasure(feature, limit):
            values = features.value(feature)
            return plain(against(limit, values), values)
        case TrendMeasure():
            return _trend(measure, features)
        case GoalMeasure():
            values = attainment(measure, features)
            return plain(against(Limit("below", measure.attained_below), values), values)
        case SilenceMeasure(feature, longer_than):
            values = _silence(feature, features)
            return plain(against(Limit("above", longer_than), values), values)
        case RankMeasure():
            return _rank(measure, features)
        case DeviationMeasure():
            found = deviation(measure, features)
            parts = {"recent": found.recent, "mean": found.mean, "spread": found.spread, "points": found.points}
            return plain(against(measure.limit, found.distance), found.distance, parts)
        case RhythmMeasure():
            seen = rhythm(measure, features)
            parts = {"present": seen.present, "usual": seen.usual, "gaps": seen.gaps, "idle": seen.idle}
            return plain(against(Limit("at_least", measure.times), seen.times), seen.times, parts)


def measurable(measure: PersonMeasure, observed: Observed, features: Features) -> Flags:
    """Of which subjects there is the history that a measure compares with, bool[size].

    Where there is none the measure has nothing to say, now or later, as long as it stays so: a person who never used
    the product cannot use it less. Where there is one and the verdict is unknown, data is missing.
    """
    match measure:
        case TrendMeasure(min_base=min_base):
            base: Floats = observed.parts["before"]
            return np.asarray((base != 0) & (base >= min_base))
        case DeviationMeasure(least=least):
            return (observed.parts["points"] >= least) & (observed.parts["spread"] > 0)
        case ThresholdMeasure(feature):
            since = features.value(Feature(feature.metric, Window.DAYS_SINCE))
            return ~np.isnan(observed.values) | ~np.isnan(since)
    return ~np.isnan(observed.values)


def _trend(measure: TrendMeasure, features: Features) -> Observed:
    before = features.value(Feature(measure.metric, Window.PREVIOUS, measure.over))
    now = features.value(Feature(measure.metric, Window.MEAN, measure.over))
    values = np.where(before < measure.min_base, np.nan, relative_change(before, now))
    bound = Limit("at_most" if measure.change < 0 else "at_least", measure.change)
    return plain(against(bound, values), values, {"before": before, "now": now})


def _silence(feature: Feature, features: Features) -> Floats:
    source = features.catalog.metrics[feature.metric].from_events
    if feature.window is Window.DAYS_SINCE or (source is not None and source.silence):
        return features.value(feature)
    return features.value(Feature(feature.metric, Window.DAYS_SINCE))


def _rank(measure: RankMeasure, features: Features) -> Observed:
    """The mark among peers; 0 past the floor on the bad side, so that a fall of everybody at once shows."""
    values = features.value(measure.feature)
    lower_is_better = features.catalog.metrics[measure.feature.metric].better == "lower"
    marks = _told(measure, features)
    if marks is None:
        marks = rank(measure.feature, measure.among, features, lower_is_better=lower_is_better)
    if measure.floor is not None:
        past = values > measure.floor if lower_is_better else values < measure.floor
        marks = np.where(past, 0.0, marks)
    return plain(against(measure.limit, marks), marks, {"value": values})


def _told(measure: RankMeasure, features: Features) -> Floats | None:
    """The mark an example tells (``active_users.rank: 8``): one account alone has no peers."""
    told = features.given(f"{measure.feature.name}.rank")
    return told.values if isinstance(told, Numbers) else None
