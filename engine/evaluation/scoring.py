"""Scores: values normalised, weighted in two levels, summed as integer micro-points, and put into tiers.

A metric's share of the whole is dimension weight x (weight x multiplier over the known siblings of its dimension).
A contribution is share x normalised value in micro-points, rounded; what rounding leaves goes to the largest one, so
contributions are whole numbers that add up to the score exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.definitions.scorecard import GoalLine, Linear, Scorecard, ScoredMetric, Threshold
from engine.evaluation.columns import Bytes, Flags, Floats, Ints
from engine.evaluation.facts import ScoreOverride
from engine.evaluation.features import Features
from engine.evaluation.goals import agreed_attainment
from engine.evaluation.program import evaluate_condition
from engine.terms import MICRO, Tier

TIERS: Final = (Tier.REQUIRES_ATTENTION, Tier.TAKE_NOTICE, Tier.DOING_WELL)
"""Tiers by index, from the one that needs help to the one that does not."""

_FILLED: Final[Mapping[str, float]] = {"neutral": 50.0, "worst": 0.0}


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One scorecard over N accounts and its M metrics.

    ``applies`` bool[N]. ``computed`` int64[N] micro-points (sum of ``contributions`` int64[N, M]; -1: insufficient data
    or not applicable); ``effective`` the same after overrides. ``coverage`` float64[N] known share of the weight.
    ``raw_tier``, ``computed_tier`` (after margin and forced), ``tier`` (after overrides): int8[N] index into
    `TIERS`, -1 none. ``values`` and ``normalised`` float64[N, M] (NaN unknown; of a goal line, the attained share),
    ``shares`` float64[N, M]: the effective share of the whole score each metric had. ``forced`` int64[N]: the index of
    the exception that decided the tier, -1 none. ``metrics``: the M names, in the order of the scorecard.
    """

    applies: Flags
    computed: Ints
    effective: Ints
    coverage: Floats
    raw_tier: Bytes
    computed_tier: Bytes
    tier: Bytes
    contributions: Ints
    values: NDArray[np.float64]
    normalised: NDArray[np.float64]
    shares: NDArray[np.float64]
    forced: Ints
    metrics: tuple[str, ...]


def score(card: Scorecard, features: Features, before: Bytes | None, overrides: tuple[ScoreOverride, ...]) -> Scored:
    """Score every account by one scorecard. ``before``: settled tiers of the last evaluation, int8[N], -1 none."""
    applies = _applies(card, features)
    values = np.stack([_measured(metric, features) for metric in card.metrics], axis=1)
    normalised = np.stack([normalise(metric, values[:, at]) for at, metric in enumerate(card.metrics)], axis=1)
    known = ~np.isnan(normalised)
    coverage = np.round(known @ np.array([card.shares[metric.name] for metric in card.metrics]), 12)
    enough = applies & (coverage >= card.min_coverage) & known.any(axis=1)
    shares = shares_of(card, known | (card.missing != "exclude"))
    contributions = contribute(shares, np.where(known, normalised, _FILLED.get(card.missing, 0.0)), enough)
    computed = np.where(enough, contributions.sum(axis=1), -1)
    raw = _raw_tier(card, computed, values, enough)
    settled = raw if before is None or card.tiers_by == "criteria" else settle(card, computed, raw, before)
    forced = _forced(card, features, applies)
    decided = np.where(forced >= 0, _tiers_of(card)[forced], settled).astype(np.int8)
    effective, tier = override(card, overrides, computed, decided)
    return Scored(
        applies=applies,
        computed=computed,
        effective=effective,
        coverage=coverage,
        raw_tier=raw,
        computed_tier=decided,
        tier=tier,
        contributions=contributions,
        values=values,
        normalised=normalised,
        shares=shares,
        forced=forced,
        metrics=tuple(metric.name for metric in card.metrics),
    )


def normalise(metric: ScoredMetric, values: Floats) -> Floats:
    """Values on a scale of 0 to 100, NaN where unknown. A percentile rank is not computed by this version: unknown."""
    match metric.normaliser:
        case Linear(zero, full):
            return np.asarray(np.clip((values - zero) / (full - zero), 0.0, 1.0) * 100.0)
        case Threshold(good, poor):
            sign = 1.0 if good >= poor else -1.0
            marks: Floats = np.where(
                sign * values >= sign * good, 100.0, np.where(sign * values <= sign * poor, 0.0, 60.0)
            )
            return np.where(np.isnan(values), np.nan, marks)
        case GoalLine():
            return np.asarray(np.clip(values, 0.0, 1.0) * 100.0)
    return np.full(len(values), np.nan)


