"""Working days: which days count in ``3 working days``. Shape and arithmetic; the reader is `calendar_reading`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from engine.definitions.problem import Place


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people of one region work. ``working_days`` counts from Monday = 0; ``hours`` are minutes of the day.
    ``countries``: the values of ``account.country`` it counts for."""

    name: str
    working_days: frozenset[int] = frozenset(range(5))
    hours: tuple[int, int] = (9 * 60, 17 * 60)
    holidays: frozenset[date] = frozenset()
    time_zone: str = "UTC"
    countries: frozenset[str] = frozenset()
    place: Place = field(default=Place("rules/calendars.yaml"), compare=False)

    def is_working(self, day: date) -> bool:
        """Whether people work on that day."""
        return day.weekday() in self.working_days and day not in self.holidays

    def after(self, day: date, count: int) -> date:
        """The working day ``count`` working days after ``day``; at most ten years ahead."""
        found, left = day, count
        for _ in range(3_660):
            if left <= 0:
                break
            found += timedelta(days=1)
            left -= self.is_working(found)
        return found


@dataclass(frozen=True, slots=True)
class Calendars:
    """All calendars by name, and the one that counts where no other is named."""

    by_name: Mapping[str, Calendar]
    default: Calendar

    def of(self, named: str) -> Calendar:
        """The calendar of this name, or of this country; else the one that counts where none is named."""
        if named in self.by_name:
            return self.by_name[named]
        wanted = named.casefold()
        return next((each for each in self.by_name.values() if wanted in each.countries), self.default)


WEEKDAYS_ONLY: Final = Calendars({}, Calendar("weekdays"))
