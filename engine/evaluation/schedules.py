"""Days of the calendar as signals: the day of a period, and clocks that run towards a date of the account."""

from datetime import date, timedelta
from typing import Final

import numpy as np

from engine.definitions.calendar import Calendar, Calendars
from engine.definitions.measure import ClockMeasure, Period, ScheduleMeasure
from engine.evaluation.columns import Bytes, Flags, Floats, Numbers, Planes, Texts
from engine.evaluation.features import Features
from engine.evaluation.observed import Observed, plain

_EPOCH: Final = date(1970, 1, 1)
_LONGEST: Final = 14
"""So many days off in a row at most lie between two working days; more is a mistake in a calendar."""

_NAMING: Final = ("account.calendar", "account.country")
"""The fields of an account that say whose days off it has."""


def on_schedule(measure: ScheduleMeasure, features: Features, calendars: Calendars) -> Observed:
    """Whether today is the day of the period, in each account's calendar; the value is the day."""
    today = _EPOCH + timedelta(days=features.day)
    verdicts = np.full(features.size, -1, dtype=np.int8)
    for calendar, mine in _calendars(features, calendars):
        verdicts[mine] = 1 if is_day(measure, today, calendar) else -1
    return plain(verdicts, np.full(features.size, float(features.day)))


def is_day(measure: ScheduleMeasure, today: date, calendar: Calendar) -> bool:
    """Whether ``today`` is the first or last (working) day of its week, month, quarter or year."""
    first = _first_day(measure.every, today)
    last = _first_day(measure.every, first + timedelta(days=_AT_MOST[measure.every])) - timedelta(days=1)
    edge, step = (first, 1) if measure.on.startswith("first") else (last, -1)
    if measure.on.endswith("working day"):
        every = (edge + timedelta(days=step * at) for at in range((last - first).days + 1))
        edge = next((day for day in every if calendar.is_working(day)), edge)
    return today == edge


_AT_MOST: Final = {"week": 7, "month": 31, "quarter": 92, "year": 366}


def _first_day(every: Period, day: date) -> date:
    match every:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1)


def on_clock(measure: ClockMeasure, features: Features, calendars: Calendars) -> Observed:
    """Whether a date of the account is as near, or as long past, as the clock says; the value is the days between.

    The days off that follow today count as passed already, so that the clock rings on the working day before them.
    """
    column = features.get(measure.date)
    dates = column.values if isinstance(column, Numbers) else np.full(features.size, np.nan)
    between = dates - features.day if measure.side == "before" else features.day - dates
    verdicts = np.zeros(features.size, dtype=np.int8)
    for calendar, mine in _calendars(features, calendars):
        verdicts[mine] = _rings(measure, between, _days_off_after(features.day, calendar))[mine]
    return plain(verdicts, between)


def _rings(measure: ClockMeasure, between: Floats, off: int) -> Bytes:
    if measure.side == "before":
        holds = (between - off <= measure.by) & (between > (-1 if measure.until is None else measure.until))
    else:
        holds = (between + off >= measure.by) & (between < (np.inf if measure.until is None else measure.until))
    return Planes(holds, holds | np.isnan(between)).verdicts


def _days_off_after(day: int, calendar: Calendar) -> int:
    after = (_EPOCH + timedelta(days=day + 1 + at) for at in range(_LONGEST))
    return next((at for at, each in enumerate(after) if calendar.is_working(each)), 0)


def _calendars(features: Features, calendars: Calendars) -> list[tuple[Calendar, Flags]]:
    """Each calendar that counts for some account, and for which: the one ``account.calendar`` names, that of
    ``account.country``, or the default."""
    rest = np.ones(features.size, dtype=np.bool_)
    found: list[tuple[Calendar, Flags]] = []
    for field in _NAMING:
        column = features.get(field)
        if not isinstance(column, Texts):
            continue
        for code, name in enumerate(column.words):
            mine = rest & (column.codes == code)
            found.append((calendars.of(name), mine))
            rest &= ~mine
    return [*found, (calendars.default, rest)]
