"""What customers reach by a link: the report and the unsubscribe page."""

from datetime import timedelta

from sqlalchemy import text

from engine.store import reports, secrets
from engine.store.suppressions import is_suppressed
from tests.installed import Site
from tests.seeding import NOW, OWNER
from workflows.channels.unsubscribing import SECRET, make_token


def shared(site: Site, days: int = 30) -> tuple[int, str]:
    with site.store.begin() as session:
        account = site.seeded.accounts["Acorn Logistics"]
        report = reports.compose_for(session, site.seeded.bundle, account, "quarterly", NOW)
        return report, reports.approve(session, report, member=OWNER, at=NOW, expires_days=days)


def test_a_report_opens_without_a_cookie_and_without_a_script(site: Site) -> None:
    """P10, S2-45: the customer sees the wording, never the tier."""
    _report, token = shared(site)
    answer = site.anybody().get(f"/r/{token}")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "<script" not in answer.text
    assert "script-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert answer.headers["cache-control"] == "no-store"
    assert "Good, with room to grow" in answer.text
    score = site.member(OWNER).get("/v1/accounts/acorn-logistics/score").json()["score"]
    for hidden in (f"{score:.1f}", "Take Notice", "Requires Attention", "46,500", "escalations", OWNER):
        assert hidden not in answer.text


def test_unknown_expired_and_revoked_links_answer_alike(site: Site) -> None:
    """P10: the same body and headers, whichever it is."""
    revoked, one = shared(site)
    _expired, two = shared(site, days=1)
    with site.store.begin() as session:
        reports.revoke(session, revoked, member=OWNER, at=NOW)
    site.clock.at = NOW + timedelta(days=2)
    answers = [site.anybody().get(f"/r/{token}") for token in ("x" * 43, one, two, "%00", "é" * 9)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    posts = [
        site.anybody().post(f"/r/{token}", data={"metric": "report_agreement", "value": "3"}) for token in (one, two)
    ]
    assert {answer.status_code for answer in posts} == {404}


def test_an_answer_becomes_a_point_once(site: Site) -> None:
    """Confirming or disputing comes back as what the customer says."""
    _report, token = shared(site)
    client = site.anybody()
    for value in ("2", "4"):
        form = {"metric": "report_agreement", "value": value, "comment": "<b>close</b>"}
        assert client.post(f"/r/{token}", data=form).headers["location"] == f"/r/{token}?thanks=1"
    assert "Thank you" in client.get(f"/r/{token}?thanks=1").text
    with site.store.read() as session:
        points = session.execute(
            text("SELECT value FROM points JOIN metrics ON metrics.id = metric_id WHERE name = 'report_agreement'")
        ).all()
    assert points == [(4.0,)]
    page = site.member(OWNER).get(f"/accounts/{site.seeded.accounts['Acorn Logistics']}").text
    assert "&lt;b&gt;close&lt;/b&gt;" in page


def test_an_answer_off_the_scale_says_what_is_possible(site: Site) -> None:
    _report, token = shared(site)
    client = site.anybody()
    for form in (
        {"metric": "report_agreement", "value": "6"},
        {"metric": "report_agreement", "value": "nan"},
        {"metric": "arr", "value": "1"},
        {"metric": "report_agreement"},
    ):
        answer = client.post(f"/r/{token}", data=form)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
    long = {"metric": "report_agreement", "value": "3", "comment": "x" * 2001}
    assert client.post(f"/r/{token}", data=long).status_code == 422


def test_guessing_links_is_slowed_down(site: Site) -> None:
    client = site.anybody()
    codes = [client.get(f"/r/{number}").status_code for number in range(40)]
    assert codes[0] == 404
    assert codes[-1] == 429


def test_a_member_shares_and_revokes(site: Site) -> None:
    client = site.member(OWNER)
    number = site.seeded.accounts["Acorn Logistics"]
    made = client.post(f"/accounts/{number}/reports", data={"report": "quarterly"})
    path = made.headers["location"].partition("?")[0]
    assert client.get(path).status_code == 200
    assert client.post(f"{path}/next-steps", data={"text": "Three steps"}).status_code == 303
    page = client.post(f"{path}/share", data={"days": "30"}).text
    token = page.partition("/r/")[2].partition('"')[0]
    assert "Three steps" in site.anybody().get(f"/r/{token}").text
    assert client.post(f"{path}/share").status_code == 409, "frozen"
    assert client.post(f"{path}/revoke").status_code == 303
    assert site.anybody().get(f"/r/{token}").status_code == 404


def unsubscribe_token(site: Site) -> str:
    with site.store.begin() as session:
        return make_token(secrets.get(session, SECRET), "maria@acorn.example", "education")


def suppressed(site: Site) -> bool:
    with site.store.read() as session:
        return is_suppressed(session, "maria@acorn.example", "education")


def test_opening_the_unsubscribe_link_changes_nothing(site: Site) -> None:
    """P9: previews and scanners follow links."""
    answer = site.anybody().get(f"/u/{unsubscribe_token(site)}")
    assert answer.status_code == 200
    assert "Nothing has changed yet" in answer.text
    assert not suppressed(site)


def test_one_click_unsubscribes_and_repeats_harmlessly(site: Site) -> None:
    """RFC 8058: a bare POST from a mail program, without cookie or token."""
    token = unsubscribe_token(site)
    for _time in range(2):
        answer = site.anybody().post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert suppressed(site)


def test_a_forged_unsubscribe_link_is_refused(site: Site) -> None:
    token = unsubscribe_token(site)
    assert site.anybody().post(f"/u/{token[:-2]}xx").status_code == 404
    assert not suppressed(site)
