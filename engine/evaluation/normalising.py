"""Normalising: from what a metric measures to a mark of 0–100, by the formula its scorecard names.

With v the value, every formula is clamped to 0…100 and an unknown v stays unknown:

- linear ``[zero, full]``: 100 x (v - zero) / (full - zero); ``zero > full`` where lower is better
- threshold: 100 at good or better, 0 at poor or worse, 60 between
- goal: 100 x attained share, of the goal's line today or of its target
- target_ratio: 100 x v / target; where lower is better 100 x target / v, and 100 for v <= target
- piecewise: on the straight line between the two points around v; the end points' marks beyond them
- categorical: the mark of the word; a word without one is unknown
- bounded ``[zero, full]``: as linear between the ends; outside of them the metric is known and has no say
- criteria: 100 at highest or better, 0 below acceptable, 50 between
- rank: 100 x count(others <= v) / N over the N known values of the cohort (>= where lower is better), ties share a
  mark; ``scale: 10`` is 10 x the tenth it falls into, rounded up (1 to 10); worse than floor: 0; a cohort of fewer
  than 20: the scale under ``otherwise``, or unknown
- linear ``{winsorise: s}``: as linear between the cohort's own values of rank s and 1 - s (of N sorted values, those
  at floor(s x (N - 1)) from either end), so that no outlier stretches the scale; floor and otherwise as for rank
"""

import numpy as np

from engine.definitions.feature import Feature, ValueType, Window
from engine.definitions.scorecard import (
    Bounded,
    Carry,
    Categorical,
    Criteria,
    GoalLine,
    Linear,
    Missing,
    Piecewise,
    Rank,
    Relative,
    ScoredMetric,
    Spread,
    TargetRatio,
    Threshold,
)
from engine.evaluation import windows
from engine.evaluation.columns import Floats, Numbers, Texts
from engine.evaluation.features import Features, ranks
from engine.evaluation.goals import agreed_attainment
from engine.evaluation.peers import compared


def measured(metric: ScoredMetric, features: Features, missing: Missing) -> Floats:
    """What is looked at, float64[N]: the metric's value, the attained share of its goal or named target, or the place
    of its word among those with a mark. Unknown ones are carried on from earlier days where ``missing`` says so."""
    values = _looked_at(metric, features)
    return _carried(metric, features, values, missing.days) if isinstance(missing, Carry) else values


def marks(metric: ScoredMetric, values: Floats, features: Features) -> Floats:
    """Marks float64[N] of what was measured, NaN where unknown or without a say."""
    if isinstance(metric.normaliser, Rank | Spread):
        return _relative(metric, metric.normaliser, values, features)
    return normalise(metric, values)


def normalise(metric: ScoredMetric, values: Floats) -> Floats:
    """Marks of values on a scale that does not depend on other accounts; NaN where unknown. Of a relative scale NaN."""
    match metric.normaliser:
        case Linear(zero, full):
            return linear(values, zero, full)
        case Bounded(zero, full):
            inside = (values >= min(zero, full)) & (values <= max(zero, full))
            return np.where(inside, linear(values, zero, full), np.nan)
        case Threshold(good, poor):
            sign = 1.0 if good >= poor else -1.0
            return _three(sign * values >= sign * good, sign * values <= sign * poor, 60.0, values)
        case Criteria(acceptable, highest):
            sign = 1.0 if highest >= acceptable else -1.0
            return _three(sign * values >= sign * highest, sign * values < sign * acceptable, 50.0, values)
        case GoalLine():
            return linear(values, 0.0, 1.0)
        case TargetRatio(target, of, lower_is_better=lower):
            return linear(values if of else attained(values, np.float64(target), lower_is_better=lower), 0.0, 1.0)
        case Piecewise(points):
            found = np.interp(values, [value for value, _ in points], [mark for _, mark in points])
            return np.where(np.isnan(values), np.nan, found)
        case Categorical(words):
            table = np.array([*(mark for _, mark in words), np.nan])
            return table[np.where(np.isnan(values), len(words), values).astype(np.int64)]
    return np.full(len(values), np.nan)


def linear(values: Floats, zero: float | Floats, full: float | Floats) -> Floats:
    """100 x (values - zero) / (full - zero), clamped to 0…100; NaN stays."""
    found = np.subtract(values, zero, dtype=np.float64)
    found /= np.subtract(full, zero)
    np.clip(found, 0.0, 1.0, out=found)
    found *= 100.0
    return found


