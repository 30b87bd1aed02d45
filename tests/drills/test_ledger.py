"""What a drill looks at afterwards finds what is wrong: rows and logs are spoilt by hand, and each is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from api.drills import texts
from api.drills.ground import Ground
from api.drills.ledger import account_for, look_over
from api.drills.result import Found
from api.drills.site import Site, now
from engine.store.run_tables import DeliveryRow, RunRow
from engine.store.tables import ContactRow
from engine.terms import DeliveryState


@pytest.fixture
def site() -> Iterator[Site]:
    """An installation whose one run is done, and sent two letters."""
    with Ground(1) as ground:
        found = Site(ground, "site", "127.0.0.1:1")
        found.publish(texts.workspace(texts.letters("letter", 1)))
        found.people(1, each=2)
        found.begin("letter")
        with found.store.begin() as session:
            session.execute(update(RunRow).values(state="done"))
            contacts = session.scalars(select(ContactRow.id).order_by(ContactRow.id)).all()
            session.add_all(letter(found, number, contact) for number, contact in enumerate(contacts, 1))
        yield found


def letter(site: Site, number: int, contact: int) -> DeliveryRow:
    return DeliveryRow(
        account_id=site.accounts["account-0"],
        run_id=site.runs[0],
        step="email-hello",
        receiver=f"contact:{contact}",
        contact_id=contact,
        channel="smtp",
        message_id=f"<{number}@drill>",
        subject="A letter of the drill",
        content_hash="",
        state=DeliveryState.SENT.value,
        claimed_at=now(),
    )


ALL = {"<1@drill>": 1, "<2@drill>": 1}


def accounted(site: Site, delivered: dict[str, int], expected: int = 2) -> Found:
    found = Found()
    account_for(found, site, delivered, expected)
    look_over(found, site)
    return found


def spoil(site: Site, **values: object) -> None:
    with site.store.begin() as session:
        session.execute(update(DeliveryRow).where(DeliveryRow.message_id == "<1@drill>").values(**values))


def test_what_was_sent_once_and_arrived_once_holds(site: Site) -> None:
    found = accounted(site, ALL)
    assert found.broken == []
    assert (found.counts["delivered"], found.counts["twice"], found.counts["lost"]) == (2, 0, 0)


def test_a_letter_that_arrived_twice_is_found_unless_a_second_attempt_was_asked_for(site: Site) -> None:
    twice = ALL | {"<1@drill>": 2}
    assert any(one.startswith("I1: email-hello") for one in accounted(site, twice).broken)
    spoil(site, retries=1)
    assert accounted(site, twice).broken == []


@pytest.mark.parametrize(
    ("state", "arrived", "named"),
    [
        ("sent", 0, "I3: email-hello of run 1 (site) is sent but never arrived"),
        ("not_sent", 1, "I3: email-hello of run 1 (site) is not sent but arrived"),
        ("sending", 1, "I2: email-hello of run 1 (site) is still sending"),
        ("claimed", 0, "I2: email-hello of run 1 (site) is still claimed"),
    ],
)
def test_a_verdict_the_witness_denies_is_found(site: Site, state: str, arrived: int, named: str) -> None:
    spoil(site, state=state)
    assert named in accounted(site, ALL | {"<1@drill>": arrived}).broken


def test_a_letter_that_nobody_wrote_down_is_lost(site: Site) -> None:
    found = accounted(site, ALL, expected=3)
    assert found.counts["lost"] == 1
    assert "I2: the ledger of site has 2 deliveries, not 3" in found.broken


def test_an_open_run_is_stuck(site: Site) -> None:
    with site.store.begin() as session:
        session.execute(update(RunRow).values(state="waiting"))
    assert "I5: 1 runs of site are still open, not 0" in accounted(site, ALL).broken


def logged(site: Site, line: str) -> None:
    path = Path(site.folder) / "logs" / "worker-1.log"
    path.parent.mkdir()
    path.write_text(line)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (f"could not write to account-0.0@{texts.MARKER}", "holds the address of a contact"),
        ("Completing activity as failed (no idea whose)", "name no run"),
    ],
)
def test_an_address_or_a_nameless_error_in_a_log_is_found(site: Site, line: str, named: str) -> None:
    logged(site, line)
    assert any(named in one for one in accounted(site, ALL).broken)


def test_a_row_without_its_run_is_damage(site: Site) -> None:
    with site.store.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("DELETE FROM outbox")
        connection.exec_driver_sql("DELETE FROM runs")
    with site.store.read() as session:
        assert session.scalars(select(DeliveryRow.id)).all()
    assert "I8: the database of site is damaged" in accounted(site, ALL).broken
