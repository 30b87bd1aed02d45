"""How accounts behave until somebody acts: the first version of their whole course.

Each challenge has its own trace in the data. Seats unused: more seats are bought than people need, or fewer people
come, slowly enough to be no fall of use. Usage falling: a third of the users goes within a week and stays above 40 %
of the seats. Behind on the goal: tickets at half the planned pace. Champion left, gone quiet: events, or none. Ready to
expand: all seats in use. An account that nobody decides about recovers in the end.
"""

from typing import Final

import numpy as np

from engine.evaluation.columns import Flags, Floats, Ints
from engine.simulation.drawing import MONDAY, spread
from engine.simulation.state import LATER, Course, Marks, Table, Traits
from engine.simulation.truth import CHAMPION, EXPAND, GOAL, QUIET, SEATS, USAGE

_WEEK: Final = np.array([1.0, 1.01, 1.01, 1.0, 0.99, 0.97, 0.97])
_PATIENCE: Final = 90
"""Days after which a challenge that nobody decided about passes by itself."""

_BOUGHT_AT: Final = 0.66
"""Licence utilisation when an account buys twice the seats: a third is left after it."""

SLOW: Final = 0.005
"""Share of the users lost a day in a slow decline: 14 % a month, not enough to be a fall of use."""


def draw_course(rng: np.random.Generator, traits: Traits, first_day: int, days: int) -> Course:
    """The course of all accounts as it is if nobody is ever treated or held out."""
    accounts, time = len(traits.arr), np.arange(days)
    rhythm = _rhythm(rng, accounts, days)
    # Not the same every time: expected users wander by a few percent over some months.
    wave = 0.03 * np.sin(
        2 * np.pi * (time / spread(rng.random(accounts), 70, 110)[:, None] + rng.random(accounts)[:, None])
    )
    escalated = rng.random((accounts, days)) < spread(traits.health, 0.012, 0.001)[:, None]
    escalated[traits.kind == EXPAND] = False
    seats_from, seats_then = _seats(traits)
    never = np.full(accounts, LATER)
    return Course(
        users=_users(traits, time) * np.where(traits.kind[:, None] < 0, 1 + wave, 1.0),
        pace=_pace(traits, time),
        wobble=_WEEK[(time + first_day + MONDAY) % 7] * _noise(rng, accounts, days, 0.012, 0.03),
        jitter=_noise(rng, accounts, days, 0.06, 0.2),
        rhythm=rhythm,
        contact=_contact(traits, rhythm, time),
        escalated=escalated,
        seats_from=seats_from,
        seats_then=seats_then,
        departed=np.where(traits.kind == CHAMPION, traits.shows, LATER),
        named=never.copy(),
        upgraded=never.copy(),
        churned=never.copy(),
        silent_from=never.copy(),
        silent_until=never.copy(),
        answered=np.zeros(accounts, dtype=np.bool_),
    )


def _noise(rng: np.random.Generator, accounts: int, days: int, width: float, most: float) -> Table:
    drawn = rng.standard_normal((accounts, days), dtype=np.float32)
    noise: Table = 1 + np.clip(drawn * np.float32(width), -most, most).astype(np.float64)
    return noise


def _rhythm(rng: np.random.Generator, accounts: int, days: int) -> Marks:
    gaps = rng.integers(5, 14, (accounts, days // 5 + 2))
    on = np.cumsum(gaps, axis=1) - 13
    rows = np.repeat(np.arange(accounts), on.shape[1])
    inside = ((on >= 0) & (on < days)).ravel()
    marks = np.zeros((accounts, days), dtype=np.bool_)
    marks[rows[inside], on.ravel()[inside]] = True
    return marks


def _seats(traits: Traits) -> tuple[Ints, Floats]:
    """When and to how many the seats sold change: the sudden way into unused seats."""
    bought = (traits.kind == SEATS) & traits.sudden
    # The rule asks for seven days in a row; the purchase is the first of them.
    return np.where(bought, traits.shows - 6, LATER), np.round(traits.seats * spread(traits.strength, 1.9, 2.1))


def _users(traits: Traits, time: Ints) -> Table:
    until = time - traits.shows[:, None]
    level = spread(traits.health, 0.54, 0.78)[:, None]
    use = np.where(traits.chronic[:, None], 0.3, np.broadcast_to(level, until.shape)).copy()
    seats, usage, expand = (traits.kind == each for each in (SEATS, USAGE, EXPAND))
    use[seats] = np.where(traits.sudden[seats, None], _BOUGHT_AT, _declining(until[seats]))
    use[usage] = _falling(until[usage], level[usage])
    use[expand] = _filling(until[expand], traits.sudden[expand])
    troubled = seats | usage | expand
    recovering = np.clip((until[troubled] - _PATIENCE) / 30, 0, 1)
    usual = np.select([seats & traits.sudden, expand], [2 * _BOUGHT_AT, 0.8], default=0.7)[troubled, None]
    use[troubled] += (usual - use[troubled]) * recovering
    users: Table = use * traits.seats[:, None]
    return users


def _declining(until: Ints) -> Table:
    use: Table = np.clip(0.395 * np.exp(-SLOW * (until + 6.5)), 0.33, 0.62)
    return use


def _falling(until: Ints, level: Table) -> Table:
    fallen = np.clip((until + 20) / 5, 0, 1)
    before = 0.74 + (level - 0.54) * 0.4
    use: Table = before * (1 - 0.38 * fallen)
    return use


def _filling(until: Ints, sudden: Flags) -> Table:
    # Fourteen days in a row above nine tenths; a sudden one is full on the first of them.
    slow = np.clip((until + 43) / 30, 0, 1)
    return 0.74 + 0.235 * np.where(sudden[:, None], until >= -13, slow)


def _pace(traits: Traits, time: Ints) -> Table:
    """Tickets a calendar day, relative to the plan; behind accounts fall to half of it in time to show."""
    behind = traits.kind == GOAL
    usual = np.where(traits.chronic, spread(traits.strength, 0.2, 0.6), spread(traits.health, 0.85, 1.15))
    usual = np.where(behind, spread(traits.strength, 0.95, 1.1), usual)
    # Until day b the usual pace, then half: the sum since the start is under 80 % of the line from here on.
    drop = traits.goal_start + (traits.shows - traits.goal_start) * 0.3 / np.maximum(usual - 0.5, 0.1)
    slow = behind[:, None] & (time >= drop[:, None]) & (time < traits.shows[:, None] + _PATIENCE)
    return np.where(slow, 0.5, usual[:, None])


def _contact(traits: Traits, rhythm: Marks, time: Ints) -> Marks:
    quiet, until = traits.kind == QUIET, time - traits.shows[:, None]
    silent = quiet[:, None] & (until > -31) & (until < _PATIENCE)
    # The last word is exactly 31 days old on the day the silence shows.
    last = quiet[:, None] & (until == -31)
    marks: Marks = (rhythm & ~silent) | last
    return marks
