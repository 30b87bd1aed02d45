"""The contact policy: caps, priorities, quiet times, the window."""

import pytest
from hypothesis import given, strategies as st

from engine.definitions.contact_policy import USUAL_POLICY, ContactPolicy
from engine.definitions.playbook import Span
from engine.definitions.quantities import parse_hours
from tests.bad_files.workspace import BASE, bundle_of, sentences_of

FILE = "rules/contact.yaml"


def policy_of(text: str) -> ContactPolicy:
    return bundle_of({**BASE, FILE: f"format: 1\n{text}"}).contact_policy


def test_without_a_file_one_message_a_day_and_two_in_a_week_are_the_most() -> None:
    """D.3: the defaults."""
    assert bundle_of(BASE).contact_policy == USUAL_POLICY
    assert (USUAL_POLICY.per_day, USUAL_POLICY.per_week) == (1, 2)
    assert USUAL_POLICY.priorities == ("save", "renewal", "education", "expansion", "news")
    assert policy_of("") == USUAL_POLICY


def test_everything_can_be_chosen() -> None:
    found = policy_of("""per_day: 2
per_week: 5
priorities: [renewal, save]
quiet:
  after_conversation: 2 working days
  conversations: [login]
  after_survey: none
  surveys: [survey_answered]
  in_escalation: false
  escalation: {opened: login, closed: survey_answered, at_most: 5d}
window: 08:30-18:00
days: every
spread_minutes: 30
max_reschedules: 5
owner_change: all
""")
    assert found == ContactPolicy(
        per_day=2,
        per_week=5,
        priorities=("renewal", "save"),
        quiet_after_conversation=Span(2.0, working=True),
        conversation_events=("login",),
        quiet_after_survey=None,
        survey_events=("survey_answered",),
        quiet_in_escalation=False,
        escalation_opened=("login",),
        escalation_closed=("survey_answered",),
        escalation_lasts=Span(5.0),
        window=(8 * 60 + 30, 18 * 60),
        window_days="every",
        spread_minutes=30,
        max_reschedules=5,
        owner_change="all",
    )


def test_a_window_is_that_of_the_calendar_or_always_open_or_hours() -> None:
    assert (policy_of("window: calendar\n").window, policy_of("window: calendar\n").is_open_always) == (None, False)
    assert (policy_of("window: always\n").window, policy_of("window: always\n").is_open_always) == (None, True)
    assert policy_of('window: "00:00-24:00"\n').window == (0, 24 * 60)


def test_what_is_more_important_comes_first_and_what_is_not_named_last() -> None:
    policy = ContactPolicy(priorities=("renewal", "save"))
    assert [policy.rank(word) for word in ("renewal", "save", "news", "anything")] == [0, 1, 2, 2]


@pytest.mark.parametrize("hours", ["18:00-08:00", "08:00-08:00", "8-18", "24:00-25:00", "25:00-26:00", "10:00-24:30"])
def test_hours_that_hold_no_time_are_none(hours: str) -> None:
    assert parse_hours(hours) is None
    assert sentences_of({**BASE, FILE: f'format: 1\nwindow: "{hours}"\n'})[0].startswith("T010 ")


@given(st.integers(0, 24 * 60 - 1), st.integers(1, 24 * 60))
def test_hours_are_minutes_of_the_day(start: int, end: int) -> None:
    text = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    assert parse_hours(text) == ((start, end) if start < end else None)
