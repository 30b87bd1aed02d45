"""Which points a measure looked at for one account: the metrics behind it, the days, how many there are, the last."""

import numpy as np

from engine.definitions.catalog import Catalog, Metric
from engine.definitions.feature import Feature, Window
from engine.definitions.measure import GoalMeasure, Measure, features_of
from engine.evaluation import windows
from engine.evaluation.facts import Facts
from engine.evaluation.wording import day_text


def looked_at(catalog: Catalog, facts: Facts, measure: Measure, row: int) -> tuple[str, ...]:
    """One sentence per metric behind a measure: ``Active users: 27 points in the 30 days to 2026-11-22, …``."""
    feature = _feature(catalog, measure)
    if feature is None:
        return ()
    days = max(feature.days, 1) * (2 if feature.window in {Window.CHANGE, Window.PREVIOUS} else 1)
    return tuple(_sentence(facts, metric, days, row) for metric in _stored(catalog, catalog.metrics[feature.metric]))


def _feature(catalog: Catalog, measure: Measure) -> Feature | None:
    if isinstance(measure, GoalMeasure):
        return Feature(catalog.goals[measure.agreed].metric if measure.agreed else measure.metric)
    return next(iter(features_of(measure)), None)


def _stored(catalog: Catalog, metric: Metric) -> tuple[Metric, ...]:
    """The metric itself, or those its formula is made of."""
    if metric.formula is None:
        return (metric,)
    names = sorted(name for name in metric.formula.names if name in catalog.metrics)
    return tuple(found for name in names for found in _stored(catalog, catalog.metrics[name]))


def _sentence(facts: Facts, metric: Metric, days: int, row: int) -> str:
    series = facts.series.get(metric.name)
    if series is None:
        return f"{metric.title}: no points"
    mine = windows.days_of(series, row)
    mine = mine[mine <= facts.at]
    if not len(mine):
        return f"{metric.title}: no points"
    last = day_text(int(mine.max()))
    if days == 1:
        return f"{metric.title}: the last point is of {last}"
    counted = int(np.count_nonzero(mine > facts.at - days))
    many = "point" if counted == 1 else "points"
    return f"{metric.title}: {counted} {many} in the {days} days to {day_text(facts.at)}, the last of {last}"
