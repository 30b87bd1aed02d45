"""How accounts answer to a decision: the future is rewritten for those that were treated or held out.

One comparison decides: the account's draw against its own probability, plus the playbook's amount if it is treated
and nobody skips the run. Then the data moves, clear of every limit on either side, before the outcome is due, and
stays until it is judged; no chance in the data can turn an outcome round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.evaluation.columns import Flags, Floats, Ints
from engine.simulation.drawing import spread
from engine.simulation.state import Course, Table, Traits
from engine.simulation.truth import CHALLENGES, CHAMPION, EXPAND, GOAL, QUIET, SEATS, USAGE

HOLDS_ON: Final = 21
"""Days an outcome stays as it is after it was due, for cycles that come late."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of decisions. ``skipped``: treated accounts whose run a person skips. ``strays``: accounts that
    are not in the challenge of the rule at all, so that nothing follows (none, as long as the rules are as shipped)."""

    skipped: tuple[int, ...]
    strays: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Accounts in one challenge decided about on one day, as columns of length R. Days count from 0."""

    rows: Ints
    day: int
    due: int
    met: Flags
    speed: Floats
    strength: Floats
    seats: Floats


def answer(
    traits: Traits, course: Course, kind: int, day: int, rows: Sequence[int], treated: Sequence[bool]
) -> Answers:
    """Let the accounts ``rows`` answer to decisions of ``day`` about challenge ``kind``; rewrites ``course``."""
    asked, helped = np.array(rows, dtype=np.int64), np.array(treated, dtype=np.bool_)
    right = (traits.kind[asked] == kind) & ~course.answered[asked] & (traits.shows[asked] <= day + HOLDS_ON)
    strays = tuple(asked[~right].tolist())
    asked, helped = asked[right], helped[right]
    course.answered[asked] = True
    skipped = helped & traits.skips[asked]
    challenge = CHALLENGES[kind]
    met = traits.draw[asked] < traits.own[asked] + challenge.amount * (helped & ~skipped)
    due = day + challenge.within
    group = _Group(asked, day, due, met, traits.speed[asked], traits.strength[asked], traits.seats[asked])
    _ANSWERS[kind](course, group)
    _lose_feeds(course, asked[traits.loses_feed[asked]], due)
    if kind in {USAGE, QUIET}:
        # Some that did not solve it leave us shortly before the outcome is due.
        leaving = traits.leaves[asked] & ~traits.loses_feed[asked] & ~met
        course.churned[asked[leaving]] = due - 1 - (9 * group.speed[leaving]).astype(np.int64)
    return Answers(tuple(asked[skipped].tolist()), strays)


def _seats(course: Course, group: _Group) -> None:
    sold = np.where(course.seats_from[group.rows] <= group.day, course.seats_then[group.rows], group.seats)
    in_use = _moved(
        course.users, group, group.met, spread(group.speed, 15, 38), sold * spread(group.strength, 0.68, 0.8)
    )
    # Those that did not solve it stay where they are; half of them find their way later.
    later = ~group.met & (group.speed < 0.5)
    _write(course.users, group, _afterwards(in_use, group, later, sold * 0.65))


def _usage(course: Course, group: _Group) -> None:
    now = course.users[group.rows, group.day]
    in_use = _moved(course.users, group, group.met, spread(group.speed, 8, 20), now * spread(group.strength, 1.35, 1.5))
    _write(course.users, group, _afterwards(in_use, group, ~group.met & (group.speed < 0.5), now * 1.5))


def _goal(course: Course, group: _Group) -> None:
    pace = _moved(course.pace, group, group.met, spread(group.speed, 2, 13), spread(group.strength, 1.25, 1.4))
    _write(course.pace, group, _afterwards(pace, group, ~group.met, np.full(len(group.rows), 1.15)))


def _champion(course: Course, group: _Group) -> None:
    soon, late = spread(group.speed, 5, 42), spread(group.speed, 70, 160)
    course.named[group.rows] = group.day + np.where(group.met, soon, late).astype(np.int64)


def _quiet(course: Course, group: _Group) -> None:
    # The rhythm of talks comes back with one talk on the day itself, so no gap is longer than in the rhythm.
    resumes = np.where(group.met, group.day + spread(group.speed, 4, 26), group.due + HOLDS_ON + 20 * group.strength)
    time = np.arange(group.day + 1, course.contact.shape[1])
    back = time >= resumes.astype(np.int64)[:, None]
    first = time == resumes.astype(np.int64)[:, None]
    course.contact[group.rows, group.day + 1 :] = (course.rhythm[group.rows, group.day + 1 :] & back) | first


def _expand(course: Course, group: _Group) -> None:
    upgraded = group.rows[group.met]
    on = group.day + spread(group.speed[group.met], 10, 52).astype(np.int64)
    course.upgraded[upgraded] = course.seats_from[upgraded] = on
    course.seats_then[upgraded] = np.round(group.seats[group.met] * 1.3)
    full = course.users[group.rows, group.day + 1 :]
    stays = np.broadcast_to(course.users[group.rows, group.day][:, None], full.shape)
    _write(course.users, group, _afterwards(stays, group, ~group.met, group.seats * 0.78))


_ANSWERS: Final = {
    SEATS: _seats,
    USAGE: _usage,
    GOAL: _goal,
    CHAMPION: _champion,
    QUIET: _quiet,
    EXPAND: _expand,
}


def _moved(table: Table, group: _Group, who: Flags, length: Floats, target: Floats) -> Table:
    """The days after the decision: ``who`` moves to ``target`` over ``length`` days, the others stay as they are."""
    now = table[group.rows, group.day][:, None]
    time = np.arange(1, table.shape[1] - group.day)
    moved = np.clip(time / length[:, None], 0, 1) * who[:, None]
    after: Table = now + (target[:, None] - now) * moved
    return after


def _afterwards(values: Table, group: _Group, who: Flags, target: Floats) -> Table:
    """After the outcome was judged, ``who`` goes to ``target`` over a month."""
    time = np.arange(group.day + 1, group.day + 1 + values.shape[1])
    moved = np.clip((time - group.due - HOLDS_ON) / 30, 0, 1) * who[:, None]
    later: Table = values + (target[:, None] - values) * moved
    return later


def _write(table: Table, group: _Group, values: Table) -> None:
    table[group.rows, group.day + 1 :] = values


def _lose_feeds(course: Course, rows: Ints, due: int) -> None:
    """Some usage feeds break before the outcome is due, in either arm alike: nobody can know what became of these."""
    course.silent_from[rows] = due - 25
    course.silent_until[rows] = due + HOLDS_ON + 10
