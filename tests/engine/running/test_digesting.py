"""Digests are due at eight in the morning where a member works, on days they work."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from engine.definitions.calendar import Calendar
from engine.running.digesting import latest
from engine.terms import Frequency

BERLIN = Calendar("berlin", time_zone="Europe/Berlin", holidays=frozenset({date(2026, 9, 7)}))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 9, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (at(2, 6), at(2, 6)),  # Wednesday, eight in Berlin in summer
        (at(2, 5, 59), at(1, 6)),
        (at(5, 12), at(4, 6)),  # Saturday: Friday's
        (at(7, 12), at(4, 6)),  # Monday is a holiday: still Friday's
        (at(8, 6), at(8, 6)),
    ],
)
def test_a_daily_digest_is_due_on_working_days(now: datetime, due: datetime) -> None:
    """S2-56."""
    assert latest(Frequency.DAILY, BERLIN, now) == due


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (at(4, 12), datetime(2026, 8, 31, 6, tzinfo=UTC)),  # Friday: Monday's
        (at(7, 12), datetime(2026, 8, 31, 6, tzinfo=UTC)),  # this Monday is a holiday
        (at(8, 6), at(8, 6)),  # so this week's comes on Tuesday
        (at(9, 6), at(8, 6)),
    ],
)
def test_a_weekly_digest_is_due_on_the_first_working_day_of_the_week(now: datetime, due: datetime) -> None:
    """S2-56."""
    assert latest(Frequency.WEEKLY, BERLIN, now) == due


@pytest.mark.parametrize("frequency", [Frequency.IMMEDIATE, Frequency.NEVER])
def test_who_wants_no_digest_is_due_none(frequency: Frequency) -> None:
    assert latest(frequency, BERLIN, at(2, 12)) is None


def test_where_nobody_ever_works_none_is_due() -> None:
    assert latest(Frequency.DAILY, Calendar("none", working_days=frozenset()), at(2, 12)) is None


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda one: one.replace(tzinfo=UTC)))  # noqa: DTZ001
def test_no_digest_is_ever_due_twice_on_one_day_and_none_is_skipped(now: datetime) -> None:
    """Over every change of the clocks: the next one is due on the next working day, at eight."""
    first = latest(Frequency.DAILY, BERLIN, now)
    assert first is not None
    assert first <= now
    following = first + timedelta(hours=1)
    while latest(Frequency.DAILY, BERLIN, following) == first:
        following += timedelta(hours=1)
    second = latest(Frequency.DAILY, BERLIN, following)
    assert second is not None
    assert second.hour == 8
    days = range(1, (second.date() - first.date()).days)
    assert not any(BERLIN.is_working(first.date() + timedelta(days=number)) for number in days)
