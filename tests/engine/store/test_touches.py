"""What is known of a person where a delivery is claimed: caps, twins, quiet, holds, over all accounts and playbooks."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.definitions.calendar import WEEKDAYS_ONLY
from engine.definitions.contact_policy import USUAL_POLICY
from engine.definitions.playbook import Span
from engine.store import deliveries, holds
from engine.store.deliveries import Claim, Settled
from engine.store.run_tables import DeliveryRow, OutboxRow, RunRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow, EventRow
from engine.store.touches import Rules
from engine.terms import DeliveryState
from tests.engine.store.letters import AT, Rows, put_rows, put_run, wanted

RULES = Rules(USUAL_POLICY, WEEKDAYS_ONLY)


def claim(store: Store, rows: Rows, at: datetime = AT, **change: Any) -> Claim | Settled:
    with store.begin() as session:
        return deliveries.claim(session, wanted(rows, **({"rules": RULES} | change)), at)


def why(found: Claim | Settled) -> str:
    assert isinstance(found, Settled), found
    return found.reason


def other_run(store: Store, rows: Rows, **columns: Any) -> int:
    with store.begin() as session:
        return put_run(session, rows.account, **({"playbook": "check-in"} | columns))


def put_event(store: Store, rows: Rows, name: str, at: datetime, contact: int | None) -> None:
    with store.begin() as session:
        about = {"account_id": rows.account, "contact_id": contact}
        day = (at.date() - datetime(1970, 1, 1).date()).days  # noqa: DTZ001 # only its day
        session.add(EventRow(key=f"{name}-{at}-{contact}", name=name, day=day, at=at, recorded_at=AT, **about))


@pytest.fixture
def rows(sqlite_store: Store) -> Rows:
    with sqlite_store.begin() as session:
        return put_rows(session)


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    return sqlite_store


def test_a_second_message_on_one_day_waits_whatever_playbook_sends_it(store: Store, rows: Rows) -> None:
    assert isinstance(claim(store, rows), Claim)
    second = claim(store, rows, run_id=other_run(store, rows))
    assert isinstance(second, Settled)
    assert not second.permanent
    assert second.later is not None
    assert second.later.date() == AT.date() + timedelta(days=1)
    assert second.reason.startswith("Waits for 09:")
    assert second.reason.endswith(" UTC: frequency_capped: 1 message a day are the most")


def test_somebody_else_at_the_account_is_another_person(store: Store, rows: Rows) -> None:
    assert isinstance(claim(store, rows), Claim)
    assert isinstance(claim(store, rows, contact_id=rows.bob), Claim)


def test_one_person_in_two_accounts_has_one_measure_whatever_the_letters_of_the_address(
    store: Store, rows: Rows
) -> None:
    with store.begin() as session:
        elsewhere = put_rows(session, playbook="check-in")
        session.get_one(ContactRow, elsewhere.ann).email = "ANN@acme.example"
    assert isinstance(claim(store, rows), Claim)
    assert "frequency_capped" in why(claim(store, elsewhere))


def test_one_person_in_two_accounts_gets_one_mail_of_a_step(store: Store, rows: Rows) -> None:
    """D.3 19: the other is in the ledger as a duplicate, and goes never."""
    with store.begin() as session:
        elsewhere = put_rows(session)
    assert isinstance(claim(store, rows), Claim)
    twin = claim(store, elsewhere)
    assert twin == Settled(DeliveryState.NOT_SENT, "duplicate: the same message went to this person within a day")
    assert claim(store, elsewhere, AT + timedelta(days=3)) == twin


def test_an_operational_message_neither_waits_nor_counts(store: Store, rows: Rows) -> None:
    night = AT.replace(hour=23)
    assert isinstance(claim(store, rows, night, category="operational"), Claim)
    assert isinstance(claim(store, rows, AT + timedelta(days=1), run_id=other_run(store, rows)), Claim)


def test_what_was_put_off_goes_when_its_time_has_come_and_only_then_counts_as_put_off(store: Store, rows: Rows) -> None:
    evening = AT.replace(hour=20)
    first = claim(store, rows, evening)
    assert isinstance(first, Settled)
    assert first.later is not None
    assert claim(store, rows, evening + timedelta(minutes=5)) == first
    with store.read() as session:
        row = session.scalars(select(DeliveryRow)).one()
        assert (row.since, row.due_at, row.reschedules, row.state) == (evening, first.later, 1, "not_sent")
    assert isinstance(claim(store, rows, first.later), Claim)


def test_what_comes_too_late_is_left_out_for_good(store: Store, rows: Rows) -> None:
    evening = AT.replace(hour=20)
    found = claim(store, rows, evening, max_lateness=Span(0.25))
    assert found == Settled(
        DeliveryState.NOT_SENT, "left out, because it would come too late: outside working hours", permanent=True
    )


def test_the_less_important_yields_to_what_is_due_the_same_day(store: Store, rows: Rows) -> None:
    early = AT.replace(hour=7)
    save = other_run(store, rows)
    assert isinstance(claim(store, rows, early, run_id=save, priority="save"), Settled)
    assert "something more important" in why(claim(store, rows, AT, priority="news"))
    with store.begin() as session:
        session.get_one(RunRow, save).state = "cancelled"
    assert isinstance(claim(store, rows, AT + timedelta(hours=1), priority="news"), Claim)


@pytest.mark.parametrize("name", ["reply", "meeting", "call", "survey_answered"])
def test_nothing_goes_to_somebody_who_has_just_been_talked_to(store: Store, rows: Rows, name: str) -> None:
    put_event(store, rows, name, AT - timedelta(hours=20), rows.ann)
    assert "have just" in why(claim(store, rows)) or "has just" in why(claim(store, rows))
    assert isinstance(claim(store, rows, contact_id=rows.bob), Claim)
    put_event(store, rows, name, AT - timedelta(hours=10), None)
    assert isinstance(claim(store, rows, run_id=other_run(store, rows), contact_id=rows.bob), Settled)


def test_while_an_escalation_is_open_nobody_at_the_account_is_written_to(store: Store, rows: Rows) -> None:
    put_event(store, rows, "escalation", AT - timedelta(days=1), None)
    assert "an escalation of the account is open" in why(claim(store, rows, max_lateness=Span(60)))
    put_event(store, rows, "escalation_closed", AT - timedelta(hours=1), rows.bob)
    assert isinstance(claim(store, rows), Claim)


def test_an_escalation_nobody_ever_closed_is_over_some_day(store: Store, rows: Rows) -> None:
    put_event(store, rows, "escalation", AT - timedelta(days=15), None)
    assert isinstance(claim(store, rows), Claim)


def test_events_of_a_scaled_run_are_on_the_clock_of_the_data(store: Store, rows: Rows) -> None:
    """A day of such a run takes a second and a half; a call three days ago was four and a half seconds ago."""
    run = other_run(store, rows, day_seconds=1.5)
    with store.begin() as session:
        session.get_one(RunRow, run).started_at = AT
    put_event(store, rows, "call", AT - timedelta(days=1), rows.ann)
    found = claim(store, rows, run_id=run)
    assert isinstance(found, Settled)
    assert found.later == AT + timedelta(seconds=3)


def test_the_zone_is_the_contacts_then_the_accounts_and_a_name_that_is_none_is_passed_over(
    store: Store, rows: Rows
) -> None:
    with store.begin() as session:
        session.get_one(AccountRow, rows.account).fields = {"time_zone": "America/New_York"}
        session.get_one(ContactRow, rows.bob).time_zone = "Mars/Olympus"
        session.get_one(ContactRow, rows.ann).time_zone = "Europe/Berlin"
    assert isinstance(claim(store, rows), Claim)
    assert "in New York: outside working hours" in why(claim(store, rows, contact_id=rows.bob))


def test_who_chose_weekly_anywhere_hears_weekly_everywhere(store: Store, rows: Rows) -> None:
    """S2-56."""
    with store.begin() as session:
        elsewhere = put_rows(session, playbook="check-in")
        session.get_one(ContactRow, elsewhere.ann).frequency = "weekly"
    assert isinstance(claim(store, rows), Claim)
    found = claim(store, rows, AT + timedelta(days=2), run_id=other_run(store, rows, playbook="third"))
    assert "1 message in seven days" in why(found) or "frequency_capped: 1 message" in why(found)


def test_nothing_is_claimed_while_it_is_on_hold_and_a_release_wakes_what_waits(store: Store, rows: Rows) -> None:
    """P6: a hold counts from its row on."""
    with store.begin() as session:
        held = holds.hold(session, account_id=None, cause="member", reason="wrong list", author="dana", at=AT)
    found = claim(store, rows)
    assert isinstance(found, Settled)
    assert (found.permanent, found.later) == (False, AT + timedelta(minutes=10))
    assert "dana put everything on hold" in found.reason
    with store.begin() as session:
        session.get_one(RunRow, rows.run).state = "waiting"
        holds.release(session, held, "dana", AT)
        assert deliveries.wake_held(session, None, AT) == 1
    with store.read() as session:
        assert session.scalars(select(OutboxRow.payload)).all() == [{"outcome": "again", "step": "first"}]
    with store.begin() as session:
        session.get_one(RunRow, rows.run).state = "active"
    assert isinstance(claim(store, rows), Claim)


def test_a_long_hold_is_not_being_put_off_again_and_again(store: Store, rows: Rows) -> None:
    """F34 counts what windows and caps do, not how often a message on hold asks."""
    with store.begin() as session:
        holds.hold(session, account_id=None, cause="member", reason="wrong list", author="dana", at=AT)
    for minutes in range(0, 300, 10):
        assert isinstance(claim(store, rows, AT + timedelta(minutes=minutes)), Settled)
    with store.read() as session:
        assert session.scalars(select(DeliveryRow.reschedules)).one() == 0


def test_a_hold_of_one_account_leaves_the_others(store: Store, rows: Rows) -> None:
    with store.begin() as session:
        elsewhere = put_rows(session, playbook="check-in")
        session.get_one(ContactRow, elsewhere.ann).email = "else@other.example"
        holds.hold(session, account_id=rows.account, cause="member", reason="a dispute", author="dana", at=AT)
    assert isinstance(claim(store, rows), Settled)
    assert isinstance(claim(store, elsewhere), Claim)
