"""Scores: values normalised, weighted in two levels, summed as integer micro-points, and put into tiers.

What each step means stands with it: `engine.evaluation.normalising`, `engine.evaluation.weighing` and
`engine.evaluation.tiers`. The same function scores accounts, contacts and products: whatever `Features` are over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.definitions.feature import Feature, Window
from engine.definitions.scorecard import Bounded, Scorecard, ScoredMetric
from engine.evaluation.columns import Bytes, Flags, Floats, Ints
from engine.evaluation.facts import Before, ScoreOverride
from engine.evaluation.features import Features
from engine.evaluation.normalising import marks as marks_of, measured, normalise as normalise
from engine.evaluation.program import evaluate_condition
from engine.evaluation.tiers import TIERS as TIERS, forced, forced_tiers, settle, tier_by_criteria, tier_by_score
from engine.evaluation.weighing import contribute as contribute, coverage_of, shares_of as shares_of
from engine.terms import Tier

_FILLED: Final[Mapping[object, float]] = {"neutral": 50.0, "worst": 0.0}


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One scorecard over N accounts (or contacts, products) and its M metrics.

    ``applies`` bool[N]. ``computed`` int64[N] micro-points (sum of ``contributions`` int64[N, M]; -1: insufficient data
    or not applicable); ``effective`` the same after overrides. ``coverage`` float64[N] known share of the weight.
    ``raw_tier``, ``computed_tier`` (after margin and forced), ``tier`` (after overrides): int8[N] index into
    `TIERS`, -1 none. ``values`` and ``normalised`` float64[N, M] (NaN unknown; of a goal line, the attained share),
    ``shares`` float64[N, M]: the effective share of the whole score each metric had. ``forced`` int64[N]: the index of
    the exception that decided the tier, -1 none. ``metrics``: the M names, in the order of the scorecard.
    What the next evaluation continues from: ``last_tier`` int8[N], the computed tier or, where there is none, the last
    one there was; ``pending`` int8[N], how many evaluations in a row the raw tier has lain above (negative: below) it.
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
    last_tier: Bytes
    pending: Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """What each metric says, [N, M]: values and marks (NaN unknown or without a say), ``covered``: known at all,
    ``filled``: the marks with what stands for an unknown one, ``counted``: which of those have a say.
    ``failing`` bool[N]: a metric is unknown without which there is no score. ``freshness``: None where nothing fades.
    """

    values: NDArray[np.float64]
    marks: NDArray[np.float64]
    covered: NDArray[np.bool_]
    filled: NDArray[np.float64]
    counted: NDArray[np.bool_]
    failing: Flags
    freshness: NDArray[np.float64] | None


def score(card: Scorecard, features: Features, before: Before, overrides: tuple[ScoreOverride, ...]) -> Scored:
    """Score every subject of ``features`` by one scorecard; ``before``: what the last evaluation said of them."""
    applies, marked = _applies(card, features), mark(card, features)
    coverage = coverage_of(card, marked.covered, marked.freshness)
    has_mark = ~np.isnan(marked.marks)
    enough = applies & (coverage >= card.min_coverage) & has_mark.any(axis=1) & ~marked.failing
    shares = shares_of(card, marked.counted, marked.freshness)
    contributions = contribute(shares, marked.filled, enough)
    computed = np.where(enough, contributions.sum(axis=1), -1)
    raw = _raw_tier(card, computed, marked.values, enough)
    last = before.tiers.get(card.name)
    settled = settle(card, computed, raw, last, before.pending.get(card.name))
    exceptions = forced(card, features, applies)
    decided = np.where(exceptions >= 0, forced_tiers(card, exceptions), settled.tiers).astype(np.int8)
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
        values=marked.values,
        normalised=marked.marks,
        shares=shares,
        forced=exceptions,
        metrics=tuple(metric.name for metric in card.metrics),
        last_tier=decided if last is None else np.where(decided < 0, last, decided).astype(np.int8),
        pending=settled.pending,
    )


def mark(card: Scorecard, features: Features) -> Marked:
    """Measure and normalise every metric of a scorecard, and say what stands for the unknown ones."""
    count = len(card.metrics)
    values, found, filled = (np.empty((count, features.size)) for _ in range(3))
    covered, counted = (np.empty((count, features.size), dtype=np.bool_) for _ in range(2))
    failing = np.zeros(features.size, dtype=np.bool_)
    for at, metric in enumerate(card.metrics):
        missing = card.missing_of(metric)
        values[at] = measured(metric, features, missing)
        found[at] = marks_of(metric, values[at], features)
        known = ~np.isnan(found[at])
        # Outside the ends of a bounded metric nothing is missing; it only has no say.
        covered[at] = ~np.isnan(values[at]) if isinstance(metric.normaliser, Bounded) else known
        stands_in = _FILLED.get(missing) if metric.is_scored else None
        counted[at] = known if stands_in is None else known | ~covered[at]
        filled[at] = np.where(known, found[at], stands_in or 0.0)
        if missing == "fail" and metric.is_scored:
            failing |= ~covered[at]
    freshness = _freshness(card, features)
    return Marked(values.T, found.T, covered.T, filled.T, counted.T, failing, freshness)


def _freshness(card: Scorecard, features: Features) -> NDArray[np.float64] | None:
    if not any(metric.fades for metric in card.metrics):
        return None
    return np.stack([_fresh(metric, features) for metric in card.metrics], axis=1)


def _fresh(metric: ScoredMetric, features: Features) -> Floats:
    """How much of its weight a metric keeps: 1 up to the day it starts to fade, 0 from the day it is gone."""
    if metric.fades is None:
        return np.ones(features.size)
    age = features.value(Feature(metric.feature.metric, Window.DAYS_SINCE))
    start, gone = metric.fades.start, metric.fades.gone
    kept = (age <= start) if start == gone else np.clip((gone - age) / (gone - start), 0.0, 1.0)
    return np.where(np.isnan(age), 1.0, kept)


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
    found = np.ones(features.size, dtype=np.bool_)
    if features.of == "contact":
        people = features.facts.contacts
        found &= ~people.departed
        if card.roles:
            wanted = frozenset(card.roles)
            found &= np.array([not wanted.isdisjoint(held) for held in people.roles], dtype=np.bool_)
    if card.applies_to is not None:
        found &= evaluate_condition(card.applies_to.tree, features, features.size).holds
    return found


def _raw_tier(card: Scorecard, computed: Ints, values: NDArray[np.float64], enough: Flags) -> Bytes:
    if card.tiers_by == "score":
        return tier_by_score(card, computed)
    return np.where(enough, tier_by_criteria(card, values), -1).astype(np.int8)
