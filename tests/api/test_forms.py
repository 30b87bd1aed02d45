"""What members do on pages: approve, edit, reject, finish, override, steer. The row decides, once."""

from sqlalchemy import text

from engine.store.sessions import Store
from tests.installed import Site
from tests.seeding import ADMIN, OTHER, OWNER


def one(store: Store, query: str) -> tuple[object, ...]:
    with store.read() as session:
        return tuple(session.execute(text(query)).one())


def test_approving_decides_the_row_and_tells_the_run(site: Site) -> None:
    """P3: the decision is committed with the word to the run, and the page goes back to the inbox."""
    client = site.member(OWNER)
    answer = client.post(f"/approvals/{site.seeded.approval}/approve", data={"version": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox?said=approved&undo=1")
    row = f"SELECT state, decided_by FROM approvals WHERE id = {site.seeded.approval}"  # noqa: S608
    assert one(site.store, row) == ("approved", OWNER)
    assert one(site.store, "SELECT kind, state FROM acts") == ("approve", "pending")
    assert one(site.store, "SELECT kind, done_at FROM outbox") == ("update", None)
    assert "Approved. It goes out within moments." in client.get("/inbox?said=approved").text


def test_the_second_decision_is_told_who_won(site: Site) -> None:
    """P3: 409 names the winner, on the page, in words."""
    site.member(OWNER).post(f"/approvals/{site.seeded.approval}/approve", data={"version": "1"})
    late = site.member(ADMIN).post(
        f"/approvals/{site.seeded.approval}/reject", data={"version": "1", "reason": "not now"}
    )
    assert late.status_code == 409
    assert f"{OWNER} approved this" in late.text
    assert one(site.store, "SELECT count(*) FROM acts") == (1,)


def test_htmx_gets_the_card_instead_of_a_page(site: Site) -> None:
    client = site.member(OWNER)
    answer = client.post(
        f"/approvals/{site.seeded.approval}/approve", data={"version": "1"}, headers={"hx-request": "true"}
    )
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith("<article")
    late = client.post(
        f"/approvals/{site.seeded.approval}/approve", data={"version": "1"}, headers={"hx-request": "true"}
    )
    assert late.status_code == 409
    assert 'role="alert"' in late.text


def test_an_edit_changes_what_is_approved_and_its_version(site: Site) -> None:
    client = site.member(OWNER)
    path = f"/approvals/{site.seeded.approval}"
    form = {"version": "1", "item": "0", "subject": "Shorter", "text": "Hello,\r\nhow are you?"}
    assert client.post(f"{path}/edit", data=form).status_code == 303
    assert client.post(f"{path}/approve", data={"version": "1"}).status_code == 409
    page = client.get(path).text
    assert "Shorter" in page
    assert "how are you?" in page
    assert client.post(f"{path}/approve", data={"version": "2"}).status_code == 303


def test_rejecting_needs_a_reason(site: Site) -> None:
    client = site.member(OWNER)
    path = f"/approvals/{site.seeded.approval}/reject"
    assert client.post(path, data={"version": "1"}).status_code == 409
    assert client.post(path, data={"version": "1", "reason": "I called them"}).status_code == 303


def test_an_admin_decides_for_another_member_only_with_a_reason(site: Site) -> None:
    client = site.member(ADMIN)
    path = f"/approvals/{site.seeded.approval}/approve"
    refused = client.post(path, data={"version": "1"})
    assert refused.status_code == 409
    assert "say why you decide it" in refused.text
    assert client.post(path, data={"version": "1", "reason": "Dana is ill"}).status_code == 303


def test_answers_to_a_task_become_points(site: Site) -> None:
    """S1-06, S1-29: a colleague's answer is data like any other."""
    client = site.member(OWNER)
    form = {"version": "1", "answer:engaged_on_calls": "4", "answer:happy_with_product": "2", "note": "call was short"}
    assert client.post(f"/tasks/{site.seeded.task}/done", data=form).status_code == 303
    assert one(site.store, "SELECT state, done_by, note FROM tasks WHERE id = 1") == ("done", OWNER, "call was short")
    points = "SELECT count(*) FROM points JOIN metrics ON metrics.id = metric_id WHERE name = 'engaged_on_calls'"
    assert one(site.store, points) == (1,)


def test_an_incomplete_task_says_what_is_missing(site: Site) -> None:
    client = site.member(OWNER)
    answer = client.post(f"/tasks/{site.seeded.task}/done", data={"version": "1", "answer:engaged_on_calls": "9"})
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert one(site.store, "SELECT state FROM tasks WHERE id = 1") == ("open",)


def test_a_task_is_done_once(site: Site) -> None:
    form = {"version": "1", "answer:engaged_on_calls": "4", "answer:happy_with_product": "2"}
    site.member(OWNER).post(f"/tasks/{site.seeded.task}/done", data=form)
    late = site.member(ADMIN).post(f"/tasks/{site.seeded.task}/done", data=form)
    assert late.status_code == 409
    assert OWNER in late.text


def test_an_override_needs_a_reason_and_stays_visible(site: Site) -> None:
    client = site.member(OWNER)
    path = f"/accounts/{site.seeded.accounts['Acorn Logistics']}"
    form = {"scorecard": "health", "score": "80", "days": "30"}
    refused = client.post(f"{path}/override", data=form)
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert client.post(f"{path}/override", data={**form, "reason": "new sponsor"}).status_code == 303
    assert "new sponsor" in client.get(path).text
    assert client.post(f"{path}/overrides/1/end").status_code == 303
    assert client.post(f"{path}/overrides/1/end").status_code == 404


def test_a_metric_is_said_to_be_another_one_until_it_is_taken_back(site: Site) -> None:
    """S2-39: with a reason, beside what is measured, and in the timeline."""
    client, path = site.member(OWNER), f"/accounts/{site.seeded.accounts['Acorn Logistics']}"
    form = {"metric": "license_utilization", "value": "77 %"}
    refused = client.post(f"{path}/metric-override", data=form)
    assert refused.status_code == 409
    assert "Say why" in refused.text
    assert "not &#34;many&#34;" in client.post(f"{path}/metric-override", data=form | {"value": "many"}).text
    assert client.post(f"{path}/metric-override", data=form | {"reason": "seats were given back"}).status_code == 303
    page = client.get(path).text
    assert "77 %" in page
    assert page.count("seats were given back") == 2, "in force, and in the timeline"
    assert client.post(f"{path}/metric-overrides/1/end").status_code == 303
    assert client.post(f"{path}/metric-overrides/1/end").status_code == 404
    assert client.get(path).text.count("seats were given back") == 1


def test_an_override_is_at_most_ninety_days_and_a_number(site: Site) -> None:
    client = site.member(OWNER)
    path = f"/accounts/{site.seeded.accounts['Acorn Logistics']}/override"
    assert (
        client.post(path, data={"scorecard": "health", "score": "80", "reason": "x", "days": "91"}).status_code == 422
    )
    assert client.post(path, data={"scorecard": "health", "score": "high", "reason": "x"}).status_code == 409


def test_a_run_is_paused_and_cancelled_with_a_reason(site: Site) -> None:
    """S1-50."""
    client = site.member(OWNER)
    path = f"/runs/{site.seeded.waiting_run}"
    assert client.post(f"{path}/pause").status_code == 303
    assert client.post(f"{path}/cancel").status_code == 409
    assert client.post(f"{path}/cancel", data={"reason": "they asked us to"}).status_code == 303
    page = client.get(path).text
    assert "they asked us to" in page
    assert "On its way" in page
    assert client.post(f"{path}/approve").status_code == 404


def test_the_inbox_is_the_members_own(site: Site) -> None:
    mine, theirs = site.member(OWNER).get("/inbox").text, site.member(OTHER).get("/inbox").text
    assert "Northwind Health" in mine
    assert "Delta Foundry" not in mine
    assert "Delta Foundry" in theirs
    assert "Nothing waits for you" in site.member(ADMIN).get("/inbox").text


def test_a_get_changes_nothing(site: Site) -> None:
    client = site.member(OWNER)
    tables = ("approvals", "tasks", "acts", "outbox", "runs", "points", "score_overrides", "suppressions")

    def everything() -> list[object]:
        with site.store.read() as session:
            return [session.execute(text(f"SELECT * FROM {name}")).all() for name in tables]  # noqa: S608

    before = everything()
    number = site.seeded.accounts["Acorn Logistics"]
    for path in ("/inbox", "/accounts", f"/accounts/{number}", f"/runs/{site.seeded.run}", "/effects"):
        assert client.get(path).status_code == 200
    for path in (f"/approvals/{site.seeded.approval}/approve", f"/runs/{site.seeded.run}/cancel"):
        assert client.get(path).status_code == 405
    assert everything() == before


def test_a_playbook_is_started_by_hand_with_a_reason(site: Site) -> None:
    """S0-62: the next best action is one click away, and the timeline says who took it and why."""
    client = site.member(OWNER)
    path = f"/accounts/{site.seeded.accounts['Blue Harbor Bank']}"
    refused = client.post(f"{path}/runs", data={"playbook": "check-in"})
    assert refused.status_code == 409
    assert "Say why you start it" in refused.text
    started = client.post(f"{path}/runs", data={"playbook": "check-in", "reason": "their sponsor asked"})
    assert started.status_code == 303
    assert client.get(started.headers["location"]).status_code == 200
    again = client.post(f"{path}/runs", data={"playbook": "check-in", "reason": "again"})
    assert again.status_code == 409
    foreign = f"/accounts/{site.seeded.accounts['Delta Foundry']}/runs"
    assert client.post(foreign, data={"playbook": "check-in", "reason": "x"}).status_code == 404
