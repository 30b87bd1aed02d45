"""The stage of each account in its life with us, on any day of the history."""

from typing import Final

import numpy as np

from engine.evaluation.columns import Ints
from engine.simulation.measuring import View

STAGES: Final = ("onboarding", "adoption", "value", "renewal", "expansion", "churned")
"""In the order of the shipped catalog."""


def stages(view: View, day: int) -> Ints:
    """Positions in `STAGES` on ``day`` of the history, int64[N].

    Onboarding lasts 90 days, adoption up to the 270th; the last 90 days before the renewal are its own stage.
    """
    traits, age = view.traits, day - view.traits.onboarded
    stage = np.select([age < 90, age < 270], [0, 1], default=2)
    stage = np.where((stage == 2) & (traits.renewal - day <= 90), 3, stage)
    stage = np.where((stage == 2) & (day >= view.course.upgraded), 4, stage)
    return np.where(day >= view.course.churned, 5, stage).astype(np.int64)


def stage_since(view: View, day: int) -> Ints:
    """The day of the history on which each account's stage on ``day`` began (may be before it), int64[N]."""
    traits, stage = view.traits, stages(view, day)
    began = np.select(
        [stage == 0, stage == 1, stage == 2, stage == 3, stage == 4],
        [
            traits.onboarded,
            traits.onboarded + 90,
            traits.onboarded + 270,
            np.maximum(traits.renewal - 90, traits.onboarded + 270),
            view.course.upgraded,
        ],
        default=view.course.churned,
    )
    return began.astype(np.int64)
