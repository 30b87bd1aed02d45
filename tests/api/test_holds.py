"""The switch that stops everything: who may use it, what every page says while it is on, what a release would send."""

from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import update

from engine.running.lines import compile_lines
from engine.store import holds
from engine.store.run_tables import RunRow, WaitRow
from engine.terms import Mode
from tests.installed import Site
from tests.seeding import ADMIN, AUTHOR, NOW, OTHER, OWNER, VIEWER


def _overdue(site: Site) -> None:
    """The run of Acorn Logistics stands at what was over an hour ago; then comes a message to the champion."""
    lines = compile_lines(site.seeded.bundle.playbooks["usage-recovery"], Mode.APPROVE)
    with site.store.begin() as session:
        run = site.seeded.waiting_run
        frozen = {"lines": [asdict(line) for line in lines]}
        session.execute(update(RunRow).where(RunRow.id == run).values(cursor=0, frozen=frozen))
        until = NOW - timedelta(hours=1)
        session.add(WaitRow(run_id=run, step=lines[0].step, condition=None, until=until))


def test_one_click_holds_everything_and_every_page_says_so(site: Site) -> None:
    """P6: the row is what a claim looks at, so it takes effect with this answer."""
    admin = site.member(ADMIN)
    done = admin.post("/holds", data={"reason": "a wrong price went out"})
    assert done.status_code == 303
    with site.store.read() as session:
        assert "wrong price" in holds.held(session, site.seeded.accounts["Acorn Logistics"])
    for who, path in ((ADMIN, "/accounts"), (OWNER, "/inbox"), (VIEWER, "/effects")):
        page = site.member(who).get(path).text
        assert "Nothing goes out." in page
        assert "ada@vendor.example put everything on hold at 2026-11-20 09:30 UTC: a wrong price went out." in page


def test_a_csm_holds_accounts_of_their_own_and_nothing_else(site: Site) -> None:
    csm, seeded = site.member(OWNER), site.seeded
    assert csm.post("/holds", data={"reason": "x"}).status_code == 403
    assert csm.post("/v1/holds", data={"reason": "x"}).status_code == 403
    own, foreign = seeded.accounts["Acorn Logistics"], seeded.accounts["Delta Foundry"]
    assert csm.post(f"/accounts/{own}/hold", data={"reason": "they merge"}).status_code == 303
    assert csm.post(f"/accounts/{foreign}/hold", data={"reason": "x"}).status_code == 404
    assert csm.post("/v1/holds", data={"reason": "x", "account": "delta-foundry"}).status_code == 404
    with site.store.read() as session:
        assert holds.held(session, own).endswith("they merge")
        assert holds.held(session, foreign) == ""
    assert [one["account"] for one in csm.get("/v1/holds").json()] == ["Acorn Logistics"]
    assert site.member(OTHER).get("/v1/holds").json() == []


def test_only_an_administrator_releases_and_the_second_is_told_who_did(site: Site) -> None:
    author = site.member(AUTHOR)
    made = author.post("/v1/holds", data={"reason": "look at this first"}).json()
    assert made["sentence"].startswith("aino@vendor.example put everything on hold")
    path = f"/v1/holds/{made['id']}/release"
    assert author.post(path).status_code == 403
    admin = site.member(ADMIN)
    assert admin.post(path).status_code == 204
    again = admin.post(path)
    assert again.status_code == 409
    assert again.headers["content-type"] == "application/problem+json"
    assert again.json()["detail"] == "ada@vendor.example released this hold at 2026-11-20 09:30 UTC."


def test_before_a_release_one_sees_what_it_would_send(site: Site) -> None:
    """P13."""
    _overdue(site)
    admin = site.member(ADMIN)
    number = admin.post("/v1/holds", data={"reason": "restored"}).json()["id"]
    found = admin.get(f"/v1/holds/{number}/overdue").json()
    assert (found["messages"], found["people"]) == (1, 1)
    assert found["sentence"] == "1 overdue message to 1 person"
    (due,) = found["due"]
    assert (due["account"], due["to"]) == ("Acorn Logistics", "Maria Lindqvist")
    page = admin.get("/holds").text
    assert "A release would send: 1 overdue message to 1 person." in page
    assert "Maria Lindqvist" in page
    assert "Maria Lindqvist" not in site.member(VIEWER).get("/holds").text


def test_a_hold_without_a_reason_is_refused_on_the_page_itself(site: Site) -> None:
    page = site.member(ADMIN).post("/holds", data={"reason": " "})
    assert page.status_code == 409
    assert "Say why it is put on hold" in page.text
