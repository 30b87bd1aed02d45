"""What an approval rests on: which changes take it back."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.running.resting import Facts, changes, mark
from engine.terms import Verdict

THEN = Facts(Verdict.HOLDS, ((1, "ana@acme.example"), (2, "bo@acme.example")), "mia@example.org", "adoption, ")


def test_the_same_facts_are_no_change_in_whatever_order_people_come() -> None:
    assert changes(mark(THEN), THEN) == ()
    assert changes(mark(THEN), replace(THEN, recipients=THEN.recipients[::-1])) == ()


@pytest.mark.parametrize(
    ("now", "what"),
    [
        ({"verdict": Verdict.FAILS}, "why it was proposed"),
        ({"recipients": ((1, "ana@acme.example"),)}, "to whom it would go"),
        ({"recipients": ((1, "ana@other.example"), (2, "bo@acme.example"))}, "to whom it would go"),
        ({"owner": "lea@example.org"}, "who owns the account"),
        ({"status": "churned, the account has churned"}, "how the account stands"),
    ],
)
def test_what_has_changed_is_named(now: dict[str, Any], what: str) -> None:
    assert changes(mark(THEN), replace(THEN, **now)) == (what,)


@pytest.mark.parametrize("before", list(Verdict))
def test_data_that_is_missing_for_a_while_takes_nothing_back(before: Verdict) -> None:
    asked = replace(THEN, verdict=before)
    assert changes(mark(asked), replace(THEN, verdict=Verdict.UNKNOWN)) == ()
    assert changes(mark(replace(THEN, verdict=Verdict.UNKNOWN)), asked) == ()


def test_what_was_asked_without_a_mark_rests_on_nothing() -> None:
    assert changes("", THEN) == ()


@given(st.lists(st.tuples(st.integers(0, 99), st.text(max_size=9)), max_size=4), st.text(max_size=9), st.text())
def test_a_mark_is_sixty_four_digits_and_says_no_name(
    recipients: list[tuple[int, str]], owner: str, status: str
) -> None:
    found = mark(Facts(Verdict.HOLDS, tuple(recipients), owner, status))
    assert len(found) == 64
    assert set(found) <= set("0123456789abcdef")
