"""Which points and events a measure looked at for one account: the metrics behind it, the days, how many, the last."""

import numpy as np

from engine.definitions.catalog import Catalog, Metric
from engine.definitions.feature import Feature, Window
from engine.definitions.measure import GoalMeasure, Measure, features_of
from engine.evaluation import windows
from engine.evaluation.columns import Ints
from engine.evaluation.facts import Facts
from engine.evaluation.features import feature_named
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
    """The metric itself, or those its formula or its contacts are made of."""
    if metric.from_contacts is not None and metric.from_contacts.metric is not None:
        return _stored(catalog, catalog.metrics[metric.from_contacts.metric.metric])
    if metric.formula is None:
        return (metric,)
    found = {name: feature_named(catalog, name.removeprefix(f"{metric.of}.")) for name in sorted(metric.formula.names)}
    behind = dict.fromkeys(feature.metric for feature in found.values() if feature)
    return tuple(each for name in behind for each in _stored(catalog, catalog.metrics[name]))


def _days(facts: Facts, metric: Metric, row: int) -> Ints:
    """The days of the account's points (of a metric of contacts, those of all its contacts), or of its events."""
    if metric.from_events is not None and not metric.is_stored:
        kinds = [facts.events[name] for name in metric.from_events.loaded if name in facts.events]
        return np.concatenate([np.zeros(0, dtype=np.int64), *(kind.days[kind.rows == row] for kind in kinds)])
    of_contacts = metric.of == "contact" and metric.name not in facts.series
    series = (facts.contact_series if of_contacts else facts.series).get(metric.name)
    rows = np.flatnonzero(facts.contacts.account_rows == row) if of_contacts else np.array([row])
    if series is None or not len(rows):
        return np.zeros(0, dtype=np.int64)
    return np.concatenate([windows.days_of(series, each) for each in rows.tolist()])


def _sentence(facts: Facts, metric: Metric, days: int, row: int) -> str:
    mine = _days(facts, metric, row)
    mine = mine[mine <= facts.at]
    one, many = ("point", "points") if metric.is_stored else ("event", "events")
    days = max(days, metric.from_events.over) if metric.from_events and not metric.is_stored else days
    if not len(mine):
        return f"{metric.title}: no {many}"
    last = day_text(int(mine.max()))
    if days == 1:
        return f"{metric.title}: the last {one} is of {last}"
    counted = int(np.count_nonzero(mine > facts.at - days))
    what = one if counted == 1 else many
    return f"{metric.title}: {counted} {what} in the {days} days to {day_text(facts.at)}, the last of {last}"
