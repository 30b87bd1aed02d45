"""Reading rules/calendars.yaml (codes K): when people of each region work, and whose calendar each is."""

from collections.abc import Iterable
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from engine.definitions.calendar import WEEKDAYS_ONLY, Calendar, Calendars
from engine.definitions.catalog_reading import read_format
from engine.definitions.fields import Fields
from engine.definitions.quantities import parse_hours
from engine.definitions.reading import Ledger, day, known, name, scalar, suggest, word
from engine.definitions.source import Node, ScalarNode

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_USUAL_HOURS: Final = "09:00-17:00"


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
    _check_countries(found.values(), ledger)
    return Calendars(found, found.get(wanted, WEEKDAYS_ONLY.default))


def _calendar(key: ScalarNode, node: Node, ledger: Ledger) -> Calendar:
    name(key, ledger, "a calendar")
    fields = Fields(node, ledger, "a calendar")
    days = tuple(word(item, WEEKDAYS, ledger, "a working day") for item in fields.texts("working_days", required=True))
    holidays = [day(item, ledger, "a holiday") for item in fields.texts("holidays")]
    found = Calendar(
        name=key.text,
        working_days=frozenset(WEEKDAYS.index(found) for found in days),
        hours=_hours(fields),
        holidays=frozenset(date.fromisoformat(text) for text in holidays),
        time_zone=_zone(fields),
        countries=_countries(fields),
        place=key.place,
    )
    fields.close()
    if "working_days" in fields and not days:
        ledger.problem(fields.key_place("working_days"), 10, "somebody must work on some day")
    return found


def _hours(fields: Fields) -> tuple[int, int]:
    text = fields.text("working_hours", _USUAL_HOURS)
    hours = parse_hours(text)
    if hours is None and text:
        at = fields.key_place("working_hours")
        fields.ledger.problem(
            at, 11, f'working hours run from morning to evening, not "{text}"', f"write {_USUAL_HOURS}"
        )
    return hours or (9 * 60, 17 * 60)


def _zone(fields: Fields) -> str:
    text, node = fields.text("time_zone", "UTC"), fields.find("time_zone")
    return check_zone(node, text, fields.ledger) if node else text


def check_zone(node: Node, text: str, ledger: Ledger) -> str:
    """A time zone by its name in the tz database; ``UTC`` where it is none."""
    try:
        ZoneInfo(text)
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # a path instead of a name is a ValueError, a folder an OSError
        zones = available_timezones()
        short = {zone.rpartition("/")[2].lower(): zone for zone in sorted(zones, reverse=True)}
        near = short.get(text.strip().lower().replace(" ", "_"))
        hint = f'did you mean "{near}"?' if near else suggest(text, zones) or "write it like Europe/Berlin"
        ledger.problem(node, 12, f'there is no time zone "{text[:60]}"', hint)
        return "UTC"
    return text


def _countries(fields: Fields) -> frozenset[str]:
    """``for: {country: [DE, AT]}``: the values of ``account.country`` that the calendar counts for."""
    inner = fields.fields("for")
    if inner is None:
        return frozenset()
    found = inner.texts("country", required=True)
    texts = [scalar(node, fields.ledger, "a country") for node in found]
    inner.close()
    return frozenset(text.casefold() for text in texts if text)


def _check_countries(calendars: Iterable[Calendar], ledger: Ledger) -> None:
    seen: dict[str, Calendar] = {}
    for calendar in calendars:
        for country in sorted(calendar.countries):
            if country in seen:
                message = f'two calendars are for "{country}": {seen[country].name} and {calendar.name}'
                ledger.problem(calendar.place, 13, message, "leave the country out of one of them")
            seen.setdefault(country, calendar)
