"""Contact pressure: when a message goes, and that putting off comes to an end."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings, strategies as st

from engine.definitions.calendar import Calendar
from engine.definitions.contact_policy import ContactPolicy
from engine.running.pressure import (
    Allow,
    Answer,
    Later,
    Message,
    Never,
    Place,
    Quiet,
    Touches,
    asks_somebody,
    decide,
    is_left_out,
    sentence,
)
from engine.terms import Frequency

BERLIN = Place(Calendar("germany", time_zone="Europe/Berlin", holidays=frozenset({date(2026, 3, 3)})), "Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)  # half past ten in Berlin
MESSAGE = Message("education", give_up=MONDAY + timedelta(days=7))
POLICY = ContactPolicy()


def asked(
    now: datetime = MONDAY,
    touches: Touches | None = None,
    message: Message = MESSAGE,
    place: Place = BERLIN,
    policy: ContactPolicy = POLICY,
) -> Answer:
    return decide(policy, message, touches or Touches(), place, now)


def later(answer: Answer) -> datetime:
    assert isinstance(answer, Later), answer
    return answer.moment


def test_inside_working_hours_it_goes_at_once() -> None:
    assert asked() == Allow()


def test_in_the_evening_it_waits_for_the_next_working_day_and_says_where() -> None:
    """Tuesday is a holiday in this calendar."""
    answer = asked(MONDAY.replace(hour=17))
    assert isinstance(answer, Later)
    assert answer.moment == datetime(2026, 3, 4, 8, tzinfo=UTC)
    assert sentence(answer, BERLIN) == "Waits for 09:00 on Wednesday 4 March in Berlin: outside working hours"


def test_many_that_wait_for_the_same_opening_are_spread_over_a_quarter_of_an_hour() -> None:
    evening = MONDAY.replace(hour=17)
    moments = [later(asked(evening, message=replace(MESSAGE, spread=part / 10))) for part in range(10)]
    opens = datetime(2026, 3, 4, 8, tzinfo=UTC)
    assert moments == [opens + timedelta(minutes=1.5 * part) for part in range(10)]


def test_the_hours_of_a_window_follow_the_clock_of_the_recipient_over_a_change_of_time() -> None:
    friday = datetime(2026, 3, 27, 18, tzinfo=UTC)
    message = replace(MESSAGE, give_up=friday + timedelta(days=7))
    assert later(asked(friday, message=message)) == datetime(2026, 3, 30, 7, tzinfo=UTC)  # 09:00 in summer


def test_one_a_day_and_two_in_seven_days_are_the_most() -> None:
    sent = (MONDAY - timedelta(hours=2),)
    assert later(asked(touches=Touches(sent=sent))) == datetime(2026, 3, 4, 8, tzinfo=UTC)
    two = (MONDAY - timedelta(days=3), MONDAY - timedelta(days=5))
    answer = asked(touches=Touches(sent=two))
    assert isinstance(answer, Later)
    assert answer == Later(MONDAY + timedelta(days=2), "frequency_capped: 2 messages in seven days are the most")
    assert asked(touches=Touches(sent=(MONDAY - timedelta(days=7), MONDAY - timedelta(days=5)))) == Allow()


def test_a_day_is_the_recipients_day() -> None:
    auckland = Place(Calendar("weekdays"), "Pacific/Auckland")
    now = datetime(2026, 3, 2, 22, tzinfo=UTC)  # Tuesday morning there
    assert asked(now, Touches(sent=(now - timedelta(hours=12),)), place=auckland) == Allow()


def test_who_wants_to_hear_less_often_does() -> None:
    """S2-56: immediate, daily and weekly, as the contact chose."""
    weekly = Touches(sent=(MONDAY - timedelta(days=4),), frequency=Frequency.WEEKLY)
    assert later(asked(touches=weekly)) == MONDAY + timedelta(days=3)
    assert asked(touches=replace(weekly, frequency=Frequency.DAILY)) == Allow()
    generous = ContactPolicy(per_day=3, per_week=9)
    today = Touches(sent=(MONDAY - timedelta(hours=1),), frequency=Frequency.DAILY)
    assert later(asked(touches=today, policy=generous)) > MONDAY
    assert asked(touches=replace(today, frequency=Frequency.IMMEDIATE), policy=generous) == Allow()
    assert asked(touches=replace(today, frequency=Frequency.NEVER)) == Never("the contact wants no messages")


def test_the_less_important_yields_when_something_more_important_is_due_the_same_day() -> None:
    ahead = Touches(ahead=(MONDAY + timedelta(hours=3),))
    answer = asked(touches=ahead)
    assert isinstance(answer, Later)
    assert answer.why == "something more important is due the same day"
    assert asked(touches=Touches(ahead=(MONDAY + timedelta(days=1),))) == Allow()
    assert asked(touches=ahead, policy=ContactPolicy(per_day=2)) == Allow()


def test_after_a_conversation_nothing_goes_for_a_while() -> None:
    until = MONDAY + timedelta(days=2, hours=3)
    answer = asked(touches=Touches(quiet=(Quiet(until, "somebody has just talked to them"),)))
    assert answer == Later(until, "somebody has just talked to them")


def test_an_operational_message_waits_for_nothing_but_goes_once_to_a_person() -> None:
    night = MONDAY.replace(hour=23)
    busy = Touches(sent=(night, night), quiet=(Quiet(night + timedelta(days=9), "quiet"),), frequency=Frequency.NEVER)
    operational = replace(MESSAGE, category="operational")
    assert asked(night, busy, operational) == Allow()
    assert isinstance(asked(night, replace(busy, twin="the same went already"), operational), Never)


def test_what_would_come_too_late_is_left_out_and_says_what_kept_it() -> None:
    answer = asked(touches=Touches(quiet=(Quiet(MONDAY + timedelta(days=8), "an escalation is open"),)))
    assert answer == Never("left out, because it would come too late: an escalation is open")
    assert asked(MONDAY + timedelta(days=8)) == Never("left out, because it would come too late")
    assert is_left_out(answer.why)
    assert not asks_somebody(answer.why)


def test_what_was_put_off_again_and_again_asks_a_person() -> None:
    """F34."""
    answer = asked(MONDAY.replace(hour=17), message=replace(MESSAGE, reschedules=20))
    assert isinstance(answer, Never)
    assert answer.why == "left out after it was put off 20 times, at last because outside working hours"
    assert asks_somebody(answer.why)


def test_on_a_scaled_clock_days_are_short_and_weekdays_mean_nothing() -> None:
    scaled = replace(BERLIN, day_seconds=1.5)
    night = datetime(2026, 3, 1, 3, tzinfo=UTC)
    message = replace(MESSAGE, give_up=night + timedelta(days=1))
    assert asked(night, place=scaled) == Allow()
    assert later(asked(night, Touches(sent=(night,)), message, scaled)) == night + timedelta(seconds=1.5)


def test_a_calendar_on_which_nobody_ever_works_leaves_the_message_out() -> None:
    never = replace(BERLIN, calendar=Calendar("never", working_days=frozenset()))
    assert asked(place=never) == Never("left out, because it would come too late: outside working hours")


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Auckland", "Asia/Kolkata", "Pacific/Apia"]
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 # given UTC


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    start = draw(st.integers(0, 23 * 60))
    end = draw(st.integers(start + 1, 24 * 60 - 1))
    first = draw(st.dates(date(2026, 1, 1), date(2027, 12, 1)))
    holidays = frozenset(first + timedelta(days=ahead) for ahead in range(draw(st.integers(0, 20))))
    return Calendar("any", draw(st.frozensets(st.integers(0, 6), max_size=7)), (start, end), holidays)


@settings(max_examples=300)
@given(
    calendars(),
    ZONES,
    MOMENTS,
    st.lists(st.floats(0, 9), max_size=6),
    st.integers(1, 3),
    st.integers(1, 4),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 60),
)
def test_whoever_comes_back_when_told_is_let_through_or_left_out_within_the_reschedules(
    calendar: Calendar,
    zone: str,
    now: datetime,
    ago: list[float],
    per_day: int,
    per_week: int,
    spread: float,
    late: int,
) -> None:
    """F34: quiet hours, weekdays and caps of any kind never send a message round in circles."""
    policy = ContactPolicy(per_day=per_day, per_week=per_week, max_reschedules=5)
    place = Place(calendar, zone)
    touches = Touches(sent=tuple(now - timedelta(days=days) for days in ago))
    message = Message("news", now + timedelta(days=late), spread)
    for count in range(7):
        answer = decide(policy, replace(message, reschedules=count), touches, place, now)
        if not isinstance(answer, Later):
            break
        assert answer.moment > now
        assert answer.moment <= message.give_up
        now = answer.moment
    assert not isinstance(answer, Later)


@settings(max_examples=300)
@given(calendars(), ZONES, MOMENTS, st.floats(0, 1, exclude_max=True))
def test_what_is_let_through_is_inside_the_window_of_a_working_day(
    calendar: Calendar, zone: str, now: datetime, spread: float
) -> None:
    place = Place(calendar, zone)
    message = Message("news", now + timedelta(days=30), spread)
    answer = decide(ContactPolicy(), message, Touches(), place, now)
    moment = answer.moment if isinstance(answer, Later) else now
    if isinstance(answer, Never):
        return
    local = place.local(moment)
    start, end = calendar.hours
    assert calendar.is_working(local.date())
    assert start <= local.hour * 60 + local.minute
    assert (
        decide(ContactPolicy(), message, Touches(), place, moment) == Allow() or local.hour * 60 + local.minute >= end
    )


@given(
    st.lists(st.floats(0, 40), min_size=1, max_size=40),
    st.integers(1, 3),
    st.integers(1, 5),
    ZONES,
    st.sampled_from([Frequency.IMMEDIATE, Frequency.DAILY, Frequency.WEEKLY]),
)
def test_however_many_playbooks_ask_nobody_gets_more_than_the_caps(
    hours: list[float], per_day: int, per_week: int, zone: str, frequency: Frequency
) -> None:
    """S2-56, D.3 15: a day is the person's own, a week is any seven days."""
    policy = ContactPolicy(per_day=per_day, per_week=per_week, is_open_always=True)
    place, now, sent = Place(Calendar("weekdays"), zone), MONDAY, list[datetime]()
    for gap in hours:
        now += timedelta(hours=gap)
        touches = Touches(sent=tuple(sent), frequency=frequency)
        if decide(policy, Message("news", now + timedelta(days=60)), touches, place, now) == Allow():
            sent.append(now)
    daily = 1 if frequency is not Frequency.IMMEDIATE else per_day
    weekly = 1 if frequency is Frequency.WEEKLY else per_week
    for one in sent:
        assert sum(place.local(other).date() == place.local(one).date() for other in sent) <= daily
        assert sum(one - timedelta(days=7) < other <= one for other in sent) <= weekly
