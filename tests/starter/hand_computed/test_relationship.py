"""Relationship: in touch, high and wide, answering, advocating; each worked out by hand."""

from typing import Any

import pytest

from tests.starter.hand_computed.history import CHAMPION, KEY_USER, NOBODY, SPONSOR, USER, value

MET: dict[str, Any] = {"reply": [(CHAMPION, 3)], "meeting": [(SPONSOR, 20)], "call": [(USER, 1), (KEY_USER, 100)]}


def test_days_since_contact() -> None:
    """S4-43, S4-44: the champion replied 3 days ago; the call yesterday was with a user, who is no key contact."""
    assert value("days_since_contact", **MET) == 3


def test_touches() -> None:
    """S4-45: a reply, a meeting and a call in 30 days = 3."""
    assert value("touches", **MET) == 3


def test_training_named() -> None:
    """S3-36, S3-38: of three root causes found, one in this quarter was training: 1."""
    found = [(NOBODY, age, {"cause": cause}) for age, cause in ((5, "needs_training"), (6, "no_time"))]
    assert value("training_named", task_finished=[*found, (NOBODY, 95, {"cause": "needs_training"})]) == 1


def test_days_since_meeting() -> None:
    """20 days."""
    assert value("days_since_meeting", **MET) == 20


def test_reply_hours() -> None:
    """S1-45: one answered after 2 days = 48 h, one after 4 = 96 h: the middle is 72."""
    sent = [(CHAMPION, 10, {"thread": "a"}), (CHAMPION, 9, {"thread": "b"})]
    answers = [(CHAMPION, 8, {"thread": "a"}), (CHAMPION, 5, {"thread": "b"})]
    assert value("reply_hours", outreach_sent=sent, outreach_answered=answers) == 72


@pytest.mark.parametrize(
    ("name", "sent", "answered"),
    [
        ("outreach_answered", "outreach_sent", "outreach_answered"),
        ("marketing_response", "marketing_sent", "marketing_clicked"),
        ("support_response", "support_offered", "support_accepted"),
    ],
)
def test_each_kind_of_answer_moves_its_own_share_only(name: str, sent: str, answered: str) -> None:
    """S0-35, S0-36, S0-37: one of four answered = 25 %; the two other shares stay unknown."""
    events: dict[str, Any] = {sent: [(USER, age) for age in range(4)], answered: [(USER, 1)]}
    shares = ("outreach_answered", "marketing_response", "support_response")
    assert {each: value(each, **events) for each in shares} == {each: 0.25 if each == name else None for each in shares}


def test_departments_reached() -> None:
    """S4-50: the champion in it, the sponsor in finance; the user's is not known; the key user was 100 days ago: 2."""
    assert value("departments_reached", **MET) == 2


def test_seniority_reached() -> None:
    """S4-49: the sponsor is a vice president, the fourth of five: 4."""
    assert value("seniority_reached", **MET) == 4


def test_roles_reached() -> None:
    """S4-51: champion and sponsor of three roles = 2 / 3."""
    assert value("roles_reached", **MET) == pytest.approx(2 / 3)


def test_roles_missing() -> None:
    """S4-51: the key user."""
    assert value("roles_missing", **MET) == "key_user"
    assert value("roles_missing", **dict(MET, call=[(KEY_USER, 9)])) == "none"


def test_team_changes() -> None:
    """S1-43: one came, one left, one changed = 3."""
    changes: dict[str, Any] = {
        "contact_added": [(USER, 2)],
        "contact_departed": [(SPONSOR, 9)],
        "role_changed": [(CHAMPION, 29)],
    }
    assert value("team_changes", **changes) == 3


def test_reference() -> None:
    """S4-38: yes = 1."""
    assert value("reference", {"reference": {200: 1}}) == 1


GIVEN: dict[str, Any] = {
    "reference_given": [(CHAMPION, 30)],
    "review_left": [(USER, 9, {"rating": 5}), (USER, 9, {"rating": 2}), (CHAMPION, 40, {"rating": 4})],
    "story_agreed": [(SPONSOR, 364)],
}


def test_references_given() -> None:
    """S4-36: one in a year."""
    assert value("references_given", **GIVEN) == 1


def test_reviews_left() -> None:
    """S1-49: five and four stars count, two do not: 2."""
    assert value("reviews_left", **GIVEN) == 2


def test_stories_agreed() -> None:
    """S4-37: one, 364 days ago."""
    assert value("stories_agreed", **GIVEN) == 1


def test_advocacy() -> None:
    """S4-36: 1 + 2 + 1 = 4; nobody has done anything: 0."""
    assert value("advocacy", **GIVEN) == 4
    assert value("advocacy", reply=[(NOBODY, 1)]) == 0
