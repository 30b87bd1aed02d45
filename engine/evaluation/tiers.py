"""Tiers: cutting a score into three bands, or judging criteria, and keeping a tier from flapping.

By score the bands are half-open, ``[from, next from)``. By criteria the precedence is: any criterion below its
acceptable value needs attention; else all known and at their highest does well; else take notice; none known, no tier.
A tier is left only where the score is past the cut by the margin, or when it has stood on the other side of the cut
for `Scorecard.dwell` evaluations in a row. An exception decides at once. The raw tier is kept beside the settled one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.definitions.scorecard import Scorecard
from engine.evaluation.columns import Bytes, Flags, Floats, Ints
from engine.evaluation.features import Features
from engine.evaluation.program import evaluate_condition
from engine.terms import MICRO, Tier

TIERS: Final = (Tier.REQUIRES_ATTENTION, Tier.TAKE_NOTICE, Tier.DOING_WELL)
"""Tiers by index, from the one that needs help to the one that does not."""


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """Tiers int8[N] that follow the raw ones with margin and dwell; ``pending`` int8[N]: for how many evaluations in a
    row the raw tier has lain above (or below, negative) the settled one."""

    tiers: Bytes
    pending: Bytes


def cuts(card: Scorecard) -> Ints:
    """The lower cuts of the tiers above the lowest, in micro-points."""
    starts = {band.tier: band.start for band in card.bands}
    return np.array([round(starts[tier] * MICRO) for tier in TIERS[1:]], dtype=np.int64)


def tier_by_score(card: Scorecard, micro: Ints) -> Bytes:
    """Tier indices int8[N] by half-open bands; -1 where ``micro`` is -1."""
    low, high = cuts(card)
    found = (micro >= low).astype(np.int8) + (micro >= high).astype(np.int8)
    return np.where(micro >= 0, found, -1).astype(np.int8)


def tier_by_criteria(card: Scorecard, values: NDArray[np.float64]) -> Bytes:
    """Any criterion below its floor needs attention; all of them met does well; none known has no tier (-1).

    ``values`` float64[N, M] in the order of the scorecard's metrics. One that is unknown is not met.
    """
    size = len(values)
    below, met, known = np.zeros(size, np.bool_), np.ones(size, np.bool_), np.zeros(size, np.bool_)
    for at, metric in enumerate(card.metrics):
        if metric.standard is None:
            continue
        sign = 1.0 if metric.standard.highest >= metric.standard.acceptable else -1.0
        column: Floats = sign * values[:, at]
        below |= column < sign * metric.standard.acceptable
        met &= column >= sign * metric.standard.highest
        known |= ~np.isnan(column)
    return np.where(known, np.where(below, 0, np.where(met, 2, 1)), -1).astype(np.int8)


def settle(card: Scorecard, computed: Ints, raw: Bytes, before: Bytes | None, pending: Bytes | None = None) -> Settled:
    """Settle ``raw`` tiers, given the settled ones of the last evaluation and how long they had been pending."""
    none = np.zeros(len(raw), dtype=np.int8)
    if before is None:
        return Settled(raw, none)
    side = np.where((raw < 0) | (before < 0), 0, np.sign(raw - before)).astype(np.int8)
    earlier = none if pending is None else pending
    run = np.where(np.sign(earlier) == side, np.clip(earlier, -100, 100), 0).astype(np.int8) + side
    found = np.where(np.abs(run) >= card.dwell, raw, _past_margin(card, computed, before))
    found = np.where((raw < 0) | (before < 0), raw, found).astype(np.int8)
    return Settled(found, np.where(np.sign(raw - found) == side, run, 0).astype(np.int8))


def _past_margin(card: Scorecard, computed: Ints, before: Bytes) -> Bytes:
    if card.tiers_by == "criteria":
        return before
    margin = round(card.margin * MICRO)
    up = tier_by_score(card, np.where(computed >= 0, np.maximum(computed - margin, 0), -1))
    down = tier_by_score(card, np.where(computed >= 0, computed + margin, -1))
    return np.where(up > before, up, np.where(down < before, down, before)).astype(np.int8)


def forced(card: Scorecard, features: Features, applies: Flags) -> Ints:
    """The index of the first exception that certainly holds, int64[N]; -1 where none does."""
    found = np.full(features.size, -1, dtype=np.int64)
    for at, exception in enumerate(card.forced):
        holds = evaluate_condition(exception.when.tree, features, features.size).holds
        found[(found < 0) & applies & holds] = at
    return found


def forced_tiers(card: Scorecard, found: Ints) -> Bytes:
    """The tiers of exceptions by their index, int8[N]; -1 where there is none."""
    return np.array([*(TIERS.index(exception.tier) for exception in card.forced), -1], dtype=np.int8)[found]
