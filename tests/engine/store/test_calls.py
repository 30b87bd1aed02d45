"""The ledger of calls: one row per step and connection, whoever asks, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from engine.store import calls, holds
from engine.store.calls import Came, Claimed, Wanted
from engine.store.clearance import Settled
from engine.store.run_tables import DeliveryRow, RunRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow
from engine.terms import DeliveryState, RunState
from tests.engine.store.letters import AT, put_rows, put_run

URL = "https://crm.example.com/hooks"
YES = Came(DeliveryState.SENT, "crm answered 200", permanent=False, pause=timedelta(0))
NO = Came(DeliveryState.NOT_SENT, "crm answered 500", permanent=False, pause=timedelta(minutes=5))
LATER = AT + timedelta(minutes=5)


@pytest.fixture
def wanted(store: Store) -> Wanted:
    with store.begin() as session:
        rows = put_rows(session)
    return Wanted(rows.run, "note", rows.account, "crm", calls.endpoint(URL), "note to crm", "{}", retries=1)


def claim(store: Store, wanted: Wanted, *, later: bool = False) -> Claimed | Settled:
    with store.begin() as session:
        return calls.claim(session, wanted, LATER if later else AT)


def attempt(store: Store, wanted: Wanted, came: Came, *, later: bool = False) -> Settled:
    claimed = claim(store, wanted, later=later)
    assert isinstance(claimed, Claimed)
    with store.begin() as session:
        assert calls.begin(session, claimed, AT) is True
        return calls.settle(session, claimed, came, LATER if later else AT)


def test_two_attempts_have_one_row_and_one_id_that_tells_nothing(store: Store, wanted: Wanted) -> None:
    """P1."""
    assert attempt(store, wanted, NO).later == LATER
    assert claim(store, wanted) == Settled(DeliveryState.NOT_SENT, NO.reason, permanent=False, later=LATER)
    assert attempt(store, replace(wanted, body='{"changed": 1}'), YES, later=True).state is DeliveryState.SENT
    with store.read() as session:
        [row] = session.scalars(select(DeliveryRow))
    assert (row.state, row.fence, row.letter) == ("sent", 2, None)
    assert row.message_id.startswith("msg_")
    assert "." not in row.message_id, "a dot would end it where it is signed"
    assert "crm.example.com" not in row.address
    assert isinstance(claim(store, wanted, later=True), Settled)


def test_of_two_workers_the_one_that_was_overtaken_does_not_call(store: Store, wanted: Wanted) -> None:
    first, second = claim(store, wanted), claim(store, wanted)
    assert isinstance(first, Claimed)
    assert isinstance(second, Claimed)
    with store.begin() as session:
        assert calls.begin(session, first, AT) is False
        assert calls.begin(session, second, AT) is True


@pytest.mark.parametrize(("repeats", "state"), [(True, "claimed"), (False, "ambiguous")])
def test_an_interrupted_call_is_repeated_where_the_receiver_knows_ids(
    store: Store, wanted: Wanted, *, repeats: bool, state: str
) -> None:
    """P7: a chat is not told twice, a webhook is called again."""
    wanted = replace(wanted, repeats=repeats)
    claimed = claim(store, wanted)
    assert isinstance(claimed, Claimed)
    with store.begin() as session:
        calls.begin(session, claimed, AT)
    assert isinstance(claim(store, wanted), Claimed if repeats else Settled)
    with store.read() as session:
        assert session.scalars(select(DeliveryRow.state)).all() == [state]


def test_what_forbids_a_call_is_looked_at_where_it_is_claimed(store: Store, wanted: Wanted) -> None:
    with store.begin() as session:
        hold = holds.hold(
            session, account_id=wanted.account_id, cause="member", reason="wait", author="a@b.example", at=AT
        )
    held = claim(store, wanted)
    assert isinstance(held, Settled)
    assert (held.permanent, held.later is not None) == (False, True)
    with store.begin() as session:
        holds.release(session, hold, "a@b.example", AT)
        session.execute(update(AccountRow).values(suppressed=True))
    assert claim(store, replace(wanted, step="tour", contacts=True)) == Settled(
        DeliveryState.NOT_SENT, "the account must not be contacted"
    )
    assert isinstance(claim(store, wanted), Claimed), "a note in our own CRM reaches nobody at the account"
    with store.begin() as session:
        session.execute(update(RunRow).values(state=RunState.CANCELLED.value))
    assert claim(store, replace(wanted, step="late")) == Settled(DeliveryState.NOT_SENT, "the run is cancelled")


def test_gone_counts_for_one_url_until_somebody_says_otherwise(store: Store, wanted: Wanted) -> None:
    """F15."""
    gone = replace(NO, reason="crm answered 410", permanent=True, gone=True)
    assert attempt(store, wanted, gone).permanent is True
    with store.begin() as session:
        other = put_run(session, wanted.account_id, playbook="another")
    again = replace(wanted, run_id=other)
    refused = claim(store, again)
    assert isinstance(refused, Settled)
    assert refused.reason.startswith("crm answered 410 Gone")
    elsewhere = replace(again, step="elsewhere", endpoint=calls.endpoint(f"{URL}/new"))
    assert isinstance(claim(store, elsewhere), Claimed)
    with store.begin() as session:
        assert calls.enable(session, wanted.endpoint, "a@b.example") is True
        assert calls.why_gone(session, wanted.endpoint) == ""
    assert isinstance(claim(store, replace(again, step="now")), Claimed)
