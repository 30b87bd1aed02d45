"""Looking over the portfolio through HTTP: order, sums, chances, cohorts, digest; each member's own accounts."""

import pytest

from engine.effect.prediction import Band, Future, Judged
from engine.store.predictions import Chances, Predicted, save
from tests.installed import Site
from tests.seeding import ADMIN, DAY, OTHER, OWNER, VIEWER

PATHS = (
    "/v1/priorities",
    "/v1/segments",
    "/v1/families",
    "/v1/predictions",
    "/v1/cohorts/active_users?below=40",
    "/v1/digest",
    "/v1/effort",
    "/v1/focus",
)


@pytest.mark.parametrize("path", PATHS)
def test_members_look_over_what_they_may_see_and_nobody_else_does(site: Site, path: str) -> None:
    assert [site.member(who).get(path).status_code for who in (OWNER, OTHER, ADMIN, VIEWER)] == [200] * 4
    assert site.anybody().get(path).status_code == 401
    theirs = site.member(OTHER).get(path).text
    assert "northwind-health" not in theirs
    assert "Northwind Health" not in theirs


def test_the_order_is_the_same_for_everybody_who_sees_a_part_of_it(site: Site) -> None:
    """S0-05, S1-25: places over all accounts, with the parts of what orders them."""
    everybody = {one["key"]: one for one in site.member(ADMIN).get("/v1/priorities").json()}
    mine = site.member(OWNER).get("/v1/priorities").json()
    assert len(everybody) == 7
    assert len(mine) == 6
    for one in mine:
        assert one == everybody[one["key"]]
    first = next(one for one in everybody.values() if one["place"] == 1)
    assert first["risk"] == pytest.approx(first["arr"] * first["loss"] * first["save"] * first["urgency"])
    assert first["key"] == "northwind-health"


def test_segments_and_their_accounts_sum_up(site: Site) -> None:
    """S0-43, S3-20."""
    found = site.member(ADMIN).get("/v1/segments?by=segment&by=owner").json()
    assert found["accounts"] == 7
    for name in ("accounts", "arr", "arr_known", "scored"):
        assert found[name] == sum(child[name] for child in found["children"])
    assert found["arr_by_tier"]["requires_attention"] == 148_000
    assert found["line"].startswith("all: 7 accounts, ")


def test_what_cannot_be_grouped_or_compared_is_a_problem_with_what_to_do(site: Site) -> None:
    for path, hint in (
        ("/v1/segments?by=segmnt", 'did you mean "segment"'),
        ("/v1/cohorts/active_user?below=4", 'did you mean "active_users"'),
    ):
        answer = site.member(ADMIN).get(path)
        assert 400 <= answer.status_code < 500
        assert hint in answer.json()["detail"]
    assert site.member(ADMIN).get("/v1/cohorts/active_users?below=nan").status_code == 422


def test_chances_are_told_beside_what_they_are_worth_and_apart_from_scores(site: Site) -> None:
    """S3-03, S3-04, S3-05, S3-06: three chances, base rate, Brier and bands; no score holds any of it."""
    none = site.member(ADMIN).get("/v1/predictions").json()
    assert (none["day"], none["chances"]) == (None, [])
    assert "backcast predict" in none["refused"]
    account = site.seeded.accounts["Northwind Health"]
    judged = Judged(Future.CHURN, 0.1, 0.08, 0.09, (Band(50, 0.1, 0.12, 0.05, 0.2),))
    with site.store.begin() as session:
        save(session, Predicted(DAY, 90, "f" * 64, 400, (judged,), (Chances(account, 0.5, 0.3, 0.2),)))
    found = site.member(OWNER).get("/v1/predictions").json()
    assert found["chances"] == [{"account": "northwind-health", "churn": 0.5, "flat": 0.3, "grow": 0.2}]
    assert found["judged"][0]["base_rate"] == 0.1
    assert site.member(OTHER).get("/v1/predictions").json()["chances"] == []
    assert "churn" not in site.member(OWNER).get("/v1/accounts/northwind-health/score").text
    loss = {one["key"]: one["loss"] for one in site.member(OWNER).get("/v1/priorities").json()}
    assert loss["northwind-health"] == 0.5


def test_the_digest_over_http_is_the_owners(site: Site) -> None:
    """S4-60."""
    found = {one["key"]: one for one in site.member(OWNER).get("/v1/digest").json()}
    assert found["northwind-health"]["next"].startswith("decide what waits for a yes")
    assert set(found["northwind-health"]) == {"key", "name", "place", "changed", "why", "next"}
    assert {one["key"] for one in site.member(OTHER).get("/v1/digest").json()} == {"delta-foundry"}
