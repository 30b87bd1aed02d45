"""Attainment of goals: where an account is, against where its goal's line says it should be today.

The line goes from the start value to the target over the allocated time (``linear``), jumps at its end (``step``), or
runs through the author's own points; attainment is (actual - start) / (expected - start), also where lower is better,
as the target then lies below the start. Before and at the start it is unknown: nothing is expected yet.

What counts as actual depends on the metric: its latest value, or, of a metric whose points are amounts that add up
(``combine: sum``, daily counts of events), the start value plus everything since the day the goal starts.
"""

from typing import Final

import numpy as np

from engine.definitions.catalog import Goal, Metric
from engine.definitions.feature import Feature
from engine.definitions.measure import GoalMeasure
from engine.evaluation import windows
from engine.evaluation.columns import Column, Flags, Floats, Numbers, Texts
from engine.evaluation.facts import Agreed
from engine.evaluation.seen import Around, decimals_of

GOAL: Final = "goal."
"""How the names of an agreed goal begin: ``goal.<name>.status`` and ``goal.<name>.attainment``."""
STATUSES: Final = ("on_track", "behind", "stuck")
STUCK_BELOW: Final = 0.8


def goal_column(name: str, around: Around) -> Column | None:
    """The column behind ``goal.<goal>.status`` or ``goal.<goal>.attainment`` (a share); None where it is neither."""
    goal, _, what = name.removeprefix(GOAL).rpartition(".")
    if goal not in around.catalog.goals:
        return None
    if what == "attainment":
        return Numbers(agreed_attainment(goal, around))
    return status(goal, around) if what == "status" else None


def status(name: str, around: Around) -> Texts:
    """How an agreed goal stands: on track at 100 % of the line or more; else stuck below 80 % of it or where nothing
    was gained for the goal's ``stuck_after`` days; else behind."""
    goal = around.catalog.goals[name]
    attained = agreed_attainment(name, around)
    is_stuck = (attained < STUCK_BELOW) | _idle(goal, around)
    codes = np.where(attained >= 1, 0, np.where(is_stuck, 2, 1))
    return Texts(np.where(np.isnan(attained), -1, codes).astype(np.int64), STATUSES)


def attainment(measure: GoalMeasure, around: Around) -> Floats:
    """Attainment as a share (1.0: exactly on the line), float64[N]; NaN where unknown or nothing was agreed."""
    if measure.agreed:
        return agreed_attainment(measure.agreed, around, final=measure.of == "target")
    start = _dates(measure.start, around)
    own = Agreed(
        target=np.full(around.size, measure.target),
        start_value=np.zeros(around.size),
        start_day=start,
        end_day=start + measure.within,
    )
    actual = _actual(measure.metric, own, around)
    return _attained(own, actual, around.day, measure, final=measure.of == "target")


def agreed_attainment(name: str, around: Around, *, final: bool = False) -> Floats:
    """Attainment of the goal agreed with each account, of today's line or of the ``final`` target."""
    goal, agreed = around.catalog.goals[name], around.facts.goals.get(name)
    if agreed is None:
        return np.full(around.size, np.nan)
    return _attained(agreed, _actual(goal.metric, agreed, around), around.day, goal, final=final)


def expected(agreed: Agreed, day: int, line: Goal | GoalMeasure) -> Floats:
    """The value the line asks for on ``day``; NaN before the start or where nothing was agreed."""
    elapsed = day - agreed.start_day
    allocated = np.where(agreed.end_day > agreed.start_day, agreed.end_day - agreed.start_day, np.nan)
    done = np.clip(elapsed / allocated, None, 1.0)
    if line.shape == "step":
        done = np.where(np.isnan(done), np.nan, np.floor(done))
    elif line.shape == "points":
        times, ways = zip((0.0, 0.0), *line.points, (1.0, 1.0), strict=True)
        done = np.where(np.isnan(done), np.nan, np.interp(done, times, ways))
    return np.where(elapsed < 0, np.nan, agreed.start_value + (agreed.target - agreed.start_value) * done)


def adds_up(metric: Metric) -> bool:
    """Whether the points of a metric are amounts per day, so that a goal counts their sum."""
    source = metric.from_events
    if source is None:
        return metric.combine == "sum" and metric.is_stored
    return source.is_daily and not (source.silence or source.over)


def _idle(goal: Goal, around: Around) -> Flags:
    """Where the goal was begun so long ago, and nothing was gained towards the target since; bool[N]."""
    agreed, then = around.facts.goals.get(goal.name), around.as_of(around.day - goal.stuck_after)
    if agreed is None:
        return np.zeros(around.size, dtype=np.bool_)
    gained = _actual(goal.metric, agreed, around) - _actual(goal.metric, agreed, then)
    began = agreed.start_day <= around.day - goal.stuck_after
    return began & (gained * np.sign(agreed.target - agreed.start_value) <= 0)


def _actual(name: str, agreed: Agreed, around: Around) -> Floats:
    metric, latest = around.catalog.metrics[name], around.value(Feature(name))
    if metric.formula is not None or not adds_up(metric):
        return latest
    series, decimals = around.series(metric), decimals_of(metric)
    added = windows.total_since(series, around.size, around.day, agreed.start_day, decimals)
    return np.where(np.isnan(latest), np.nan, agreed.start_value + added)


def _attained(agreed: Agreed, actual: Floats, day: int, line: Goal | GoalMeasure, *, final: bool) -> Floats:
    asked = expected(agreed, day, line)
    wanted = np.where(np.isnan(asked), np.nan, agreed.target) if final else asked
    distance = wanted - agreed.start_value
    # Rounded, so that 80 of 100 is a share of exactly 80 %.
    return np.round((actual - agreed.start_value) / np.where(distance == 0, np.nan, distance), 12)


def _dates(name: str, around: Around) -> Floats:
    column = around.columns().get(f"account.{name.removeprefix('account.')}")
    return column.values if isinstance(column, Numbers) else np.full(around.size, np.nan)
