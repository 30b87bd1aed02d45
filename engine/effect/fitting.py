"""Fitting a scorecard to what happened: each metric's marks and its weight, from accounts whose end is known.

What comes out is a scorecard like one written by hand: a piecewise scale of 0 to 100 for each metric, and weights that
sum to 1. Each metric's marks are the log odds of keeping an account, by the metric's quantiles, made monotone
(pool-adjacent-violators; weight of evidence as in Siddiqi, Credit Risk Scorecards, 2006); the weights are a logistic
regression over them that never goes below zero, so that a metric cannot count against its own direction.
It is a proposal: whether it is better is measured on later data, and a person decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.effect.logistic import fit_logistic
from engine.evaluation.columns import Flags, Floats

BINS: Final = 8
FEWEST: Final = 200
"""Accounts, and a tenth of them of either end, below which nothing is fitted."""

_PRIOR: Final = 20.0
"""Accounts of the average kind that every quantile is given, so that a few accounts cannot make a cliff."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One metric's fitted marks: ``points`` of value and mark (0 to 100), by ascending value, and its ``weight``."""

    metric: str
    points: tuple[tuple[float, float], ...]
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class _Odds:
    values: Floats
    odds: Floats

    @property
    def reach(self) -> float:
        return float(self.odds.max() - self.odds.min())

    def of(self, values: Floats) -> Floats:
        found = np.interp(values, self.values, self.odds)
        return np.where(np.isnan(values), float(self.odds.mean()), found)


def fit_scales(metrics: Sequence[str], values: NDArray[np.float64], kept: Flags) -> tuple[Scale, ...]:
    """Scales for ``metrics`` from their ``values`` float64[N, M] (NaN unknown) and whether accounts were ``kept``.

    Metrics that tell nothing beside the others are left out. Raises ValueError with fewer than `FEWEST` accounts, or
    where fewer than a tenth of that many were kept or lost.
    """
    fewer = int(min(kept.sum(), len(kept) - kept.sum()))
    if len(kept) < FEWEST or fewer < FEWEST // 10:
        raise ValueError(
            f"fitting needs at least {FEWEST} accounts and {FEWEST // 10} of either end; "
            f"there are {len(kept)} and {fewer}"
        )
    odds = [_odds(values[:, at], kept) for at in range(len(metrics))]
    table = np.column_stack([each.of(values[:, at]) for at, each in enumerate(odds)])
    slopes = fit_logistic(table, kept, never_negative=True).slopes
    pulls = np.array([slope * each.reach for slope, each in zip(slopes, odds, strict=True)])
    return tuple(
        Scale(metric, _points(each), float(pull / pulls.sum()))
        for metric, each, pull in zip(metrics, odds, pulls, strict=True)
        if pull > 0
    )


def _points(odds: _Odds) -> tuple[tuple[float, float], ...]:
    marks = (odds.odds - odds.odds.min()) / odds.reach * 100.0
    return tuple((float(value), float(mark)) for value, mark in zip(odds.values, marks, strict=True))


def _odds(values: Floats, kept: Flags) -> _Odds:
    known = ~np.isnan(values)
    if not known.any():
        return _Odds(np.zeros(1), np.zeros(1))
    middles, rates, counts = _quantiles(values[known], kept[known])
    rising = np.corrcoef(values[known], kept[known])[0, 1] >= 0 if len(middles) > 1 else True
    rates = monotone(rates, counts) if rising else monotone(rates[::-1], counts[::-1])[::-1]
    return _Odds(middles, np.log(rates / (1 - rates)))


def _quantiles(values: Floats, kept: Flags) -> tuple[Floats, Floats, Floats]:
    """Median value, smoothed share of kept accounts and number of accounts of each quantile."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)))
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
    found: dict[float, tuple[float, float]] = {}
    for number in np.unique(place):
        inside = place == number
        middle, count = float(np.median(values[inside])), float(inside.sum())
        rate = (kept[inside].sum() + _PRIOR * kept.mean()) / (count + _PRIOR)
        found[middle] = (float(rate), count)
    return (
        np.array(list(found)),
        np.array([rate for rate, _ in found.values()]),
        np.array([count for _, count in found.values()]),
    )


def monotone(values: Floats, weights: Floats) -> Floats:
    """The never-falling sequence nearest to ``values`` in weighted squares (pool-adjacent-violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            right, left = pools.pop(), pools.pop()
            whole = left[1] + right[1]
            pools.append(((left[0] * left[1] + right[0] * right[1]) / whole, whole, left[2] + right[2]))
    return np.repeat([value for value, _, _ in pools], [length for _, _, length in pools])
