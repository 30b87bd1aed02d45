"""Cookies, headers, forged forms, and failures that tell nothing."""

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from api.app import create_app
from api.errors import STATUS
from engine.errors import BadData, BadRow, EngineError, NotFound, Refused, Unavailable
from engine.settings import Settings
from engine.store import members
from tests.installed import BASE, Site
from tests.seeding import NOW, OWNER, sign_in

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def test_every_answer_has_the_protective_headers(site: Site) -> None:
    """Mechanism 11: pages, failures and static files alike."""
    for client, path in (
        (site.member(OWNER), "/inbox"),
        (site.anybody(), "/nowhere"),
        (site.anybody(), "/static/icon.svg"),
    ):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == CSP
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
    assert site.member(OWNER).get("/inbox").headers["cache-control"] == "no-store"


def test_pages_keep_the_policy_without_inline_style_or_script(site: Site) -> None:
    client = site.member(OWNER)
    number = site.seeded.accounts["Acorn Logistics"]
    for path in ("/inbox", "/accounts", f"/accounts/{number}", f"/runs/{site.seeded.run}", "/effects", "/sign-in"):
        page = client.get(path).text
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style", page), path
        assert re.findall(r"<script[^>]*>(?!</script>)", page) == [], path
        assert "http://" not in page.replace("http://www.w3.org", ""), path


def test_the_session_cookie_is_bound_and_hidden(site: Site) -> None:
    with site.store.begin() as session:
        link = members.sign_in_link(session, members.find(session, OWNER).id, NOW)
    client = site.anybody()
    assert client.get(f"/sign-in/{link}").status_code == 200, "looking does not use the link up"
    answer = client.post(f"/sign-in/{link}")
    assert answer.headers["location"] == "/inbox"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get("/inbox").status_code == 200
    assert site.anybody().post(f"/sign-in/{link}").status_code == 404, "a link works once"


def test_over_tls_the_cookie_is_a_host_cookie(site: Site) -> None:
    secure = "https://backcast.example"
    app = create_app(site.store, Settings(base_url=secure), site.clock)
    client = TestClient(app, base_url=secure, follow_redirects=False)
    with site.store.begin() as session:
        link = members.sign_in_link(session, members.find(session, OWNER).id, NOW)
    answer = client.post(f"/sign-in/{link}")
    assert answer.headers["set-cookie"].startswith("__Host-backcast=")
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "max-age" in answer.headers["strict-transport-security"]
    assert client.get("/inbox").status_code == 200


def test_signing_out_ends_the_session(site: Site) -> None:
    client = site.member(OWNER)
    token = client.cookies["backcast"]
    assert client.post("/sign-out").status_code == 303
    again = site.anybody()
    again.cookies.set("backcast", token)
    assert again.get("/inbox").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"x-csrf-token": ""},
        {"x-csrf-token": "guess"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_forged_form_changes_nothing(site: Site, headers: dict[str, str]) -> None:
    client = site.member(OWNER)
    answer = client.post(f"/approvals/{site.seeded.approval}/approve", data={"version": "1"}, headers=headers)
    assert answer.status_code == 403
    with site.store.read() as session:
        assert session.execute(text("SELECT count(*) FROM acts")).scalar_one() == 0


def test_another_members_token_is_not_ours(site: Site) -> None:
    client = site.member(OWNER)
    foreign = sign_in(site.store, OWNER).csrf
    path = f"/approvals/{site.seeded.approval}/approve"
    assert client.post(path, data={"version": "1"}, headers={"x-csrf-token": foreign}).status_code == 403


def test_the_form_field_does_without_a_script(site: Site) -> None:
    client = site.member(OWNER)
    token = client.headers.pop("x-csrf-token")
    form = {"version": "1", "csrf": token}
    headers = {"origin": BASE, "sec-fetch-site": "same-origin"}
    path = f"/approvals/{site.seeded.approval}/approve"
    assert client.post(path, data=form, headers=headers).status_code == 303


def test_without_a_session_a_page_says_how_to_get_one(site: Site) -> None:
    answer = site.anybody().get("/inbox")
    assert answer.status_code == 401
    assert "backcast member link" in answer.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("gone"), 404),
        (Refused("too late"), 409),
        (BadData([BadRow("D001", "no number", "/points/3/value")]), 422),
        (Unavailable("the relay is down"), 503),
    ],
)
def test_refusals_are_problems_with_their_status(site: Site, error: EngineError, status: int) -> None:
    assert STATUS[type(error)] == status

    @site.app.get("/v1/fails")
    def fails() -> None:
        raise error

    answer = site.anybody().get("/v1/fails")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["detail"] == str(error)
    assert answer.headers.get("retry-after") == ("5" if status == 503 else None)


def test_a_busy_database_is_a_moment_not_a_failure(site: Site) -> None:
    @site.app.get("/v1/busy")
    def busy() -> None:
        raise OperationalError("SELECT 1", {}, Exception("database is locked"))

    answer = site.anybody().get("/v1/busy")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "SELECT" not in answer.text


@pytest.mark.parametrize("path", ["/v1/breaks", "/breaks"])
def test_what_nobody_foresaw_shows_a_number_and_no_trace(site: Site, path: str) -> None:
    @site.app.get(path)
    def breaks() -> None:
        raise RuntimeError("secret detail")

    answer = site.anybody().get(path)
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    assert re.search(r"number is [0-9a-f]{8}", answer.text)


def test_bad_parameters_are_named(site: Site) -> None:
    client = site.member(OWNER)
    assert client.get("/accounts/not-a-number").status_code == 422
    assert client.get("/accounts?page=-1").status_code == 422
    answer = client.get("/v1/runs/x")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/path/run_id"


def test_the_api_describes_itself_without_the_pages(site: Site) -> None:
    paths = site.anybody().get("/v1/openapi.json").json()["paths"]
    assert "/v1/runs/{run_id}" in paths
    assert "/inbox" not in paths


def test_a_session_ends_by_idleness_unless_somebody_acts(site: Site) -> None:
    client, idle = site.member(OWNER), site.member(OWNER)
    path = f"/runs/{site.seeded.waiting_run}"
    for hours, act in ((10, "pause"), (20, "resume")):
        site.clock.at = NOW + timedelta(hours=hours)
        assert client.post(f"{path}/{act}").status_code == 303
    assert idle.get("/inbox").status_code == 401
    site.clock.at = NOW + timedelta(days=8)
    assert client.get("/inbox").status_code == 401
