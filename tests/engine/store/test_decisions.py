"""Writing plans: how much one may hold."""

from datetime import UTC, datetime

from sqlalchemy import select

from engine.definitions.bundle import Bundle
from engine.evaluation.deciding import Closed, Plan
from engine.store.decision_tables import EpisodeRow
from engine.store.decisions import save_plan
from engine.store.sessions import Store
from engine.store.tables import AccountRow, SubjectRow

AT = datetime(2026, 9, 1, tzinfo=UTC)
LAST = 70_000


def test_more_episodes_end_at_once_than_one_statement_can_name(store: Store, small_bundle: Bundle) -> None:
    """PostgreSQL takes 65,535 values in a statement; a connector that is back can end more episodes than that."""
    with store.begin() as session:
        session.add(SubjectRow(id=LAST, kind="account"))
        session.flush()
        session.add(AccountRow(id=LAST, key="acme", name="Acme", recorded_at=AT))
        session.flush()
        session.add(EpisodeRow(account_id=LAST, rule="low", opened_on=20_000))
    closed = tuple(Closed(account, "low") for account in range(1, LAST + 1))
    with store.begin() as session:
        assert save_plan(session, small_bundle, Plan(AT, (), closed, {}, {}), 20_001, 86_400) == []
    with store.read() as session:
        assert session.scalars(select(EpisodeRow.closed_on)).all() == [20_001]
