"""Overrides, answers and feedback over HTTP: kept with who and why, by those who may."""

from typing import Any

import pytest

from tests.installed import Site
from tests.seeding import ADMIN, OTHER, OWNER, VIEWER

MINE = "/v1/accounts/northwind-health"
WORDS = {"reason": "the connector is down"}


def post(site: Site, path: str, form: dict[str, Any], who: str = OWNER) -> Any:
    return site.member(who).post(path, data=form)


def test_a_metric_is_overridden_listed_and_ended(site: Site) -> None:
    """S2-39, D.5 29: both are kept, and shown in the explanation."""
    made = post(site, f"{MINE}/overrides/metrics/active_users", WORDS | {"value": 77})
    assert made.status_code == 201, made.text
    assert (made.json()["value"], made.json()["author"], made.json()["kind"]) == (77.0, OWNER, "metric")
    listed = site.member(OWNER).get(f"{MINE}/overrides").json()
    assert [(one["of"], one["reason"]) for one in listed] == [("active_users", "the connector is down")]
    said = site.member(OWNER).get(f"{MINE}/scores/health/why").json()["said"]
    assert any(f"is 77 people by the word of {OWNER}" in one or "is 77 by the word" in one for one in said), said
    ended = post(site, f"{MINE}/overrides/metric/{made.json()['id']}/end", {})
    assert ended.status_code == 204
    assert site.member(OWNER).get(f"{MINE}/overrides").json() == []
    assert post(site, f"{MINE}/overrides/metric/{made.json()['id']}/end", {}).status_code == 404


def test_a_score_is_overridden_beside_the_computed_one(site: Site) -> None:
    """S2-39."""
    made = post(site, f"{MINE}/overrides/scores/health", WORDS | {"tier": "doing_well", "days": 5})
    assert made.status_code == 201, made.text
    assert made.json()["tier"] == "doing_well"
    assert [one["kind"] for one in site.member(ADMIN).get(f"{MINE}/overrides").json()] == ["score"]


@pytest.mark.parametrize(
    ("path", "form", "status", "told"),
    [
        ("/overrides/metrics/active_users", {"value": 7}, 409, "Say why"),
        ("/overrides/metrics/active_userz", WORDS | {"value": 7}, 409, 'There is no metric "active_userz"'),
        ("/overrides/metrics/active_users", WORDS | {"value": 7, "days": 91}, 422, ""),
        ("/overrides/metrics/active_users", WORDS, 422, ""),
        ("/overrides/scores/health", WORDS, 409, "Give a score or a tier"),
        ("/overrides/scores/wealth", WORDS | {"score": 7}, 404, 'There is no scorecard "wealth"'),
        ("/answers/sentiment", WORDS | {"value": 9}, 409, "its scale is"),
        ("/answers/mood", WORDS | {"value": 3}, 404, 'There is no question "mood"'),
        ("/scores/health/feedback", {"looks": "wrong"}, 409, "Say what is wrong"),
        ("/scores/health/feedback", {"looks": "odd"}, 422, ""),
    ],
)
def test_what_cannot_be_kept_is_a_problem_with_a_sentence(
    site: Site, path: str, form: dict[str, Any], status: int, told: str
) -> None:
    answer = post(site, MINE + path, form)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert told in answer.json()["detail"]


FORMS: dict[str, dict[str, Any]] = {
    "/overrides/metrics/active_users": WORDS | {"value": 7},
    "/overrides/scores/health": WORDS | {"score": 7},
    "/answers/sentiment": WORDS | {"value": 2},
    "/scores/health/feedback": WORDS | {"looks": "wrong"},
}


@pytest.mark.parametrize("path", FORMS)
def test_only_those_who_own_the_account_or_administer_say_something_of_it(site: Site, path: str) -> None:
    found = [post(site, MINE + path, FORMS[path], who).status_code for who in (OWNER, ADMIN, VIEWER, OTHER)]
    assert found == [201, 201, 403, 404]


def test_a_sentiment_has_a_history_with_who_and_why(site: Site) -> None:
    """S4-27, S4-28."""
    for value, why in ((4, "a good call"), (2, "then the bill came")):
        assert post(site, f"{MINE}/answers/sentiment", {"value": value, "reason": why}).status_code == 201
    found = site.member(OWNER).get(f"{MINE}/answers/sentiment").json()
    assert [(one["value"], one["reason"], one["author"]) for one in found] == [
        (2.0, "then the bill came", OWNER),
        (4.0, "a good call", OWNER),
    ]
    records = site.member(OWNER).get(f"{MINE}/records/sentiment").json()
    assert [(one["kind"], one["value"]) for one in records] == [("point", 2.0), ("correction", 4.0)]


def test_feedback_is_counted_for_the_version_that_made_the_score(site: Site) -> None:
    """S1-33, S1-37: of a score and of the scorecard as such; a colleague sees no words on accounts of others."""
    assert post(site, f"{MINE}/scores/health/feedback", WORDS | {"looks": "wrong"}).json()["score"] is not None
    assert post(site, "/v1/scorecards/health/feedback", {"looks": "right"}).json()["account"] == ""
    found = site.member(ADMIN).get("/v1/scorecards/health/feedback").json()
    assert [(one["right"], one["wrong"]) for one in found["versions"]] == [(1, 1)]
    assert [one["account"] for one in found["said"]] == ["", "northwind-health"]
    others = site.member(OTHER).get("/v1/scorecards/health/feedback").json()
    assert [one["account"] for one in others["said"]] == [""]
