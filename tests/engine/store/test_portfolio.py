"""The order of the list of accounts: whoever needs attention most stands first, and of equals the larger one."""

import pytest
from sqlalchemy import update

from engine.store.decision_tables import ScoreRow
from engine.store.portfolio import Wanted, portfolio
from engine.store.sessions import Store
from engine.terms import MICRO
from tests.seeding import seed


@pytest.fixture
def seeded(sqlite_store: Store) -> Store:
    """Seven accounts, one of them without a score."""
    seed(sqlite_store)
    return sqlite_store


def listed(store: Store) -> list[tuple[str, int | None, float | None]]:
    """Name, newest score and revenue, in the order of the list."""
    with store.read() as session:
        rows = portfolio(session, Wanted(), None).rows
    return [(row.account.name, row.account.score, row.account.arr) for row in rows]


def test_the_lowest_score_stands_first_and_no_score_last(seeded: Store) -> None:
    """S0-05."""
    found = [score for _, score, _ in listed(seeded)]
    known = [score for score in found if score is not None]
    assert len(known) == 6
    assert found == [*sorted(known), None]


def test_of_accounts_with_the_same_score_the_larger_stands_first(seeded: Store) -> None:
    """S1-25: equal risk, higher revenue."""
    with seeded.begin() as session:
        session.execute(update(ScoreRow).values(effective=30 * MICRO))
    revenues = [revenue for _, _, revenue in listed(seeded)]
    assert revenues == sorted(revenues, key=lambda each: -(each or 0))
    assert len(set(revenues)) == 7
