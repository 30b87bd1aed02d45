"""Support and feedback, each worked out by hand."""

import pytest

from tests.starter.hand_computed.history import CHAMPION, KEY_USER, NOBODY, SPONSOR, USER, value


def ticket(number: str, age: int, severity: float = 1) -> tuple[int, int, dict[str, object]]:
    return USER, age, {"ticket": number, "severity": severity}


OPENED = [ticket("a", 20, 3), ticket("b", 10), ticket("c", 4, 4)]
RESOLVED = [(USER, 19, {"ticket": "a"}), (USER, 5, {"ticket": "b"})]


def test_tickets() -> None:
    """Three in 30 days."""
    assert value("tickets", ticket_opened=OPENED) == 3


def test_tickets_open() -> None:
    """S1-27: c is open: 1."""
    assert value("tickets_open", ticket_opened=OPENED, ticket_resolved=RESOLVED) == 1


def test_severe_tickets() -> None:
    """Two: a has severity 3 and c 4."""
    assert value("severe_tickets", ticket_opened=OPENED) == 2


def test_resolution_hours() -> None:
    """S0-39: a took 24 h, b 120 h, c is open for 5 days so far = 120 h; the middle one is 120."""
    assert value("resolution_hours", ticket_opened=OPENED, ticket_resolved=RESOLVED) == 120


def test_resolved_in_time() -> None:
    """S0-39: a within two days, b not, c not: 1 / 3."""
    found = value("resolved_in_time", ticket_opened=OPENED, ticket_resolved=RESOLVED)
    assert found == pytest.approx(1 / 3)


COMPLAINTS = [(CHAMPION, age, {"complaint": name}) for name, age in (("x", 40), ("y", 30), ("z", 2))]
ANSWERED = [(CHAMPION, 36, {"complaint": "x"}), (CHAMPION, 20, {"complaint": "y"})]


def test_complaints() -> None:
    """S0-38: three in 90 days."""
    assert value("complaints", complaint_logged=COMPLAINTS) == 3


def test_complaints_open() -> None:
    """z: 1."""
    assert value("complaints_open", complaint_logged=COMPLAINTS, complaint_resolved=ANSWERED) == 1


def test_complaints_in_time() -> None:
    """S0-39: x after 4 days, y after 10, z still has time: 1 of 2."""
    assert value("complaints_in_time", complaint_logged=COMPLAINTS, complaint_resolved=ANSWERED) == 0.5


def scores(*given: float) -> list[tuple[int, int, dict[str, object]]]:
    return [(who, 1, {"score": score, "theme": f"theme {who}"}) for who, score in enumerate(given)]


def test_nps() -> None:
    """What the survey tool says itself: -20."""
    assert value("nps", {"nps": {30: -20}}) == -20


def test_survey_nps() -> None:
    """S2-24, S3-34: 10 and 9 promote, 7 is passive, 0 detracts: 100 x (2 - 1) / 4 = 25."""
    assert value("survey_nps", nps_answered=scores(10, 9, 7, 0)) == 25


def test_survey_nps_answers() -> None:
    """Two people, one of them twice: 2."""
    twice = [(USER, 1, {"score": 9.0}), (USER, 9, {"score": 3.0}), (CHAMPION, 9, {"score": 3.0})]
    assert value("survey_nps_answers", nps_answered=twice) == 2


def test_csat() -> None:
    """S2-23: 5 and 4 of 5, 4, 3, 1: 2 / 4 = 50 %."""
    assert value("csat", csat_answered=scores(5, 4, 3, 1)) == 0.5


def test_effort() -> None:
    """7 and 5 of 7, 5, 4, 2: 50 %."""
    assert value("effort", ces_answered=scores(7, 5, 4, 2)) == 0.5


def test_effort_mean() -> None:
    """(7 + 5 + 4 + 2) / 4 = 4.5."""
    assert value("effort_mean", ces_answered=scores(7, 5, 4, 2)) == 4.5


def test_feedback_theme() -> None:
    """S3-35: the newest of two, that of the key user."""
    said = [(SPONSOR, 9, {"theme": "price"}), (KEY_USER, 2, {"theme": "speed"})]
    assert value("feedback_theme", nps_answered=said) == "speed"


def test_survey_response_rate() -> None:
    """S0-54: two answers to eight invitations = 25 %."""
    sent = [(USER, age) for age in range(8)]
    assert value("survey_response_rate", survey_sent=sent, nps_answered=scores(9), csat_answered=scores(4)) == 0.25


def test_escalations() -> None:
    """S0-53: two in 30 days; the third was on day 30, outside."""
    assert value("escalations", escalation=[(USER, 0), (USER, 29), (USER, 30)]) == 2


def test_problems_solved() -> None:
    """S1-35: two notes, one of which says with which problem we helped: 1."""
    notes = [(NOBODY, 2, {"problem": "import"}), (NOBODY, 3, {"text": "said hello"})]
    assert value("problems_solved", note=notes) == 1