def attained(actual: Floats, target: Floats | np.float64, *, lower_is_better: bool = False) -> Floats:
    """The share of a target that is attained; NaN where either is unknown or the target is not more than zero.

    Where lower is better it is target over actual, and 1 from the target down. Rounded to 12 decimals like a goal's.
    """
    wanted = np.where(target > 0, target, np.nan)
    if not lower_is_better:
        return np.round(actual / wanted, 12)
    over = np.where(actual > wanted, actual, 1.0)
    found = np.where(actual > wanted, wanted / over, 1.0)
    return np.where(np.isnan(actual) | np.isnan(wanted), np.nan, np.round(found, 12))


def _three(best: object, worst: object, between: float, values: Floats) -> Floats:
    found = np.where(np.asarray(best), 100.0, np.where(np.asarray(worst), 0.0, between))
    return np.where(np.isnan(values), np.nan, found)


def _looked_at(metric: ScoredMetric, features: Features) -> Floats:
    match metric.normaliser:
        case GoalLine(goal, final):
            return agreed_attainment(goal, features, final=final)
        case TargetRatio(of=of, lower_is_better=lower) if of:
            target = features.get(of)
            known = target.values if isinstance(target, Numbers) else np.full(features.size, np.nan)
            return attained(features.value(metric.feature), known, lower_is_better=lower)
        case Categorical(words):
            return _places(metric.feature, tuple(word for word, _ in words), features)
    return features.value(metric.feature)


def _places(feature: Feature, words: tuple[str, ...], features: Features) -> Floats:
    column = features.get(feature.name if features.of == "account" else f"{features.of}.{feature.name}")
    if not isinstance(column, Texts):
        return features.value(feature)
    table = [float(words.index(word)) if word in words else np.nan for word in column.words]
    return np.array([*table, np.nan])[column.codes]


def _carried(metric: ScoredMetric, features: Features, values: Floats, days: int) -> Floats:
    """Where values are unknown, the newest that was known, up to ``days`` days before."""
    declared = features.catalog.metrics[metric.feature.metric]
    is_plain = metric.feature.window is Window.LATEST and declared.is_stored and declared.from_events is None
    if is_plain and not metric.is_attainment and declared.type is not ValueType.TEXT:
        # A stored value becomes unknown only by its age, so an older one counts as soon as it may be older.
        earlier = windows.latest(features.series(declared), features.size, features.day, max(days, 1))
        return np.where(np.isnan(values), earlier, values)
    for age in range(1, days + 1):
        gaps = np.isnan(values)
        if not gaps.any():
            break
        values = np.where(gaps, _looked_at(metric, features.as_of(features.day - age)), values)
    return values


def _relative(metric: ScoredMetric, scale: Relative, values: Floats, features: Features) -> Floats:
    lower = scale.lower_is_better
    if isinstance(scale, Rank):
        found = _ranked(metric, scale, values, features)
    else:
        found = _spread(metric, scale, values, features)
    if scale.otherwise is not None:
        instead = normalise(ScoredMetric(metric.feature, scale.otherwise, metric.weight, metric.place), values)
        found = np.where(np.isnan(found), instead, found)
    if scale.floor is None:
        return found
    worse = values > scale.floor if lower else values < scale.floor
    return np.where(worse & ~np.isnan(found), 0.0, found)


def _ranked(metric: ScoredMetric, scale: Rank, values: Floats, features: Features) -> Floats:
    found = np.full(features.size, np.nan)
    for mine, others in compared(metric.feature, scale.among, features):
        found[mine] = ranks(values[mine], lower_is_better=scale.lower_is_better, among=others)
    # 100 k / N is a whole multiple of 10 exactly where k tenths of N are, so rounding up is exact.
    return np.ceil(found / 10.0) * 10.0 if scale.scale == 10 else found


def _spread(metric: ScoredMetric, scale: Spread, values: Floats, features: Features) -> Floats:
    found = np.full(features.size, np.nan)
    for mine, others in compared(metric.feature, scale.among, features):
        cut = int(scale.winsorise * (len(others) - 1))
        low, high = others[cut], others[len(others) - 1 - cut]
        if high > low:
            ends = (high, low) if scale.lower_is_better else (low, high)
            found[mine] = linear(values[mine], *ends)
    return found
