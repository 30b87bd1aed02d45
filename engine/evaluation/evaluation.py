"""What an evaluation says of a portfolio, and the one function that says it.

``evaluate`` computes features, observes signals, scores, then observes what reads scores. It is a pure function of
bundle and facts, so a plan printed for a date equals what a cycle would do on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.definitions.bundle import Bundle
from engine.evaluation.columns import Bytes, Column, Flags, Floats, Ints
from engine.evaluation.facts import Facts, Needs


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """One signal over all accounts: ``verdicts`` int8[N]; ``values`` float64[N], what was measured (NaN unknown);
    ``sources`` int64[N]: the event that made it fire, -1 none."""

    verdicts: Bytes
    values: Floats
    sources: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One scorecard over N accounts and its M metrics.

    ``applies`` bool[N]. ``computed`` int64[N] micro-points (sum of ``contributions`` int64[N, M]; -1: insufficient data
    or not applicable); ``effective`` the same after overrides. ``coverage`` float64[N] known share of the weight.
    ``raw_tier``, ``computed_tier`` (after margin and forced), ``tier`` (after overrides): int8[N] index into
    `TIERS`, -1 none. ``values`` and ``normalised`` float64[N, M] (NaN unknown), ``shares`` float64[N, M]: the effective
    share of the whole score each metric had.
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


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """All signals (by ``<rule>.<signal>``), rules (verdicts int8[N] by name), scorecards, and every named column."""

    facts: Facts
    columns: Mapping[str, Column]
    signals: Mapping[str, Observed]
    rules: Mapping[str, Bytes]
    scores: Mapping[str, Scored]


def needs(bundle: Bundle) -> Needs:
    """What the store has to load so that the bundle can be evaluated."""
    raise NotImplementedError


def evaluate(bundle: Bundle, facts: Facts) -> Evaluation:
    """Evaluate every signal, rule and scorecard of the bundle for every account."""
    raise NotImplementedError
