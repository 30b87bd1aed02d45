"""Members hear of things once: at once, or in a digest at eight in the morning, or not by mail, as each chose."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from engine.definitions.bundle import Bundle
from engine.store import holds, notices
from engine.store.member_tables import NoticeRow
from engine.store.sessions import Store
from engine.store.tables import MemberRow
from engine.terms import DeliveryState, Frequency
from tests.workflows.activities.scenery import OWNER, Stage, playbook_file, read, stage
from workflows.channels.letter import Verdict
from workflows.channels.smtp import TURNED_AWAY
from workflows.noticing import Noticing

MONDAY = datetime(2026, 9, 7, 12, tzinfo=UTC)
BASE = "https://cs.example"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return read(playbook_file("call", '- task: {title: "Call {{ account.name }}", to: owner, due: 2d}'))


@pytest.fixture
def scene(sqlite_store: Store, bundle: Bundle) -> Stage:
    return stage(sqlite_store, bundle)


def tell(scene: Stage, key: str, member: str = OWNER) -> None:
    with scene.store.begin() as session:
        notices.tell(
            session,
            key=key,
            member=member,
            subject=f"About {key}",
            text=f"{key} <is> due.",
            at=MONDAY,
            link="/inbox",
        )


def choose(scene: Stage, frequency: Frequency, calendar: str = "") -> None:
    with scene.store.begin() as session:
        session.execute(update(MemberRow).values(frequency=frequency.value, calendar=calendar))


def send(scene: Stage, at: datetime = MONDAY) -> int:
    """A fresh loop, as after a restart, so that nothing is remembered but what is written."""
    return Noticing(scene.store, scene.post, BASE, "cs@example.com").send_due(at)


def states(scene: Stage) -> list[str]:
    with scene.store.read() as session:
        return list(session.scalars(select(NoticeRow.state).order_by(NoticeRow.id)))


def test_a_notice_is_mailed_at_once_and_once(scene: Stage) -> None:
    """S2-01."""
    tell(scene, "a")
    assert [send(scene), send(scene)] == [1, 0]
    [letter] = scene.post.letters
    assert (letter.to_address, letter.to_name, letter.subject) == (OWNER, "Mia Owner", "About a")
    assert letter.text == (
        f"a <is> due.\n{BASE}/inbox\n\nHow often you get such mails is yours to choose: {BASE}/notices\n"
    )
    assert "a &lt;is&gt; due." in letter.html
    assert letter.unsubscribe_url == ""
    assert states(scene) == ["sent"]


def test_many_at_once_are_one_mail(scene: Stage) -> None:
    for number in range(7):
        tell(scene, f"n{number}")
    send(scene)
    [letter] = scene.post.letters
    assert letter.subject == "Backcast: 7 notices"
    assert letter.text.index("About n0") < letter.text.index("About n6")


def test_a_daily_digest_tells_what_changed_why_and_the_next_step(scene: Stage) -> None:
    """S2-56, S4-60: at eight where the member works, once a day, with the notices since the last one."""
    choose(scene, Frequency.DAILY)
    scene.at = MONDAY
    scene.go(scene.begin("call"))
    tell(scene, "a")
    zone_morning = MONDAY.replace(hour=8)
    assert send(scene, zone_morning) == 1
    [letter] = scene.post.letters
    assert letter.subject == "Your daily digest: 1 notice, 1 account to look at"
    assert "About a\na <is> due." in letter.text
    assert "Acme: no change" in letter.text
    assert "Next: Call Acme, due 2026-09-09" in letter.text
    tell(scene, "b")
    assert send(scene, zone_morning + timedelta(hours=10)) == 0
    assert send(scene, zone_morning + timedelta(hours=24)) == 1
    assert "About b" in scene.post.letters[1].text
    assert "About a" not in scene.post.letters[1].text
    assert scene.post.letters[0].message_id != scene.post.letters[1].message_id


def test_a_weekly_digest_comes_once_a_week(scene: Stage) -> None:
    """S2-56."""
    choose(scene, Frequency.WEEKLY)
    tell(scene, "a")
    sent = [send(scene, MONDAY + timedelta(hours=hour)) for hour in range(0, 24 * 8, 3)]
    assert sum(sent) == 2, "one for this Monday, one for the next, which had nothing to say"
    assert [letter.subject for letter in scene.post.letters] == ["Your weekly digest: 1 notice"]


def test_without_anything_to_say_no_digest_is_sent(scene: Stage) -> None:
    choose(scene, Frequency.DAILY)
    send(scene)
    assert scene.post.letters == []
    assert send(scene) == 0


@pytest.mark.parametrize("leaves", [False, True])
def test_who_wants_no_mail_or_has_left_gets_none(scene: Stage, *, leaves: bool) -> None:
    """S2-56."""
    choose(scene, Frequency.NEVER)
    tell(scene, "a")
    if leaves:
        choose(scene, Frequency.IMMEDIATE)
        with scene.store.begin() as session:
            session.execute(update(MemberRow).values(active=False))
    send(scene)
    assert send(scene) == 0
    assert scene.post.letters == []
    assert states(scene) == ["left"]


def test_while_everything_is_on_hold_no_member_is_mailed_either(scene: Stage) -> None:
    """P6, P13: a restored copy is silent, to colleagues too."""
    tell(scene, "a")
    with scene.store.begin() as session:
        hold = holds.hold(session, account_id=None, cause="restored", reason="a copy", author="", at=MONDAY)
    assert send(scene) == 0
    with scene.store.begin() as session:
        holds.release(session, hold, OWNER, MONDAY)
    assert send(scene) == 1


def test_while_the_relay_is_down_notices_wait_and_a_digest_is_still_owed(scene: Stage) -> None:
    choose(scene, Frequency.DAILY)
    tell(scene, "a")
    scene.post.verdicts[OWNER] = Verdict(DeliveryState.NOT_SENT, "the relay is down")
    loop = Noticing(scene.store, scene.post, BASE, "cs@example.com")
    loop.send_due(MONDAY)
    assert states(scene) == ["", ""]
    del scene.post.verdicts[OWNER]
    loop.send_due(MONDAY + timedelta(seconds=30))
    assert scene.post.letters == [], "for a minute it is left alone"
    loop.send_due(MONDAY + timedelta(seconds=61))
    assert [letter.subject for letter in scene.post.letters] == ["Your daily digest: 1 notice"]
    assert states(scene) == ["sent", "sent"]


def test_one_member_whose_mailbox_is_full_does_not_keep_the_others_from_hearing(
    scene: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor is their address told to the log, whatever the relay says."""
    with scene.store.begin() as session:
        session.add(MemberRow(email="zoe@example.org", name="Zoe", roles=["csm"], frequency="immediate"))
    choose(scene, Frequency.IMMEDIATE)
    tell(scene, "a")
    tell(scene, "b", "zoe@example.org")
    words = f"{TURNED_AWAY}: 452 4.2.2 <{OWNER}>: mailbox full"
    scene.post.verdicts[OWNER] = Verdict(DeliveryState.NOT_SENT, words)
    loop = Noticing(scene.store, scene.post, BASE, "cs@example.com")
    loop.send_due(MONDAY)
    assert scene.post.to == ["zoe@example.org"]
    assert OWNER not in caplog.text
    del scene.post.verdicts[OWNER]
    loop.send_due(MONDAY + timedelta(seconds=30))
    assert scene.post.to == ["zoe@example.org"], "for a minute it is left alone"
    loop.send_due(MONDAY + timedelta(seconds=61))
    assert scene.post.to == ["zoe@example.org", OWNER]


