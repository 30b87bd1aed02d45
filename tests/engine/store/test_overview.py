"""An installation in numbers: only signals that say something about an account inside their rule count as firing."""

from datetime import UTC, datetime

from sqlalchemy import delete

from engine.store import bundles, overview
from engine.store.decision_tables import EpisodeRow, SignalStatesRow
from engine.store.files import check
from engine.store.sessions import Store
from engine.store.states import State
from tests.seeding import seed
from tests.stored import states_row


def _states(account: int) -> list[State]:
    return [
        State(account, "seats-unused", signal, 1, 1, 20_000, None) for signal in ("seats_unused", "still_a_customer")
    ]


def test_only_what_holds_inside_a_rule_counts_as_firing_and_never_that_a_customer_is_one(store: Store) -> None:
    inside, outside = list(seed(store).accounts.values())[:2]
    checked, _ = check(".")
    assert checked.bundle is not None
    with store.begin() as session:
        bundles.publish(session, checked.bundle, author="", at=datetime.now(UTC))
        session.execute(delete(SignalStatesRow))
        session.add_all(states_row(session, 20_000, _states(account)) for account in (inside, outside))
        session.add(EpisodeRow(account_id=inside, rule="seats-unused", opened_on=20_000, closed_on=None))
        session.add(EpisodeRow(account_id=outside, rule="seats-unused", opened_on=19_000, closed_on=19_900))
        session.flush()
        assert overview.read(session).signals_firing == 1
