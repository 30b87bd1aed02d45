"""One account's figures, as messages and reports tell them: latest values, their course, goals and their line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from engine.evaluation.columns import Floats, Numbers, Texts
from engine.evaluation.features import Features
from engine.evaluation.goals import agreed_attainment, expected, status

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class GoalFigures:
    """One goal agreed with the account: values as its points have them, days since 1970-01-01; None where unknown.

    ``line`` is what the goal's line asks for today; ``attainment`` a share, 1.0 exactly on the line; ``status`` one of
    ``on_track``, ``behind`` and ``stuck``.
    """

    goal: str
    metric: str
    target: float
    start: int
    end: int
    actual: float | None
    line: float | None
    attainment: float | None
    status: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """The figures of the one account in ``features``."""

    features: Features

    @property
    def day(self) -> int:
        """The day the figures are of."""
        return self.features.day

    def latest(self, metric: str) -> float | None:
        """The latest value of a metric; None where it is unknown or stale."""
        return _at(self.features, metric)

    def course(self, metric: str, days: int, most: int = 60) -> tuple[tuple[int, float], ...]:
        """``(day, value)`` over the last ``days`` days, where known: about ``most`` at most, the last day included."""
        every = max(1, -(-days // most))
        chosen = range(self.day - (days - 1) // every * every, self.day + 1, every)
        values = [(day, _at(self.features.as_of(day), metric)) for day in chosen]
        return tuple((day, value) for day, value in values if value is not None)

    def goal(self, name: str) -> GoalFigures | None:
        """A goal of the catalog as agreed with the account; None where nothing was agreed."""
        agreed = self.features.facts.goals.get(name)
        if agreed is None or np.isnan(agreed.target[0]):
            return None
        goal = self.features.catalog.goals[name]
        line = expected(agreed, self.day, goal)
        attained = agreed_attainment(name, self.features)
        # Attainment is (actual - start) / (line - start), so this is the actual value again.
        actual = agreed.start_value + attained * (line - agreed.start_value)
        return GoalFigures(
            goal=name,
            metric=goal.metric,
            target=float(agreed.target[0]),
            start=int(agreed.start_day[0]),
            end=int(agreed.end_day[0]),
            actual=_known(actual),
            line=_known(line),
            attainment=_known(attained),
            status=_word(status(name, self.features)),
        )


def in_context(figures: Figures, metrics: frozenset[str], goals: frozenset[str]) -> Mapping[str, Any]:
    """``metrics`` and ``goals`` as a message reads them; what is unknown is None."""
    return {
        "metrics": {name: figures.latest(name) for name in sorted(metrics)},
        "goals": {name: _goal_context(figures.goal(name)) for name in sorted(goals)},
    }


def iso(day: int) -> str:
    """A day since 1970-01-01 as ``YYYY-MM-DD``."""
    return (_EPOCH + timedelta(days=day)).isoformat()


def _goal_context(goal: GoalFigures | None) -> Mapping[str, Any] | None:
    if goal is None:
        return None
    return {
        "target": goal.target,
        "start": iso(goal.start),
        "end": iso(goal.end),
        "actual": goal.actual,
        "expected": goal.line,
        "attainment": goal.attainment,
        "status": goal.status,
    }


def _at(features: Features, name: str) -> float | None:
    column = features[name]
    return _known(column.values) if isinstance(column, Numbers) else None


def _word(column: Texts) -> str | None:
    return column.words[column.codes[0]] if column.codes[0] >= 0 else None


def _known(values: Floats) -> float | None:
    return None if np.isnan(values[0]) else round(float(values[0]), 9)
