"""An installation in numbers: only signals that say something about an account inside their rule count as firing."""

from datetime import UTC, datetime

from sqlalchemy import delete

from engine.store import bundles, overview
from engine.store.decision_tables import EpisodeRow, SignalStateRow
from engine.store.files import check
from engine.store.sessions import Store
from tests.seeding import seed


def _state(account: int, signal: str) -> SignalStateRow:
    return SignalStateRow(
        account_id=account, rule="seats-unused", signal=signal, verdict=1, known=1, value=None, since=20_000
    )


def test_only_what_holds_inside_a_rule_counts_as_firing_and_never_that_a_customer_is_one(store: Store) -> None:
    inside, outside = list(seed(store).accounts.values())[:2]
    checked, _ = check(".")
    assert checked.bundle is not None
    with store.begin() as session:
        bundles.publish(session, checked.bundle, author="", at=datetime.now(UTC))
        session.execute(delete(SignalStateRow))
        session.add_all(_state(account, "seats_unused") for account in (inside, outside))
        session.add_all(_state(account, "still_a_customer") for account in (inside, outside))
        session.add(EpisodeRow(account_id=inside, rule="seats-unused", opened_on=20_000, closed_on=None))
        session.add(EpisodeRow(account_id=outside, rule="seats-unused", opened_on=19_000, closed_on=19_900))
        session.flush()
        assert overview.read(session).signals_firing == 1
