"""Scores over HTTP: every scorecard's, their history, and whose they may be seen by."""

import pytest
from sqlalchemy import select

from engine.store.decision_tables import ScoreRow
from tests.installed import Site
from tests.seeding import ADMIN, OTHER, OWNER

MINE = "/v1/accounts/northwind-health/scores"


def test_the_last_scores_come_with_parts_that_sum_and_one_decimal(site: Site) -> None:
    """S0-15, S0-59, S4-59: the number, its tier, its parts to the micro-point, shown with one decimal."""
    found = site.member(OWNER).get(MINE).json()
    assert [(score["scorecard"], score["leads"]) for score in found] == [("health", True)]
    assert sum(part["micro_points"] for part in found[0]["parts"]) == round(found[0]["score"] * 1_000_000)
    assert float(found[0]["shown"]) == pytest.approx(found[0]["score"], abs=0.05)
    assert found[0]["tier"] in {"requires_attention", "take_notice", "doing_well"}


def test_a_scorecard_has_a_history_newest_first(site: Site) -> None:
    """S3-12, S4-14, S4-58: every score says its day."""
    days = [score["day"] for score in site.member(OWNER).get(f"{MINE}/health").json()]
    assert len(days) > 20
    assert days == sorted(days, reverse=True)


@pytest.mark.parametrize("path", ["", "/health", "/health/subjects", "/health/subjects?subject=x"])
def test_scores_are_seen_by_those_who_see_the_account(site: Site, path: str) -> None:
    assert [site.member(who).get(MINE + path).status_code for who in (OWNER, ADMIN, OTHER)] == [200, 200, 404]
    assert site.anybody().get(MINE + path).status_code == 401


def test_what_no_scorecard_says_is_an_empty_list(site: Site) -> None:
    assert site.member(OWNER).get(f"{MINE}/wealth").json() == []
    assert site.member(OWNER).get(f"{MINE}/people/subjects").json() == []


def test_the_last_known_tier_stands_beside_insufficient_data(site: Site) -> None:
    """S1-61, D.6 35: nobody takes too little data for health, and what was known is not forgotten."""
    with site.store.begin() as session:
        rows = select(ScoreRow).where(ScoreRow.account_id == site.seeded.accounts["Cedar Schools"])
        for row in session.scalars(rows):
            row.last_tier = "take_notice"
    page = site.member(OWNER).get(f"/accounts/{site.seeded.accounts['Cedar Schools']}").text
    assert "Insufficient data; last Take Notice" in page
    found = site.member(OWNER).get("/v1/accounts/cedar-schools/scores").json()
    assert [(score["score"], score["tier"], score["last_tier"]) for score in found] == [(None, None, "take_notice")]
