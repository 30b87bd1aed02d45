"""Who gets what, and who stands in: absences, roles of an account, and the way up when nobody is there."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from engine.errors import NotFound, Refused
from engine.store import absences, assignees, members
from engine.store.member_tables import AccountMemberRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, MemberRow, SubjectRow
from engine.terms import Role

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DANA, OMAR, MIA, ADA = (f"{name}@vendor.example" for name in ("dana", "omar", "mia", "ada"))


@pytest.fixture
def account(store: Store) -> int:
    """An account that Dana owns; Omar looks after its renewal, Mia is Dana's manager, Ada the administrator."""
    with store.begin() as session:
        for address, role in ((DANA, Role.CSM), (OMAR, Role.CSM), (MIA, Role.VIEWER), (ADA, Role.ADMIN)):
            members.add(session, address, address.split("@", maxsplit=1)[0].title(), [role])
        session.execute(update(MemberRow).where(MemberRow.email == DANA).values(manager=MIA))
        subject = SubjectRow(kind="account")
        session.add(subject)
        session.flush()
        session.add(AccountRow(id=subject.id, key="acme", name="Acme", owner=DANA, recorded_at=NOW))
        session.flush()
        session.add(AccountMemberRow(account_id=subject.id, role="renewal_owner", member=OMAR))
        return subject.id


def _resolve(store: Store, account: int, *to: str) -> str:
    with store.read() as session:
        return assignees.resolve(session, account, to, NOW)


def _away(store: Store, member: str, delegate: str, days: int = 7) -> int:
    with store.begin() as session:
        begins, ends = NOW - timedelta(days=1), NOW + timedelta(days=days)
        return absences.add(session, member, delegate, starts_at=begins, ends_at=ends, at=NOW)


def _deactivate(store: Store, *addresses: str) -> None:
    with store.begin() as session:
        session.execute(update(MemberRow).where(MemberRow.email.in_(addresses)).values(active=False))


@pytest.mark.parametrize(
    ("to", "address"),
    [((), DANA), (("owner",), DANA), (("manager",), MIA), (("renewal_owner",), OMAR), ((OMAR.upper(),), OMAR),
     (("executive_sponsor", "renewal_owner"), OMAR), (("nobody@vendor.example",), DANA)],
)  # fmt: skip
def test_the_first_that_is_there_gets_it(store: Store, account: int, to: tuple[str, ...], address: str) -> None:
    assert _resolve(store, account, *to) == address


def test_whoever_is_away_is_stood_in_for(store: Store, account: int) -> None:
    _away(store, DANA, OMAR)
    assert _resolve(store, account) == OMAR
    with store.read() as session:
        assert assignees.resolve(session, account, ["owner"], NOW + timedelta(days=8)) == DANA
        assert absences.stands_in_for(session, OMAR, NOW) == (DANA,)


def test_a_delegate_who_is_away_as_well_is_stood_in_for_by_their_own(store: Store, account: int) -> None:
    _away(store, DANA, OMAR)
    _away(store, OMAR, ADA)
    assert _resolve(store, account) == ADA


def test_two_who_stand_in_for_each_other_leave_it_to_the_manager(store: Store, account: int) -> None:
    _away(store, DANA, OMAR)
    _away(store, OMAR, DANA)
    assert _resolve(store, account) == MIA


def test_without_an_owner_it_goes_to_the_manager_then_to_an_administrator_then_to_nobody(
    store: Store, account: int
) -> None:
    _deactivate(store, DANA)
    assert _resolve(store, account) == MIA
    _deactivate(store, MIA)
    assert _resolve(store, account) == ADA
    _deactivate(store, ADA)
    assert _resolve(store, account) == ""
    assert _resolve(store, account, "renewal_owner") == OMAR


def test_an_absence_that_makes_no_sense_is_refused_with_everything_that_is_wrong(store: Store, account: int) -> None:
    _away(store, DANA, OMAR)
    with store.begin() as session:
        for delegate, starts, ends, why in (
            (DANA, 0, 5, "Nobody stands in for themselves"),
            ("x@vendor.example", 0, 5, "No active member"),
            (OMAR, 5, 5, "ends after it begins"),
            (OMAR, -9, -8, "over already"),
            (OMAR, 10, 400, "at most a year"),
            (OMAR, 3, 5, "is there already"),
        ):
            days = {"starts_at": NOW + timedelta(days=starts), "ends_at": NOW + timedelta(days=ends)}
            with pytest.raises(Refused, match=why):
                absences.add(session, DANA, delegate, **days, at=NOW)


def test_whoever_comes_back_early_gets_it_themselves(store: Store, account: int) -> None:
    number = _away(store, DANA, OMAR)
    with store.begin() as session:
        with pytest.raises(NotFound):
            absences.end(session, number, OMAR, NOW)
        absences.end(session, number, DANA, NOW)
    assert _resolve(store, account) == DANA
    with store.read() as session:
        assert absences.of_member(session, DANA, NOW) == ()
