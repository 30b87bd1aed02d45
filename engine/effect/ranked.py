"""Scores and metrics against what followed: how well they put first those to whom it happened.

Cells of one account go together when accounts are drawn anew for the intervals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.effect.clusters import DRAWS, SEED, Share, share, spread
from engine.effect.foretold import Cells
from engine.evaluation.accuracy import auc, average_precision, precision_at_top
from engine.evaluation.columns import Flags, Floats, Ints
from engine.evaluation.scoring import TIERS
from engine.terms import Verdict

LOT: Final = 200_000
"""Above so many cells a fifth of the draws must do."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """How well a number ranks: 0.5 is chance, 1 puts all first to whom it happens. ``low``/``high``: 95 %."""

    cells: int
    happened: int
    auc: float
    low: float
    high: float
    average_precision: float
    top: float


@dataclass(frozen=True, slots=True)
class ByTier:
    """The share of the cells of each tier that were followed by the outcome, from the tier that needs help."""

    tiers: Mapping[str, Share]

    @property
    def is_ordered(self) -> bool:
        """Whether a better tier was never followed more often than a worse one."""
        rates = [one.rate for one in self.tiers.values() if one.known]
        return all(worse >= better for worse, better in pairwise(rates))


@dataclass(frozen=True, slots=True)
class Bearing:
    """How one metric bears on the outcome. ``sign``: 1 where higher is better, -1 where lower is, 0 where neither.

    ``ranked`` ranks by the side that is worse (for neither: by low values). ``kept_low`` and ``kept_high``: of the
    ARR in the third of the cells with the worst (best) values, the share that was kept through the horizon.
    """

    sign: int
    ranked: Ranked
    kept_low: float
    kept_high: float

    @property
    def verdict(self) -> str:
        """What history says of the declared direction."""
        if np.isnan(self.ranked.low):
            return "not enough history"
        if self.ranked.low <= 0.5 <= self.ranked.high:
            return "no bearing seen"
        if not self.sign:
            return "low values come before it" if self.ranked.low > 0.5 else "high values come before it"
        return "as declared" if self.ranked.low > 0.5 else "against what is declared"


@dataclass(frozen=True, slots=True)
class Direction:
    """How often the outcome follows a signal that fires, and one that is clear."""

    firing: Share
    clear: Share
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Whether a firing signal is followed more often."""
        if np.isnan(self.low):
            return "not enough history"
        if self.low > 0:
            return "more often when it fires"
        return "less often when it fires" if self.high < 0 else "no difference seen"


def ranked(values: NDArray[np.float64], cells: Cells) -> Ranked:
    """Rank by falling risk: ``values`` float64[T, N] are higher the likelier it is; NaN is left out."""
    use = cells.known & ~np.isnan(values)
    risks, happened = values[use], cells.happened[use]
    accounts = np.broadcast_to(np.arange(values.shape[1]), values.shape)[use]
    if not happened.any() or happened.all():
        nan = float("nan")
        return Ranked(len(risks), int(happened.sum()), nan, nan, nan, nan, nan)
    low, high = _auc_spread(risks, happened, accounts, values.shape[1])
    return Ranked(
        cells=len(risks),
        happened=int(happened.sum()),
        auc=auc(risks, happened),
        low=low,
        high=high,
        average_precision=average_precision(risks, happened),
        top=precision_at_top(risks, happened),
    )


def _auc_spread(risks: Floats, happened: Flags, accounts: Ints, size: int) -> tuple[float, float]:
    """Sorted once; each draw only weighs the cells by how often their account was drawn."""
    order = np.argsort(risks, kind="stable")
    ties = np.flatnonzero(np.append(True, np.diff(risks[order]) != 0))
    accounts, happened = accounts[order], happened[order]
    generator = np.random.default_rng(SEED)
    found = np.empty(DRAWS if len(risks) <= LOT else DRAWS // 5)
    for at in range(len(found)):
        drawn = np.bincount(generator.integers(0, size, size), minlength=size)[accounts].astype(np.float64)
        with_it, without = (np.add.reduceat(drawn * flag, ties) for flag in (happened, ~happened))
        below = np.cumsum(without) - without
        whole = with_it.sum() * without.sum()
        found[at] = (with_it * (below + without / 2)).sum() / whole if whole else np.nan
    return spread(found)


def by_tier(tiers: NDArray[np.int8], cells: Cells) -> ByTier:
    """How often the outcome followed each tier; ``tiers`` int8[T, N], -1 none."""
    found: dict[str, Share] = {}
    for code, tier in enumerate(TIERS):
        inside = cells.known & (tiers == code)
        found[tier.value] = _share(inside & cells.happened, inside)
    return ByTier(found)


def bearing(values: NDArray[np.float64], sign: int, cells: Cells, arr: Floats) -> Bearing:
    """How a metric bears on the outcome; ``arr`` float64[N]."""
    risks = -values if sign >= 0 else values
    use = cells.known & ~np.isnan(values)
    kept_low = kept_high = float("nan")
    if use.any():
        cuts = np.quantile(risks[use], [1 / 3, 2 / 3])
        paid = np.broadcast_to(np.nan_to_num(arr), values.shape)
        kept_low = _kept(use & (risks >= cuts[1]), cells, paid)
        kept_high = _kept(use & (risks <= cuts[0]), cells, paid)
    return Bearing(sign, ranked(risks, cells), kept_low, kept_high)


def _kept(inside: Flags, cells: Cells, paid: NDArray[np.float64]) -> float:
    whole = paid[inside].sum()
    return float(1 - paid[inside & cells.happened].sum() / whole) if whole else float("nan")


def direction(verdicts: NDArray[np.int8], cells: Cells) -> Direction:
    """How often the outcome follows a signal when it fires and when it is clear, and the interval of the difference."""
    firing, clear = (cells.known & (verdicts == word) for word in (Verdict.HOLDS, Verdict.FAILS))
    if not firing.any() or not clear.any():
        nan = float("nan")
        return Direction(_share(firing & cells.happened, firing), _share(clear & cells.happened, clear), nan, nan)
    counts = [part.sum(axis=0).astype(np.float64) for part in (firing & cells.happened, firing)]
    counts += [part.sum(axis=0).astype(np.float64) for part in (clear & cells.happened, clear)]
    table, size = np.stack(counts), verdicts.shape[1]
    generator = np.random.default_rng(SEED)
    found = np.empty(DRAWS)
    for at in range(DRAWS):
        hit, fired, other, cleared = table[:, generator.integers(0, size, size)].sum(axis=1)
        found[at] = hit / fired - other / cleared if fired and cleared else np.nan
    low, high = spread(found)
    return Direction(_share(firing & cells.happened, firing), _share(clear & cells.happened, clear), low, high)


def _share(met: Flags, known: Flags) -> Share:
    return share(met.sum(axis=0).astype(np.float64), known.sum(axis=0).astype(np.float64))
