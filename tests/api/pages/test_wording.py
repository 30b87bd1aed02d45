"""How values read: rounding, signs, spans, dates, and what is unknown."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from api.pages import wording
from engine.terms import MICRO, Reason

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("micro", "words"),
    [(69_250_000, "69.3"), (69_340_000, "69.3"), (0, "0.0"), (100 * MICRO, "100.0"), (None, "–"), (49_999, "0.0")],
)
def test_a_score_has_one_decimal_and_rounds_halves_up(micro: int | None, words: str) -> None:
    """S4-59."""
    assert wording.points(micro) == words


@given(st.integers(0, 100 * MICRO))
def test_a_shown_score_is_within_half_a_tenth(micro: int) -> None:
    assert abs(float(wording.points(micro)) * MICRO - micro) <= MICRO / 20


@pytest.mark.parametrize(("micro", "words"), [(3_400_000, "+3.4"), (-200_000, "−0.2"), (10_000, "±0.0"), (None, "–")])
def test_a_change_has_its_sign(micro: int | None, words: str) -> None:
    assert wording.signed_points(micro) == words


def test_what_is_unknown_is_never_zero() -> None:
    """Missing data is unknown, on pages as well."""
    for show in (
        wording.money,
        wording.percent,
        wording.number,
        wording.signed_percent,
        wording.on_date,
        wording.clock,
    ):
        assert show(None) == "unknown"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(10, "under a minute"), (60, "1 minute"), (7_300, "2 hours"), (100_000, "27 hours"), (200_000, "2 days")],
)
def test_a_span_is_told_in_the_unit_a_person_takes(seconds: float, words: str) -> None:
    assert wording.span(seconds) == words


def test_deadlines_say_when_they_are_over() -> None:
    assert wording.left(NOW, NOW) == "over"
    assert wording.left(NOW + timedelta(days=3), NOW) == "3 days left"
    assert wording.due(NOW - timedelta(hours=5), NOW) == "overdue by 5 hours"
    assert wording.due(None, NOW) == "no date"
    assert wording.ago(NOW - timedelta(seconds=5), NOW) == "just now"


def test_a_renewal_is_counted_from_today() -> None:
    today = (NOW.date() - wording.EPOCH).days
    assert wording.renewal(today, NOW) == "renews today"
    assert wording.renewal(today + 1, NOW) == "renews in 1 day"
    assert wording.renewal(today - 1, NOW) == "renewal was 28 Feb 2026"
    assert wording.renewal(None, NOW) == "renewal unknown"


def test_every_reason_of_the_engine_has_words() -> None:
    assert set(wording.REASONS) == set(Reason)


def test_a_task_that_is_only_proposed_shows_no_template() -> None:
    assert wording.proposed("Call {{ account.name }} about {{ value('nps') }}", r"A\1 {{ b }}") == r"Call A\1 … about …"
    assert wording.proposed("Call them", "Acorn") == "Call them"
