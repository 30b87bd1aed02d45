"""Which points a measure looked at for one account: the metrics behind it, the days, how many there are, the last."""

import numpy as np

from engine.definitions.catalog import Catalog, Metric
from engine.definitions.feature import Feature, Window
from engine.definitions.measure import GoalMeasure, Measure, features_of
from engine.evaluation import windows
from engine.evaluation.columns import Ints
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


def _days(facts: Facts, metric: Metric, row: int) -> Ints:
    """The days of the account's points; of a metric of contacts, those of all its contacts."""
    of_contacts = metric.of == "contact" and metric.name not in facts.series
    series = (facts.contact_series if of_contacts else facts.series).get(metric.name)
    rows = np.flatnonzero(facts.contacts.account_rows == row) if of_contacts else np.array([row])
    if series is None or not len(rows):
        return np.zeros(0, dtype=np.int64)
    return np.concatenate([windows.days_of(series, each) for each in rows.tolist()])


def _sentence(facts: Facts, metric: Metric, days: int, row: int) -> str:
    mine = _days(facts, metric, row)
    mine = mine[mine <= facts.at]
    if not len(mine):
        return f"{metric.title}: no points"
    last = day_text(int(mine.max()))
    if days == 1:
        return f"{metric.title}: the last point is of {last}"
    counted = int(np.count_nonzero(mine > facts.at - days))
    many = "point" if counted == 1 else "points"
    return f"{metric.title}: {counted} {many} in the {days} days to {day_text(facts.at)}, the last of {last}"
