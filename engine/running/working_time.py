"""When a span of time ends: calendar days on the run's own clock, or working days of a calendar."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from engine.definitions.playbook import Span

DAY_SECONDS: Final = 86_400.0
"""The length of a day that is not scaled."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people work: weekdays (Monday is 0) and the days on which they do not. Days are UTC days."""

    working_days: frozenset[int] = frozenset(range(5))
    holidays: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        """Whether people work on ``day``."""
        return day.weekday() in self.working_days and day not in self.holidays


WEEKDAYS: Final = Calendar()


def deadline(start: datetime, span: Span, day_seconds: float, calendar: Calendar = WEEKDAYS) -> datetime:
    """When ``span`` after ``start`` is over.

    Working days are counted one by one and end at the same time of day as they began. On a scaled clock
    (``day_seconds`` is not a real day) weekdays mean nothing, so there every day counts.
    """
    if not span.working or day_seconds != DAY_SECONDS:
        return start + timedelta(seconds=span.days * day_seconds)
    end, left = start, round(span.days)
    while left > 0:
        end += timedelta(days=1)
        left -= calendar.is_working(end.date())
    return end
