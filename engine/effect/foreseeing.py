"""What a prediction is made of: an account's score, its change, its coverage and the marks behind it on a past day.

Nothing of it is unknown: an account without a score is not predicted at all; where a mark is unknown its middle stands
in, as the coverage beside it says; a change is none where there is no earlier score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.effect.prediction import Future, Predictor
from engine.evaluation.columns import Flags, Floats, Ints

CHANGE_DAYS: Final = 30
MOST_DAYS: Final = 26
_MIDDLE: Final = 50.0


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The leading scores of one day: ``accounts`` int64[N]; ``scores`` and ``coverage`` float64[N], NaN insufficient
    data; ``marks`` float64[N] (0 to 100, NaN unknown) by metric; ``before``: each account's score a month earlier."""

    day: int
    accounts: Ints
    scores: Floats
    coverage: Floats
    marks: Mapping[str, Floats]
    before: Floats

    @property
    def scored(self) -> Flags:
        """Who has a score, bool[N]."""
        return ~np.isnan(self.scores)


def names_of(metrics: Sequence[str]) -> tuple[str, ...]:
    """What the columns say, in order."""
    return ("score", "change in 30 days", "coverage", *metrics)


def columns_of(shown: Shown, metrics: Sequence[str]) -> NDArray[np.float64]:
    """float64[N, M] for those who have a score, each column about 0 and within -1 to 1."""
    who = shown.scored
    change = np.where(np.isnan(shown.before), 0.0, shown.scores - shown.before)
    unknown = np.full(len(shown.scores), np.nan)
    marks = [shown.marks.get(metric, unknown) for metric in metrics]
    columns = [shown.scores / 100 - 0.5, change / 100, shown.coverage - 0.5]
    columns += [np.where(np.isnan(mark), _MIDDLE, mark) / 100 - 0.5 for mark in marks]
    return np.stack(columns, axis=1)[who]


def cutoffs(days: Sequence[int], every: int) -> tuple[int, ...]:
    """Of the days that scores are kept of, the newest `MOST_DAYS` that lie at least ``every`` days apart, ascending."""
    chosen: list[int] = []
    for day in sorted(days, reverse=True):
        if len(chosen) < MOST_DAYS and (not chosen or chosen[-1] - day >= every):
            chosen.append(day)
    return tuple(reversed(chosen))


def futures(day: int, within: int, churned: Floats, grown: Floats) -> Ints:
    """What became of accounts within ``within`` days after ``day``, int64[N] of `Future`.

    ``churned`` and ``grown`` float64[N]: the day of it, NaN never. Who does both has churned.
    """
    found = np.where((grown > day) & (grown <= day + within), Future.GROW, Future.FLAT)
    return np.where((churned > day) & (churned <= day + within), Future.CHURN, found).astype(np.int64)


def fingerprint_of(predictor: Predictor, names: Sequence[str], within: int) -> str:
    """The same for predictors that say the same of everybody."""
    parts = [",".join(names), str(within)]
    parts += [repr([question.intercept, *question.slopes.tolist()]) for question in (predictor.churn, predictor.grow)]
    return sha256("\n".join(parts).encode()).hexdigest()
