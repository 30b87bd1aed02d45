"""The clock of a run: when a span of time ends, in calendar or working time, and what moment's data the run sees."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from engine.definitions.calendar import WEEKDAYS_ONLY, Calendar
from engine.definitions.playbook import Span

DAY_SECONDS: Final = 86_400.0
"""The length of a day that is not scaled."""
_WORKING_HOURS: Final = 8.0
_FURTHEST: Final = 3_660
"""Days looked ahead for time that counts; on a calendar on which nobody ever works there is none."""


def deadline(start: datetime, span: Span, day_seconds: float, calendar: Calendar = WEEKDAYS_ONLY.default) -> datetime:
    """When ``span`` after ``start`` is over.

    Working days are counted one by one in the calendar's own time zone and end at the same time of day as they began,
    also where the clocks were changed between. Eight working hours are a working day; fewer pass only within the
    calendar's hours. On a scaled clock (``day_seconds`` is not a real day) weekdays and hours mean nothing, so there
    every day counts.
    """
    if not span.working or day_seconds != DAY_SECONDS:
        return start + timedelta(seconds=span.days * day_seconds)
    zone = ZoneInfo(calendar.time_zone)
    local = start.astimezone(zone).replace(tzinfo=None)
    days, part = divmod(span.days, 1)
    if days:
        local = datetime.combine(calendar.after(local.date(), int(days)), local.time())
    if part:
        local = _within_hours(local, timedelta(hours=part * _WORKING_HOURS), calendar)
    return local.replace(tzinfo=zone).astimezone(UTC)


def _within_hours(local: datetime, left: timedelta, calendar: Calendar) -> datetime:
    """The moment at which so much time has passed within the calendar's hours, on the clock of its zone."""
    for ahead in range(_FURTHEST):
        day = local.date() + timedelta(days=ahead)
        if not calendar.is_working(day):
            continue
        opens, closes = (_at(day, minutes) for minutes in calendar.hours)
        begin = max(opens, local)
        if begin + left <= closes:
            return begin + left
        left -= max(closes - begin, timedelta(0))
    return local + left


def _at(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minutes)


def seen_at(now: datetime, day_seconds: float, requested: datetime, started: datetime | None) -> datetime:
    """The moment whose data a run looks at.

    That is ``now``. On a scaled clock the run lives through its days faster than they pass: as many days after it was
    requested as days of its own clock have gone by since it started.
    """
    if day_seconds == DAY_SECONDS:
        return now
    lived = timedelta(0) if started is None else now - started
    return requested + timedelta(days=lived.total_seconds() / day_seconds)
