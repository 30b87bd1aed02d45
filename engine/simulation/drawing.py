"""Drawing a portfolio: who the accounts are, which challenge each gets into and when.

Challenges are exclusive: an account gets into one in the whole history, and its other measurements keep clear of
every other rule, so that what answers to one playbook cannot move the outcome of another.
"""

from typing import Final

import numpy as np

from engine.evaluation.columns import Flags, Floats, Ints
from engine.simulation.state import Traits
from engine.simulation.truth import CHALLENGES, GOAL, NONE, SKIPPED

_SHARE: Final = 0.86
"""Accounts that get into a challenge during the history."""

_EARLY: Final = 0.84
"""Share of those that do so early enough for their outcome to be judged in the history."""

_LAST_DAY: Final = 0.04
"""Accounts whose challenge shows on the very last day; only challenges that show to the day."""

_CHRONIC: Final = 0.07
MONDAY: Final = 3
"""(day + MONDAY) % 7 is the weekday of a day since 1970-01-01, a Thursday; 0 is Monday."""

_ON_THE_DAY: Final = np.array([0, 0, 3, 4, 5])


def draw_traits(rng: np.random.Generator, accounts: int, days: int) -> Traits:
    """Who the accounts are, in a history of ``days`` days."""
    arr = np.round(rng.lognormal(np.log(30_000), 1.1, accounts), -2)
    chronic = rng.random(accounts) < _CHRONIC
    kind, shows = _when(rng, accounts, days)
    kind = np.where(chronic, NONE, kind)
    low, high = (np.array([getattr(each, name) for each in CHALLENGES] + [0.0]) for name in ("low", "high"))
    health = np.where(chronic, 0.0, rng.beta(1.3, 1.6, accounts))
    happiness = np.clip(140 * health - 60 + rng.normal(0, 15, accounts), -100, 100)
    return Traits(
        arr=arr,
        seats=_whole(arr / 900 * rng.lognormal(0, 0.3, accounts), 40, 4000),
        kind=kind,
        shows=shows,
        sudden=(rng.random(accounts) < 0.5) | (shows >= days - 1),
        own=low[kind] + (high - low)[kind] * rng.random(accounts),
        draw=rng.random(accounts),
        skips=rng.random(accounts) < SKIPPED,
        leaves=rng.random(accounts) < 0.12,
        loses_feed=rng.random(accounts) < 0.015,
        speed=rng.random(accounts),
        strength=rng.random(accounts),
        chronic=chronic,
        health=health,
        onboarded=-rng.integers(5, 900, accounts),
        renewal=days + rng.integers(10, 360, accounts),
        has_goal=(rng.random(accounts) < 0.9) | (kind == GOAL) | chronic,
        plan=_whole(arr / 60 * rng.lognormal(0, 0.4, accounts), 400, 50_000),
        goal_start=rng.integers(0, 9, accounts),
        happiness=np.where(kind == len(CHALLENGES) - 1, np.clip(np.abs(happiness), 45, 90), happiness),
        breadth=np.clip(1.5 + 7 * health + rng.normal(0, 1, accounts), 1, 10),
        phase=rng.integers(0, 28, accounts),
    )


def _when(rng: np.random.Generator, accounts: int, days: int) -> tuple[Ints, Ints]:
    """The challenge of each account and the day it shows."""
    kind = np.where(rng.random(accounts) < _SHARE, rng.integers(0, len(CHALLENGES), accounts), NONE)
    first = np.array([each.first for each in CHALLENGES] + [0])[kind]
    # Two weeks beside the success criterion's own time: the cycle need not run every day.
    judged_by = days - 14 - np.array([each.within for each in CHALLENGES] + [0])[kind]
    early = rng.random(accounts) < _EARLY
    low, high = np.where(early, first, judged_by), np.where(early, judged_by, days - 1)
    shows = low + (rng.random(accounts) * np.maximum(high - low, 1)).astype(np.int64)
    return _on_the_last_day(rng, kind, shows, days)


def _on_the_last_day(rng: np.random.Generator, kind: Ints, shows: Ints, days: int) -> tuple[Ints, Ints]:
    last: Flags = rng.random(len(kind)) < _LAST_DAY
    on_the_day = _ON_THE_DAY[rng.integers(0, len(_ON_THE_DAY), len(kind))]
    return np.where(last, on_the_day, kind), np.where(last, days - 1, shows)


def _whole(values: Floats, low: float, high: float) -> Floats:
    return np.asarray(np.round(np.clip(values, low, high)), dtype=np.float64)


def spread(values: Floats, low: float, high: float) -> Floats:
    """Numbers in [0, 1) laid out between two bounds."""
    return low + (high - low) * values
