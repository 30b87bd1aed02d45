"""What programs read as a member: a score with its parts, the timeline, a run, and whether the installation is well."""

from datetime import timedelta

from engine.terms import MICRO
from tests.installed import Site
from tests.seeding import DAY, NOW, OWNER


def test_a_score_has_its_day_its_tier_and_the_definitions_that_made_it(site: Site) -> None:
    """S4-58, S3-12, S0-15, S1-38: as of a day, out of 100, by a bundle."""
    score = site.member(OWNER).get("/v1/accounts/northwind-health/score").json()
    assert (score["account"], score["scorecard"], score["tier"]) == ("northwind-health", "health", "requires_attention")
    assert score["day"] == DAY
    assert 0 <= score["score"] <= 100
    assert score["bundle"] == site.seeded.bundle.fingerprint
    assert {part["metric"] for part in score["parts"]} >= {"tickets_deflected", "license_utilization"}
    assert all(round(part["points"] * MICRO) == part["micro_points"] for part in score["parts"])


def test_a_metric_outside_the_score_is_still_on_the_account(site: Site) -> None:
    """S1-23."""
    client = site.member(OWNER)
    number = site.seeded.accounts["Northwind Health"]
    assert "90 seats" in client.get(f"/accounts/{number}/metrics/seats_sold").text
    parts = client.get("/v1/accounts/northwind-health/score").json()["parts"]
    assert "seats_sold" not in {part["metric"] for part in parts}


def test_insufficient_data_is_null_and_not_a_number(site: Site) -> None:
    """S1-61."""
    answer = site.member(OWNER).get("/v1/accounts/cedar-schools/score")
    assert answer.status_code == 200
    assert (answer.json()["score"], answer.json()["tier"]) == (None, None)


def test_the_timeline_is_told_from_the_newest_on_with_reasons(site: Site) -> None:
    entries = site.member(OWNER).get("/v1/accounts/acorn-logistics/timeline").json()
    assert [entry["at"] for entry in entries] == sorted((entry["at"] for entry in entries), reverse=True)
    assert {"refuse", "hold_out"} <= {entry["state"] for entry in entries}
    assert all(entry["sentence"] for entry in entries if entry["state"] == "refuse")


def test_a_run_says_where_it_stands(site: Site) -> None:
    run = site.member(OWNER).get(f"/v1/runs/{site.seeded.waiting_run}").json()
    assert (run["account"], run["state"]) == ("acorn-logistics", "waiting")
    assert [step["step"] for step in run["steps"] if step["current"]] == ["wait-1"]


def test_reading_needs_a_member_and_health_does_not(site: Site) -> None:
    somebody = site.anybody()
    refused = somebody.get("/v1/accounts/northwind-health/score")
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    assert somebody.get("/healthz").json() == {"status": "ok"}
    assert set(somebody.get("/v1/health").json()) == {"status", "waiting"}


def test_a_session_of_yesterday_does_not_read(site: Site) -> None:
    client = site.member(OWNER)
    site.clock.at = NOW + timedelta(hours=13)
    assert client.get("/v1/accounts/northwind-health/score").status_code == 401
