"""Messages of one person, let through one by one."""

from datetime import UTC, datetime, timedelta

from engine.definitions.calendar import Calendar
from engine.definitions.contact_policy import USUAL_POLICY
from engine.running.easing import Planned, ease
from engine.running.pressure import Message, Place
from engine.terms import Frequency

TUESDAY = datetime(2026, 9, 1, 10, tzinfo=UTC)
HERE = Place(Calendar("weekdays"))
DAY = timedelta(days=1)


def _planned(at: datetime, same: str, *, rank: int = 2, category: str = "education", late: int = 7) -> Planned:
    return Planned(at, rank, Message(category, at + late * DAY), same)


def test_what_comes_alone_in_working_hours_goes_as_planned() -> None:
    (one,) = ease(USUAL_POLICY, [_planned(TUESDAY, "a")], HERE)
    assert (one.at, one.why) == (TUESDAY, "")


def test_the_more_important_of_two_goes_first_and_the_other_the_next_day() -> None:
    news, save = ease(USUAL_POLICY, [_planned(TUESDAY, "a", rank=4), _planned(TUESDAY, "b", rank=0)], HERE)
    assert save.at == TUESDAY
    assert news.at is not None
    assert news.at.date() == (TUESDAY + DAY).date()
    assert "capped" in news.why


def test_of_three_in_a_week_the_third_waits_for_the_week_to_pass_or_is_left_out() -> None:
    week = [_planned(TUESDAY + number * DAY, name) for number, name in enumerate("abc")]
    assert [one.at is not None for one in ease(USUAL_POLICY, week, HERE)] == [True, True, True]
    short = [*week[:2], _planned(TUESDAY + 2 * DAY, "c", late=3)]
    last = ease(USUAL_POLICY, short, HERE)[2]
    assert last.at is None
    assert "too late" in last.why


def test_what_went_before_counts_and_operational_messages_wait_for_nothing() -> None:
    before = (TUESDAY - DAY, TUESDAY - 2 * DAY)
    capped, due = ease(
        USUAL_POLICY, [_planned(TUESDAY, "a"), _planned(TUESDAY, "b", category="operational")], HERE, before
    )
    assert capped.at is not None
    assert capped.at > TUESDAY + 4 * DAY
    assert due.at == TUESDAY


def test_one_person_at_two_accounts_gets_the_same_message_once() -> None:
    first, second = ease(USUAL_POLICY, [_planned(TUESDAY, "p/x"), _planned(TUESDAY, "p/x")], HERE)
    assert first.at == TUESDAY
    assert second.at is None
    assert "the same message" in second.why


def test_who_wants_one_message_a_week_gets_one() -> None:
    both = [_planned(TUESDAY, "a"), _planned(TUESDAY + DAY, "b", late=30)]
    first, second = ease(USUAL_POLICY, both, HERE, frequency=Frequency.WEEKLY)
    assert first.at == TUESDAY
    assert second.at is not None
    assert second.at >= TUESDAY + 7 * DAY
