"""Dates of an account as moments of a run's clock."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from engine.definitions.calendar import Calendar, Calendars
from engine.definitions.playbook import Span
from engine.running.dates import calendar_of, date_of, moment_of, on_clock
from engine.running.working_time import DAY_SECONDS

BERLIN = Calendar(
    "berlin", time_zone="Europe/Berlin", countries=frozenset({"de"}), holidays=frozenset({date(2026, 9, 7)})
)
HERE = Calendar("here")
ALL = Calendars({"berlin": BERLIN, "here": HERE}, HERE)
WEDNESDAY = date(2026, 9, 9)


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"calendar": "berlin"}, "berlin"), ({"country": "DE"}, "berlin"), ({"country": "FR"}, "here"), ({}, "here")],
)
def test_an_account_has_the_calendar_it_names_or_its_countrys(fields: dict[str, str], name: str) -> None:
    assert calendar_of(ALL, fields).name == name


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (20_705, date(2026, 9, 9)),
        ("2026-09-09", date(2026, 9, 9)),
        ("2026-09-09T10:00:00Z", date(2026, 9, 9)),
        ("soon", None),
        (None, None),
        (True, None),
    ],
)
def test_a_date_is_days_or_iso_and_anything_else_is_unknown(value: object, found: date | None) -> None:
    assert date_of({"renewal_on": value}, "account.renewal_on") == found


def test_a_date_nobody_has_given_is_unknown() -> None:
    assert date_of({}, "account.renewal_on") is None


def test_it_is_time_when_people_begin_to_work_where_the_account_is() -> None:
    assert moment_of(WEDNESDAY, Span(0), BERLIN) == datetime(2026, 9, 9, 7, tzinfo=UTC)
    assert moment_of(date(2026, 12, 9), Span(0), BERLIN) == datetime(2026, 12, 9, 8, tzinfo=UTC)
    assert moment_of(WEDNESDAY, Span(30), HERE) == datetime(2026, 8, 10, 9, tzinfo=UTC)


def test_working_days_before_a_date_leave_out_days_off() -> None:
    """S3-30: Wednesday, Tuesday, not Monday the holiday, not the week-end: Friday."""
    assert moment_of(WEDNESDAY, Span(2, working=True), BERLIN).date() == date(2026, 9, 4)
    assert moment_of(WEDNESDAY, Span(2, working=True), HERE).date() == date(2026, 9, 7)


@given(st.integers(0, 4_000), st.integers(0, 200))
def test_so_many_working_days_lie_between_the_moment_and_the_date(number: int, days: int) -> None:
    day = date(2026, 1, 1) + timedelta(days=number)
    found = moment_of(day, Span(days, working=True), BERLIN).date()
    between = [found + timedelta(days=each) for each in range((day - found).days)]
    assert sum(BERLIN.is_working(each) for each in between) == days


def test_on_a_scaled_clock_days_of_data_are_as_long_as_the_run_says() -> None:
    now, seen = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    assert on_clock(seen + timedelta(days=3), now, seen, 2.0) == now + timedelta(seconds=6)
    assert on_clock(seen, now, seen, DAY_SECONDS) == seen
