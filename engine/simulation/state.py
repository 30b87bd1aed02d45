"""What a simulated portfolio is made of, as columns over its N accounts and the D days of its history.

Days in here count from 0, the first day of the history; `LATER` stands for a day that is not in it.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.columns import Flags, Floats, Ints

LATER: Final = 1 << 19
"""A day after every history."""

Table: TypeAlias = NDArray[np.float64]
"""float64[N, D]."""

Marks: TypeAlias = NDArray[np.bool_]
"""bool[N, D]."""


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """What never changes about the accounts; arrays of length N.

    ``kind``: position in `truth.CHALLENGES`, -1 none; ``shows``: the day its challenge shows, at once where ``sudden``.
    ``draw`` decides by comparison whether the challenge is solved (common to both arms), ``own`` is the probability
    without help; ``skips``, ``leaves`` and ``loses_feed`` are drawn too, whatever the arm. ``health``, ``speed`` and
    ``strength`` are shares that vary the traces; ``chronic``: in trouble before the history begins. ``plan``: tickets
    a month; days count from the first of the history.
    """

    arr: Floats
    seats: Floats
    kind: Ints
    shows: Ints
    sudden: Flags
    own: Floats
    draw: Floats
    skips: Flags
    leaves: Flags
    loses_feed: Flags
    speed: Floats
    strength: Floats
    chronic: Flags
    health: Floats
    onboarded: Ints
    renewal: Ints
    has_goal: Flags
    plan: Floats
    goal_start: Ints
    happiness: Floats
    breadth: Floats
    phase: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """How the accounts behave; the future in here is rewritten when an account is treated or held out.

    ``users`` and ``pace`` are expected active users and daily tickets before ``wobble`` and ``jitter``, the weekday
    and chance. ``rhythm`` marks days of two-way contact as they would be without a quiet spell, ``contact`` as they
    are. ``seats_from`` / ``seats_then``: the change of seats sold; the other days are int64[N], `LATER` for never.
    """

    users: Table
    pace: Table
    wobble: Table
    jitter: Table
    rhythm: Marks
    contact: Marks
    escalated: Marks
    seats_from: Ints
    seats_then: Floats
    departed: Ints
    named: Ints
    upgraded: Ints
    churned: Ints
    silent_from: Ints
    silent_until: Ints
    answered: Flags

    def seats(self, traits: Traits, first: int, last: int) -> Table:
        """Seats sold on the days ``first`` up to but not including ``last``, float64[N, last - first]."""
        days = np.arange(first, last)
        return np.where(days >= self.seats_from[:, None], self.seats_then[:, None], traits.seats[:, None])
