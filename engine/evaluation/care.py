"""Where effort and need part: accounts that are looked after though little can be won, and others that nobody looks at.

A touch is a meeting, a call, a message that was sent or a task that was done. *Over-served*: more touches than three
quarters of the accounts, and less at stake that can be saved than half of them have. *Neglected*: what can be saved
(or grown) is among the upper quarter, nobody has touched it for some time, and nothing is open for it.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.evaluation.columns import Flags, Floats, Ints


class Care(StrEnum):
    """What stands out about how an account is looked after."""

    OVER_SERVED = "over_served"
    NEGLECTED_SAVEABLE = "neglected_saveable"
    NEGLECTED_GROWABLE = "neglected_growable"


@dataclass(frozen=True, slots=True, eq=False)
class Effort:
    """Of N accounts: ``touches`` int64[N] in the time looked at, ``untouched`` float64[N] days since the last one (NaN:
    never), ``open`` int64[N]: tasks, approvals and runs that are open."""

    touches: Ints
    untouched: Floats
    open: Ints


def care(risk: Floats, gain: Floats, effort: Effort, untouched_for: int) -> dict[Care, Flags]:
    """Which of N accounts stand out, bool[N] each. ``risk`` and ``gain``: what can be saved and won, as in
    `engine.evaluation.priority`; ``untouched_for``: from so many days on nobody looks after an account."""
    if not len(risk):
        return {kind: np.zeros(0, dtype=np.bool_) for kind in Care}
    alone = (np.isnan(effort.untouched) | (effort.untouched >= untouched_for)) & (effort.open == 0)
    often = effort.touches > np.quantile(effort.touches, 0.75)
    return {
        Care.OVER_SERVED: often & (risk < np.median(risk)) & (gain < np.quantile(gain, 0.75)),
        Care.NEGLECTED_SAVEABLE: alone & (risk > 0) & (risk >= np.quantile(risk, 0.75)),
        Care.NEGLECTED_GROWABLE: alone & (gain > 0) & (gain >= np.quantile(gain, 0.75)),
    }
