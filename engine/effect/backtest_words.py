"""A backtest in words: the same on a terminal and on the page."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from engine.effect.backtest import Backtest, quartiles
from engine.effect.backtest_values import day_text
from engine.effect.clusters import Share
from engine.effect.foretold import Warned
from engine.effect.ranked import Bearing, Direction

DASH = "–"
FEW = 10
"""As many signals or metrics are listed whether history says something of them or not."""

Judged = TypeVar("Judged", Direction, Bearing)


def summary(found: Backtest) -> str:
    """What was replayed, in a sentence or two."""
    frame = found.frame
    return (
        f"{frame.outcome} within {frame.within} days: {found.outcomes} outcomes among {found.customers} customers; "
        f"{len(found.cutoffs)} cutoffs, every {frame.every} days from {day_text(frame.first)} to "
        f"{day_text(int(found.cutoffs[-1]))}. Nothing after a cutoff was looked at."
    )


def remarks(found: Backtest) -> tuple[str, ...]:
    """What limits the figures."""
    told = [
        f"{name} was not tested: only today's value of {', '.join(names)} is known (--todays-fields takes it for "
        "the past)."
        for name, names in found.untested.items()
    ]
    told += [
        f"{name} gave nobody a score on any of these days: too little of what it reads was known."
        for name, card in found.cards.items()
        if not card.ranked.cells
    ]
    if found.undated:
        told.append(f"{found.undated} accounts are {found.frame.outcome} since a day nobody wrote down; left out.")
    if found.frame.corrected:
        told.append(
            f"{found.frame.corrected} points were corrected after their day, and the corrected values were used; "
            "--known replays them as they were known."
        )
    told.append(
        "An alert is the beginning of an episode. Intervals are 95 %, accounts drawn anew. "
        "Owners, ARR and roles of contacts are today's."
    )
    return tuple(told)


def silent(found: Sequence[Backtest]) -> tuple[str, ...]:
    """Rules that none of the sets of definitions ever saw firing; a line says it of all of them."""
    names = dict.fromkeys(name for one in found for name in one.rules)
    return tuple(name for name in names if not any(_spoke(one.rules[name]) for one in found if name in one.rules))


def silence(found: Sequence[Backtest]) -> tuple[str, ...]:
    """What to say of them: which never fired, and which could not for want of data."""
    quiet = silent(found)
    blind = [name for name in quiet if all(one.rules[name].unknown.rate == 1 for one in found if name in one.rules)]
    told = []
    if never := [name for name in quiet if name not in blind]:
        told.append(f"Never fired: {', '.join(never)}.")
    if blind:
        told.append(
            f"Unknown for everybody throughout: {', '.join(blind)}; `backcast why ACCOUNT RULE` names the data that "
            "is missing."
        )
    return tuple(told)


def _spoke(one: Warned) -> bool:
    return bool(one.alerts or one.unjudged or one.recall.met or one.false_positive_rate.met)


def judged(all_of: Mapping[str, Judged]) -> dict[str, Judged]:
    """Signals or metrics that history says something of; all of them where they are few."""
    return {name: one for name, one in all_of.items() if len(all_of) <= FEW or not _is_mute(one)}


def unjudged(all_of: Mapping[str, Judged], what: str) -> str:
    """The line for those that ``judged`` leaves out; empty where it leaves out none."""
    many = len(all_of) - len(judged(all_of))
    why = "too little of it, or always the same"
    return f"History says nothing of {many} other {what} ({why}); --json has their figures." if many else ""


def _is_mute(one: Direction | Bearing) -> bool:
    always_the_same = isinstance(one, Bearing) and one.ranked.low == one.ranked.high
    return always_the_same or one.verdict == "not enough history"


def interval_text(value: float, low: float, high: float) -> str:
    """A figure between 0 and 1 with its interval, as far as they are known."""
    return number(value) if np.isnan(low) else f"{number(value)} ({number(low)}–{number(high)})"


def lead_text(one: Warned) -> str:
    """The median lead with its quartiles."""
    middle = quartiles(one.leads)
    return DASH if middle is None else f"{middle[1]:.0f} d ({middle[0]:.0f}–{middle[2]:.0f})"


def share_text(one: Share) -> str:
    """A share with its interval."""
    return f"{percent(one.rate)} ({percent(one.low)}–{percent(one.high)})" if one.known else DASH


def percent(value: float) -> str:
    """A share as people read it."""
    if np.isnan(value):
        return DASH
    return f"{value * 100:.1f} %" if 0 < value < 0.095 else f"{value * 100:.0f} %"


def number(value: float) -> str:
    """A figure between 0 and 1."""
    return DASH if np.isnan(value) else f"{value:.3f}"


def never_flagged(found: Backtest) -> tuple[int, ...]:
    """Rows of accounts that had the outcome and that no rule ever flagged before it, the largest ARR first."""
    if not found.rules:
        return ()
    caught = np.concatenate([one.caught for one in found.rules.values()])
    missed = np.setdiff1d(np.concatenate([one.missed for one in found.rules.values()]), caught)
    arr = np.nan_to_num(found.frame.arr)
    return tuple(sorted(missed.tolist(), key=lambda row: (-arr[row], row)))
