"""Members sign in by a link that works once; sessions end; keys are known by their hash only."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.errors import NotFound, Refused
from engine.store import members
from engine.store.members import Member, SignedIn
from engine.store.sessions import Store
from engine.store.tables import KeyRow, MemberRow, SignInRow
from engine.terms import Role

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def add(store: Store, email: str = "Jo@Example.com") -> Member:
    with store.begin() as session:
        return members.add(session, email, "Jo", [Role.CSM, Role.AUTHOR])


def link(store: Store, member: Member, at: datetime = AT) -> str:
    with store.begin() as session:
        return members.sign_in_link(session, member.id, at)


def sign_in(store: Store, token: str, at: datetime = AT) -> SignedIn:
    with store.begin() as session:
        return members.sign_in(session, token, at)


def seen(store: Store, token: str, at: datetime = AT) -> Member | None:
    with store.read() as session:
        return members.by_session(session, token, at)


def test_a_member_signs_in_by_link_and_is_known_by_the_session(store: Store) -> None:
    member = add(store)
    signed_in = sign_in(store, link(store, member), AT + timedelta(minutes=14))
    assert seen(store, signed_in.token) == Member(
        member.id, "jo@example.com", "Jo", frozenset({Role.CSM, Role.AUTHOR}), signed_in.csrf
    )


def test_a_link_works_once(store: Store) -> None:
    token = link(store, add(store))
    sign_in(store, token)
    with pytest.raises(NotFound, match="ask for a new one"):
        sign_in(store, token)


def test_a_link_ends_after_a_quarter_of_an_hour(store: Store) -> None:
    token = link(store, add(store))
    with pytest.raises(NotFound):
        sign_in(store, token, AT + timedelta(minutes=15))


@pytest.mark.parametrize("token", ["", "x", "\ud800", "é" * 10_000, "%00"])
def test_an_unknown_secret_is_refused_like_a_used_one(sqlite_store: Store, token: str) -> None:
    with pytest.raises(NotFound, match="used already or is older"):
        sign_in(sqlite_store, token)
    assert seen(sqlite_store, token) is None
    with sqlite_store.read() as session:
        assert members.key_name(session, token) is None


def test_a_link_is_no_session_and_a_session_no_link(sqlite_store: Store) -> None:
    member = add(sqlite_store)
    token = link(sqlite_store, member)
    assert seen(sqlite_store, token) is None
    signed_in = sign_in(sqlite_store, token)
    with pytest.raises(NotFound):
        sign_in(sqlite_store, signed_in.token)


def test_an_idle_session_ends_and_use_postpones_that_up_to_a_week(store: Store) -> None:
    signed_in = sign_in(store, link(store, add(store)))
    assert seen(store, signed_in.token, AT + timedelta(hours=11, minutes=59))
    assert seen(store, signed_in.token, AT + timedelta(hours=12)) is None
    for hour in range(8, 7 * 24 + 8, 8):
        with store.begin() as session:
            members.touch(session, signed_in.token, AT + timedelta(hours=hour))
    assert seen(store, signed_in.token, AT + timedelta(days=7, seconds=-1))
    assert seen(store, signed_in.token, AT + timedelta(days=7)) is None


def test_a_session_that_ended_by_idleness_cannot_be_revived(sqlite_store: Store) -> None:
    signed_in = sign_in(sqlite_store, link(sqlite_store, add(sqlite_store)))
    late = AT + timedelta(hours=13)
    with sqlite_store.begin() as session:
        members.touch(session, signed_in.token, late)
    assert seen(sqlite_store, signed_in.token, late) is None


def test_signing_out_ends_the_session(sqlite_store: Store) -> None:
    signed_in = sign_in(sqlite_store, link(sqlite_store, add(sqlite_store)))
    with sqlite_store.begin() as session:
        members.sign_out(session, signed_in.token)
        members.sign_out(session, signed_in.token)
    assert seen(sqlite_store, signed_in.token) is None


def test_a_member_who_left_is_signed_out_at_once(sqlite_store: Store) -> None:
    member = add(sqlite_store)
    signed_in = sign_in(sqlite_store, link(sqlite_store, member))
    with sqlite_store.begin() as session:
        session.get_one(MemberRow, member.id).active = False
    assert seen(sqlite_store, signed_in.token) is None
    with sqlite_store.read() as session, pytest.raises(NotFound):
        members.find(session, "jo@example.com")


def test_members_are_found_by_address_in_any_spelling(sqlite_store: Store) -> None:
    member = add(sqlite_store)
    with sqlite_store.read() as session:
        assert members.find(session, " JO@example.com ") == member
        with pytest.raises(NotFound, match="backcast member add"):
            members.find(session, "nobody@example.com")


def test_an_address_belongs_to_one_member(sqlite_store: Store) -> None:
    add(sqlite_store)
    with pytest.raises(Refused, match=r"jo@example\.com is a member already"):
        add(sqlite_store, "jo@EXAMPLE.com")


@pytest.mark.parametrize(
    "email", ["", "jo", "a@b.com,c@d.com", "jo@example.com\r\nBcc: x@y.com", "Jo <jo@example.com>"]
)
def test_what_is_no_address_is_refused(sqlite_store: Store, email: str) -> None:
    with pytest.raises(Refused, match="is not an e-mail address"):
        add(sqlite_store, email)


def test_a_member_needs_a_role(sqlite_store: Store) -> None:
    with sqlite_store.begin() as session, pytest.raises(Refused, match="admin, author, csm, viewer"):
        members.add(session, "jo@example.com", "Jo", [])


def test_an_ingest_key_is_known_by_its_secret_until_it_is_revoked(store: Store) -> None:
    with store.begin() as session:
        secret = members.new_key(session, "warehouse", AT)
        assert members.key_name(session, secret) == "warehouse"
        with pytest.raises(Refused, match='"warehouse" is in use'):
            members.new_key(session, "warehouse", AT)
        members.revoke_key(session, "warehouse", AT)
        assert members.key_name(session, secret) is None
        with pytest.raises(NotFound):
            members.revoke_key(session, "warehouse", AT)
        assert members.new_key(session, "warehouse", AT) != secret


def test_no_secret_is_stored(sqlite_store: Store) -> None:
    token = link(sqlite_store, add(sqlite_store))
    signed_in = sign_in(sqlite_store, token)
    with sqlite_store.begin() as session:
        secret = members.new_key(session, "warehouse", AT)
        stored = {*session.scalars(select(SignInRow.token_hash)), *session.scalars(select(KeyRow.key_hash))}
    assert stored.isdisjoint({token, signed_in.token, secret})
    assert len(secret.removeprefix("backcast_")) >= 43
