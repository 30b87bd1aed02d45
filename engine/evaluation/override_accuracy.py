"""Whether people or the model were right where people overrode a score: both are held against what happened.

A score of 80 is read as a chance of 80 % that the customer stays. The Brier score is the mean squared distance of such
chances from what happened (1 stayed, 0 left): 0 is perfect, 0.25 is a coin. Few cases say nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.evaluation.accuracy import brier
from engine.evaluation.wording import number
from engine.terms import MICRO

SMALLEST: Final = 20
"""Of fewer overrides no figure is given."""
CLOSE: Final = 0.01
"""Brier scores that are no further apart are as good as each other."""


@dataclass(frozen=True, slots=True)
class Overridden:
    """One override whose time is up: what was computed then and what was said instead, in micro-points, and whether
    the customer stayed."""

    computed: int
    said: int
    stayed: bool


@dataclass(frozen=True, slots=True)
class OverrideAccuracy:
    """``model`` and ``people``: Brier scores over ``count`` overrides, None while there are too few."""

    count: int
    model: float | None
    people: float | None
    sentence: str


def judge(found: Sequence[Overridden]) -> OverrideAccuracy:
    """Hold what was computed and what was said against what happened."""
    count = len(found)
    if count < SMALLEST:
        return OverrideAccuracy(
            count, None, None, f"{count} overridden scores are old enough to be judged; {SMALLEST} are needed"
        )
    left = np.array([not one.stayed for one in found], dtype=np.bool_)
    model, people = (
        brier(1.0 - np.array(micro, dtype=np.float64) / (100 * MICRO), left)
        for micro in ([one.computed for one in found], [one.said for one in found])
    )
    figures = f"Brier {number(people, 3)} against {number(model, 3)} of the model, over {count} overridden scores"
    if abs(model - people) <= CLOSE:
        return OverrideAccuracy(count, model, people, f"People were as right as the model: {figures}")
    who = "People were nearer to what happened" if people < model else "The model was nearer to what happened"
    return OverrideAccuracy(count, model, people, f"{who}: {figures}")
