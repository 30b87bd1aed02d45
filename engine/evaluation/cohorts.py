"""Accounts beside those that are like them: is light use this account's trouble, or everybody's?

A cohort is accounts of one segment, or of one quarter in which they began. An account's light use is an *outlier* where
its cohort uses the product well and it does not, and the *norm* where the cohort as a whole is light: then it is the
product or the onboarding that has to change, not one account that has to be called.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from engine.evaluation.columns import Floats, Texts

FEWEST: Final = 20
"""Known values a cohort must have before an account is compared with it."""

_FENCE: Final = 1.5
_LOWEST: Final = 0.10


class Use(StrEnum):
    """What an account's use is beside its cohort's."""

    FINE = "fine"
    OUTLIER = "outlier"
    NORM = "norm"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cohort:
    """One cohort's known values: how many, their quartiles and lowest tenth, and how many of them are light."""

    name: str
    accounts: int
    known: int
    lowest_tenth: float
    lower: float
    median: float
    upper: float
    light: int

    @property
    def is_light(self) -> bool:
        """Whether most of the cohort uses the product lightly."""
        return self.known >= FEWEST and self.light * 2 > self.known


def describe(values: Floats, cohorts: Texts, light_below: float) -> tuple[Cohort, ...]:
    """Every cohort of a metric's ``values`` float64[N] (NaN unknown), in the order of its words."""
    return tuple(_cohort(word, values[cohorts.codes == code], light_below) for code, word in enumerate(cohorts.words))


def compare(values: Floats, cohorts: Texts, light_below: float) -> tuple[Use, ...]:
    """What each account's use is, for N accounts.

    Light is below ``light_below``. Where the cohort is light too it is the norm; elsewhere an outlier: in the cohort's
    lowest tenth, or under its lower fence (Tukey 1977: the lower quartile minus 1.5 times the spread of the quartiles).
    Light without being either is fine: a little below others is no finding. Without a value, or with a cohort of fewer
    than 20 known values, nothing is known.
    """
    found = describe(values, cohorts, light_below)
    return tuple(
        _use(value, found[code] if code >= 0 else None, light_below)
        for value, code in zip(values.tolist(), cohorts.codes.tolist(), strict=True)
    )


def quarters(days: Floats) -> Texts:
    """The quarter in which each account began (``2026 Q3``) from days since 1970-01-01, NaN unknown."""
    known = ~np.isnan(days)
    months = np.where(known, days, 0).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    distinct, place = np.unique(months[known] // 3, return_inverse=True)
    codes = np.full(len(days), -1, dtype=np.int64)
    codes[known] = place
    return Texts(codes, tuple(f"{1970 + number // 4} Q{number % 4 + 1}" for number in distinct.tolist()))


def _cohort(name: str, values: Floats, light_below: float) -> Cohort:
    known = values[~np.isnan(values)]
    cuts = np.quantile(known, [_LOWEST, 0.25, 0.5, 0.75]) if len(known) else np.full(4, np.nan)
    lowest, lower, median, upper = (float(cut) for cut in cuts)
    return Cohort(name, len(values), len(known), lowest, lower, median, upper, int((known < light_below).sum()))


def _use(value: float, cohort: Cohort | None, light_below: float) -> Use:
    if cohort is None or np.isnan(value) or cohort.known < FEWEST:
        return Use.UNKNOWN
    if value >= light_below:
        return Use.FINE
    if cohort.is_light:
        return Use.NORM
    fence = cohort.lower - _FENCE * (cohort.upper - cohort.lower)
    return Use.OUTLIER if value <= cohort.lowest_tenth or value < fence else Use.FINE
