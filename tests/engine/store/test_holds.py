"""Holds: nothing goes out while one is open, and whoever releases it knows why it is there."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import NotFound, Refused
from engine.store import holds
from engine.store.sessions import Store
from engine.store.tables import AccountRow, SubjectRow

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ADA = "ada@vendor.example"


def _accounts(store: Store) -> tuple[int, int]:
    with store.begin() as session:
        made = []
        for key in ("acme", "globex"):
            subject = SubjectRow(kind="account")
            session.add(subject)
            session.flush()
            session.add(AccountRow(id=subject.id, key=key, name=key.title(), recorded_at=NOW))
            made.append(subject.id)
        return made[0], made[1]


def _hold(store: Store, account: int | None, reason: str = "wrong price list") -> int:
    with store.begin() as session:
        return holds.hold(session, account_id=account, cause=holds.MEMBER, reason=reason, author=ADA, at=NOW)


def test_a_hold_of_everything_holds_every_account(store: Store) -> None:
    acme, globex = _accounts(store)
    with store.read() as session:
        assert holds.held(session, acme) == ""
    _hold(store, None)
    with store.read() as session:
        wanted = f"{ADA} put everything on hold at 2026-11-20 09:30 UTC: wrong price list"
        assert holds.held(session, acme) == holds.held(session, globex) == wanted


def test_a_hold_of_one_account_leaves_the_others_alone(store: Store) -> None:
    acme, globex = _accounts(store)
    _hold(store, acme)
    with store.read() as session:
        assert "everything that goes to Acme" in holds.held(session, acme)
        assert holds.held(session, globex) == ""
        assert [one.account for one in holds.listed(session)] == ["Acme"]


def test_what_is_released_goes_again_and_the_second_is_told_who_was_first(store: Store) -> None:
    acme, _ = _accounts(store)
    number = _hold(store, None)
    with store.begin() as session:
        holds.release(session, number, ADA, NOW + timedelta(minutes=5))
    with store.read() as session:
        assert holds.held(session, acme) == ""
        assert holds.everything(session) is None
        with pytest.raises(NotFound):
            holds.find(session, number)
    with store.begin() as session, pytest.raises(Refused, match=r"ada@vendor\.example released this hold at .* 09:35"):
        holds.release(session, number, "omar@vendor.example", NOW)


def test_a_hold_needs_a_reason_an_account_that_is_there_and_is_set_once(store: Store) -> None:
    acme, _ = _accounts(store)
    with pytest.raises(Refused, match="Say why"):
        _hold(store, acme, "  ")
    with pytest.raises(NotFound):
        _hold(store, 10_000)
    _hold(store, acme)
    with pytest.raises(Refused, match=r"Nothing was changed: ada@vendor\.example put everything that goes to Acme"):
        _hold(store, acme)


def test_a_restored_database_says_itself_why_it_is_on_hold(store: Store) -> None:
    with store.begin() as session:
        reason = "this database was found in another place than it was written in"
        holds.hold(session, account_id=None, cause=holds.RESTORED, reason=reason, author="", at=NOW)
    with store.read() as session:
        found = holds.everything(session)
        assert found is not None
        assert found.sentence == f"everything is on hold since 2026-11-20 09:30 UTC: {reason}"
