"""Logistic regression for a few columns: the chance of an outcome as a function of what was known before it.

Newton's method on the penalised likelihood (ridge, without the intercept), which converges in a handful of steps for
the sizes met here; coefficients can be kept from falling below zero by leaving those at the bound out of the step
(projected Newton, Bertsekas 1982). No step is random, so the same data give the same fit.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.columns import Flags, Floats

_STEPS: Final = 100
_STILL: Final = 1e-10
_FAR: Final = 35.0


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """``chance = 1 / (1 + exp(-(intercept + columns @ slopes)))``; ``slopes`` float64[M]."""

    intercept: float
    slopes: Floats

    def chances(self, columns: NDArray[np.float64]) -> Floats:
        """Chances float64[N] of rows float64[N, M]; NaN where a value is NaN."""
        return _chance(self.intercept + columns @ self.slopes)


def fit_logistic(
    columns: NDArray[np.float64], happened: Flags, *, ridge: float = 1.0, never_negative: bool = False
) -> Logistic:
    """Fit rows float64[N, M] without NaN to what ``happened`` bool[N].

    Raises ValueError where everything happened or nothing did: there is nothing to tell apart.
    """
    wanted = happened.astype(np.float64)
    if not 0 < wanted.sum() < len(wanted):
        raise ValueError("there is nothing to tell apart: all outcomes are the same")
    table = np.column_stack([columns, np.ones(len(columns))])
    penalty = np.array([*np.full(columns.shape[1], ridge), 0.0])
    bounded = np.array([*np.full(columns.shape[1], never_negative), False])
    found = np.zeros(table.shape[1])
    found[-1] = np.log(wanted.mean() / (1 - wanted.mean()))
    for _ in range(_STEPS):
        moved = _step(table, wanted, penalty, bounded, found)
        if np.abs(moved - found).max() < _STILL:
            break
        found = moved
    return Logistic(float(found[-1]), found[:-1])


def _step(
    table: NDArray[np.float64], wanted: Floats, penalty: Floats, bounded: NDArray[np.bool_], at: Floats
) -> Floats:
    chance = _chance(table @ at)
    slope = table.T @ (chance - wanted) + penalty * at
    curve = (table * (chance * (1 - chance))[:, None]).T @ table + np.diag(penalty + 1e-12)
    free = np.flatnonzero(~bounded | (at > 0) | (slope < 0))
    direction = np.zeros(len(at))
    direction[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
    return _downhill(table, wanted, penalty, bounded, at, direction)


def _downhill(
    table: NDArray[np.float64],
    wanted: Floats,
    penalty: Floats,
    bounded: NDArray[np.bool_],
    at: Floats,
    direction: Floats,
) -> Floats:
    """The step, halved until it improves: far from the solution Newton's step can overshoot."""
    here, size = _loss(table, wanted, penalty, at), 1.0
    while size > _STILL:
        tried = at - size * direction
        tried = np.where(bounded, np.maximum(tried, 0.0), tried)
        if _loss(table, wanted, penalty, tried) <= here:
            return tried
        size /= 2
    return at


def _loss(table: NDArray[np.float64], wanted: Floats, penalty: Floats, at: Floats) -> float:
    line = table @ at
    return float((np.logaddexp(0.0, line) - wanted * line).sum() + (penalty * at**2).sum() / 2)


def _chance(line: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(line, -_FAR, _FAR))))
