"""Notices: each is told once, taken once, and never sent again by itself."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import NotFound, Refused
from engine.store import notices
from engine.store.sessions import Store
from engine.store.tables import MemberRow
from engine.terms import DeliveryState, Frequency

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
ANN = "ann@example.org"


def tell(store: Store, key: str, *, member: str = ANN, minutes: int = 0) -> bool:
    with store.begin() as session:
        at = AT + timedelta(minutes=minutes)
        return notices.tell(session, key=key, member=member, subject=f"About {key}", text="It is due.", at=at)


def take(store: Store, member: str = ANN) -> tuple[notices.Notice, ...]:
    with store.begin() as session:
        return notices.claim(session, member, AT)


def test_a_key_is_told_once(store: Store) -> None:
    assert [tell(store, "a"), tell(store, "a"), tell(store, "b")] == [True, False, True]
    assert [one.subject for one in take(store)] == ["About a", "About b"]


def test_what_is_taken_is_not_there_for_the_next(store: Store) -> None:
    tell(store, "a")
    assert len(take(store)) == 1
    assert take(store) == ()


def test_what_was_certainly_not_sent_waits_again(store: Store) -> None:
    tell(store, "a")
    tell(store, "b", member="Bo@Example.org")
    taken = take(store)
    with store.begin() as session:
        notices.settle(session, taken, DeliveryState.NOT_SENT, "the relay is down", again=True)
        assert notices.waiting_for(session) == {ANN: AT, "bo@example.org": AT}
        first = notices.message_id(session, taken[0], "cs@example.com")
    again = take(store)
    assert [(one.id, one.state) for one in again] == [(taken[0].id, "sending")]
    with store.begin() as session:
        assert notices.message_id(session, again[0], "cs@example.com") == first


def test_an_interrupted_mail_is_ambiguous_and_never_waits_again(store: Store) -> None:
    """P1."""
    tell(store, "a")
    taken = take(store)
    with store.begin() as session:
        assert notices.resolve_stale(session, AT) == 0
        assert notices.resolve_stale(session, AT + timedelta(seconds=1)) == 1
    assert take(store) == ()
    with store.read() as session:
        [shown] = notices.of_member(session, ANN)
    assert (shown.state, shown.reason[:26]) == ("ambiguous", "the mail with it was inter")
    with store.begin() as session:  # the process was only slow: now it knows
        notices.settle(session, taken, DeliveryState.SENT, "250 fine", again=False)
        assert notices.of_member(session, ANN)[0].state == "sent"


def test_who_wants_no_mails_gets_none_and_still_finds_the_notices(store: Store) -> None:
    tell(store, "a")
    with store.begin() as session:
        notices.leave(session, [ANN], AT)
        assert notices.waiting_for(session) == {}
        assert [one.state for one in notices.of_member(session, ANN)] == ["left"]


def test_a_mail_takes_the_oldest_first_and_leaves_the_rest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "AT_ONCE", 2)
    for key in "abc":
        tell(store, key)
    assert [one.subject for one in take(store)] == ["About a", "About b"]
    assert [one.subject for one in take(store)] == ["About c"]


def test_members_choose_how_often(store: Store) -> None:
    """S2-56."""
    with store.begin() as session:
        session.add(MemberRow(email=ANN, name="Ann", roles=["csm"]))
        session.flush()
        assert notices.frequency_of(session, ANN) is Frequency.IMMEDIATE
        notices.set_frequency(session, "Ann@example.org", "weekly")
        assert notices.frequency_of(session, ANN) is Frequency.WEEKLY
        with pytest.raises(Refused, match="immediate, daily, weekly, never, not"):
            notices.set_frequency(session, ANN, "hourly")
        with pytest.raises(NotFound, match="no member"):
            notices.set_frequency(session, "nobody@example.org", "daily")
