"""One account to follow through the whole loop: a large customer that uses fewer of its seats month after month."""

import numpy as np

from engine.evaluation.holdout import draw
from engine.simulation.behaviour import SLOW
from engine.simulation.measuring import View
from engine.simulation.state import LATER
from engine.simulation.truth import CHALLENGES, SEATS

_SEATS = 800.0
_ARR = 240_000.0
_TREATED_ABOVE = 0.5
"""A draw that stays out of the hold-out for any share up to this one."""


def make_story(view: View, keys: tuple[str, ...]) -> str:
    """Turn one account into the story's and return its key; the largest with a draw that is treated.

    Below 40 % since exactly seven days, the rule fires on the last day and not before. It is one that solves its
    challenge, slowly enough for the whole playbook; of 2,000 accounts, one chosen outcome moves no estimate.
    """
    row = _chosen(view, keys)
    traits, course, last = view.traits, view.course, view.last
    for column, value in (
        (traits.arr, _ARR),
        (traits.seats, _SEATS),
        (traits.kind, SEATS),
        (traits.shows, last),
        (traits.sudden, False),
        (traits.draw, 0.0),
        (traits.speed, 0.99),
        (traits.strength, 0.1),
        (traits.skips, False),
        (traits.loses_feed, False),
        (traits.chronic, False),
        (traits.has_goal, True),
        (traits.plan, 3000.0),
        (traits.breadth, 6.0),
        (traits.happiness, 20.0),
        (traits.onboarded, -420),
        (traits.renewal, last + 111),
        (course.seats_from, LATER),
        (course.departed, LATER),
        (course.churned, LATER),
    ):
        column[row] = value
    until = np.arange(view.days) - last
    course.users[row] = np.minimum(0.62, 0.4 * np.exp(-SLOW * (until + 6.5))) * _SEATS
    course.wobble[row] = 1.0
    course.pace[row] = 0.95
    course.contact[row] = course.rhythm[row]
    course.escalated[row] = False
    return keys[row]


def _chosen(view: View, keys: tuple[str, ...]) -> int:
    challenge, rotation = CHALLENGES[SEATS], (view.first_day + view.last) // 180
    for row in np.argsort(-view.traits.arr, kind="stable").tolist():
        if draw(challenge.rule, challenge.playbook, keys[row], rotation) >= _TREATED_ABOVE:
            return int(row)
    return 0
