"""The outbox: in order for each run, again later, and never lost."""

from datetime import timedelta

import pytest

from engine.store import outbox
from engine.store.sessions import Store
from engine.terms import OutboxKind
from tests.engine.store.letters import AT, Rows, put_rows, put_run

LATER = AT + timedelta(seconds=5)


@pytest.fixture
def rows(store: Store) -> Rows:
    with store.begin() as session:
        return put_rows(session)


def test_messages_come_in_the_order_they_were_written(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        outbox.add(session, OutboxKind.START, rows.run, {}, AT)
        outbox.add(session, OutboxKind.WAKE, rows.run, {"outcome": "exit"}, AT)
    with store.read() as session:
        due = outbox.due(session, AT, 10)
        assert [(message.kind, message.run_id, dict(message.payload)) for message in due] == [
            (OutboxKind.START, rows.run, {}),
            (OutboxKind.WAKE, rows.run, {"outcome": "exit"}),
        ]
        assert outbox.due(session, AT, 1) == due[:1]


def test_a_message_that_waits_holds_back_the_later_ones_of_its_run_only(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        other = put_run(session, rows.account, playbook="check-in")
        for run in (rows.run, rows.run, other):
            outbox.add(session, OutboxKind.START, run, {}, AT)
        first = outbox.due(session, AT, 1)[0]
        outbox.failed(session, first.id, "Temporal is down", LATER)
    with store.read() as session:
        assert [message.run_id for message in outbox.due(session, AT, 10)] == [other]
        again = outbox.due(session, LATER, 10)
        assert [(message.run_id, message.attempts) for message in again] == [(rows.run, 1), (rows.run, 0), (other, 0)]


def test_what_has_arrived_is_not_due_again(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        outbox.add(session, OutboxKind.START, rows.run, {}, AT)
        assert outbox.depth(session) == 1
        outbox.done(session, outbox.due(session, AT, 1)[0].id, AT)
        assert outbox.depth(session) == 0
        assert outbox.due(session, LATER, 10) == ()


def test_when_temporal_is_back_nothing_waits_any_longer(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        outbox.add(session, OutboxKind.START, rows.run, {}, AT)
        outbox.failed(session, outbox.due(session, AT, 1)[0].id, "Temporal is down", LATER)
        assert outbox.due(session, AT, 10) == ()
        outbox.retry_now(session, AT)
        assert len(outbox.due(session, AT, 10)) == 1


def test_what_is_urgent_goes_before_what_has_waited_longer(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        many = [put_run(session, rows.account, playbook=f"check-{number}") for number in range(5)]
        for run in many:
            outbox.add(session, OutboxKind.START, run, {}, AT, priority=outbox.ORDINARY)
        outbox.add(session, OutboxKind.START, rows.run, {}, AT, priority=outbox.URGENT)
    with store.read() as session:
        assert [message.run_id for message in outbox.due(session, AT, 3)] == [rows.run, *many[:2]]


def test_what_a_person_does_to_a_run_takes_its_start_along_and_never_overtakes_it(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        many = [put_run(session, rows.account, playbook=f"check-{number}") for number in range(5)]
        for run in many:
            outbox.add(session, OutboxKind.START, run, {}, AT, priority=outbox.ORDINARY)
        outbox.add(session, OutboxKind.UPDATE, many[-1], {"act_id": 1}, AT)
    with store.read() as session:
        first = outbox.due(session, AT, 2)
        assert [(message.run_id, message.kind) for message in first] == [
            (many[-1], OutboxKind.START),
            (many[-1], OutboxKind.UPDATE),
        ]
