"""Lengths of time, shares and dates as authors write them."""

from datetime import date

import pytest
from hypothesis import given, strategies as st

from engine.definitions.quantities import parse_date, parse_length, parse_share


@pytest.mark.parametrize(
    ("text", "days", "working"),
    [
        ("7d", 7.0, False),
        ("36h", 1.5, False),
        ("1 day", 1.0, False),
        ("3 working days", 3.0, True),
        ("1 working day", 1.0, True),
        ("4 working hours", 0.5, True),
    ],
)
def test_a_length_of_time_is_in_days(text: str, days: float, working: bool) -> None:
    length = parse_length(text)
    assert length is not None
    assert (length.days, length.working) == (days, working)


@pytest.mark.parametrize("text", ["", "d", "7", "7 weeks", "-7d", "7dd", "1e3d", "d7"])
def test_anything_else_is_no_length(text: str) -> None:
    assert parse_length(text) is None


@pytest.mark.parametrize(
    ("text", "value"), [("40%", 0.4), ("-20%", -0.2), ("+10%", 0.1), ("2.5 %", 0.025), ("0%", 0.0)]
)
def test_a_share_is_exactly_the_decimal_it_says(text: str, value: float) -> None:
    assert parse_share(text) == value


@pytest.mark.parametrize("text", ["40", "%", "forty%", "40%%", "4e1%"])
def test_without_a_plain_number_and_a_percent_sign_it_is_no_share(text: str) -> None:
    assert parse_share(text) is None


@given(st.integers(-1000, 1000))
def test_whole_percents_are_the_nearest_double_to_their_decimal(percent: int) -> None:
    assert parse_share(f"{percent}%") == percent / 100


def test_a_date_must_exist() -> None:
    assert parse_date("2027-02-28") == date(2027, 2, 28)
    assert parse_date("2027-02-29") is None
    assert parse_date("20270228") is None
