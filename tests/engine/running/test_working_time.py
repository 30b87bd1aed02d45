"""Ends of spans."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from engine.definitions.calendar import Calendar
from engine.definitions.playbook import Span
from engine.running.working_time import DAY_SECONDS, deadline, seen_at

FRIDAY = datetime(2026, 9, 4, 15, tzinfo=UTC)
DAY = 86_400.0


def test_three_working_days_after_friday_are_over_on_wednesday() -> None:
    assert deadline(FRIDAY, Span(3, working=True), DAY) == datetime(2026, 9, 9, 15, tzinfo=UTC)


def test_working_hours_pass_only_while_people_work() -> None:
    monday = datetime(2026, 9, 7, 9, tzinfo=UTC)
    assert deadline(FRIDAY, Span(0.25, working=True), DAY) == FRIDAY + timedelta(hours=2)
    assert deadline(FRIDAY, Span(0.5, working=True), DAY) == monday + timedelta(hours=2)
    assert deadline(FRIDAY + timedelta(hours=7), Span(0.5, working=True), DAY) == monday + timedelta(hours=4)
    assert deadline(FRIDAY, Span(1.5, working=True), DAY) == datetime(2026, 9, 8, 11, tzinfo=UTC)
    early = datetime(2026, 9, 7, 5, tzinfo=UTC)
    assert deadline(early, Span(0.125, working=True), DAY) == monday + timedelta(hours=1)


def test_hours_and_days_are_those_of_the_calendars_own_zone() -> None:
    tokyo = Calendar("tokyo", time_zone="Asia/Tokyo", hours=(9 * 60, 17 * 60))
    late = datetime(2026, 9, 4, 22, tzinfo=UTC)  # Saturday morning there
    assert deadline(late, Span(0.125, working=True), DAY, tokyo) == datetime(2026, 9, 7, 1, tzinfo=UTC)
    assert deadline(late, Span(1, working=True), DAY, tokyo) == datetime(2026, 9, 6, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("begun", "ended"), [((2026, 3, 27, 9), (2026, 3, 30, 8)), ((2026, 10, 23, 8), (2026, 10, 26, 9))]
)
def test_a_working_day_ends_at_the_same_time_of_day_when_the_clocks_change(
    begun: tuple[int, int, int, int], ended: tuple[int, int, int, int]
) -> None:
    """D.3: ten in the morning stays ten in the morning, on a Monday after the clocks were changed."""
    berlin = Calendar("berlin", time_zone="Europe/Berlin")
    end = deadline(datetime(*begun, tzinfo=UTC), Span(1, working=True), DAY, berlin)
    assert end == datetime(*ended, tzinfo=UTC)
    assert end.astimezone(ZoneInfo("Europe/Berlin")).hour == 10


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])


@given(st.integers(-20_000, 20_000), st.floats(0.01, 0.99), st.integers(0, 12), st.integers(13, 24), ZONES)
def test_working_hours_end_within_the_hours_of_a_working_day(
    hours: int, part: float, opens: int, closes: int, zone: str
) -> None:
    calendar = Calendar("any", hours=(opens * 60, closes * 60), time_zone=zone)
    begun = FRIDAY + timedelta(hours=hours)
    end = deadline(begun, Span(part, working=True), DAY, calendar).astimezone(ZoneInfo(zone))
    assert begun <= end
    minutes = end.hour * 60 + end.minute
    on_time = calendar.is_working(end.date()) and opens * 60 <= minutes <= closes * 60
    at_midnight = minutes == 0 and closes == 24
    assert on_time or at_midnight


def test_a_holiday_does_not_count() -> None:
    calendar = Calendar("here", holidays=frozenset({date(2026, 9, 7)}))
    assert deadline(FRIDAY, Span(1, working=True), DAY, calendar) == datetime(2026, 9, 8, 15, tzinfo=UTC)


def test_calendar_days_count_every_day_and_fractions_are_hours() -> None:
    assert deadline(FRIDAY, Span(1.5), DAY) == FRIDAY + timedelta(hours=36)


def test_on_a_scaled_clock_every_day_counts_and_is_as_long_as_the_run_says() -> None:
    assert deadline(FRIDAY, Span(3, working=True), 2.0) == FRIDAY + timedelta(seconds=6)


@given(st.integers(-100_000, 100_000), st.integers(1, 60))
def test_working_days_end_on_a_working_day_and_are_never_shorter_than_calendar_days(hours: int, days: int) -> None:
    begun = FRIDAY + timedelta(hours=hours)
    end = deadline(begun, Span(days, working=True), DAY)
    assert end.weekday() < 5
    assert end - begun >= timedelta(days=days)
    passed = [begun.date() + timedelta(days=number + 1) for number in range((end.date() - begun.date()).days)]
    assert sum(day.weekday() < 5 for day in passed) == days


@pytest.mark.parametrize("days", [0.25, 1, 30])
def test_a_longer_span_ends_later(days: float) -> None:
    assert deadline(FRIDAY, Span(days), DAY) < deadline(FRIDAY, Span(days + 1), DAY)


def test_a_run_on_the_real_clock_sees_the_data_of_now() -> None:
    requested, now = datetime(2026, 9, 1, 8, tzinfo=UTC), datetime(2026, 9, 4, 8, tzinfo=UTC)
    assert seen_at(now, DAY_SECONDS, requested, requested) == now


def test_a_run_on_a_scaled_clock_sees_as_many_days_further_as_it_has_lived() -> None:
    requested, started = datetime(2026, 9, 1, 8, tzinfo=UTC), datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert seen_at(started, 2.0, requested, None) == requested
    assert seen_at(started + timedelta(seconds=6), 2.0, requested, started) == requested + timedelta(days=3)
