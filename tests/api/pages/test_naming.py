"""What things are called on pages, with the shipped definitions."""

import pytest

from api.pages.naming import Names
from engine.store.files import check
from engine.terms import Tier


@pytest.fixture(scope="module")
def shipped() -> Names:
    checked, _ = check(".")
    assert checked.bundle is not None
    return Names(checked.bundle)


def test_an_agreed_goal_is_shown_as_the_share_attained(shipped: Names) -> None:
    assert shipped.scored("health", "tickets_deflected", 0.8) == "80 % of today's goal"
    assert shipped.scored("health", "tickets_deflected", None) == "unknown"


def test_a_unit_that_the_title_says_is_not_said_again(shipped: Names) -> None:
    assert shipped.scored("health", "escalations", 1) == "1"
    assert shipped.value("seats_sold", 40) == "40 seats"


def test_a_signal_that_only_says_whom_a_rule_is_for_is_known_as_such(shipped: Names) -> None:
    assert shipped.is_scope("seats-unused", "still_a_customer")
    assert not shipped.is_scope("seats-unused", "seats_unused")
    assert not shipped.is_scope("gone", "at_all")


def test_an_exception_of_the_scorecard_is_told_by_its_challenge(shipped: Names) -> None:
    assert shipped.forced("health", Tier.REQUIRES_ATTENTION) == ("Our champion has left the company",)
    assert shipped.forced("health", Tier.DOING_WELL) == ()
    assert Names(None).forced("health", Tier.DOING_WELL) == ()
