"""Members about themselves, and the one who leaves: over HTTP and on pages."""

from datetime import timedelta

from sqlalchemy import select

from engine.store import assignees, members
from engine.store.run_tables import ApprovalRow
from engine.store.tables import AccountRow
from engine.terms import Role
from tests.installed import Site
from tests.seeding import ADMIN, NOW, OTHER, OWNER, VIEWER


def test_a_member_says_when_they_are_away_and_is_back_earlier(site: Site) -> None:
    csm, account = site.member(OWNER), site.seeded.accounts["Acorn Logistics"]
    page = csm.post("/me/absences", data={"delegate": OTHER, "last": "2026-11-27"})
    assert (page.status_code, page.headers["location"]) == (303, "/me?said=away")
    with site.store.read() as session:
        assert assignees.resolve(session, account, ["owner"], NOW + timedelta(days=7)) == OTHER
        assert assignees.resolve(session, account, ["owner"], NOW + timedelta(days=8)) == OWNER
    assert "omar@vendor.example stands in" in csm.get("/me").text
    assert f"You stand in for {OWNER}" in site.member(OTHER).get("/me").text
    (one,) = csm.get("/v1/me/absences").json()
    assert site.member(OTHER).post(f"/v1/me/absences/{one['id']}/end").status_code == 404
    assert csm.post(f"/me/absences/{one['id']}/end").status_code == 303
    assert csm.get("/v1/me/absences").json() == []


def test_an_absence_that_makes_no_sense_is_refused_where_it_was_written(site: Site) -> None:
    csm = site.member(OWNER)
    for form, why in (
        ({"delegate": OWNER, "last": "2026-11-27"}, "Nobody stands in for themselves"),
        ({"delegate": OTHER, "last": "next week"}, "A day reads like 2026-09-01"),
        ({"delegate": OTHER, "last": "2026-11-01"}, "An absence ends after it begins."),
    ):
        page = csm.post("/me/absences", data=form)
        assert page.status_code == 409
        assert why in page.text, page.text
    form = {"delegate": "x@vendor.example", "ends_at": "2026-11-27T00:00:00Z"}
    refused = csm.post("/v1/me/absences", data=form)
    assert refused.status_code == 409
    assert 'No active member has the address "x@vendor.example"' in refused.json()["detail"]
    assert csm.post("/v1/me/absences", data={"delegate": OTHER, "ends_at": "2026-11-27"}).status_code == 422


def test_a_colleague_who_leaves_hands_over_first(site: Site) -> None:
    """F25: whoever had to decide is disabled; what waited for them waits for somebody who is there."""
    admin, gone = site.member(ADMIN), site.member(OWNER)
    shown = admin.get(f"/v1/members/{OWNER}/leave").json()
    assert {one["kind"] for one in shown["pointing"]} == {"accounts", "tasks", "approvals"}
    missing = admin.post(f"/v1/members/{OWNER}/leave", data={"give": f"accounts={OTHER}"})
    assert missing.status_code == 409
    assert missing.json()["detail"] == f"Say who gets what points at {OWNER}: tasks, approvals."
    done = admin.post(f"/v1/members/{OWNER}/leave", data={"give": f"accounts={OTHER}", "to": ADMIN})
    assert done.status_code == 200
    assert gone.get("/inbox").status_code == 401
    late = gone.post(f"/v1/approvals/{site.seeded.approval}/approve", data={"version": 1})
    assert late.status_code == 401
    with site.store.read() as session:
        assert session.get_one(ApprovalRow, site.seeded.approval).approver == ADMIN
        owners = set(session.scalars(select(AccountRow.owner)))
        assert OWNER not in owners
    assert admin.get(f"/v1/members/{OWNER}/leave").status_code == 404


def test_the_page_asks_for_somebody_for_each_kind(site: Site) -> None:
    admin = site.member(ADMIN)
    assert OWNER in admin.get("/me").text
    page = admin.get(f"/members/{OWNER}/leave").text
    for what in ("accounts they own", "open tasks", "approvals that wait for them"):
        assert what in page, what
    refused = admin.post(f"/members/{OWNER}/leave", data={"to:accounts": OTHER})
    assert refused.status_code == 409
    assert "Say who gets what points at" in refused.text
    form = {f"to:{kind}": OTHER for kind in ("accounts", "tasks", "approvals")}
    assert admin.post(f"/members/{OWNER}/leave", data=form).headers["location"] == "/me?said=left"


def test_only_an_administrator_lets_a_colleague_leave_and_the_last_one_stays(site: Site) -> None:
    for who in (OWNER, VIEWER):
        client = site.member(who)
        assert client.get(f"/v1/members/{OTHER}/leave").status_code == 403
        assert client.post(f"/members/{OTHER}/leave", data={}).status_code == 403
    last = site.member(ADMIN).post(f"/v1/members/{ADMIN}/leave", data={"to": OTHER})
    assert last.status_code == 409
    assert "is the last administrator" in last.json()["detail"]


def test_a_decision_stands_although_the_portfolio_has_moved_since(site: Site) -> None:
    """F25: the approver was asked, so their yes counts though the account moved; a stranger's does not."""
    with site.store.begin() as session:
        session.get_one(AccountRow, site.seeded.accounts["Northwind Health"]).owner = OTHER
    path = f"/v1/approvals/{site.seeded.approval}/approve"
    assert site.member(OWNER).post(path, data={"version": 1}).status_code == 200
    with site.store.begin() as session:
        members.add(session, "eve@vendor.example", "Eve", [Role.CSM])
    assert site.member("eve@vendor.example").post(path, data={"version": 1}).status_code == 404


def test_open_work_goes_with_an_account_to_its_new_owner(site: Site) -> None:
    """D.8 53: pushed with the account, by the policy of the definitions in force (engine_tasks where none is said)."""
    with site.store.begin() as session:
        key = members.new_key(session, "crm", NOW)
    row = {"key": "northwind-health", "owner": OTHER}
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "one"}
    sent = site.anybody().post("/v1/accounts", json={"accounts": [row]}, headers=headers)
    assert sent.status_code == 200, sent.text
    with site.store.read() as session:
        assert session.get_one(ApprovalRow, site.seeded.approval).approver == OTHER
    assert (
        site.member(OTHER).post(f"/v1/approvals/{site.seeded.approval}/approve", data={"version": 2}).status_code == 200
    )
