"""What is seen of the course: metrics as points, happenings as events. Both for any stretch of days.

Only what a customer's systems would send is in here. Numbers are whole where people are counted; an account that left
sends nothing more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.evaluation.columns import Floats, Ints
from engine.evaluation.facts import Series
from engine.simulation.drawing import weekdays
from engine.simulation.state import Course, Marks, Table, Traits

ROLES: Final = ("champion", "sponsor", "key_user", "user", "user", "user")
"""The contacts of every account; the first two are whom we talk to, the third follows a champion who leaves."""

CHAMPION_SEAT, SPONSOR_SEAT, NEXT_SEAT = range(3)
LOGINS_FOR: Final = 45
"""Days at the end of the history for which single logins are known."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Events of one kind, sorted by account row, then day (length K). ``seats`` says which contact (position in
    `ROLES`, -1 none); ``fields`` are the declared ones."""

    rows: Ints
    days: Ints
    seats: Ints
    fields: Mapping[str, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A portfolio's columns with the place of its days: ``first_day`` is day 0, since 1970-01-01."""

    traits: Traits
    course: Course
    first_day: int
    days: int


def points(view: View, metric: str, first: int, last: int) -> Series:
    """The points of one metric on the days ``first`` up to but not including ``last`` of the history, by row and day.

    ``Series.days`` counts from 1970-01-01. Raises KeyError for a metric the simulation does not send.
    """
    values, sent = _METRICS[metric](view, first, last)
    there = np.arange(first, last) < view.course.churned[:, None]
    rows, columns = np.nonzero(sent & there)
    return Series(rows, columns + (view.first_day + first), values[rows, columns])


def events(view: View, kind: str, first: int, last: int) -> Seen:
    """The events of one kind on the days ``first`` up to but not including ``last`` of the history, by row and day."""
    marks, seats, fields = _EVENTS[kind](view, first, last)
    rows, columns = np.nonzero(marks)
    return Seen(
        rows=rows,
        days=columns + (view.first_day + first),
        seats=np.broadcast_to(seats, marks.shape)[rows, columns].astype(np.int64),
        fields={name: np.broadcast_to(values, marks.shape)[rows, columns] for name, values in fields.items()},
    )


def _span(first: int, last: int) -> Ints:
    return np.arange(first, last)


def _every(view: View, first: int, last: int, period: int) -> Marks:
    marks: Marks = (_span(first, last) - view.traits.phase[:, None]) % period == 0
    return marks


def _active_users(view: View, first: int, last: int) -> tuple[Table, Marks]:
    course, time = view.course, _span(first, last)
    users = np.rint(course.users[:, first:last] * course.wobble[:, first:last])
    sent = (time < course.silent_from[:, None]) | (time >= course.silent_until[:, None])
    return np.minimum(users, course.seats(view.traits, first, last)), sent


def _seats_sold(view: View, first: int, last: int) -> tuple[Table, Marks]:
    time = _span(first, last)
    return view.course.seats(view.traits, first, last), (time == 0) | (time == view.course.seats_from[:, None])


def _tickets(view: View, first: int, last: int) -> tuple[Table, Marks]:
    # Planned tickets are counted for every day of the calendar and come on five of seven.
    daily = view.traits.plan[:, None] / 30 * 7 / 5
    working = weekdays(view.first_day + first, last - first) < 5
    values = np.rint(daily * view.course.pace[:, first:last] * view.course.jitter[:, first:last])
    return values, np.broadcast_to(working, values.shape)


def _features(view: View, first: int, last: int) -> tuple[Table, Marks]:
    values = np.clip(np.rint(view.traits.breadth[:, None] + 1.5 * (view.course.jitter[:, first:last] - 1)), 0, 10)
    return values, _every(view, first, last, 7)


def _nps(view: View, first: int, last: int) -> tuple[Table, Marks]:
    values = np.clip(np.rint(view.traits.happiness[:, None] + 20 * (view.course.jitter[:, first:last] - 1)), -100, 100)
    return values, _every(view, first, last, 60)


def _milestones(view: View, first: int, last: int) -> tuple[Table, Marks]:
    since = _span(first, last) - view.traits.onboarded[:, None]
    done = np.minimum(1.0, np.floor(since / (14 + 10 * view.traits.speed[:, None])) / 10)
    # A project is reported until it is finished, and for the last time when it is.
    return done, _every(view, first, last, 14) & (since < 240)


def _spend(view: View, first: int, last: int) -> tuple[Table, Marks]:
    bought = view.course.seats(view.traits, first, last) / view.traits.seats[:, None]
    return np.round(view.traits.arr[:, None] / 12 * (0.5 + 0.5 * bought), 2), _every(view, first, last, 30)


_METRICS: Final[Mapping[str, Callable[[View, int, int], tuple[Table, Marks]]]] = {
    "active_users": _active_users,
    "seats_sold": _seats_sold,
    "tickets_deflected": _tickets,
    "features_used": _features,
    "nps": _nps,
    "milestones_done": _milestones,
    "spend": _spend,
}

METRICS: Final = tuple(_METRICS)
"""The metrics the simulation sends, in a fixed order."""

_Happened = tuple[Marks, Ints, Mapping[str, Table]]


def _talk(way: int) -> Callable[[View, int, int], _Happened]:
    """Replies, meetings and calls take turns, and so do the champion (while there is one) and the sponsor."""

    def happened(view: View, first: int, last: int) -> _Happened:
        time = _span(first, last)
        turn = time + np.arange(len(view.traits.arr))[:, None]
        marks = view.course.contact[:, first:last] & (turn % 3 == way) & (time < view.course.churned[:, None])
        sponsor = (turn % 2 == 1) | (time >= view.course.departed[:, None])
        return marks, np.where(sponsor, SPONSOR_SEAT, CHAMPION_SEAT), {}

    return happened


def _once(name: str, seat: int) -> Callable[[View, int, int], _Happened]:
    def happened(view: View, first: int, last: int) -> _Happened:
        marks = _span(first, last) == getattr(view.course, name)[:, None]
        return marks, np.array(seat), {}

    return happened


def _upgraded(view: View, first: int, last: int) -> _Happened:
    marks = _span(first, last) == view.course.upgraded[:, None]
    return marks, np.array(SPONSOR_SEAT), {"seats": np.asarray(view.course.seats_then - view.traits.seats)[:, None]}


def _escalation(view: View, first: int, last: int) -> _Happened:
    marks = view.course.escalated[:, first:last] & (_span(first, last) < view.course.churned[:, None])
    return marks, np.array(NEXT_SEAT), {"severity": (1.0 + view.traits.phase % 3).astype(np.float64)[:, None]}


def _survey(view: View, first: int, last: int) -> _Happened:
    values, sent = _nps(view, first, last)
    return sent & (_span(first, last) < view.course.churned[:, None]), np.array(SPONSOR_SEAT), {"nps": values}


_EVENTS: Final[Mapping[str, Callable[[View, int, int], _Happened]]] = {
    "reply": _talk(0),
    "meeting": _talk(1),
    "call": _talk(2),
    "contact_departed": _once("departed", CHAMPION_SEAT),
    "champion_named": _once("named", NEXT_SEAT),
    "upgraded": _upgraded,
    "escalation": _escalation,
    "survey_answered": _survey,
}

EVENTS: Final = tuple(_EVENTS)
"""The kinds of events the simulation sends, single logins excepted, in a fixed order."""
