"""Attainment of goals: where an account is, against where its goal's line says it should be today.

The line goes from the start value to the target over the allocated time (``linear``), or jumps at its end
(``step``); attainment is (actual - start) / (expected - start), also where lower is better, as the target then lies
below the start. Before and at the start it is unknown: nothing is expected yet.

What counts as actual depends on the metric: its latest value, or, of a metric whose points are amounts that add up
(``combine: sum``, daily counts of events), the start value plus everything since the day the goal starts.
"""

import numpy as np

from engine.definitions.catalog import Metric
from engine.definitions.feature import Feature
from engine.definitions.rule import GoalMeasure
from engine.evaluation import windows
from engine.evaluation.columns import Floats, Numbers
from engine.evaluation.facts import Agreed
from engine.evaluation.features import Features, decimals_of


def attainment(measure: GoalMeasure, features: Features) -> Floats:
    """Attainment as a share (1.0: exactly on the line), float64[N]; NaN where unknown or nothing was agreed."""
    if measure.agreed:
        return agreed_attainment(measure.agreed, features, final=measure.of == "target")
    start = _dates(measure.start, features)
    own = Agreed(
        target=np.full(features.size, measure.target),
        start_value=np.zeros(features.size),
        start_day=start,
        end_day=start + measure.within,
    )
    actual = _actual(measure.metric, own, features)
    return _attained(own, actual, features.day, step=measure.shape == "step", final=measure.of == "target")


def agreed_attainment(name: str, features: Features, *, final: bool = False) -> Floats:
    """Attainment of the goal agreed with each account, of today's line or of the ``final`` target."""
    goal, agreed = features.catalog.goals[name], features.facts.goals.get(name)
    if agreed is None:
        return np.full(features.size, np.nan)
    actual = _actual(goal.metric, agreed, features)
    return _attained(agreed, actual, features.day, step=goal.shape == "step", final=final)


def expected(agreed: Agreed, day: int, *, step: bool) -> Floats:
    """The value the line asks for on ``day``; NaN before the start or where nothing was agreed."""
    elapsed = day - agreed.start_day
    allocated = np.where(agreed.end_day > agreed.start_day, agreed.end_day - agreed.start_day, np.nan)
    done = np.clip(elapsed / allocated, None, 1.0)
    if step:
        done = np.where(np.isnan(done), np.nan, np.floor(done))
    return np.where(elapsed < 0, np.nan, agreed.start_value + (agreed.target - agreed.start_value) * done)


def adds_up(metric: Metric) -> bool:
    """Whether the points of a metric are amounts per day, so that a goal counts their sum."""
    source = metric.from_events
    return metric.combine == "sum" if source is None else not (source.silence or source.over)


def _actual(name: str, agreed: Agreed, features: Features) -> Floats:
    metric, latest = features.catalog.metrics[name], features.value(Feature(name))
    if metric.formula is not None or not adds_up(metric):
        return latest
    series, decimals = features.series(metric), decimals_of(metric)
    added = windows.total_since(series, features.size, features.day, agreed.start_day, decimals)
    return np.where(np.isnan(latest), np.nan, agreed.start_value + added)


def _attained(agreed: Agreed, actual: Floats, day: int, *, step: bool, final: bool) -> Floats:
    line = expected(agreed, day, step=step)
    wanted = np.where(np.isnan(line), np.nan, agreed.target) if final else line
    distance = wanted - agreed.start_value
    # Rounded, so that 80 of 100 is a share of exactly 80 %.
    return np.round((actual - agreed.start_value) / np.where(distance == 0, np.nan, distance), 12)


def _dates(name: str, features: Features) -> Floats:
    column = features.get(f"account.{name.removeprefix('account.')}")
    return column.values if isinstance(column, Numbers) else np.full(features.size, np.nan)
