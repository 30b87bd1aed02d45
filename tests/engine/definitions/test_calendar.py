"""Working days."""

from datetime import date, timedelta

from hypothesis import given, strategies as st

from engine.definitions.calendar import WEEKDAYS_ONLY, Calendar
from tests.bad_files.workspace import BASE, bundle_of, sentences_of

FILE = "rules/calendars.yaml"
TEXT = """format: 1
default: north
calendars:
  north:
    time_zone: Europe/Oslo
    working_days: [mon, tue, wed, thu, fri]
    working_hours: 08:00-16:00
    holidays: [2026-12-25]
"""
FRIDAY = date(2026, 12, 18)


def test_without_a_file_people_work_from_monday_to_friday() -> None:
    assert bundle_of(BASE).calendars == WEEKDAYS_ONLY
    assert WEEKDAYS_ONLY.default.after(FRIDAY, 3) == date(2026, 12, 23)


def test_holidays_are_no_working_days() -> None:
    calendars = bundle_of({**BASE, FILE: TEXT}).calendars
    assert calendars.default is calendars.by_name["north"]
    assert (calendars.default.hours, calendars.default.time_zone) == ((480, 960), "Europe/Oslo")
    assert calendars.default.after(FRIDAY, 5) == date(2026, 12, 28)


def test_a_calendar_is_found_by_its_name_or_by_the_country_it_is_for() -> None:
    """D.3."""
    dach = "  dach: {working_days: [mon], time_zone: Europe/Berlin, for: {country: [DE, AT]}}\n"
    calendars = bundle_of({**BASE, FILE: TEXT + dach}).calendars
    assert [calendars.of(named).name for named in ("dach", "at", "DE", "FR", "")] == [
        "dach",
        "dach",
        "dach",
        "north",
        "north",
    ]


def test_a_zone_nobody_knows_is_refused() -> None:
    assert sentences_of({**BASE, FILE: TEXT.replace("Europe/Oslo", "Oslo")}) == ['K012 there is no time zone "Oslo"']


def test_an_unknown_time_of_day_or_day_is_refused() -> None:
    assert sentences_of({**BASE, FILE: TEXT.replace("08:00-16:00", "morning")}) == [
        'K011 working hours run from morning to evening, not "morning"'
    ]
    assert sentences_of({**BASE, FILE: TEXT.replace("[mon, tue, wed, thu, fri]", "[]")}) == [
        "K010 somebody must work on some day"
    ]


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 60), st.frozensets(st.integers(0, 6), min_size=1))
def test_between_a_day_and_the_nth_working_day_after_it_there_are_n_working_days(
    day: date, count: int, days: frozenset[int]
) -> None:
    calendar = Calendar("any", days)
    found = calendar.after(day, count)
    between = [day + timedelta(days=number + 1) for number in range((found - day).days)]
    assert sum(calendar.is_working(one) for one in between) == count
    assert count == 0 or calendar.is_working(found)
