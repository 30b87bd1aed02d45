"""Scoring: marks, shares and whole micro-points of eight metrics, from values that are there already.

    python -m benchmarks scoring [--quick]

Shards of 8,192 accounts as a cycle scores them; about one value in ten is missing. Before anything is timed, a sample
of accounts is scored again one by one in plain Python from the same formulas, to the micro-point, and contributions
are summed for all of them.
"""

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from time import process_time
from typing import Any, Final

import numpy as np

from engine.definitions.feature import Feature
from engine.definitions.problem import Place
from engine.definitions.scorecard import (
    Band,
    Dimension,
    Linear,
    Normaliser,
    Piecewise,
    Scorecard,
    ScoredMetric,
    TargetRatio,
    Threshold,
)
from engine.evaluation.columns import Floats, Ints
from engine.evaluation.normalising import normalise
from engine.evaluation.tiers import tier_by_score
from engine.evaluation.weighing import contribute, coverage_of, shares_of
from engine.terms import MICRO, Tier

SHARD: Final = 8_192
PLACE: Final = Place("benchmarks/scoring.py", 1, 1)
SCALES: Final[tuple[Normaliser, ...]] = (
    Linear(0, 80),
    Linear(60, 7),
    Threshold(0, 30),
    TargetRatio(50),
    Piecewise(((0, 0), (10, 80), (90, 100))),
    Linear(0, 100),
    Linear(10, 90),
    Linear(100, 0),
)

goals: Final[Mapping[str, tuple[str, float]]] = {"accounts_per_cpu_s": (">=", 5_000_000)}


def run(*, quick: bool = False) -> dict[str, Any]:
    """Compare, then time: accounts per CPU second for the whole step and for its parts."""
    size, card = (50_000 if quick else 1_000_000), _card()
    drawn = np.random.default_rng(7)
    values = drawn.uniform(-20, 120, (len(SCALES), size))
    values[drawn.random(values.shape) < 0.1] = np.nan
    compared = _check(card, values[:, :500])
    total = min(_timed(card, values) for _ in range(5))
    marking = min(_marking(card, values) for _ in range(3))
    return {
        "accounts": size,
        "metrics": len(SCALES),
        "scores_compared": compared,
        "cpu_s": round(total, 3),
        "of_it_marks_cpu_s": round(marking, 3),
        "accounts_per_cpu_s": round(size / total),
    }


def scored(card: Scorecard, values: Floats) -> tuple[Ints, Ints]:
    """Contributions int64[N, M] and scores int64[N] in micro-points, of values float64[M, N]."""
    marks = np.empty_like(values)
    for at, metric in enumerate(card.metrics):
        marks[at] = normalise(metric, values[at])
    known = ~np.isnan(marks.T)
    enough = (coverage_of(card, known) >= card.min_coverage) & known.any(axis=1)
    found = contribute(shares_of(card, known), np.where(known, marks.T, 0.0), enough)
    computed = np.where(enough, found.sum(axis=1), -1)
    tier_by_score(card, computed)
    return found, computed


def _timed(card: Scorecard, values: Floats) -> float:
    began = process_time()
    for first in range(0, values.shape[1], SHARD):
        scored(card, values[:, first : first + SHARD])
    return process_time() - began


def _marking(card: Scorecard, values: Floats) -> float:
    began = process_time()
    for first in range(0, values.shape[1], SHARD):
        for at, metric in enumerate(card.metrics):
            normalise(metric, values[at, first : first + SHARD])
    return process_time() - began


def _check(card: Scorecard, values: Floats) -> int:
    found, computed = scored(card, values)
    if not np.array_equal(np.where(computed >= 0, found.sum(axis=1), -1), computed):
        raise SystemExit("contributions do not sum to the score")
    for row in range(values.shape[1]):
        wanted = _by_hand(card, values[:, row].tolist())
        if abs(wanted - int(computed[row])) > 1:  # exact thirds and the doubles next to them may round apart by one
            raise SystemExit(f"score {row} is {computed[row]} micro-points, by hand {wanted}")
    return len(computed)


def _by_hand(card: Scorecard, values: list[float]) -> int:
    """One score in exact fractions, from the formulas as the documentation states them; -1 insufficient data."""
    say, whole, known = Fraction(0), Fraction(0), Fraction(0)
    rest = iter(zip(card.metrics, values, strict=True))
    for dimension in card.dimensions:
        lines = [next(rest) for _ in dimension.metrics]
        there = [(metric, value) for metric, value in lines if not np.isnan(value)]
        weight = sum((Fraction(metric.weight) for metric, _ in there), Fraction(0))
        known += Fraction(dimension.weight) * weight
        if there:
            whole += Fraction(dimension.weight)
            parts = (Fraction(metric.weight) * _mark(metric.normaliser, Fraction(value)) for metric, value in there)
            marks = sum(parts, Fraction(0))
            say += Fraction(dimension.weight) * marks / weight
    return -1 if not whole or float(round(known, 12)) < card.min_coverage else round(say / whole * MICRO)


def _mark(scale: Normaliser, value: Fraction) -> Fraction:
    match scale:
        case Linear(zero, full):
            return _clamped((value - Fraction(zero)) / (Fraction(full) - Fraction(zero)))
        case TargetRatio(target):
            return _clamped(value / Fraction(target))
        case Threshold(good, poor):
            return Fraction(100 if value <= Fraction(good) else 0 if value >= Fraction(poor) else 60)
        case Piecewise(points):
            if value <= Fraction(points[0][0]):
                return Fraction(points[0][1])
            for (start, low), (end, high) in pairwise(points):
                if value <= Fraction(end):
                    way = (value - Fraction(start)) / (Fraction(end) - Fraction(start))
                    return Fraction(low) + way * (Fraction(high) - Fraction(low))
            return Fraction(points[-1][1])
    raise SystemExit(f"no formula by hand for {scale}")


def _clamped(share: Fraction) -> Fraction:
    return min(max(share, Fraction(0)), Fraction(1)) * 100


def _card() -> Scorecard:
    metrics = [ScoredMetric(Feature(f"m{at}"), scale, 0.25, PLACE) for at, scale in enumerate(SCALES)]
    return Scorecard(
        name="health",
        desired_outcome="They renew.",
        dimensions=(
            Dimension("one", 0.625, tuple(metrics[:4]), PLACE),
            Dimension("two", 0.375, tuple(metrics[4:]), PLACE),
        ),
        bands=(Band(Tier.REQUIRES_ATTENTION, 0, ""), Band(Tier.TAKE_NOTICE, 50, ""), Band(Tier.DOING_WELL, 75, "")),
        place=PLACE,
    )
