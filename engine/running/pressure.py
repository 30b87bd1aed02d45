"""Contact pressure: whether a message to one person goes now, later, or not at all.

One decision over all playbooks and campaigns, from values only: how often the person was written to, what more
important is due the same day, who talked to them, and when people there work. Moments are on the run's clock.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from engine.definitions.calendar import Calendar
from engine.definitions.contact_policy import ContactPolicy
from engine.running.working_time import DAY_SECONDS
from engine.terms import Frequency

OPERATIONAL: Final = "operational"
"""The category that a customer would miss: it waits for nothing."""

_LEFT_OUT: Final = "left out"
_PUT_OFF: Final = f"{_LEFT_OUT} after it was put off"
_TWICE: Final = "duplicate"
_WEEK: Final = 7
_FURTHEST: Final = 400
"""Days looked ahead for an opening; a calendar on which nobody ever works has none."""
_ROUNDS: Final = 60


@dataclass(frozen=True, slots=True)
class Allow:
    """It may go now."""


@dataclass(frozen=True, slots=True)
class Later:
    """It may go at ``moment``; ``why`` not before, without a full stop."""

    moment: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Never:
    """It is left out; ``why``, without a full stop."""

    why: str


Answer: TypeAlias = Allow | Later | Never


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing goes before ``until``; ``why``, without a full stop."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Touches:
    """What is known of one person, over all accounts.

    ``sent``: when messages that count went. ``ahead``: when more important ones are due. ``twin``: why the person has
    got this very message already; empty: they have not.
    """

    sent: tuple[datetime, ...] = ()
    ahead: tuple[datetime, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    frequency: Frequency = Frequency.IMMEDIATE
    twin: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person is: the zone of their clock, the calendar of the people around them, the length of a day."""

    calendar: Calendar
    zone: str = "UTC"
    day_seconds: float = DAY_SECONDS

    @property
    def is_scaled(self) -> bool:
        """Whether days are shorter than days: then weekdays and hours mean nothing."""
        return self.day_seconds != DAY_SECONDS

    def days(self, count: float) -> timedelta:
        """So many days of this clock."""
        return timedelta(seconds=count * self.day_seconds)

    def local(self, moment: datetime) -> datetime:
        """A moment as the person's clock shows it."""
        return moment.astimezone(ZoneInfo(self.zone))


@dataclass(frozen=True, slots=True)
class Message:
    """What is to go. ``give_up``: later than that it is left out. ``spread`` (0 to 1): its place among many that wait
    for the same opening. ``reschedules``: how often it was put off."""

    category: str
    give_up: datetime
    spread: float = 0.0
    reschedules: int = 0


def decide(policy: ContactPolicy, message: Message, touches: Touches, place: Place, now: datetime) -> Answer:
    """Whether the message goes now. What is left out is so because it would come too late, or was put off too often."""
    if touches.twin:
        return Never(f"{_TWICE}: {touches.twin}")
    if now > message.give_up:
        return Never(f"{_LEFT_OUT}, because it would come too late")
    if message.category == OPERATIONAL:
        return Allow()
    if touches.frequency is Frequency.NEVER:
        return Never("the contact wants no messages")
    moment, why = _first(policy, message, touches, place, now)
    if moment <= now:
        return Allow()
    if moment > message.give_up:
        return Never(f"{_LEFT_OUT}, because it would come too late: {why}")
    if message.reschedules >= policy.max_reschedules:
        return Never(f"{_PUT_OFF} {message.reschedules} times, at last because {why}")
    return Later(moment, why)


def is_left_out(why: str) -> bool:
    """Whether a message did not go because of what holds for all messages, and not because of whom it is for."""
    return why.startswith((_LEFT_OUT, _TWICE))


def asks_somebody(why: str) -> bool:
    """Whether somebody should look, because a message was put off again and again until it was left out."""
    return why.startswith(_PUT_OFF)


