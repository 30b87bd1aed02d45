"""The ledger on both databases: many at once, and one delivery from claim to verdict."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from engine.store import deliveries
from engine.store.deliveries import Claim, Settled
from engine.store.run_tables import DeliveryRow
from engine.store.sessions import Store
from engine.terms import DeliveryState
from tests.engine.store.letters import AT, Rows, put_rows, wanted


@pytest.fixture
def rows(store: Store) -> Rows:
    with store.begin() as session:
        return put_rows(session)


def test_of_many_claims_at_once_one_may_send(store: Store, rows: Rows) -> None:
    sends: list[bool] = []

    def attempt() -> None:
        with store.begin() as session:
            claimed = deliveries.claim(session, wanted(rows), AT)
        if isinstance(claimed, Claim):
            with store.begin() as session:
                sends.append(deliveries.begin_sending(session, claimed, AT))

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sends.count(True) == 1
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(DeliveryRow)) == 1


def test_an_interrupted_delivery_becomes_ambiguous_and_a_late_answer_settles_it(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        claimed = deliveries.claim(session, wanted(rows), AT)
        assert isinstance(claimed, Claim)
        assert deliveries.begin_sending(session, claimed, AT)
    with store.begin() as session:
        assert deliveries.resolve_stale(session, AT + timedelta(seconds=1), AT) == 1
    with store.begin() as session:
        assert [row.message_id for row in deliveries.ambiguous(session)] == [claimed.message_id]
        deliveries.settle(session, claimed, DeliveryState.SENT, "250 taken", AT, permanent=False)
    with store.begin() as session:
        assert deliveries.claim(session, wanted(rows), AT) == Settled(DeliveryState.SENT, "250 taken")


def test_a_verdict_that_is_just_being_written_is_waited_for(store: Store, rows: Rows) -> None:
    """P1: read without waiting, the row would still be on the way, and what was sent would become doubtful or, where
    the step says so, go again."""
    with store.begin() as session:
        claimed = deliveries.claim(session, wanted(rows, on_ambiguous="retry"), AT)
        assert isinstance(claimed, Claim)
        assert deliveries.begin_sending(session, claimed, AT)
    found: list[Claim | Settled] = []

    def attempt() -> None:
        with store.begin() as session:
            found.append(deliveries.claim(session, wanted(rows, on_ambiguous="retry"), AT))

    other = threading.Thread(target=attempt)
    with store.begin() as session:
        deliveries.settle(session, claimed, DeliveryState.SENT, "250 taken", AT, permanent=False)
        session.flush()
        other.start()
        other.join(0.5)  # it waits: for the row, or on SQLite for its turn to write
        assert found == []
    other.join()
    assert found == [Settled(DeliveryState.SENT, "250 taken")]
