"""The clock of a run: when a span of time ends, in calendar or working days, and what moment's data the run sees."""

from datetime import UTC, datetime, timedelta
from typing import Final

from engine.definitions.calendar import WEEKDAYS_ONLY, Calendar
from engine.definitions.playbook import Span

DAY_SECONDS: Final = 86_400.0
"""The length of a day that is not scaled."""
_WORKING_HOURS: Final = 8.0


def deadline(start: datetime, span: Span, day_seconds: float, calendar: Calendar = WEEKDAYS_ONLY.default) -> datetime:
    """When ``span`` after ``start`` is over.

    Working days are counted one by one (UTC days) and end at the same time of day as they began; eight working hours
    are a working day, fewer are hours of the clock that never end on a day off. On a scaled clock (``day_seconds`` is
    not a real day) weekdays mean nothing, so there every day counts.
    """
    if not span.working or day_seconds != DAY_SECONDS:
        return start + timedelta(seconds=span.days * day_seconds)
    days, part = divmod(span.days, 1)
    end = _later(start, int(days), calendar) + timedelta(hours=part * _WORKING_HOURS)
    return end if calendar.is_working(end.astimezone(UTC).date()) else _later(end, 1, calendar)


def _later(start: datetime, days: int, calendar: Calendar) -> datetime:
    first = start.astimezone(UTC).date()
    return start + (calendar.after(first, days) - first)


def seen_at(now: datetime, day_seconds: float, requested: datetime, started: datetime | None) -> datetime:
    """The moment whose data a run looks at.

    That is ``now``. On a scaled clock the run lives through its days faster than they pass: as many days after it was
    requested as days of its own clock have gone by since it started.
    """
    if day_seconds == DAY_SECONDS:
        return now
    lived = timedelta(0) if started is None else now - started
    return requested + timedelta(days=lived.total_seconds() / day_seconds)
