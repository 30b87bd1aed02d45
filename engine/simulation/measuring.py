"""What is seen of the course: metrics as points, happenings as events. Both for any stretch of days.

Only what a customer's systems would send is in here. Numbers are whole where people are counted; an account that left
sends nothing more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from engine.evaluation.columns import Floats, Ints
from engine.evaluation.facts import Series
from engine.simulation.drawing import MONDAY
from engine.simulation.state import Course, Marks, Table, Traits

ROLES: Final = ("champion", "sponsor", "key_user", "user", "user", "user")
"""The contacts of every account; the first two are whom we talk to, the third follows a champion who leaves."""

CHAMPION_SEAT, SPONSOR_SEAT, NEXT_SEAT, FIRST_USER = range(4)
LOGINS_FOR: Final = 30
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
    """A portfolio's columns with the place of its days: ``first_day`` is day 0, since 1970-01-01.

    ``days``: how many there are in all, ``after`` of them behind the last day of the history.
    """

    traits: Traits
    course: Course
    first_day: int
    days: int
    after: int = 0

    @property
    def last(self) -> int:
        """The last day of the history."""
        return self.days - self.after - 1


def points(view: View, metric: str, first: int, last: int) -> Series:
    """The points of one metric on the days ``first`` up to but not including ``last`` of the history, by row and day.

    ``Series.days`` counts from 1970-01-01. Raises KeyError for a metric the simulation does not send.
    """
    sent, values = _METRICS[metric]
    time = np.arange(first, last)
    rows, columns = np.nonzero(sent(view, time) & (time < view.course.churned[:, None]))
    days = columns + first
    return Series(rows, days + view.first_day, values(view, rows, days))


def events(view: View, kind: str, first: int, last: int) -> Seen:
    """The events of one kind on the days ``first`` up to but not including ``last`` of the history, by row and day."""
    time = np.arange(first, last)
    marks, seats, fields = _EVENTS[kind](view, time)
    rows, columns = np.nonzero(marks & (time < view.course.churned[:, None]))
    return Seen(
        rows=rows,
        days=columns + (view.first_day + first),
        seats=np.broadcast_to(seats, marks.shape)[rows, columns].astype(np.int64),
        fields={name: np.broadcast_to(values, marks.shape)[rows, columns] for name, values in fields.items()},
    )


def _every(period: int) -> Callable[[View, Ints], Marks]:
    def sent(view: View, time: Ints) -> Marks:
        marks: Marks = (time - view.traits.phase[:, None]) % period == 0
        return marks

    return sent


def _fed(view: View, time: Ints) -> Marks:
    marks: Marks = (time < view.course.silent_from[:, None]) | (time >= view.course.silent_until[:, None])
    return marks


def _active_users(view: View, rows: Ints, days: Ints) -> Floats:
    users = np.rint(view.course.users[rows, days] * view.course.wobble[rows, days])
    return np.minimum(users, _seats_sold(view, rows, days))


def _changed(view: View, time: Ints) -> Marks:
    marks: Marks = (time == 0) | (time == view.course.seats_from[:, None])
    return marks


def _seats_sold(view: View, rows: Ints, days: Ints) -> Floats:
    return np.where(days >= view.course.seats_from[rows], view.course.seats_then[rows], view.traits.seats[rows])


def _working(view: View, time: Ints) -> Marks:
    on = (time + view.first_day + MONDAY) % 7 < 5
    return np.broadcast_to(on, (len(view.traits.arr), len(time)))


def _tickets(view: View, rows: Ints, days: Ints) -> Floats:
    # Planned a month over 30 days of the calendar; they come on five days of seven.
    daily = (view.traits.plan / 30 * 7 / 5)[rows]
    values: Floats = np.rint(daily * view.course.pace[rows, days] * view.course.jitter[rows, days])
    return values


def _features(view: View, rows: Ints, days: Ints) -> Floats:
    return np.clip(np.rint(view.traits.breadth[rows] + 2.5 * (view.course.jitter[rows, days] - 1)), 0, 10)


def _nps(view: View, rows: Ints, days: Ints) -> Floats:
    return np.clip(np.rint(view.traits.happiness[rows] + 30 * (view.course.jitter[rows, days] - 1)), -100, 100)


def _young(view: View, time: Ints) -> Marks:
    # A project is reported every two weeks until it is finished, and some times after it is.
    marks: Marks = _every(14)(view, time) & (time - view.traits.onboarded[:, None] < 240)
    return marks


def _milestones(view: View, rows: Ints, days: Ints) -> Floats:
    since = days - view.traits.onboarded[rows]
    return np.minimum(1.0, np.floor(since / (14 + 10 * view.traits.speed[rows])) / 10)


def _spend(view: View, rows: Ints, days: Ints) -> Floats:
    bought = _seats_sold(view, rows, days) / view.traits.seats[rows]
    return np.round(view.traits.arr[rows] / 12 * (0.5 + 0.5 * bought), 2)


_Metric: TypeAlias = tuple[Callable[[View, Ints], Marks], Callable[[View, Ints, Ints], Floats]]
_METRICS: Final[Mapping[str, _Metric]] = {
    "active_users": (_fed, _active_users),
    "seats_sold": (_changed, _seats_sold),
    "tickets_deflected": (_working, _tickets),
    "features_used": (_every(7), _features),
    "nps": (_every(60), _nps),
    "milestones_done": (_young, _milestones),
    "spend": (_every(30), _spend),
}

METRICS: Final = tuple(_METRICS)
"""The metrics the simulation sends, in a fixed order."""

_Happened: TypeAlias = tuple[Marks, Ints, Mapping[str, Table]]
_Happens: TypeAlias = Callable[[View, Ints], _Happened]


def _talk(way: int) -> _Happens:
    """Replies, meetings and calls take turns, and so do the champion (while there is one) and the sponsor."""

    def happened(view: View, time: Ints) -> _Happened:
        turn = time + np.arange(len(view.traits.arr))[:, None]
        sponsor = (turn % 2 == 1) | (time >= view.course.departed[:, None])
        seats = np.where(sponsor, SPONSOR_SEAT, CHAMPION_SEAT)
        return view.course.contact[:, time[0] : time[-1] + 1] & (turn % 3 == way), seats, {}

    return happened


def _once(name: str, seat: int) -> _Happens:
    def happened(view: View, time: Ints) -> _Happened:
        return time == getattr(view.course, name)[:, None], np.array(seat), {}

    return happened


def _upgraded(view: View, time: Ints) -> _Happened:
    more: Floats = view.course.seats_then - view.traits.seats
    return time == view.course.upgraded[:, None], np.array(SPONSOR_SEAT), {"seats": more[:, None]}


def _escalation(view: View, time: Ints) -> _Happened:
    severity = (1 + view.traits.phase % 3).astype(np.float64)
    marks = view.course.escalated[:, time[0] : time[-1] + 1]
    return marks, np.array(NEXT_SEAT), {"severity": severity[:, None]}


def _survey(view: View, time: Ints) -> _Happened:
    marks = _every(60)(view, time)
    rows, days = np.nonzero(marks)
    answers = np.zeros(marks.shape)
    answers[rows, days] = _nps(view, rows, days + time[0])
    return marks, np.array(SPONSOR_SEAT), {"nps": answers}


_EVENTS: Final[Mapping[str, _Happens]] = {
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
