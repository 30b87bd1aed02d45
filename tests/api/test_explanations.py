"""Explanations over HTTP: why a score is what it is, why it moved, and the records below it."""

from datetime import timedelta
from typing import Any

import pytest

from tests.installed import Site
from tests.seeding import ADMIN, NOW, OTHER, OWNER, VIEWER

MINE = "/v1/accounts/northwind-health/scores/health"
BEFORE = (NOW - timedelta(days=30)).date().isoformat()
RECORDS = "/v1/accounts/northwind-health/records/active_users"


def get(site: Site, path: str) -> Any:
    answer = site.member(OWNER).get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_from_the_score_to_groups_to_metrics_to_records(site: Site) -> None:
    """S0-59, S0-63, S1-34: each level links to the next, and saying it again gives the same text."""
    said = get(site, f"{MINE}/why")
    assert said == get(site, f"{MINE}/why")
    score = get(site, "/v1/accounts/northwind-health/score")
    whole = round(score["computed"] * 1_000_000)
    assert said["kept"] is True
    assert sum(group["micro_points"] for group in said["groups"]) <= whole
    assert sum(metric["micro_points"] for metric in said["metrics"]) == whole
    used = next(one for one in said["metrics"] if one["metric"] == "tickets_deflected")
    records = get(site, used["records"])
    assert records
    assert all(one["kind"] == "point" and one["recorded_at"] for one in records)
    assert [one["day"] for one in records] == sorted((one["day"] for one in records), reverse=True)


def test_a_change_is_told_to_the_micro_point(site: Site) -> None:
    """S0-58."""
    told = get(site, f"{MINE}/change?from={BEFORE}")
    before = next(one for one in get(site, MINE) if one["day"] == (NOW - timedelta(days=30)).toordinal() - 719163)
    after = get(site, MINE)[0]
    assert told["micro_points"] == round((after["score"] - before["score"]) * 1_000_000)
    assert sum(part["micro_points"] for part in told["parts"]) == told["micro_points"]
    assert told["headline"].startswith(("The score fell by", "The score rose by"))


@pytest.mark.parametrize("path", [f"{MINE}/why", f"{MINE}/change?from={BEFORE}", RECORDS])
def test_explanations_are_seen_by_those_who_see_the_account(site: Site, path: str) -> None:
    assert [site.member(who).get(path).status_code for who in (OWNER, ADMIN, VIEWER, OTHER)] == [200, 200, 200, 404]
    assert site.anybody().get(path).status_code == 401


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/v1/accounts/northwind-health/scores/wealth/why", 404, "wealth"),
        (f"{MINE}/change?from=2026-12-01", 409, '"from" is a day before'),
        (f"{MINE}/change", 422, ""),
        (f"{MINE}/why?at=soon", 422, ""),
        ("/v1/accounts/northwind-health/records/wealth", 404, "wealth"),
        ("/v1/accounts/nobody/records/active_users", 404, "no such account"),
    ],
)
def test_what_cannot_be_explained_is_a_problem_with_a_sentence(site: Site, path: str, status: int, told: str) -> None:
    answer = site.member(OWNER).get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert told in answer.json()["detail"]
