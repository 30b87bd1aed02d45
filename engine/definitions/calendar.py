"""Working days: which days count in ``3 working days``. Shape, arithmetic and reader (codes K)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from engine.definitions.catalog_reading import read_format
from engine.definitions.fields import Fields
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger, day, known, name, word
from engine.definitions.source import Node, ScalarNode

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


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


def read_calendars(node: Node, ledger: Ledger) -> Calendars:
    """Read rules/calendars.yaml."""
    fields = Fields(node, ledger, "the calendars")
    read_format(fields)
    default = fields.need("default")
    found = {key.text: _calendar(key, value, ledger) for key, value in fields.entries("calendars", required=True)}
    wanted = default.text if isinstance(default, ScalarNode) else ""
    if default is not None:
        known(default, wanted, found, ledger, "calendar")
    fields.close()
    return Calendars(found, found.get(wanted, WEEKDAYS_ONLY.default))


def _calendar(key: ScalarNode, node: Node, ledger: Ledger) -> Calendar:
    name(key, ledger, "a calendar")
    fields = Fields(node, ledger, "a calendar")
    days = tuple(word(item, WEEKDAYS, ledger, "a working day") for item in fields.texts("working_days", required=True))
    holidays = [day(item, ledger, "a holiday") for item in fields.texts("holidays")]
    found = Calendar(
        key.text,
        frozenset(WEEKDAYS.index(found) for found in days),
        _hours(fields),
        frozenset(date.fromisoformat(text) for text in holidays),
        fields.text("time_zone", "UTC"),
        place=key.place,
    )
    fields.close()
    if "working_days" in fields and not days:
        ledger.problem(fields.key_place("working_days"), 10, "somebody must work on some day")
    return found


def _hours(fields: Fields) -> tuple[int, int]:
    text = fields.text("working_hours", "09:00-17:00")
    hours = _HOURS.fullmatch(text)
    start, end = (int(hours[1]) * 60 + int(hours[2]), int(hours[3]) * 60 + int(hours[4])) if hours else (0, 0)
    if end <= start:
        at = fields.key_place("working_hours")
        fields.ledger.problem(at, 11, f'working hours run from morning to evening, not "{text}"', "write 09:00-17:00")
    return start, end
