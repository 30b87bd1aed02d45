"""Results, returns and delivery, each worked out by hand."""

import pytest

from tests.starter.hand_computed.history import USER, products, value

EARNED = {"value_earned": {3: 15_000.0}, "spend": {3: 1_000.0}}


def test_tickets_deflected() -> None:
    """10 yesterday and 20 today: 30 in two days; the latest is today's 20."""
    assert value("tickets_deflected", {"tickets_deflected": {0: 20, 1: 10}}) == 20
    assert value("tickets_deflected.sum_30d", {"tickets_deflected": {0: 20, 1: 10}}) == 30


def test_value_earned() -> None:
    """15,000 a month; after 62 days nobody knows."""
    assert value("value_earned", EARNED) == 15_000
    assert value("value_earned", {"value_earned": {63: 15_000.0}}) is None


def test_value_confirmed() -> None:
    """They said yes: 1."""
    assert value("value_confirmed", {"value_confirmed": {9: 1}}) == 1


def test_value_confirmed_on() -> None:
    """Day 19,900, said on the day itself."""
    assert value("value_confirmed_on", {"value_confirmed_on": {100: 19_900}}) == 19_900


def test_spend() -> None:
    """1,000 a month."""
    assert value("spend", EARNED) == 1_000


def test_roi() -> None:
    """S4-54, S0-45: 15,000 earned for 1,000 spent = 15."""
    assert value("roi", EARNED) == 15


def test_roi_net() -> None:
    """S4-54: (15,000 - 1,000) / 1,000 = 14, which is 1400 %."""
    assert value("roi_net", EARNED) == 14


def test_price_per_user() -> None:
    """S1-24: 1,000 a month over 40 people = 25."""
    assert value("price_per_user", {**EARNED, "active_users": {0: 40}}) == 25


def test_price_per_result() -> None:
    """S1-24: 1,000 over 30 + 20 results in 30 days = 20."""
    assert value("price_per_result", {**EARNED, "tickets_deflected": {0: 30, 9: 20}}) == 20


@pytest.mark.parametrize("name", ["searches", "email_clicks", "leads_converted"])
def test_the_customer_s_own_figures(name: str) -> None:
    """S0-46: 5 and 7 on two days are 12 in a week."""
    assert value(f"{name}.sum_7d", {name: {0: 5, 3: 7}}) == 12
    assert value(name, {name: {0: 5, 3: 7}}) == 5


def test_milestones_done() -> None:
    """40 % a month ago, 60 % today."""
    assert value("milestones_done", {"milestones_done": {0: 0.6, 30: 0.4}}) == 0.6


def test_next_milestone_on() -> None:
    """Day 20,030."""
    assert value("next_milestone_on", {"next_milestone_on": {1: 20_030}}) == 20_030


def test_project_status() -> None:
    """S2-22: the latest word, here word 0: late. After 30 days it is not known."""
    assert value("project_status", {"project_status": {0: 0, 9: 1}}) == "late"
    assert value("project_status", {"project_status": {31: 0}}) is None


def test_milestones_missed() -> None:
    """S2-22: one last week and one 89 days ago = 2; the one 90 days ago is outside."""
    missed = [(USER, age, {"milestone": "m"}) for age in (7, 89, 90)]
    assert value("milestones_missed", milestone_missed=missed) == 2


def test_incidents() -> None:
    """Two in 30 days."""
    assert value("incidents", incident=[(-1, 2, {"severity": 1}), (-1, 20, {"severity": 3})]) == 2


def test_uptime() -> None:
    """S1-02: 99.9 % and 97 %: the worst is 97 %; a product not heard of for 8 days is left out."""
    assert products("uptime", uptime=[{0: 0.999}, {1: 0.97}, {8: 0.5}]) == 0.97


def test_product_users() -> None:
    """S1-02: 12 + 5 = 17 people."""
    assert products("product_users", product_users=[{0: 12}, {3: 5}]) == 17


def test_a_figure_of_the_customer_is_followed_over_time() -> None:
    """S0-48: 1, 3, 5 leads on three days are a slope of 2 a day; the level before them was 0."""
    course = {"leads_converted": {0: 5, 1: 3, 2: 1, 3: 0}}
    assert value("leads_converted.slope_3d", course) == 2
    assert value("leads_converted.ago_3d", course) == 0
