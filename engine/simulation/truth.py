"""What is true in the simulation: how many more accounts solve a challenge because of a playbook.

An account in a challenge solves it with its own probability, between ``low`` and ``high``, plus ``amount`` if the
playbook is carried out for it. A person skips a share of the runs that the engine starts, at random; an account whose
run is skipped behaves like one that was held out. By intention to treat the true uplift is therefore ``amount`` times
the share that is carried out.
"""

from dataclasses import dataclass
from typing import Final

SKIPPED: Final = 0.1
"""Share of the started runs that a person does not carry out."""

SEATS, USAGE, GOAL, CHAMPION, QUIET, EXPAND = range(6)
"""Positions in `CHALLENGES`."""

NONE: Final = -1
"""The challenge of an account that never gets into one."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: how it is solved ``within`` days, without help (``low`` to ``high``) and with it (``amount``).

    ``first``: the earliest day of the history on which it can show. These are properties of the simulated customers;
    a test compares them with the shipped rules.
    """

    rule: str
    playbook: str
    within: int
    amount: float
    low: float
    high: float
    first: int


CHALLENGES: Final = (
    Challenge("seats-unused", "seat-activation", 45, 0.20, 0.20, 0.50, 38),
    Challenge("usage-falling", "usage-recovery", 30, 0.15, 0.25, 0.55, 40),
    Challenge("behind-on-goal", "goal-review", 45, 0.12, 0.25, 0.50, 64),
    Challenge("champion-left", "new-champion", 45, 0.18, 0.20, 0.50, 34),
    Challenge("gone-quiet", "check-in", 30, 0.00, 0.25, 0.55, 40),
    Challenge("ready-to-expand", "expansion-offer", 60, 0.10, 0.10, 0.30, 48),
)


def true_uplift(rule: str, playbook: str) -> float | None:
    """The uplift an unlimited experiment would measure by intention to treat; None for one the simulation lacks."""
    for challenge in CHALLENGES:
        if (challenge.rule, challenge.playbook) == (rule, playbook):
            return challenge.amount * (1 - SKIPPED)
    return None