def test_what_may_have_arrived_is_not_mailed_again(scene: Stage) -> None:
    """P1: it stands on the member's page."""
    tell(scene, "a")
    scene.post.verdicts[OWNER] = Verdict(DeliveryState.AMBIGUOUS, "no answer after the dot")
    assert [send(scene), send(scene)] == [1, 0]
    with scene.store.read() as session:
        [shown] = notices.of_member(session, OWNER)
    assert (shown.state, shown.reason) == ("ambiguous", "no answer after the dot")


def test_a_mail_cut_off_by_a_crash_is_shown_and_not_mailed_again(scene: Stage) -> None:
    """P1, P7."""
    tell(scene, "a")
    with scene.store.begin() as session:
        assert len(notices.claim(session, OWNER, MONDAY)) == 1
    assert send(scene, MONDAY + timedelta(minutes=1)) == 0
    assert states(scene) == ["sending"]
    assert send(scene, MONDAY + timedelta(minutes=3)) == 0
    assert states(scene) == ["ambiguous"]
    assert scene.post.letters == []


def test_an_address_that_is_none_is_given_up(scene: Stage) -> None:
    tell(scene, "a")
    scene.post.verdicts[OWNER] = Verdict(DeliveryState.NOT_SENT, "550 no such user", permanent=True)
    assert [send(scene), send(scene)] == [1, 0]
    assert states(scene) == ["not_sent"]
