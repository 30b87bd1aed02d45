"""Ends of spans."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from engine.definitions.calendar import Calendar
from engine.definitions.playbook import Span
from engine.running.working_time import DAY_SECONDS, deadline, seen_at

FRIDAY = datetime(2026, 9, 4, 15, tzinfo=UTC)
DAY = 86_400.0


def test_three_working_days_after_friday_are_over_on_wednesday() -> None:
    assert deadline(FRIDAY, Span(3, working=True), DAY) == datetime(2026, 9, 9, 15, tzinfo=UTC)


def test_working_hours_pass_on_the_clock_and_never_end_on_a_day_off() -> None:
    assert deadline(FRIDAY, Span(0.5, working=True), DAY) == FRIDAY + timedelta(hours=4)
    assert deadline(FRIDAY + timedelta(hours=7), Span(0.5, working=True), DAY) == datetime(2026, 9, 7, 2, tzinfo=UTC)
    assert deadline(FRIDAY, Span(1.5, working=True), DAY) == datetime(2026, 9, 7, 19, tzinfo=UTC)


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