def opening(policy: ContactPolicy, message: Message, place: Place, moment: datetime) -> datetime:
    """The first moment from ``moment`` on at which people may be written to; the moment itself inside their hours."""
    if policy.is_open_always or place.is_scaled:
        return moment
    start, end = policy.window or place.calendar.hours
    local = place.local(moment)
    if _counts(policy, place.calendar, local.date()) and start <= local.hour * 60 + local.minute < end:
        return moment
    first = local.date() if local.hour * 60 + local.minute < start else local.date() + timedelta(days=1)
    days = (first + timedelta(days=ahead) for ahead in range(_FURTHEST))
    day = next((one for one in days if _counts(policy, place.calendar, one)), None)
    if day is None:
        return moment + timedelta(days=_FURTHEST)
    opens = datetime.combine(day, time(start // 60, start % 60), ZoneInfo(place.zone)).astimezone(UTC)
    # Never before the moment, and never behind the end: a window may be shorter than the spread.
    return max(opens + timedelta(minutes=message.spread * min(policy.spread_minutes, end - start)), moment)


def sentence(later: Later, place: Place) -> str:
    """``Waits for 09:04 on Monday in Berlin: outside working hours``, without a full stop."""
    if place.is_scaled:
        return f"Waits: {later.why}"
    local = place.local(later.moment)
    where = place.zone if "/" not in place.zone else f"in {place.zone.rpartition('/')[2].replace('_', ' ')}"
    return f"Waits for {local:%H:%M on %A} {local.day} {local:%B} {where}: {later.why}"


def _first(
    policy: ContactPolicy, message: Message, touches: Touches, place: Place, now: datetime
) -> tuple[datetime, str]:
    """The first moment with nothing against it, and what was first against going now."""
    moment, first = now, ""
    for _ in range(_ROUNDS):
        until, why = _obstacle(policy, message, touches, place, moment)
        if until <= moment:
            return moment, first
        moment, first = until, first or why
    return moment, first


def _obstacle(
    policy: ContactPolicy, message: Message, touches: Touches, place: Place, moment: datetime
) -> tuple[datetime, str]:
    """What is against ``moment``: until when, and why. A moment that is not later: nothing."""
    for quiet in touches.quiet:
        if quiet.until > moment:
            return quiet.until, quiet.why
    per_day, per_week = _caps(policy, touches.frequency)
    today = _today(touches.sent, place, moment)
    if today >= per_day:
        return _tomorrow(place, moment), f"frequency_capped: {_messages(per_day)} a day are the most"
    week = [one for one in sorted(touches.sent) if moment - place.days(_WEEK) < one <= moment]
    if len(week) >= per_week:
        return week[-per_week] + place.days(
            _WEEK
        ), f"frequency_capped: {_messages(per_week)} in seven days are the most"
    before = _today(touches.ahead, place, moment)
    if before and before >= min(per_day - today, per_week - len(week)):
        return _tomorrow(place, moment), "something more important is due the same day"
    return opening(policy, message, place, moment), "outside working hours"


def _caps(policy: ContactPolicy, frequency: Frequency) -> tuple[int, int]:
    per_day, per_week = max(policy.per_day, 1), max(policy.per_week, 1)
    if frequency is Frequency.WEEKLY:
        return 1, 1
    return (1, per_week) if frequency is Frequency.DAILY else (per_day, per_week)


def _messages(count: int) -> str:
    return f"{count} message" + ("" if count == 1 else "s")


def _today(moments: tuple[datetime, ...], place: Place, moment: datetime) -> int:
    """How many are on the same day as ``moment`` on the person's clock."""
    if place.is_scaled:
        return sum(abs(one - moment) < place.days(1) for one in moments)
    return sum(place.local(one).date() == place.local(moment).date() for one in moments)


def _tomorrow(place: Place, moment: datetime) -> datetime:
    if place.is_scaled:
        return moment + place.days(1)
    midnight = datetime.combine(place.local(moment).date() + timedelta(days=1), time(), ZoneInfo(place.zone))
    return midnight.astimezone(UTC)


def _counts(policy: ContactPolicy, calendar: Calendar, day: date) -> bool:
    return policy.window_days == "every" or calendar.is_working(day)
