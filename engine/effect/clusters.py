"""Shares with intervals where one account counts several times: accounts are drawn anew, not their cells.

An account that fires wrongly every week is one mistake, not fifty; intervals that forget this are far too narrow.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.effect.uplift import Proportion, wilson
from engine.evaluation.columns import Floats

DRAWS: Final = 400
SEED: Final = 20_240
"""Drawing is repeatable: the same history gives the same figures."""
_TAILS: Final = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Share:
    """``met`` of ``known`` (cells or accounts) and the 95 % interval; ``rate`` is NaN where nothing is known."""

    met: int
    known: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """The share itself."""
        return self.met / self.known if self.known else float("nan")


NONE: Final = Share(0, 0, float("nan"), float("nan"))


def share(met: Floats, known: Floats) -> Share:
    """The share of ``met`` in ``known``, both counts per account (float64[N]), with its interval over accounts.

    Where no account counts twice that is Wilson's interval; else accounts are drawn with replacement `DRAWS` times.
    All or nothing leaves the draws without spread: then Wilson's interval of the accounts is the honest one.
    """
    counted = known > 0
    met, known = met[counted], known[counted]
    if not len(known):
        return NONE
    total, whole = int(met.sum()), int(known.sum())
    if known.max() <= 1 or total in {0, whole}:
        hits = total if known.max() <= 1 else (len(known) if total else 0)
        return Share(total, whole, *wilson(Proportion(hits, len(known))))
    generator = np.random.default_rng(SEED)
    drawn = np.empty(DRAWS)
    for at in range(DRAWS):
        rows = generator.integers(0, len(known), len(known))
        drawn[at] = met[rows].sum() / known[rows].sum()
    low, high = np.percentile(drawn, _TAILS)
    return Share(total, whole, float(low), float(high))


def spread(statistic: "Floats") -> tuple[float, float]:
    """The 95 % interval of a statistic that was computed for each draw; NaN draws are left out."""
    known = statistic[~np.isnan(statistic)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, _TAILS)
    return float(low), float(high)
