"""The chance that an account grows, renews flat or churns, told apart from its score and judged on later accounts.

Two questions, one after the other: does it churn, and, of those that do not, does it grow. Each is a logistic
regression on what was known on a past day; the chances of grow, flat and churn so sum to 1. It is fitted on the
earlier days, the steepness and level of its answers are set anew on later ones (Platt 1999), and it is judged on the
latest: by its Brier score beside that of the base rate, and by a table of what happened to those given each chance.
What became of an account must be known before the judged days begin, so the same loss never stands on both sides.
With too few accounts, or too few of one kind, nothing is predicted and the answer says how many are missing.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.effect.logistic import Logistic, fit_logistic
from engine.effect.uplift import Proportion, wilson
from engine.evaluation.accuracy import brier
from engine.evaluation.columns import Flags, Floats, Ints

FEWEST: Final = 200
FEWEST_OF_A_KIND: Final = 20
"""Accounts, and accounts of each kind, that each of the three slices of time must have."""

_JUDGED: Final = 0.75
"""Where the judged days begin, as a share of all; of what is known before, two thirds are fitted on."""

_BINS: Final = 5
_EDGE: Final = 1e-6


class Future(IntEnum):
    """What became of an account within the horizon."""

    CHURN = 0
    FLAT = 1
    GROW = 2


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What was known of accounts on past days and what became of them: one entry per account and day (length K).

    ``days`` int64[K]; ``accounts`` int64[K]; ``columns`` float64[K, M] without NaN; ``futures`` int64[K] of `Future`,
    which were known ``within`` days after.
    """

    days: Ints
    accounts: Ints
    columns: NDArray[np.float64]
    futures: Ints
    within: int = 0

    def only(self, chosen: Flags) -> "Known":
        """The chosen entries."""
        return Known(self.days[chosen], self.accounts[chosen], self.columns[chosen], self.futures[chosen], self.within)


@dataclass(frozen=True, slots=True)
class Band:
    """Accounts given a like chance: the mean ``told`` chance, the share to whom it ``happened``, with its interval."""

    accounts: int
    told: float
    happened: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Judged:
    """How one chance did on the latest accounts: Brier score, that of always telling the base rate, the table."""

    future: Future
    base_rate: float
    brier: float
    brier_of_base_rate: float
    bands: tuple[Band, ...]

    @property
    def better_than_base_rate(self) -> bool:
        """Whether it says more than the base rate alone."""
        return self.brier < self.brier_of_base_rate

    def like(self, chance: float) -> "Band":
        """The band of the judged accounts that were told the chance nearest to this one."""
        return min(self.bands, key=lambda band: abs(band.told - chance))


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """A fitted and judged pair of questions. ``judged``: churn and grow on the latest slice of time."""

    churn: Logistic
    grow: Logistic
    judged: tuple[Judged, ...]

    def chances(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Chances float64[N, 3] of churn, flat and grow, each row summing to 1; NaN where a value is unknown."""
        churn, grow = self.churn.chances(columns), self.grow.chances(columns)
        return np.stack([churn, (1 - churn) * (1 - grow), (1 - churn) * grow], axis=1)


@dataclass(frozen=True, slots=True)
class TooFew:
    """Why nothing is predicted."""

    sentence: str


def fit_predictor(known: Known) -> Predictor | TooFew:
    """Fit on the earlier days, set level and steepness on the next ones, judge on the last quarter."""
    slices = _slices(known.days, known.within)
    if slices is None:
        return TooFew(_short(known))
    early, middle, late = (known.only(part) for part in slices)
    for slice_ in (early, middle, late):
        if sentence := _too_few(slice_):
            return TooFew(sentence)
    churn = _fit(early, middle, early.futures == Future.CHURN, middle.futures == Future.CHURN)
    stays = [each.only(each.futures != Future.CHURN) for each in (early, middle)]
    grow = _fit(stays[0], stays[1], stays[0].futures == Future.GROW, stays[1].futures == Future.GROW)
    told = Predictor(churn, grow, ()).chances(late.columns)
    judged = tuple(_judged(future, told[:, future], late.futures == future) for future in (Future.CHURN, Future.GROW))
    return Predictor(churn, grow, judged)


def _slices(days: Ints, within: int) -> tuple[Flags, Flags, Flags] | None:
    """Earlier, later and judged days, all accounts of one day in one slice; None where there are too few days."""
    distinct = np.unique(days)
    if len(distinct) < 3:
        return None
    last = distinct[max(int(len(distinct) * _JUDGED), 2)]
    told = distinct[(distinct < last) & (distinct + within <= last)]
    if len(told) < 2:
        return None
    middle = told[max(int(len(told) * 2 / 3), 1)]
    return days < middle, (days >= middle) & (days <= told[-1]), days >= last


def _short(known: Known) -> str:
    span = int(np.ptp(known.days)) if len(known.days) else 0
    return (
        f"what became of accounts is known for days over {span} days; it takes some {max(int(known.within * 1.5), 3)} "
        "to fit on the earlier ones and judge on later ones"
    )


def _too_few(known: Known) -> str:
    accounts = len(np.unique(known.accounts))
    if accounts < FEWEST:
        return f"{FEWEST - accounts} more accounts with a known end are needed to fit, set and judge a prediction"
    for future in Future:
        of_kind = len(np.unique(known.accounts[known.futures == future]))
        if of_kind < FEWEST_OF_A_KIND:
            missing = FEWEST_OF_A_KIND - of_kind
            return f"{missing} more accounts that {_DID[future]} are needed to tell them apart"
    return ""


_DID: Final = {Future.CHURN: "churned", Future.FLAT: "renewed flat", Future.GROW: "grew"}


def _fit(early: Known, middle: Known, before: Flags, after: Flags) -> Logistic:
    fitted = fit_logistic(early.columns, before)
    line = (fitted.intercept + middle.columns @ fitted.slopes)[:, None]
    level = fit_logistic(line, after, ridge=_EDGE, never_negative=True)
    return Logistic(level.intercept + level.slopes[0] * fitted.intercept, level.slopes[0] * fitted.slopes)


def _judged(future: Future, told: Floats, happened: Flags) -> Judged:
    base_rate = float(happened.mean())
    return Judged(
        future=future,
        base_rate=base_rate,
        brier=brier(told, happened),
        brier_of_base_rate=brier(np.full(len(told), base_rate), happened),
        bands=tuple(_band(told[part], happened[part]) for part in np.array_split(np.argsort(told), _BINS)),
    )


def _band(told: Floats, happened: Flags) -> Band:
    low, high = wilson(Proportion(int(happened.sum()), len(happened)))
    return Band(len(told), float(told.mean()), float(happened.mean()), low, high)
