"""F34: messages that are put off, by calendars, zones, caps and quiet of any kind, never go round in circles.

The one drill without processes: the decision is made of values only, and each case would take weeks.
"""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from api.drills.ground import Ground
from api.drills.result import Found
from engine.definitions.calendar import Calendar
from engine.definitions.contact_policy import ContactPolicy
from engine.running.pressure import Allow, Message, Never, Place, Quiet, Touches, asks_somebody, decide

_ZONES: Final = ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Auckland", "Asia/Kolkata", "Pacific/Apia")
_FIRST: Final = date(2026, 1, 1)


def round_and_round(ground: Ground) -> Found:
    """F34: every time a message comes back, something else has gone to the person just before, or there is quiet."""
    cases, found = ground.pick(20_000, 400), Found()
    ends: Counter[str] = Counter()
    most = outside = 0
    for _ in range(cases):
        policy, place = _policy(ground.random), Place(_calendar(ground.random), ground.random.choice(_ZONES))
        end, times, moment = _follow(ground.random, policy, place)
        ends[end] += 1
        most = max(most, times - policy.max_reschedules)
        outside += end == "sent" and not _is_inside(policy, place, moment)
    found.counts |= {
        "messages": cases,
        "sent": ends["sent"],
        "too_late": ends["too late"],
        "a_person_asked": ends["asked"],
        "never_decided": ends["round"],
        "put_off_beyond_the_most": max(most, 0),
        "sent_outside_the_hours": outside,
    }
    found.require(ends["round"] == 0 and most <= 0, f"{ends['round']} messages were put off more often than the most")
    found.require(outside == 0, f"{outside} messages went outside the hours")
    found.require(min(ends["sent"], ends["too late"], ends["asked"]) > 0, f"not every end was come to: {dict(ends)}")
    return found


def _follow(random: Random, policy: ContactPolicy, place: Place) -> tuple[str, int, datetime]:
    """Come back whenever told. Returns how it ended, how often it was put off, and when it ended."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=random.randrange(525_600))
    message = Message("news", now + timedelta(days=random.choice((2, 14, 60, 600))), random.random())
    sent: tuple[datetime, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    for times in range(policy.max_reschedules + 2):
        answer = decide(policy, replace(message, reschedules=times), Touches(sent, quiet=quiet), place, now)
        if isinstance(answer, Allow):
            return "sent", times, now
        if isinstance(answer, Never):
            return ("asked" if asks_somebody(answer.why) else "too late"), times, now
        if answer.moment <= now:
            return "round", times, now
        now = answer.moment
        if random.random() < 0.9:  # nearly always somebody else is faster
            sent = (*sent, now - timedelta(minutes=random.randrange(1, 60)))[-8:]
        if random.random() < 0.3:  # and often somebody talks to them
            quiet = (Quiet(now + timedelta(hours=random.randrange(1, 96)), "somebody talked to them"),)
    return "round", policy.max_reschedules + 1, now


def _is_inside(policy: ContactPolicy, place: Place, moment: datetime) -> bool:
    start, end = policy.window or place.calendar.hours
    local = place.local(moment)
    counts = policy.window_days == "every" or place.calendar.is_working(local.date())
    return counts and start <= local.hour * 60 + local.minute < end


def _policy(random: Random) -> ContactPolicy:
    return ContactPolicy(
        per_day=random.randint(1, 3),
        per_week=random.randint(1, 4),
        window=random.choice((None, (480, 500), (1320, 1439))),
        window_days=random.choice(("working", "every")),
        spread_minutes=random.choice((0, 15, 240)),
        max_reschedules=random.choice((1, 5, 20)),
    )


def _calendar(random: Random) -> Calendar:
    start = random.randrange(23 * 60)
    holidays = frozenset(_FIRST + timedelta(days=random.randrange(730)) for _ in range(random.randrange(60)))
    days = frozenset(random.sample(range(7), random.randint(1, 7)))
    return Calendar("any", days, (start, random.randint(start + 1, 24 * 60 - 1)), holidays)
