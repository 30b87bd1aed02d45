"""Claims for one person at once, on both databases: a cap holds, and an opt-out that came first wins."""

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from engine.definitions.calendar import WEEKDAYS_ONLY
from engine.definitions.contact_policy import ContactPolicy
from engine.store import deliveries, suppressions
from engine.store.deliveries import Claim, Settled
from engine.store.run_tables import DeliveryRow
from engine.store.sessions import Store
from engine.store.tables import ContactRow
from engine.store.touches import Rules
from tests.engine.store.letters import AT, Rows, put_rows, wanted

RULES = Rules(ContactPolicy(is_open_always=True), WEEKDAYS_ONLY)


def claim(store: Store, rows: Rows) -> Claim | Settled:
    with store.begin() as session:
        return deliveries.claim(session, wanted(rows, rules=RULES), AT)


def together(*works: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_of_six_playbooks_that_write_to_one_person_at_once_one_does(store: Store) -> None:
    """Six accounts, one address: the cap is one a day."""
    with store.begin() as session:
        people = [put_rows(session, playbook=f"playbook-{number}") for number in range(6)]
    found: list[Claim | Settled] = []
    together(*(lambda rows=rows: found.append(claim(store, rows)) for rows in people))
    assert sorted(isinstance(one, Claim) for one in found) == [False] * 5 + [True]


def test_who_unsubscribes_first_is_not_claimed_and_who_is_claimed_first_had_not_unsubscribed(store: Store) -> None:
    """P9, F28: in every race one of the two sees the other."""
    for number in range(15):
        with store.begin() as session:
            rows = put_rows(session, playbook=f"race-{number}")
            session.get_one(ContactRow, rows.ann).email = f"ann{number}@acme.example"
        seen: dict[str, Any] = {}

        def leave(address: str = f"ann{number}@acme.example", seen: dict[str, Any] = seen) -> None:
            with store.begin() as session:
                suppressions.suppress(session, address.title(), "education", "by the link", AT)
                seen["before"] = session.scalar(select(DeliveryRow.state).where(DeliveryRow.address == address))

        def send(rows: Rows = rows, seen: dict[str, Any] = seen) -> None:
            seen["claim"] = claim(store, rows)

        together(*((leave, send) if number % 2 else (send, leave)))
        assert isinstance(seen["claim"], Claim) == (seen["before"] == "claimed")
