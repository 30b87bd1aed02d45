"""One message to one contact: however often it is asked for, and whatever the relay does, it goes once at most."""

from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest

from engine.store import deliveries, secrets
from engine.store.run_tables import RunRow
from engine.store.sessions import Store
from engine.terms import DeliveryState
from tests.engine.store.letters import AT, Rows, put_rows
from tests.workflows.channels.faulty_relay import FaultyRelay
from workflows.activities.delivering import Order, deliver
from workflows.channels import unsubscribing
from workflows.channels.file import FileChannel
from workflows.channels.smtp import SmtpChannel


@pytest.fixture
def rows(sqlite_store: Store) -> Rows:
    with sqlite_store.begin() as session:
        return put_rows(session)


def order(rows: Rows) -> Order:
    return Order(
        run_id=rows.run,
        step="first",
        account_id=rows.account,
        contact_id=rows.ann,
        category="education",
        subject="Hello",
        text="Hello Ann",
        html="<p>Hello Ann</p>",
        sender="cs@vendor.example",
        base_url="https://cs.vendor.example",
    )


def ledger(store: Store) -> list[DeliveryState]:
    with store.read() as session:
        return list(deliveries.states(session).values())


def test_asked_for_three_times_it_is_written_once(sqlite_store: Store, rows: Rows, tmp_path: Path) -> None:
    channel = FileChannel(tmp_path / "out")
    verdicts = [deliver(sqlite_store, channel, order(rows), AT) for _ in range(3)]
    assert [verdict.state for verdict in verdicts] == [DeliveryState.SENT] * 3
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_the_letter_carries_the_contacts_own_way_out(sqlite_store: Store, rows: Rows, tmp_path: Path) -> None:
    deliver(sqlite_store, FileChannel(tmp_path / "out"), order(rows), AT)
    [path] = (tmp_path / "out").iterdir()
    link = message_from_bytes(path.read_bytes())["List-Unsubscribe"].strip("<>")
    with sqlite_store.begin() as session:
        secret = secrets.get(session, unsubscribing.SECRET)
    token = link.removeprefix("https://cs.vendor.example/u/")
    assert unsubscribing.read_token(secret, token) == ("ann@acme.example", "education")


@pytest.mark.parametrize(
    ("fault", "state", "taken"),
    [
        ("rcpt:451", DeliveryState.NOT_SENT, 1),
        ("refuse", DeliveryState.NOT_SENT, 1),
        ("rcpt:550", DeliveryState.NOT_SENT, 0),
        ("dot:drop", DeliveryState.AMBIGUOUS, 0),
        ("", DeliveryState.SENT, 0),
    ],
)
def test_only_what_certainly_did_not_go_and_may_go_later_is_tried_again(
    sqlite_store: Store,
    rows: Rows,
    fault: str,
    state: DeliveryState,
    taken: int,
) -> None:
    with FaultyRelay(fault) as relay:
        first = deliver(sqlite_store, SmtpChannel("127.0.0.1", relay.port, seconds=0.3), order(rows), AT)
    assert first.state is state
    with FaultyRelay() as healthy:
        second = deliver(sqlite_store, SmtpChannel("127.0.0.1", healthy.port), order(rows), AT)
    assert len(healthy.taken) == taken
    assert second.state is (DeliveryState.SENT if taken else state)
    assert ledger(sqlite_store) == [second.state]


def test_a_letter_that_cannot_be_an_email_is_refused_for_good(sqlite_store: Store, rows: Rows, tmp_path: Path) -> None:
    verdict = deliver(
        sqlite_store, FileChannel(tmp_path), replace(order(rows), subject="Hello\r\nBcc: x@y.example"), AT
    )
    assert (verdict.state, verdict.permanent) == (DeliveryState.NOT_SENT, True)
    assert "the subject contains a control character" in verdict.reason
    assert list(tmp_path.glob("*.eml")) == []


def test_a_paused_run_holds_the_letter_until_it_is_resumed(sqlite_store: Store, rows: Rows, tmp_path: Path) -> None:
    channel = FileChannel(tmp_path / "out")
    with sqlite_store.begin() as session:
        session.get_one(RunRow, rows.run).state = "paused"
    held = deliver(sqlite_store, channel, order(rows), AT)
    assert (held.state, held.permanent, held.reason) == (DeliveryState.NOT_SENT, False, "the run is paused")
    with sqlite_store.begin() as session:
        session.get_one(RunRow, rows.run).state = "active"
    assert deliver(sqlite_store, channel, order(rows), AT).state is DeliveryState.SENT
