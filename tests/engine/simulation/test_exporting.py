"""What the simulation writes is what the front door reads, without one fault."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

import numpy as np
import pytest

from engine.definitions.bundle import Bundle
from engine.evaluation.incoming.accounts import NumericColumns, PushedAccount, read_accounts
from engine.evaluation.incoming.contacts import PushedContact, read_contacts
from engine.evaluation.incoming.events import read_events
from engine.evaluation.incoming.faults import Faults
from engine.evaluation.incoming.points import read_points
from engine.evaluation.incoming.rows import Format
from engine.simulation.batches import Batch
from engine.simulation.exporting import accounts_csv, contacts_csv, events_csv, points_csv
from engine.simulation.portfolio import Portfolio, Response, make_portfolio
from engine.terms import Arm

FIRST = 20_600
NOW = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=FIRST + 180)


@pytest.fixture(scope="module")
def portfolio() -> Portfolio:
    portfolio = make_portfolio(8, 150, first_day=FIRST)
    kinds = {3: "champion-left", 5: "ready-to-expand", 1: "usage-falling"}
    traits = portfolio.view.traits
    found = [row for row in range(150) if int(traits.kind[row]) in kinds and traits.shows[row] < 90]
    wanted = [Response(portfolio.keys[row], kinds[int(traits.kind[row])], Arm.TREATED) for row in found]
    portfolio.respond(FIRST + 95, wanted)
    return portfolio


@pytest.fixture(scope="module")
def batch(portfolio: Portfolio) -> Batch:
    return portfolio.batch(FIRST + 96, portfolio.last_day)


@pytest.fixture
def faults() -> Iterator[Faults]:
    """Whatever was found wrong with a file fails the test that read it."""
    found = Faults()
    yield found
    assert [row.message for row in found.rows] == []


def all_accounts(chunks: Iterable[bytes], shipped: Bundle, faults: Faults) -> list[PushedAccount]:
    numeric = NumericColumns(Format.CSV)
    found = list(chain(*read_accounts(chunks, Format.CSV, shipped.catalog, faults, numeric)))
    return [numeric.typed(account) for account in found]


def all_contacts(chunks: Iterable[bytes], shipped: Bundle, faults: Faults) -> list[PushedContact]:
    return list(chain(*read_contacts(chunks, Format.CSV, shipped.catalog, faults)))


def test_accounts_come_with_the_goals_they_agreed(shipped: Bundle, portfolio: Portfolio, faults: Faults) -> None:
    found = all_accounts(accounts_csv(portfolio, FIRST), shipped, faults)
    assert tuple(account.key for account in found) == portfolio.keys
    goals = portfolio.goals()
    assert [bool(account.goals) for account in found] == (~np.isnan(goals.target)).tolist()
    assert {(goal.start_value, name) for account in found for name, goal in account.goals.items()} == {
        (0.0, "tickets_deflected")
    }


def test_contacts_have_addresses_and_roles(shipped: Bundle, portfolio: Portfolio, faults: Faults) -> None:
    found = all_contacts(contacts_csv(portfolio, FIRST), shipped, faults)
    assert len(found) == 900
    assert all(contact.said["email"] and contact.said["roles"] for contact in found)


def test_a_batch_names_the_records_that_changed(
    shipped: Bundle, portfolio: Portfolio, batch: Batch, faults: Faults
) -> None:
    accounts = all_accounts(accounts_csv(portfolio, portfolio.last_day, batch.accounts), shipped, faults)
    contacts = all_contacts(contacts_csv(portfolio, portfolio.last_day, batch.contacts), shipped, faults)
    assert "expansion" in {account.said["stage"] for account in accounts}
    assert any(contact.said["departed_on"] for contact in contacts)
    assert any(set(contact.said["roles"]) == {"champion", "key_user"} for contact in contacts)


def test_every_point_arrives_with_its_value(portfolio: Portfolio, batch: Batch, faults: Faults) -> None:
    blocks = read_points(points_csv(portfolio, batch), Format.CSV, faults)
    values = [float(value) for block in blocks for value in block.values]
    assert np.array_equal(values, batch.points.values)


def test_every_event_arrives_and_none_counts_twice(
    shipped: Bundle, portfolio: Portfolio, batch: Batch, faults: Faults
) -> None:
    found = list(chain(*read_events(events_csv(portfolio, batch), Format.CSV, shipped.catalog, NOW, faults)))
    assert len({event.key for event in found}) == len(found) == len(batch.events)
    assert {"upgraded", "champion_named", "login"} <= {event.event for event in found}
    assert all(event.contact.startswith(f"{event.account}/") for event in found)
    assert all(event.fields["seats"] for event in found if event.event == "upgraded")
