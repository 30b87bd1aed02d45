"""When a member's next digest is due: at eight in the morning where they work, on a day they work."""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from engine.definitions.calendar import Calendar
from engine.terms import Frequency

HOUR: Final = time(8)
_LOOK_BACK: Final = 21
"""Days: longer than any holidays after which a digest would still be of use."""


def latest(frequency: Frequency, calendar: Calendar, now: datetime) -> datetime | None:
    """The moment, not after ``now``, at which the latest digest was due. None where none is wanted, or none was due for
    three weeks. Weekly digests come on the first working day of the week."""
    if frequency not in {Frequency.DAILY, Frequency.WEEKLY}:
        return None
    zone = ZoneInfo(calendar.time_zone)
    today = now.astimezone(zone).date()
    for back in range(_LOOK_BACK):
        day = today - timedelta(days=back)
        moment = datetime.combine(day, HOUR, zone)
        if moment > now or not calendar.is_working(day):
            continue
        before = (day - timedelta(days=number) for number in range(1, day.weekday() + 1))
        if frequency is Frequency.DAILY or not any(calendar.is_working(one) for one in before):
            return moment
    return None
