"""Weighing: the share of the whole score that each mark has, and whole micro-points that add up to the score.

Within a dimension a metric's part is ``weight x multiplier x freshness`` over the sum of those of its siblings that
count; the dimension then has its own weight, and all is divided by what the dimensions that count weigh together. So
what is missing goes to its siblings first, and to the other dimensions where it had none. What fades keeps less of its
part; a dimension weighs as much as its freshest metric.

A contribution is ``share x mark`` in micro-points. The running sum of those is rounded, half to even, and a
contribution is what it makes the rounded sum grow by: so contributions are whole numbers, each less than one
micro-point from the exact one, none is negative, and their sum is the rounded score itself.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.definitions.scorecard import Scorecard
from engine.evaluation.columns import Flags, Floats, Ints
from engine.terms import MICRO

Matrix: TypeAlias = NDArray[np.float64]
Flags2: TypeAlias = NDArray[np.bool_]
_CODED: Final = 12
"""Up to so many metrics, what counts for an account is one small number, and shares are looked up by it."""


def shares_of(card: Scorecard, counted: Flags2, freshness: Matrix | None = None) -> Matrix:
    """Effective shares float64[N, M] when only ``counted`` bool[N, M] metrics have a say; each row sums to 1 or 0.

    ``freshness`` float64[N, M] between 0 and 1 scales weights (None: all are fresh). Most accounts know the same
    metrics, so that the shares are worked out once per pattern.
    """
    if freshness is not None:
        return _spread(card, counted * freshness)
    if counted.shape[1] > _CODED:
        patterns, which = np.unique(counted, axis=0, return_inverse=True)
        return _spread(card, patterns.astype(np.float64))[which.reshape(-1)]
    codes = np.zeros(len(counted), dtype=np.int64)
    for at in range(counted.shape[1]):
        codes |= counted[:, at].astype(np.int64) << at
    present = np.flatnonzero(np.bincount(codes))
    place = np.zeros(1 << counted.shape[1], dtype=np.int64)
    place[present] = np.arange(len(present))
    shares = _spread(card, (present[:, None] >> np.arange(counted.shape[1]) & 1).astype(np.float64))
    return taken(shares, place[codes])


def taken(table: Matrix, rows: Ints) -> Matrix:
    """``table[rows]`` for a small table [P, M], column after column in memory."""
    found = np.empty((table.shape[1], len(rows)))
    for column, into in zip(np.ascontiguousarray(table.T), found, strict=True):
        np.take(column, rows, out=into, mode="clip")  # the rows are there; checking them would copy
    return found.T


def _spread(card: Scorecard, say: Matrix) -> Matrix:
    """Shares by how much of its weight each metric keeps, float64[N, M] between 0 and 1.

    Sums run from metric to metric, never over an axis: NumPy sums those in an order that depends on the shape, and a
    single account must get the same shares, to the last bit, as among all.
    """
    shares = np.zeros((say.shape[1], len(say)))
    whole, first = np.zeros(len(say)), 0
    for dimension in card.dimensions:
        part = range(first, first + len(dimension.metrics))
        first = part.stop
        weighed, freshest = np.zeros(len(say)), np.zeros(len(say))
        for at, metric in zip(part, dimension.metrics, strict=True):
            np.multiply(say[:, at], metric.weight * metric.multiplier, out=shares[at])
            weighed += shares[at]
            np.maximum(freshest, say[:, at], out=freshest, where=shares[at] > 0)
        kept = np.divide(dimension.weight * freshest, weighed, out=np.zeros(len(say)), where=weighed > 0)
        for at in part:
            shares[at] *= kept
            whole += shares[at]
    np.divide(shares, whole, out=shares, where=whole > 0)
    return shares.T


def coverage_of(card: Scorecard, covered: Flags2, freshness: Matrix | None = None) -> Floats:
    """The share of the whole weight that is known, float64[N] between 0 and 1, exact to twelve decimals."""
    known = np.zeros(len(covered))
    for at, metric in enumerate(card.metrics):
        part = card.shares[metric.name] * covered[:, at]
        known += part if freshness is None else part * freshness[:, at]
    return np.round(known, 12)


def contribute(shares: Matrix, marks: Matrix, enough: Flags) -> Ints:
    """Contributions int64[N, M] in micro-points; their sum is the rounded exact score, zeros where not ``enough``."""
    size, count = shares.shape
    found = np.empty((count, size), dtype=np.int64)
    scale = enough * float(MICRO)
    part, running, rounded, before = np.empty(size), np.zeros(size), np.empty(size), np.zeros(size)
    for at in range(count):
        np.multiply(shares[:, at], marks[:, at], out=part)
        part *= scale
        running += part
        np.rint(running, out=rounded)
        np.subtract(rounded, before, out=found[at], casting="unsafe")
        before, rounded = rounded, before
    return found.T
