"""In which order accounts deserve attention: what is at stake, how likely, what can be done, and how soon.

    risk  = ARR x chance of loss x chance to save x urgency of the renewal - cost of the work
    gain  = ARR x share won by growing x chance of growing           - cost of the work
    priority = the larger of the two, plus ageing for every day it has waited

in the currency of the ARR. Urgency rises in a straight line from 0.3 at 180 days before the renewal to 1 at 60 days
and stays there. Every part is kept, so the order can be worked out by hand; where a part is not known a stated
assumption takes its place and says so. An account whose challenge stays open gains a little every day, so that none
waits for ever. How much anybody writes or calls is no part of it.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.evaluation.columns import Bytes, Flags, Floats
from engine.evaluation.scoring import TIERS
from engine.terms import Tier

FAR, NEAR = 180.0, 60.0
RELAXED: Final = 0.3

LOSS_BY_TIER: Final = {Tier.REQUIRES_ATTENTION: 0.30, Tier.TAKE_NOTICE: 0.12, Tier.DOING_WELL: 0.04}
"""The chance of loss where no prediction can be made: a convention to rank by, not a measurement."""


AGEING: Final = 0.001
"""What each waiting day adds, as a share of the middle ARR: after a year of waiting more than a third of it."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What stands in where nothing is known, and what the work costs; every one can be set.

    ``loss`` for an account without a tier, ``save`` where no playbook's effect is measured, ``won`` the share of its
    ARR that an account which grows adds, ``cost`` of the work per account, ``ageing`` per waiting day, both in the
    currency of the ARR.
    """

    loss: float = 0.12
    save: float = 0.5
    grow: float = 0.05
    won: float = 0.2
    cost: float = 0.0
    ageing: float = 0.0


ASSUMED: Final = Assumptions()


@dataclass(frozen=True, slots=True, eq=False)
class Stakes:
    """What is known of N accounts, NaN unknown: ``arr``; days to the ``renewal``; chances of ``loss``, to ``save`` and
    to ``grow``; days ``waiting`` for attention; ``tier`` int8[N] as index into `TIERS`, -1 none."""

    arr: Floats
    renewal: Floats
    loss: Floats
    save: Floats
    grow: Floats
    waiting: Floats
    tier: Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Priority:
    """The order's number and all its parts, float64[N] each; ``assumed`` maps a part to where it was not known."""

    priority: Floats
    risk: Floats
    gain: Floats
    arr: Floats
    loss: Floats
    save: Floats
    grow: Floats
    urgency: Floats
    assumed: dict[str, Flags]
    ageing: Floats
    assumptions: Assumptions = ASSUMED

    @property
    def is_growth(self) -> Flags:
        """Where there is more to win than to lose, bool[N]."""
        return self.gain > self.risk

    def order(self) -> list[int]:
        """Rows from the most to the least urgent; of equals the earlier row first."""
        rows: list[int] = np.argsort(-self.priority, kind="stable").tolist()
        return rows


def prioritise(stakes: Stakes, assumptions: Assumptions = ASSUMED) -> Priority:
    """The priority of every account. An unknown ARR counts as the median of the known ones."""
    known = stakes.arr[~np.isnan(stakes.arr)]
    middle = float(np.median(known)) if len(known) else 0.0
    arr, loss = _or(stakes.arr, middle), np.where(np.isnan(stakes.loss), _loss(stakes.tier, assumptions), stakes.loss)
    save, grow = _or(stakes.save, assumptions.save), _or(stakes.grow, assumptions.grow)
    urgency = urgency_of(stakes.renewal)
    risk = arr * loss * save * urgency - assumptions.cost
    gain = arr * assumptions.won * grow - assumptions.cost
    ageing = assumptions.ageing * _or(stakes.waiting, 0.0)
    return Priority(
        priority=np.maximum(risk, gain) + ageing,
        risk=risk,
        gain=gain,
        arr=arr,
        loss=loss,
        save=save,
        grow=grow,
        urgency=urgency,
        assumed={name: np.isnan(getattr(stakes, name)) for name in ("arr", "renewal", "loss", "save", "grow")},
        ageing=ageing,
        assumptions=assumptions,
    )


def assumptions_for(stakes: Stakes) -> Assumptions:
    """What is written down for the unknown, for one portfolio: the chance to save is the middle of those measured, if
    any is; each waiting day adds `AGEING` of the middle ARR."""
    save, arr = (each[~np.isnan(each)] for each in (stakes.save, stakes.arr))
    return replace(
        ASSUMED,
        save=float(np.median(save)) if len(save) else ASSUMED.save,
        ageing=AGEING * float(np.median(arr)) if len(arr) else 0.0,
    )


def told(found: Priority, row: int) -> str:
    """One account's priority as it is worked out, with what is assumed."""

    def share(name: str) -> str:
        guess = " (assumed)" if found.assumed[name][row] else ""
        return f"{getattr(found, name)[row]:.0%}{guess}"

    guess = " (assumed)" if found.assumed["arr"][row] else ""
    parts = f"{found.arr[row]:,.0f}{guess} x "
    if found.is_growth[row]:
        parts += f"{found.assumptions.won:.0%} won by growing x {share('grow')} chance of growing"
    else:
        late = " (renewal unknown)" if found.assumed["renewal"][row] else ""
        parts += (
            f"{share('loss')} chance of loss x {share('save')} chance to save x {found.urgency[row]:.2f} urgency{late}"
        )
    cost = f" - {found.assumptions.cost:,.0f} for the work" if found.assumptions.cost else ""
    return f"{parts}{cost} + {found.ageing[row]:,.0f} for waiting = {found.priority[row]:,.0f}"


def urgency_of(days: Floats) -> Floats:
    """0.3 at 180 days before the renewal and earlier, 1 at 60 days and later, a straight line between.

    A renewal that is past due is as urgent as one today; an unknown one is not urgent.
    """
    line = 1.0 - (1.0 - RELAXED) * (np.clip(days, NEAR, FAR) - NEAR) / (FAR - NEAR)
    return _or(line, RELAXED)


def _loss(tiers: Bytes, assumptions: Assumptions) -> Floats:
    return np.array([*(LOSS_BY_TIER[tier] for tier in TIERS), assumptions.loss])[tiers]


def _or(values: Floats, otherwise: float) -> Floats:
    return np.where(np.isnan(values), otherwise, values)
