"""The page behind the link in every message: what a person wants to get, how often, and back again."""

from typing import get_args

import pytest
from httpx import Response
from sqlalchemy import select

from api.pages.unsubscribing import KINDS
from engine.definitions.playbook import Category
from engine.store import preferences, secrets, suppressions
from engine.store.preferences import Preferences
from engine.store.tables import ContactRow
from engine.terms import Frequency
from tests.installed import Site
from tests.seeding import NOW
from workflows.channels.unsubscribing import SECRET, make_token

ADDRESS = "maria@acorn.example"


def path(site: Site, category: str = "education") -> str:
    with site.store.begin() as session:
        return f"/u/{make_token(secrets.get(session, SECRET), ADDRESS, category)}"


def save(site: Site, **form: object) -> Response:
    response: Response = site.anybody().post(f"{path(site)}/preferences", data=form)
    return response


def wanted(site: Site) -> Preferences:
    with site.store.read() as session:
        return preferences.of(session, ADDRESS, frozenset(KINDS))


def left(site: Site) -> frozenset[str]:
    with site.store.read() as session:
        return suppressions.categories(session, ADDRESS)


def test_every_kind_of_message_is_to_be_chosen_or_needed() -> None:
    assert {*KINDS, "operational"} == {*get_args(Category)}


def test_looking_shows_what_one_gets_and_changes_nothing(site: Site) -> None:
    """P9."""
    page = site.anybody().get(path(site)).text
    assert page.count("checked") == len(KINDS) + 1
    assert 'name="kinds" value="survey" checked' in page
    assert left(site) == frozenset()


def test_kinds_are_left_and_come_back(site: Site) -> None:
    answer = save(site, kinds=["education", "review"], frequency="weekly")
    assert answer.status_code == 200
    assert wanted(site) == Preferences(frozenset({"education", "review"}), Frequency.WEEKLY)
    assert left(site) == {"survey", "news"}
    save(site, kinds=[*KINDS], frequency="immediate")
    assert wanted(site) == Preferences(frozenset(KINDS))
    assert left(site) == frozenset()


def test_how_often_is_kept_at_every_account_of_the_person(site: Site) -> None:
    """S2-56."""
    with site.store.begin() as session:
        rows = session.scalars(select(ContactRow).order_by(ContactRow.id)).all()
        for row in rows[:2]:
            row.email = "Maria@Acorn.example"
        rows[2].email = "other@acorn.example"
    save(site, kinds=[*KINDS], frequency="daily")
    with site.store.read() as session:
        found = session.scalars(select(ContactRow).order_by(ContactRow.id)).all()
        assert [row.frequency for row in found[:3]] == ["daily", "daily", ""]


def test_nothing_at_all_is_nothing_at_all_until_one_comes_back(site: Site) -> None:
    save(site, kinds=[*KINDS], none="1")
    assert left(site) == {"all"}
    with site.store.read() as session:
        assert suppressions.is_suppressed(session, ADDRESS, "operational")
    assert "Nothing at all" in site.anybody().get(path(site)).text
    save(site, kinds=["news"])
    assert left(site) == {"education", "review", "survey"}


def test_what_bounced_stays_shut_whatever_is_chosen(site: Site) -> None:
    with site.store.begin() as session:
        suppressions.suppress(session, ADDRESS, "all", f"{suppressions.BOUNCED}5.1.1", NOW)
    save(site, kinds=[*KINDS])
    assert left(site) == {"all"}


@pytest.mark.parametrize(
    "form", [{"kinds": ["operational", "everything", "x" * 5000]}, {"frequency": "hourly"}, {"none": ""}, {}]
)
def test_a_form_that_is_not_ours_leaves_no_trace_of_what_it_made_up(site: Site, form: dict[str, object]) -> None:
    assert save(site, **form).status_code == 200
    assert left(site) <= KINDS.keys()
    assert wanted(site).frequency is Frequency.IMMEDIATE


@pytest.mark.parametrize("token", ["", "x", "a.b", "%00", "é", "x" * 10_000])
def test_a_token_that_is_not_ours_changes_nothing(site: Site, token: str) -> None:
    for address in (f"/u/{token}", f"/u/{token}/preferences"):
        assert site.anybody().post(address).status_code in {404, 405, 429}
    assert left(site) == frozenset()


def test_the_page_needs_no_script_cookie_or_picture_from_elsewhere(site: Site) -> None:
    answer = site.anybody().get(path(site))
    assert "set-cookie" not in answer.headers
    assert "script-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
