"""When a span of time ends: calendar days on the run's own clock, or working days of a calendar."""

from datetime import UTC, datetime, timedelta
from typing import Final

from engine.definitions.calendar import WEEKDAYS_ONLY, Calendar
from engine.definitions.playbook import Span

DAY_SECONDS: Final = 86_400.0
"""The length of a day that is not scaled."""


def deadline(start: datetime, span: Span, day_seconds: float, calendar: Calendar = WEEKDAYS_ONLY.default) -> datetime:
    """When ``span`` after ``start`` is over.

    Working days are counted one by one (UTC days) and end at the same time of day as they began. On a scaled clock
    (``day_seconds`` is not a real day) weekdays mean nothing, so there every day counts.
    """
    if not span.working or day_seconds != DAY_SECONDS:
        return start + timedelta(seconds=span.days * day_seconds)
    first = start.astimezone(UTC).date()
    return start + (calendar.after(first, round(span.days)) - first)
