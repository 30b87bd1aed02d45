"""Comparing two arms: the difference of two proportions with an interval that is honest for small numbers.

Newcombe's hybrid score interval (1998, method 10), made of the Wilson intervals of both arms; a chi-square check
that the arms have the sizes the draw promised; and how many accounts an answer would need.
"""

from dataclasses import dataclass
from math import ceil, inf, sqrt
from statistics import NormalDist
from typing import Final

ENOUGH: Final = 10
"""Known outcomes each arm must have before an interval is shown."""

DETECTABLE: Final = 0.10
"""The difference for which the needed number of accounts is named."""

CONFIDENCE: Final = 0.95
POWER: Final = 0.80
MISMATCH: Final = 0.001
"""Sample-ratio check: less likely than this, the draw or the data is broken."""

_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Proportion:
    """``met`` of ``known`` outcomes of one arm."""

    met: int
    known: int

    @property
    def rate(self) -> float:
        """The share that met the criterion. Raises ZeroDivisionError where nothing is known."""
        return self.met / self.known


@dataclass(frozen=True, slots=True)
class Interval:
    """An uplift (a difference of shares, -1 to 1) and the interval that covers the truth with the confidence asked."""

    uplift: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the data speaks against no difference at all."""
        return self.low > 0 or self.high < 0


def quantile(confidence: float) -> float:
    """The two-sided standard normal quantile: 1.96 for 0.95."""
    return _NORMAL.inv_cdf(0.5 + confidence / 2)


def wilson(share: Proportion, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of one proportion, inside 0 to 1."""
    z, n, rate = quantile(confidence), share.known, share.rate
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # At the edges the two halves cancel exactly on paper only.
    low = 0.0 if share.met == 0 else middle - half
    high = 1.0 if share.met == n else middle + half
    return low, high


def newcombe(treated: Proportion, held_out: Proportion, confidence: float = CONFIDENCE) -> Interval:
    """Treated minus held out with Newcombe's interval. Both arms must have known outcomes."""
    low_t, high_t = wilson(treated, confidence)
    low_h, high_h = wilson(held_out, confidence)
    uplift = treated.rate - held_out.rate
    below = sqrt((treated.rate - low_t) ** 2 + (high_h - held_out.rate) ** 2)
    above = sqrt((high_t - treated.rate) ** 2 + (held_out.rate - low_h) ** 2)
    return Interval(uplift, uplift - below, uplift + above)


def needed_per_arm(rate: float, difference: float = DETECTABLE) -> int:
    """Accounts per arm to see ``difference`` from a share of ``rate``, at 95 % confidence with a power of 80 %."""
    other = rate + difference if rate + difference <= 1 else rate - difference
    middle = (rate + other) / 2
    spread = quantile(CONFIDENCE) * sqrt(2 * middle * (1 - middle))
    spread += _NORMAL.inv_cdf(POWER) * sqrt(rate * (1 - rate) + other * (1 - other))
    return ceil((spread / difference) ** 2)


def ratio_p(treated: int, held_out: int, share: float) -> float:
    """How likely arms of these sizes (or less even ones) are if ``share`` of the accounts is drawn for the hold-out.

    Chi-square with one degree of freedom; 1.0 where the smaller arm is expected to have less than 5 accounts, as the
    test says nothing there.
    """
    total = treated + held_out
    expected = total * share, total * (1 - share)
    if min(expected) < 5:
        return 1.0
    statistic = sum((seen - due) ** 2 / due for seen, due in zip((held_out, treated), expected, strict=True))
    return 0.0 if statistic == inf else 2 * (1 - _NORMAL.cdf(sqrt(statistic)))
