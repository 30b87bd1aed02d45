"""What people do, in a real browser: with the script and without it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from engine.store import members, reports, secrets
from engine.store.suppressions import is_suppressed
from tests.installed import Site
from tests.seeding import ADMIN, NOW, OWNER
from workflows.channels.unsubscribing import SECRET, make_token

Open = Callable[..., Page]


def approval_row(site: Site) -> tuple[object, ...]:
    with site.store.read() as session:
        query = text("SELECT state, version, edited_by, decided_by FROM approvals WHERE id = :id")
        return tuple(session.execute(query, {"id": site.seeded.approval}).one())


@pytest.mark.parametrize("script", [True, False], ids=["with the script", "without the script"])
def test_a_member_edits_and_approves_from_the_inbox(site: Site, open_page: Open, script: bool) -> None:
    page = open_page("/inbox", java_script_enabled=script)
    card = page.locator(f"#approval-{site.seeded.approval}")
    expect(card).to_contain_text("fell by 31 %")
    card.get_by_text("Edit", exact=True).click()
    card.get_by_label("Subject").fill("A short question")
    card.get_by_role("button", name="Save this message").click()
    expect(page.locator(f"#approval-{site.seeded.approval}")).to_contain_text("A short question")
    page.locator(f"#approval-{site.seeded.approval}").get_by_role("button", name="Approve and send").click()
    expect(page.get_by_text("Approved.")).to_be_visible()
    assert approval_row(site) == ("approved", 2, OWNER, OWNER)
    with site.store.read() as session:
        assert session.execute(text("SELECT kind FROM outbox")).scalars().all() == ["update"]


def test_whoever_is_too_late_reads_who_was_first(site: Site, open_page: Open) -> None:
    """P3: on the card, in place, without a broken page."""
    slow = open_page("/inbox")
    fast = open_page(f"/approvals/{site.seeded.approval}", member=ADMIN)
    fast.get_by_label("Your reason").fill("Dana is ill")
    fast.get_by_role("button", name="Approve and send").click()
    expect(fast.get_by_text("Approved.")).to_be_visible()
    slow.get_by_role("button", name="Approve and send").click()
    expect(slow.get_by_role("alert")).to_contain_text(f"{ADMIN} approved this")


@pytest.mark.parametrize("script", [True, False], ids=["with the script", "without the script"])
def test_a_member_rejects_with_a_reason(site: Site, open_page: Open, script: bool) -> None:
    page = open_page("/inbox", java_script_enabled=script)
    page.get_by_text("Reject…").click()
    page.get_by_label("Reason", exact=True).fill("I spoke to them yesterday")
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.get_by_text("Rejected.")).to_be_visible()
    assert approval_row(site)[0] == "rejected"


@pytest.mark.parametrize("script", [True, False], ids=["with the script", "without the script"])
def test_a_member_answers_questions(site: Site, open_page: Open, script: bool) -> None:
    page = open_page("/inbox", java_script_enabled=script)
    card = page.locator(f"#task-{site.seeded.task}")
    for group, value in (("How engaged", "4"), ("How happy", "2")):
        card.get_by_role("group", name=group).get_by_role("radio", name=value).check()
    card.get_by_role("button", name="Done").click()
    expect(page.get_by_text("Your answers count")).to_be_visible()
    with site.store.read() as session:
        assert session.execute(text("SELECT state FROM tasks WHERE id = 1")).scalar_one() == "done"


def test_the_keyboard_walks_the_inbox(site: Site, open_page: Open) -> None:
    page = open_page("/inbox")
    page.keyboard.press("j")
    expect(page.locator(f"#approval-{site.seeded.approval}")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f"#task-{site.seeded.task}")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.address}/approvals/{site.seeded.approval}")


def test_a_message_cannot_run_anything_in_its_frame(site: Site, open_page: Open) -> None:
    page = open_page("/inbox")
    page.get_by_text("As it will look").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("p").first).to_have_text("Hello Maria,")
    assert page.locator("iframe").get_attribute("sandbox") == ""


def test_an_override_is_shown_beside_the_computed_score(site: Site, open_page: Open) -> None:
    page = open_page(f"/accounts/{site.seeded.accounts['Elm Insurance']}", java_script_enabled=False)
    page.get_by_text("You know better?").click()
    form = page.get_by_role("region", name="Override")
    form.get_by_label("Score", exact=True).fill("55")
    form.get_by_label("Reason").fill("Their sponsor told me that they look around")
    form.get_by_role("button", name="Override").click()
    expect(page.get_by_role("status")).to_contain_text("Overridden")
    expect(page.get_by_text("they look around").first).to_be_visible()


def test_a_customer_opens_a_report_and_answers(site: Site, open_page: Open) -> None:
    with site.store.begin() as session:
        account = site.seeded.accounts["Acorn Logistics"]
        report = reports.compose_for(session, site.seeded.bundle, account, "quarterly", NOW)
        token = reports.approve(session, report, member=OWNER, at=NOW, expires_days=30)
    page = open_page(f"/r/{token}", member="", java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Acorn Logistics")
    page.get_by_role("radio", name="4").check()
    page.get_by_label("Anything you want to add?").fill("Close enough")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    with site.store.read() as session:
        answer = session.execute(text("SELECT value, comment FROM report_answers")).one()
        point = session.execute(
            text("SELECT value FROM points JOIN metrics ON metrics.id = metric_id WHERE name = 'report_agreement'")
        ).scalar_one()
    assert (tuple(answer), point) == ((4.0, "Close enough"), 4.0)


def test_a_customer_unsubscribes_by_the_button(site: Site, open_page: Open) -> None:
    with site.store.begin() as session:
        token = make_token(secrets.get(session, SECRET), "maria@acorn.example", "education")
    page = open_page(f"/u/{token}", member="", java_script_enabled=False)
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    with site.store.read() as session:
        assert is_suppressed(session, "maria@acorn.example", "education")


def test_a_link_signs_in_and_the_button_signs_out(site: Site, open_page: Open) -> None:
    with site.store.begin() as session:
        link = members.sign_in_link(session, members.find(session, OWNER).id, NOW)
    page = open_page(f"/sign-in/{link}", member="")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Inbox")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
