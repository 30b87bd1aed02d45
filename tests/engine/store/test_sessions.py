"""The two kinds of transaction, on both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.store.sessions import Store
from engine.store.tables import AccountRow, SubjectRow

AT = datetime(2026, 9, 1, tzinfo=UTC)


def add_account(store: Store, number: int) -> None:
    with store.begin() as session:
        session.add(SubjectRow(id=number, kind="account"))
        session.flush()
        session.add(AccountRow(id=number, key=f"a{number}", name="Acme", recorded_at=AT))


def counted(session: Session) -> int | None:
    return session.scalar(select(func.count()).select_from(AccountRow))


def test_a_reading_transaction_sees_one_moment_whatever_is_written_meanwhile(store: Store) -> None:
    """An evaluation reads accounts, contacts, points and events one after another: they must belong together."""
    add_account(store, 1)
    with store.read() as session:
        assert counted(session) == 1
        add_account(store, 2)
        assert counted(session) == 1
    with store.read() as session:
        assert counted(session) == 2


def test_a_writing_transaction_sees_what_was_written_before_its_statement(store: Store) -> None:
    """Who waited for a lock must see what the one before has done."""
    with store.read() as session:
        assert counted(session) == 0
    add_account(store, 1)
    with store.begin() as session:
        assert counted(session) == 1


def test_an_error_of_the_database_says_nothing_of_what_was_to_be_written(store: Store) -> None:
    """Errors of activities are kept by Temporal and by logs."""
    add_account(store, 1)
    twice = SubjectRow(id=1, kind="never to be told")
    with store.begin() as session:
        session.add(twice)
        with pytest.raises(IntegrityError) as raised:
            session.flush()
        session.rollback()
    assert "INSERT INTO subjects" in str(raised.value)
    assert "never to be told" not in str(raised.value)
