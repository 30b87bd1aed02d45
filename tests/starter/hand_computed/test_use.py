"""Use: frequency, breadth, depth and quality, each worked out by hand."""

import pytest

from tests.starter.hand_computed.history import CHAMPION, KEY_USER, NOBODY, SPONSOR, USER, minutes, person, value


def test_active_users() -> None:
    """Today's figure is taken as it was sent: 40."""
    assert value("active_users", {"active_users": {0: 40, 7: 38}}) == 40


def test_seats_sold() -> None:
    """100 seats, said half a year ago; a contract does not go stale."""
    assert value("seats_sold", {"seats_sold": {180: 100}}) == 100


def test_license_utilization() -> None:
    """S0-33: 30 of 50 seats in use = 60 %; none sold is unknown."""
    assert value("license_utilization", {"active_users": {0: 30}, "seats_sold": {0: 50}}) == 0.6
    assert value("license_utilization", {"active_users": {0: 30}, "seats_sold": {0: 0}}) is None


def test_features_used() -> None:
    """7 of 10, said last week."""
    assert value("features_used", {"features_used": {7: 7}}) == 7


LOGINS = [(CHAMPION, 0), (CHAMPION, 0), (CHAMPION, 7), (SPONSOR, 3), (USER, 40)]


def test_logins() -> None:
    """S0-31: the champion logged in twice today; four logins in 28 days; on three different days."""
    assert value("logins", login=LOGINS) == 2
    assert value("logins.sum_28d", login=LOGINS) == 4
    assert value("logins.days_28d", login=LOGINS) == 3


def test_users() -> None:
    """Four people have an account."""
    assert value("users") == 4


def test_users_today() -> None:
    """S0-20: only the champion logged in today: 1. Over the last 7 days 1 + 1 people on two days: 2 / 7 a day."""
    assert value("users_today", login=LOGINS) == 1
    assert value("users_today.mean_7d", login=LOGINS) == pytest.approx(2 / 7)


def test_users_month() -> None:
    """S3-24: champion and sponsor in 28 days: 2. The user came 40 days ago."""
    assert value("users_month", login=LOGINS) == 2


def test_breadth() -> None:
    """S3-24: 2 of 4 people = 50 %."""
    assert value("breadth", login=LOGINS) == 0.5


def test_frequency() -> None:
    """S3-23: the champion on 2 days, the sponsor on 1: (2 + 1) / 2 = 1.5; who never came is not in the mean."""
    assert value("frequency", login=LOGINS) == 1.5


def test_stickiness() -> None:
    """Users a day: 1 + 1 + 1 on three of 28 days = 3 / 28; over 2 users of the month: 3 / 56."""
    assert value("stickiness", login=LOGINS) == pytest.approx(3 / 56)


def test_power_users() -> None:
    """S1-51: the champion came on 12 of 28 days, the user on 11: 1, and it is the champion."""
    every_other = [(CHAMPION, age) for age in range(0, 24, 2)] + [(USER, age) for age in range(11)]
    assert value("power_users", login=every_other) == 1
    assert [person("power_user", who, login=every_other) for who in (CHAMPION, SPONSOR, USER)] == [1, 0, 0]


def test_key_users_active() -> None:
    """One key user, who logged in 13 days ago: 100 %; 14 days ago: 0 %."""
    assert value("key_users_active", login=[(KEY_USER, 13)]) == 1
    assert value("key_users_active", login=[(KEY_USER, 14)]) == 0


def test_usage_against_expectation() -> None:
    """S0-22: 15 logins where 20 were expected = 0.75; where nothing was expected it is unknown."""
    fifteen = [(USER, age) for age in range(15)]
    assert value("usage_against_expectation", account={"expected_logins": 20}, login=fifteen) == 0.75
    assert value("usage_against_expectation", login=fifteen) is None


def test_signs_of_life() -> None:
    """Three signs today."""
    assert value("signs_of_life", activity=[(USER, 0)] * 3) == 3


def test_active_minutes() -> None:
    """S0-28, S0-29, S3-22: events at 0, 4 and 9 minutes: 4 + 5 = 9; then a break; 60 to 62: 2. In all 11.

    The champion opened it at minute 0 and left it until 480: nothing.
    """
    assert minutes("active_minutes", login=[(USER, 0)], activity=[(USER, 4), (USER, 9), (USER, 60), (USER, 62)]) == 11
    assert minutes("active_minutes", login=[(CHAMPION, 0)], activity=[(CHAMPION, 480)]) == 0


def test_minutes_per_login() -> None:
    """S0-30: 6 active minutes over 2 logins = 3."""
    found = minutes("minutes_per_login", login=[(USER, 0), (CHAMPION, 0)], activity=[(USER, 3), (USER, 6)])
    assert found == 3


USED = [(USER, 0, {"feature": "search"}), (USER, 1, {"feature": "search"}), (CHAMPION, 2, {"feature": "forms"})]


def test_actions() -> None:
    """Three in 28 days, one of them today."""
    assert value("actions", feature_used=USED) == 1
    assert value("actions.sum_28d", feature_used=USED) == 3


def test_actions_per_user() -> None:
    """Three actions over two people who logged in = 1.5."""
    assert value("actions_per_user", feature_used=USED, login=[(USER, 0), (CHAMPION, 2)]) == 1.5


def test_depth() -> None:
    """S3-25, S2-21: search and forms of five key features = 40 %; colours are no key feature."""
    assert value("depth", feature_used=[*USED, (USER, 3, {"feature": "themes"})]) == 0.4


@pytest.mark.parametrize(
    ("feature", "times"),
    [("articles", 0), ("search", 2), ("suggestions", 0), ("forms", 1), ("analytics", 0), ("themes", 0)],
)
def test_each_feature_has_its_own_frequency(feature: str, times: int) -> None:
    """S0-32: search twice, forms once, the others never in 30 days."""
    assert value(f"feature.{feature}.sum_30d", feature_used=USED) == times


def test_failure_rate() -> None:
    """S2-20: one failure for four things done = 25 %."""
    done = [(USER, age, {"feature": "search"}) for age in range(4)]
    assert value("failure_rate", feature_used=done, action_failed=[(USER, 2, {"feature": "search"})]) == 0.25
    assert value("failure_rate") is None


def test_flows_finished() -> None:
    """S2-20: three begun, one finished = 1 / 3."""
    begun = [(USER, age, {"flow": "import"}) for age in (1, 2, 3)]
    assert value("flows_finished", flow_started=begun, flow_completed=begun[:1]) == pytest.approx(1 / 3)


def test_help_opened() -> None:
    """S1-11: two in 30 days; the third was on day 30, outside."""
    assert value("help_opened", help_opened=[(USER, 0), (USER, 29), (USER, 30)]) == 2


def test_onboarded_in_30_days() -> None:
    """S0-23: all four joined 60 days ago; ready after 10, 30 and 31 days and never: 2 of 4 = 50 %."""
    ready = [(CHAMPION, 50), (SPONSOR, 30), (USER, 29)]
    assert value("onboarded_in_30_days", joined=(60, 60, 60, 60), onboarding_completed=ready) == 0.5


def test_training_finished() -> None:
    """S3-38: four begun, one finished = 25 %."""
    begun = [(who, 20) for who in (CHAMPION, SPONSOR, KEY_USER, USER)]
    assert value("training_finished", training_started=begun, training_completed=[(USER, 5)]) == 0.25


def test_nobody_is_named() -> None:
    """A login of nobody in particular is none of a person's: 0 people this month."""
    assert value("users_month", login=[(NOBODY, 1)]) == 0
