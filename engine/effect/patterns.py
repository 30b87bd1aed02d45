"""What came before an outcome more often than elsewhere, which metrics tell it, and goals that history suggests.

A cell is one account on one cutoff. Everything says how many cells and accounts it rests on, with intervals drawn over
accounts. A goal's cut is chosen on the earlier cutoffs and judged on the later ones; it is suggested, never applied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.effect.clusters import Share, share
from engine.effect.foretold import Cells
from engine.effect.ranked import Bearing
from engine.evaluation.columns import Flags
from engine.terms import Verdict

FEWEST: Final = 20
"""Accounts that either side of a comparison must have."""
_CUTS: Final = np.linspace(0.1, 0.9, 17)


@dataclass(frozen=True, slots=True)
class Pattern:
    """How often a signal held before the outcome, and elsewhere; ``accounts`` to whom it happened after it held."""

    signal: str
    before: Share
    otherwise: Share
    accounts: int

    @property
    def times(self) -> float:
        """How many times as often it held before the outcome; inf where it never did elsewhere."""
        return self.before.rate / self.otherwise.rate if self.otherwise.rate else float("inf")

    @property
    def is_over_represented(self) -> bool:
        """Whether the intervals lie apart: more than chance."""
        return self.before.low > self.otherwise.high


@dataclass(frozen=True, slots=True)
class Suggested:
    """A goal that history suggests for a metric: reach ``cut`` (``at_least``, or at most).

    ``reached`` and ``missed``: of the later cells on either side, how many kept clear of the outcome.
    """

    metric: str
    cut: float
    at_least: bool
    reached: Share
    missed: Share
    accounts: int

    @property
    def is_confident(self) -> bool:
        """Whether later cutoffs bear the cut out: the intervals lie apart."""
        return self.reached.low > self.missed.high


def patterns(signals: Mapping[str, NDArray[np.int8]], cells: Cells) -> tuple[Pattern, ...]:
    """Signals (verdicts int8[T, N]) that held more often before the outcome than elsewhere, the most telling first.

    Those are left out that held before it for fewer than `FEWEST` accounts, and whose intervals touch.
    """
    found = (_pattern(name, verdicts, cells) for name, verdicts in signals.items())
    kept = [one for one in found if one is not None and one.accounts >= FEWEST and one.is_over_represented]
    return tuple(sorted(kept, key=lambda one: (-one.times, -one.before.met, one.signal)))


def _pattern(name: str, verdicts: NDArray[np.int8], cells: Cells) -> Pattern | None:
    known = cells.known & (verdicts != Verdict.UNKNOWN)
    holds = known & (verdicts == Verdict.HOLDS)
    bad = known & cells.happened
    if not bad.any() or not (known & ~bad).any():
        return None
    accounts = int((holds & bad).any(axis=0).sum())
    return Pattern(name, _share(holds & bad, bad), _share(holds & ~bad, known & ~bad), accounts)


def ranking(metrics: Mapping[str, Bearing]) -> tuple[tuple[str, Bearing], ...]:
    """Metrics by how well they tell the outcome, either way; those without enough history last."""

    def strength(one: tuple[str, Bearing]) -> tuple[bool, float, str]:
        told = one[1].ranked.auc
        return (bool(np.isnan(told)), 0.0 if np.isnan(told) else -abs(told - 0.5), one[0])

    return tuple(sorted(metrics.items(), key=strength))


def suggest_goals(
    metrics: Mapping[str, NDArray[np.float64]], signs: Mapping[str, int], cells: Cells
) -> tuple[Suggested, ...]:
    """A cut for each metric whose better side is declared (``signs`` 1 or -1), the widest gap first.

    ``metrics`` float64[T, N], NaN unknown. Left out are metrics with fewer than `FEWEST` accounts on either side.
    """
    early = np.zeros(cells.known.shape, dtype=np.bool_)
    early[: len(cells.days) // 2] = True
    found = (_suggested(name, values, signs.get(name, 0), cells, early) for name, values in metrics.items())
    kept = [one for one in found if one is not None]
    return tuple(sorted(kept, key=lambda one: (not one.is_confident, one.missed.rate - one.reached.rate, one.metric)))


def _suggested(name: str, values: NDArray[np.float64], sign: int, cells: Cells, early: Flags) -> Suggested | None:
    known = cells.known & ~np.isnan(values)
    first, later = known & early, known & ~early
    if not sign or not first.any() or not later.any():
        return None
    cuts = np.unique(np.quantile(values[first], _CUTS))
    best = max(cuts.tolist(), key=lambda cut: _gap(values, sign, cut, cells, first))
    reached = later & (sign * values >= sign * best)
    missed = later & ~reached
    accounts = [int(side.any(axis=0).sum()) for side in (reached, missed)]
    if min(accounts) < FEWEST:
        return None
    kept = ~cells.happened
    shares = [_share(kept & side, side) for side in (reached, missed)]
    return Suggested(name, best, sign > 0, shares[0], shares[1], int(later.any(axis=0).sum()))


def _gap(values: NDArray[np.float64], sign: int, cut: float, cells: Cells, among: Flags) -> float:
    """The difference in outcomes between the sides, in standard errors; none where a side is small."""
    reached = among & (sign * values >= sign * cut)
    missed = among & ~reached
    if min(int(side.any(axis=0).sum()) for side in (reached, missed)) < FEWEST:
        return -np.inf
    sizes = [int(side.sum()) for side in (reached, missed)]
    rates = [float(cells.happened[side].mean()) for side in (reached, missed)]
    whole = (rates[0] * sizes[0] + rates[1] * sizes[1]) / sum(sizes)
    error = np.sqrt(max(whole * (1 - whole), 1e-12) * (1 / sizes[0] + 1 / sizes[1]))
    return float((rates[1] - rates[0]) / error)


def _share(met: Flags, known: Flags) -> Share:
    return share(met.sum(axis=0).astype(np.float64), known.sum(axis=0).astype(np.float64))
