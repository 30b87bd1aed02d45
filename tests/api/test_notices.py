"""Every member sees their own notices, and chooses how often they are mailed."""

import pytest

from engine.store import notices
from engine.terms import DeliveryState, Frequency
from tests.installed import Site
from tests.seeding import ADMIN, NOW, OTHER, OWNER, VIEWER


def tell(site: Site, key: str, member: str) -> None:
    with site.store.begin() as session:
        about = f"About {key}"
        notices.tell(session, key=key, member=member, subject=about, text="<b>due</b>", at=NOW, link="/inbox")


def test_a_member_sees_what_they_were_told_and_nobody_elses(site: Site) -> None:
    tell(site, "mine", OWNER)
    tell(site, "theirs", OTHER)
    page = site.member(OWNER).get("/notices").text
    assert "About mine" in page
    assert "About theirs" not in page
    assert "&lt;b&gt;due&lt;/b&gt;" in page
    assert "Waits for your next mail" in page


def test_a_mail_that_may_not_have_arrived_is_said(site: Site) -> None:
    """P1."""
    tell(site, "mine", OWNER)
    with site.store.begin() as session:
        taken = notices.claim(session, OWNER, NOW)
        notices.settle(session, taken, DeliveryState.AMBIGUOUS, "no answer after the dot", again=False)
    assert "It may or may not have been mailed: no answer after the dot" in site.member(OWNER).get("/notices").text


@pytest.mark.parametrize("who", [ADMIN, OWNER, VIEWER])
def test_every_member_chooses_how_often(site: Site, who: str) -> None:
    """S2-56."""
    member = site.member(who)
    answer = member.post("/notices", data={"frequency": "weekly"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/notices?said=chosen")
    with site.store.read() as session:
        assert notices.frequency_of(session, who) is Frequency.WEEKLY
    assert 'value="weekly" checked' in member.get("/notices?said=chosen").text


def test_a_word_that_is_none_changes_nothing(site: Site) -> None:
    answer = site.member(OWNER).post("/notices", data={"frequency": "hourly"})
    assert answer.status_code == 409
    assert "immediate, daily, weekly, never" in answer.text
    with site.store.read() as session:
        assert notices.frequency_of(session, OWNER) is Frequency.IMMEDIATE
