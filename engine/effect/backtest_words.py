"""A backtest in words: the same on a terminal and on the page."""

import numpy as np

from engine.effect.backtest import Backtest, quartiles
from engine.effect.backtest_values import day_text
from engine.effect.clusters import Share
from engine.effect.foretold import Warned

DASH = "–"


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
