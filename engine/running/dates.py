"""Dates of an account on a run's clock: when it is time, so long before a date, in the account's own calendar."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from engine.definitions.calendar import Calendar, Calendars
from engine.definitions.playbook import Span
from engine.running.working_time import DAY_SECONDS

_EPOCH: Final = date(1970, 1, 1)
_BACK: Final = 3_660
"""So many days back a working day is looked for at most."""


def calendar_of(calendars: Calendars, fields: Mapping[str, Any]) -> Calendar:
    """The calendar of an account with these ``fields``: the one it names, that of its country, or the default."""
    named = fields.get("calendar") or fields.get("country")
    return calendars.of(str(named)) if named else calendars.default


def date_of(fields: Mapping[str, Any], name: str) -> date | None:
    """A date of an account by its name (``account.renewal_on``): days since 1970-01-01 or an ISO date; None where it
    is not known."""
    value = fields.get(name.removeprefix("account."))
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _EPOCH + timedelta(days=int(value))
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def moment_of(day: date, before: Span, calendar: Calendar) -> datetime:
    """When people begin to work on the day that lies ``before`` so many days (or working days) before ``day``; parts
    of a day do not count."""
    count = int(before.days)
    found = _working_days_before(day, count, calendar) if before.working else day - timedelta(days=count)
    opens = time(calendar.hours[0] // 60, calendar.hours[0] % 60)
    return datetime.combine(found, opens, ZoneInfo(calendar.time_zone)).astimezone(UTC)


def on_clock(moment: datetime, now: datetime, seen_at: datetime, day_seconds: float) -> datetime:
    """A moment of the data as a moment of the run's clock, which is at ``now`` while its data is of ``seen_at``."""
    if day_seconds == DAY_SECONDS:
        return moment
    return now + (moment - seen_at) / timedelta(days=1) * timedelta(seconds=day_seconds)


def _working_days_before(day: date, count: int, calendar: Calendar) -> date:
    found, left = day, count
    for _ in range(_BACK):
        if left <= 0:
            break
        found -= timedelta(days=1)
        left -= calendar.is_working(found)
    return found