def shares_of(card: Scorecard, counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Effective shares float64[N, M] when only ``counted`` bool[N, M] metrics have a say; each row sums to 1 or 0."""
    shares = np.zeros(counted.shape)
    first = 0
    for dimension in card.dimensions:
        weights = np.array([metric.weight * metric.multiplier for metric in dimension.metrics])
        part = slice(first, first + len(weights))
        first += len(weights)
        weighed: Floats = counted[:, part] * weights
        whole = weighed.sum(axis=1, keepdims=True)
        shares[:, part] = dimension.weight * np.divide(weighed, whole, out=np.zeros_like(weighed), where=whole > 0)
    whole = shares.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(shares, whole, out=np.zeros_like(shares), where=whole > 0))


def contribute(shares: NDArray[np.float64], normalised: NDArray[np.float64], enough: Flags) -> Ints:
    """Contributions int64[N, M] in micro-points; their sum is the rounded exact score, zeros where not ``enough``."""
    exact = shares * normalised * MICRO * enough[:, None]
    found = np.rint(exact).astype(np.int64)
    left = np.rint(exact.sum(axis=1)).astype(np.int64) - found.sum(axis=1)
    found[np.arange(len(found)), found.argmax(axis=1)] += left
    return found


def cuts(card: Scorecard) -> Ints:
    """The lower cuts of the tiers above the lowest, in micro-points."""
    starts = {band.tier: band.start for band in card.bands}
    return np.array([round(starts[tier] * MICRO) for tier in TIERS[1:]], dtype=np.int64)


def tier_by_score(card: Scorecard, micro: Ints) -> Bytes:
    """Tier indices int8[N] by half-open bands; -1 where ``micro`` is -1."""
    found = np.searchsorted(cuts(card), micro, side="right")
    return np.where(micro >= 0, found, -1).astype(np.int8)


def settle(card: Scorecard, computed: Ints, raw: Bytes, before: Bytes) -> Bytes:
    """Leave the tier of ``before`` only where the score is past the cut by the margin."""
    margin = round(card.margin * MICRO)
    up = tier_by_score(card, np.where(computed >= 0, np.maximum(computed - margin, 0), -1))
    down = tier_by_score(card, np.where(computed >= 0, computed + margin, -1))
    settled = np.where(up > before, up, np.where(down < before, down, before))
    return np.where((raw < 0) | (before < 0), raw, settled).astype(np.int8)


def override(
    card: Scorecard, overrides: tuple[ScoreOverride, ...], computed: Ints, decided: Bytes
) -> tuple[Ints, Bytes]:
    """Scores and tiers after people's overrides; a person's word goes before an exception's and the model's."""
    effective, tier = computed.copy(), decided.copy()
    for change in overrides:
        if change.scorecard != card.name:
            continue
        row = change.account_row
        if change.micro is not None:
            effective[row] = change.micro
            tier[row] = tier_by_score(card, np.array([change.micro]))[0]
        if change.tier is not None:
            tier[row] = TIERS.index(Tier(change.tier))
    return effective, tier


def _applies(card: Scorecard, features: Features) -> Flags:
    if card.applies_to is None:
        return np.ones(features.size, dtype=np.bool_)
    return evaluate_condition(card.applies_to.tree, features, features.size).holds


def _measured(metric: ScoredMetric, features: Features) -> Floats:
    if isinstance(metric.normaliser, GoalLine):
        return agreed_attainment(metric.normaliser.goal, features)
    return features.value(metric.feature)


def _raw_tier(card: Scorecard, computed: Ints, values: NDArray[np.float64], enough: Flags) -> Bytes:
    if card.tiers_by == "score":
        return tier_by_score(card, computed)
    return np.where(enough, tier_by_criteria(card, values), -1).astype(np.int8)


def tier_by_criteria(card: Scorecard, values: NDArray[np.float64]) -> Bytes:
    """Any criterion below its floor needs attention; all of them met does well; none known has no tier (-1)."""
    size = len(values)
    below, met, known = np.zeros(size, np.bool_), np.ones(size, np.bool_), np.zeros(size, np.bool_)
    for at, metric in enumerate(card.metrics):
        if metric.standard is None:
            continue
        sign = 1.0 if metric.standard.highest >= metric.standard.acceptable else -1.0
        column = sign * values[:, at]
        below |= column < sign * metric.standard.acceptable
        met &= column >= sign * metric.standard.highest
        known |= ~np.isnan(column)
    return np.where(known, np.where(below, 0, np.where(met, 2, 1)), -1).astype(np.int8)


def _forced(card: Scorecard, features: Features, applies: Flags) -> Ints:
    found = np.full(features.size, -1, dtype=np.int64)
    for at, exception in enumerate(card.forced):
        holds = evaluate_condition(exception.when.tree, features, features.size).holds
        found[(found < 0) & applies & holds] = at
    return found


def _tiers_of(card: Scorecard) -> Ints:
    return np.array([*(TIERS.index(exception.tier) for exception in card.forced), -1], dtype=np.int64)
