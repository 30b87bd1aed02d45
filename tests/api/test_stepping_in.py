"""People stepping in, over HTTP and on pages: every act leaves who, why and when; the second is told who was first."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.store import members, notes, outbox
from engine.store.absences import add as away
from engine.store.run_tables import ActRow, ApprovalRow, DeliveryRow, RunRow, TaskRow
from engine.store.timeline import timeline
from engine.terms import Role
from tests.installed import Site
from tests.seeding import ADMIN, AUTHOR, NOW, OTHER, OWNER, VIEWER

ACORN = "/v1/accounts/acorn-logistics"


def _run(site: Site) -> str:
    return f"/v1/runs/{site.seeded.waiting_run}"


def test_a_run_is_steered_over_http_and_its_acts_are_listed(site: Site) -> None:
    csm = site.member(OWNER)
    done = csm.post(f"{_run(site)}/acts/pause")
    assert done.status_code == 202
    assert (done.json()["kind"], done.json()["state"], done.json()["actor"]) == ("pause", "pending", OWNER)
    back = csm.post(f"{_run(site)}/acts/jump", data={"step": "what-changed", "reason": "it was the wrong list"})
    assert back.status_code == 202
    assert csm.post(f"{_run(site)}/cancel", data={"reason": "they called"}).status_code == 202
    listed = csm.get(f"{_run(site)}/acts").json()
    assert [one["kind"] for one in listed] == ["pause", "jump", "cancel"]
    assert site.member(OTHER).get(f"{_run(site)}/acts").status_code == 404


@pytest.mark.parametrize(
    ("path", "form", "status", "detail"),
    [
        ("acts/resume", {}, 409, "The run is not paused, so there is nothing to resume."),
        ("acts/retry", {}, 409, "Nothing in the run has failed, so there is nothing to try again."),
        ("acts/jump", {"step": "what-changed"}, 409, "Say why you jump back in it: the reason stands in the timeline."),
        ("acts/skip", {"step": "ask-1", "reason": "x"}, 409, 'The step "ask-1" has happened already.'),
        ("cancel", {}, 409, "Say why you cancel it: the reason stands in the timeline."),
        ("acts/burn", {}, 422, "Something in the request does not fit: /path/kind: Input should be"),
    ],
)
def test_what_is_not_possible_is_a_problem_that_says_why(
    site: Site, path: str, form: dict[str, str], status: int, detail: str
) -> None:
    answer = site.member(OWNER).post(f"{_run(site)}/{path}", data=form)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"].startswith(detail)


def test_an_author_cancels_and_does_not_steer_and_a_viewer_does_neither(site: Site) -> None:
    assert site.member(AUTHOR).post(f"{_run(site)}/acts/pause").status_code == 403
    assert site.member(AUTHOR).post(f"{_run(site)}/cancel", data={"reason": "x"}).status_code == 202
    assert site.member(VIEWER).post(f"{_run(site)}/cancel", data={"reason": "x"}).status_code == 403


def test_of_two_decisions_one_wins_and_the_other_gets_a_problem_naming_the_winner(site: Site) -> None:
    """P3, F24; the same sentence on the page."""
    path = f"/v1/approvals/{site.seeded.approval}"
    won = site.member(OWNER).post(f"{path}/approve", data={"version": 1})
    assert won.status_code == 200, won.text
    admin = site.member(ADMIN)
    lost = admin.post(f"{path}/reject", data={"version": 1, "reason": "too early"})
    assert lost.status_code == 409
    assert lost.headers["content-type"] == "application/problem+json"
    assert lost.json()["detail"] == f"{OWNER} approved this at 2026-11-20 09:30 UTC."
    page = admin.post(f"/approvals/{site.seeded.approval}/reject", data={"version": 1, "reason": "too early"})
    assert page.status_code == 409
    assert f"{OWNER} approved this at 2026-11-20 09:30 UTC." in page.text


def test_a_decision_is_taken_back_within_ten_seconds_and_not_after(site: Site) -> None:
    csm, path = site.member(OWNER), f"/v1/approvals/{site.seeded.approval}"
    act = csm.post(f"{path}/approve", data={"version": 1}).json()["act"]
    with site.store.read() as session:
        assert outbox.due(session, NOW, 10) == ()
    assert csm.post(f"/v1/acts/{act}/undo").status_code == 204
    again = csm.post(f"{path}/approve", data={"version": 2}).json()["act"]
    site.clock.at = NOW + timedelta(seconds=10)
    late = csm.post(f"/v1/acts/{again}/undo")
    assert late.status_code == 409
    assert "too late to take it back" in late.json()["detail"]


def _more_approvals(site: Site, count: int) -> list[str]:
    with site.store.begin() as session:
        row = session.get_one(ApprovalRow, site.seeded.approval)
        for number in range(count):
            session.add(
                ApprovalRow(
                    account_id=row.account_id, run_id=row.run_id, step=f"more-{number}", approver=OWNER, content=[],
                    content_hash="", state="pending", requested_at=NOW, expires_at=NOW + timedelta(days=2),
                )
            )  # fmt: skip
        session.flush()
        numbers = session.scalars(select(ApprovalRow.id).where(ApprovalRow.approver == OWNER)).all()
    return [f"{number}:1" for number in numbers]


def test_many_are_decided_at_once_each_by_itself_and_all_are_taken_back_together(site: Site) -> None:
    csm, wanted = site.member(OWNER), _more_approvals(site, 4)
    with site.store.begin() as session:
        lost = int(wanted[2].partition(":")[0])
        session.execute(update(ApprovalRow).where(ApprovalRow.id == lost).values(version=2))
    foreign = f"{site.seeded.foreign_approval}:1"
    form = {"decision": "approve", "approval": [*wanted, foreign, "nonsense"]}
    found = csm.post("/v1/approvals", data=form).json()
    assert [one["refusal"] for one in found] == [
        "", "", "It has changed since you opened it: look again.", "", "",
        "There is no such approval.", 'Name an approval as "ID:VERSION", such as 17:1.',
    ]  # fmt: skip
    page = csm.post("/decisions/undo", data={"act": [one["act"] for one in found if one["act"]]})
    assert (page.status_code, page.headers["location"]) == (303, "/inbox?said=undone")
    with site.store.read() as session:
        states = session.scalars(select(ApprovalRow.state).where(ApprovalRow.approver == OWNER)).all()
        assert set(states) == {"pending"}


def test_the_inbox_offers_to_decide_what_is_ticked_and_shows_what_came_of_it(site: Site) -> None:
    csm, wanted = site.member(OWNER), _more_approvals(site, 1)
    inbox = csm.get("/inbox").text
    assert "Approve what is ticked" in inbox
    assert f'value="{wanted[0]}" form="bulk"' in inbox
    none = csm.post("/inbox/approvals", data={"decision": "reject"})
    assert (none.status_code, "Tick at least one approval." in none.text) == (409, True)
    done = csm.post("/inbox/approvals", data={"decision": "reject", "approval": wanted, "reason": "not now"})
    assert done.status_code == 200
    assert "2 of 2 decided" in done.text
    assert "Take all of them back" in done.text


def test_a_task_is_given_to_a_colleague(site: Site) -> None:
    csm, task = site.member(OWNER), site.seeded.task
    assert "Give it to a colleague" in csm.get(f"/tasks/{task}").text
    done = csm.post(f"/tasks/{task}/reassign", data={"version": 1, "to": OTHER, "reason": "on leave"})
    assert (done.status_code, done.headers["location"]) == (303, "/inbox?said=given")
    with site.store.read() as session:
        assert session.get_one(TaskRow, task).assignee == OTHER
    outside = csm.post(f"/v1/tasks/{task}/reassign", data={"version": 2, "to": "me@evil.example"})
    assert outside.status_code == 409
    assert "No active member has the address" in outside.json()["detail"]
    assert (
        csm.post(f"/v1/tasks/{site.seeded.foreign_task}/reassign", data={"version": 1, "to": OWNER}).status_code == 404
    )


def test_who_stands_in_sees_and_decides_what_waits_for_an_absent_colleague(site: Site) -> None:
    """D.8 54."""
    other = site.member(OTHER)
    path = f"/v1/approvals/{site.seeded.approval}"
    assert other.post(f"{path}/approve", data={"version": 1}).status_code == 404
    with site.store.begin() as session:
        away(session, OWNER, OTHER, starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=5), at=NOW)
    assert f"Asked of {OWNER}." in other.get("/inbox").text
    assert other.post(f"{path}/approve", data={"version": 1}).status_code == 200
    with site.store.read() as session:
        row = session.get_one(ApprovalRow, site.seeded.approval)
        assert (row.approver, row.decided_by) == (OWNER, OTHER)


def _ambiguous(site: Site, letter: dict[str, Any] | None = None) -> int:
    with site.store.begin() as session:
        row = session.scalars(select(DeliveryRow).order_by(DeliveryRow.id)).first()
        assert row is not None
        row.state, row.letter, row.permanent = "ambiguous", letter, True
        return row.id


@pytest.mark.parametrize(
    ("what", "state"), [("arrived", "sent"), ("not_arrived", "not_sent"), ("send_again", "not_sent")]
)
def test_a_doubt_is_resolved_by_a_person_and_the_second_is_told(site: Site, what: str, state: str) -> None:
    number = _ambiguous(site, {"subject": "Hello"})
    csm, path = site.member(OWNER), f"/v1/deliveries/{number}/resolve"
    assert "It did not arrive" in csm.get("/inbox").text
    assert site.member(OTHER).post(path, data={"what": what}).status_code == 404
    assert csm.post(path, data={"what": what}).status_code == 204
    with site.store.read() as session:
        row = session.get_one(DeliveryRow, number)
        assert (row.state, row.resolved_by) == (state, OWNER)
    again = site.member(ADMIN).post(f"/deliveries/{number}/resolve", data={"what": "arrived"})
    assert again.status_code == 409
    assert "not in doubt any more: dana@vendor.example has decided it" in again.text


def test_an_account_is_left_out_and_taken_in_again_over_http(site: Site) -> None:
    csm = site.member(OWNER)
    made = csm.post(f"{ACORN}/snoozes", data={"rule": "usage-falling", "reason": "wrong moment", "days": 7}).json()
    assert (made["rule"], made["reason"], made["until"][:10]) == ("usage-falling", "wrong moment", "2026-11-27")
    assert [one["id"] for one in csm.get(f"{ACORN}/snoozes").json()] == [made["id"]]
    assert csm.post(f"{ACORN}/snoozes/{made['id']}/end").status_code == 204
    assert csm.post(f"{ACORN}/snoozes/{made['id']}/end").status_code == 404
    kept = csm.post(f"{ACORN}/exclusions", data={"rule": "usage-falling", "reason": "a test account"}).json()
    assert kept["expires_at"] is None
    assert csm.post(f"{ACORN}/exclusions/{kept['id']}/end").status_code == 204
    assert csm.get(f"{ACORN}/exclusions").json() == []
    wrong = csm.post(f"{ACORN}/snoozes", data={"rule": "nope", "reason": "wrong moment"})
    assert (wrong.status_code, wrong.json()["detail"]) == (404, 'There is no rule "nope" in force.')
    assert csm.post(f"{ACORN}/stop", data={"reason": "in court"}).status_code == 204
    assert csm.post(f"{ACORN}/resume").status_code == 204
    assert csm.post(f"{ACORN}/notes", data={"text": "They moved."}).status_code == 201
    assert csm.get(f"{ACORN}/notes").json()[0]["text"] == "They moved."


def test_the_account_page_offers_it_all_and_its_timeline_keeps_it(site: Site) -> None:
    csm, account = site.member(OWNER), site.seeded.accounts["Acorn Logistics"]
    for path, form in (
        ("notes", {"text": "They moved offices."}),
        ("snoozes", {"rule": "usage-falling", "reason": "other", "text": "summer", "days": "5"}),
        ("exclusions", {"rule": "seats-unused", "reason": "a bundle deal"}),
        ("hold", {"reason": "merger"}),
        ("stop", {"reason": "in court"}),
    ):
        done = csm.post(f"/accounts/{account}/{path}", data=form)
        assert done.status_code == 303, (path, done.text)
    page = csm.get(f"/accounts/{account}").text
    for shown in (
        "They moved offices.",
        "until 2026-11-25: summer",
        "a bundle deal",
        "merger",
        "in court",
        "Wake it now",
    ):
        assert shown in page, shown
    with site.store.read() as session:
        kinds = {entry.kind for entry in timeline(session, account)}
    assert {"note", "snooze", "exclusion", "hold"} <= kinds
    refused = csm.post(f"/accounts/{account}/snoozes", data={"rule": "usage-falling", "reason": "other", "days": "5"})
    assert refused.status_code == 409
    assert "Say why in a few words" in refused.text
    for path in ("notes", "snoozes", "exclusions", "stop", "resume", "hold"):
        foreign = site.seeded.accounts["Delta Foundry"]
        form = {"rule": "usage-falling", "reason": "other", "text": "x", "days": "5"}
        assert csm.post(f"/accounts/{foreign}/{path}", data=form).status_code == 404, path


def test_not_now_ends_the_run_and_snoozes_its_rule(site: Site) -> None:
    csm, run = site.member(OWNER), site.seeded.waiting_run
    assert "Not now…" in csm.get(f"/runs/{run}").text
    done = csm.post(f"/runs/{run}/snooze", data={"reason": "wrong moment", "days": "7"})
    assert done.status_code == 303
    with site.store.read() as session:
        assert session.scalars(select(ActRow.kind)).all() == ["cancel"]
    assert csm.post(f"/runs/{run}/note", data={"text": "Asked them."}).status_code == 303
    assert "Asked them." in csm.get(f"/runs/{run}").text


def test_a_member_raises_a_risk_by_hand_in_the_mode_they_choose(site: Site) -> None:
    """S2-40: no rule has to fire."""
    csm = site.member(OWNER)
    form = {"playbook": "usage-recovery", "reason": "the new boss does not like us", "mode": "approve"}
    made = csm.post("/v1/accounts/elm-insurance/runs", data=form)
    assert made.status_code == 201
    with site.store.read() as session:
        run = session.get_one(RunRow, made.json()["run"])
        assert (run.mode, run.rule, run.frozen["started_by"], run.frozen["reason"]) == (
            "approve", "", OWNER, "the new boss does not like us",
        )  # fmt: skip
    again = csm.post("/v1/accounts/elm-insurance/runs", data=form)
    assert again.status_code == 409
    assert "is still open for this account" in again.json()["detail"]
    assert csm.post("/v1/accounts/elm-insurance/runs", data={**form, "mode": "secretly"}).status_code == 422


def test_what_a_member_may_not_do_is_not_offered(site: Site) -> None:
    page = site.member(VIEWER).get(f"/accounts/{site.seeded.accounts['Acorn Logistics']}").text
    for word in ("Write a note", "Snooze a rule", "Exclude from a rule", "Hold what goes out", "Stop everything"):
        assert word not in page, word
    for path in ("snoozes", "exclusions", "notes", "stop", "resume"):
        form = {"rule": "usage-falling", "reason": "x", "text": "x"}
        assert site.member(VIEWER).post(f"{ACORN}/{path}", data=form).status_code == 403, path


def test_form_fields_that_nobody_asked_for_change_nothing(site: Site) -> None:
    """Mass assignment: what decides stands in the session, never in the form."""
    with site.store.begin() as session:
        members.add(session, "eve@vendor.example", "Eve", [Role.CSM])
    csm = site.member(OWNER)
    forged = {"author": ADMIN, "member": ADMIN, "at": "1999-01-01", "run_id": "1", "account_id": "1", "id": "7"}
    assert csm.post(f"{ACORN}/notes", data={"text": "mine", **forged}).status_code == 201
    form = {"version": 1, "decided_by": ADMIN, "state": "rejected", "approver": ADMIN}
    assert csm.post(f"/v1/approvals/{site.seeded.approval}/approve", data=form).status_code == 200
    with site.store.read() as session:
        row = session.get_one(ApprovalRow, site.seeded.approval)
        assert (row.state, row.decided_by, row.approver) == ("approved", OWNER, OWNER)
        (note,) = notes.of_account(session, site.seeded.accounts["Acorn Logistics"])
        assert (note.author, note.at, note.run_id) == (OWNER, NOW, None)
