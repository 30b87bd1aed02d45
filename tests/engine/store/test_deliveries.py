"""The ledger: who may send, who must not, and that a perhaps is never sent again."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store import deliveries, suppressions
from engine.store.deliveries import Claim, Settled
from engine.store.run_tables import ActRow, DeliveryRow, RunRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow
from engine.terms import DeliveryState
from tests.engine.store.letters import AT, Rows, put_rows, put_run, wanted


def claim(store: Store, rows: Rows, **change: object) -> Claim | Settled:
    with store.begin() as session:
        return deliveries.claim(session, wanted(rows, **change), AT)


def begin(store: Store, claimed: Claim | Settled) -> bool:
    assert isinstance(claimed, Claim)
    with store.begin() as session:
        return deliveries.begin_sending(session, claimed, AT)


def settle(store: Store, claimed: Claim | Settled, state: DeliveryState, *, permanent: bool = False) -> None:
    assert isinstance(claimed, Claim)
    with store.begin() as session:
        deliveries.settle(session, claimed, state, "because", AT, permanent=permanent)


def state(store: Store) -> str:
    with store.read() as session:
        return session.scalars(select(DeliveryRow.state)).one()


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """What differs between databases is tested in `test_deliveries_together`."""
    return sqlite_store


@pytest.fixture
def rows(store: Store) -> Rows:
    with store.begin() as session:
        return put_rows(session)


def test_every_attempt_carries_the_same_message_id_and_a_later_fence(store: Store, rows: Rows) -> None:
    first, second = claim(store, rows), claim(store, rows)
    assert isinstance(first, Claim)
    assert isinstance(second, Claim)
    assert first.message_id == second.message_id
    assert first.message_id.endswith("@vendor.example>")
    assert second.fence == first.fence + 1


def test_each_step_and_contact_has_a_message_id_of_its_own(store: Store, rows: Rows) -> None:
    claims = [claim(store, rows), claim(store, rows, step="second"), claim(store, rows, contact_id=rows.bob)]
    assert len({one.message_id for one in claims if isinstance(one, Claim)}) == 3


def test_an_attempt_that_was_overtaken_may_not_send(store: Store, rows: Rows) -> None:
    first = claim(store, rows)
    second = claim(store, rows)
    assert not begin(store, first)
    assert begin(store, second)


def test_what_was_sent_is_never_sent_again(store: Store, rows: Rows) -> None:
    claimed = claim(store, rows)
    assert begin(store, claimed)
    settle(store, claimed, DeliveryState.SENT)
    assert claim(store, rows) == Settled(DeliveryState.SENT, "because")


def test_another_attempts_sending_is_ambiguous_and_stays_so(store: Store, rows: Rows) -> None:
    assert begin(store, claim(store, rows))
    for _ in range(2):
        found = claim(store, rows)
        assert isinstance(found, Settled)
        assert found.state is DeliveryState.AMBIGUOUS
    with store.read() as session:
        [listed] = deliveries.ambiguous(session)
    assert (listed.run_id, listed.step, listed.contact_id) == (rows.run, "first", rows.ann)


@pytest.mark.parametrize("late", [DeliveryState.SENT, DeliveryState.NOT_SENT])
def test_a_late_answer_says_what_came_of_an_ambiguous_delivery(store: Store, rows: Rows, late: DeliveryState) -> None:
    claimed = claim(store, rows)
    assert begin(store, claimed)
    claim(store, rows)
    settle(store, claimed, late)
    assert state(store) == late


def test_nothing_goes_backwards(store: Store, rows: Rows) -> None:
    claimed = claim(store, rows)
    assert begin(store, claimed)
    settle(store, claimed, DeliveryState.SENT)
    settle(store, claimed, DeliveryState.NOT_SENT)
    assert state(store) == DeliveryState.SENT


def test_what_was_not_sent_for_now_may_be_claimed_again(store: Store, rows: Rows) -> None:
    claimed = claim(store, rows)
    assert begin(store, claimed)
    settle(store, claimed, DeliveryState.NOT_SENT)
    assert isinstance(claim(store, rows), Claim)


def test_what_the_relay_refused_for_good_is_not_tried_again(store: Store, rows: Rows) -> None:
    claimed = claim(store, rows)
    assert begin(store, claimed)
    settle(store, claimed, DeliveryState.NOT_SENT, permanent=True)
    assert claim(store, rows) == Settled(DeliveryState.NOT_SENT, "because")


def test_only_sends_older_than_the_moment_are_stale(store: Store, rows: Rows) -> None:
    assert begin(store, claim(store, rows))
    with store.begin() as session:
        assert deliveries.resolve_stale(session, AT, AT) == 0
        assert deliveries.resolve_stale(session, AT + timedelta(seconds=1), AT) == 1
    assert state(store) == DeliveryState.AMBIGUOUS


def depart(session: Session, rows: Rows) -> None:
    session.get_one(ContactRow, rows.ann).departed_on = 20_000


def lose_address(session: Session, rows: Rows) -> None:
    session.get_one(ContactRow, rows.ann).email = ""


def unsubscribe(session: Session, _rows: Rows) -> None:
    suppressions.suppress(session, "Ann@ACME.example", "education", "by the link", AT)


def unsubscribe_from_all(session: Session, _rows: Rows) -> None:
    suppressions.suppress(session, "ann@acme.example", "all", "asked by phone", AT)


def suppress_account(session: Session, rows: Rows) -> None:
    session.get_one(AccountRow, rows.account).suppressed = True


def stop_account(session: Session, rows: Rows) -> None:
    session.get_one(AccountRow, rows.account).stopped_reason = "in a dispute"


def cancel_run(session: Session, rows: Rows) -> None:
    session.get_one(RunRow, rows.run).state = "cancelled"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (depart, "the contact has left the account"),
        (lose_address, "the contact has no e-mail address"),
        (unsubscribe, "the contact does not want messages of the category education"),
        (unsubscribe_from_all, "the contact does not want messages of the category education"),
        (suppress_account, "the account must not be contacted"),
        (stop_account, "the account must not be contacted"),
        (cancel_run, "the run is cancelled"),
    ],
)
def test_the_claim_refuses_for_good_what_must_not_be(
    store: Store,
    rows: Rows,
    change: Callable[[Session, Rows], None],
    sentence: str,
) -> None:
    with store.begin() as session:
        change(session, rows)
    assert claim(store, rows) == Settled(DeliveryState.NOT_SENT, sentence)
    assert state(store) == DeliveryState.NOT_SENT


def test_a_contact_of_another_account_is_refused(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        other = put_rows(session)
    found = claim(store, rows, contact_id=other.ann)
    assert found == Settled(DeliveryState.NOT_SENT, "the contact is not at this account")


def test_an_unsubscribed_category_leaves_the_others(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        unsubscribe(session, rows)
    assert isinstance(claim(store, rows, category="operational"), Claim)


def test_a_paused_run_holds_its_messages_and_keeps_them(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        session.get_one(RunRow, rows.run).state = "paused"
    assert claim(store, rows) == Settled(DeliveryState.NOT_SENT, "the run is paused", permanent=False)
    with store.begin() as session:
        session.get_one(RunRow, rows.run).state = "active"
    assert isinstance(claim(store, rows), Claim)


@pytest.mark.parametrize("kind", ["pause", "cancel"])
def test_a_person_who_pressed_stop_is_heard_before_the_run_is(store: Store, rows: Rows, kind: str) -> None:
    with store.begin() as session:
        session.add(
            ActRow(run_id=rows.run, kind=kind, actor="dana@vendor.example", state="pending", created_at=AT),
        )
    found = claim(store, rows)
    assert found == Settled(DeliveryState.NOT_SENT, f"a member asked to {kind} the run", permanent=False)


def test_two_runs_of_one_account_do_not_share_a_message_id(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        other = put_run(session, rows.account, playbook="check-in")
    first, second = claim(store, rows), claim(store, rows, run_id=other)
    assert isinstance(first, Claim)
    assert isinstance(second, Claim)
    assert first.message_id != second.message_id
