"""Facts as the evaluation reads them: the right rows, nothing after the day, and what never gets stale."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.evaluation.evaluation import evaluate
from engine.evaluation.facts import Series
from engine.store import points
from engine.store.facts import load_facts
from engine.store.files import check
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow, EventRow, GoalRow, SubjectRow

AT = datetime(2026, 9, 1, 20, tzinfo=UTC)
TODAY = (AT - datetime(1970, 1, 1, tzinfo=UTC)).days


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    checked, _ = check(str(Path(__file__).parents[3]))
    assert checked.bundle is not None
    return checked.bundle


@pytest.fixture
def three(store: Store) -> Store:
    """Accounts 1, 2 and 4 (3 is a contact of account 1)."""
    with store.begin() as session:
        for number in (1, 2, 4):
            session.add(SubjectRow(id=number, kind="account"))
            session.flush()
            session.add(
                AccountRow(
                    id=number, key=f"a{number}", name=f"A{number}", arr=None, fields={"region": "north"}, recorded_at=AT
                )
            )
        session.flush()
        session.add(SubjectRow(id=3, kind="contact"))
        session.flush()
        session.add(ContactRow(id=3, key="c3", account_id=1, name="Ana", roles=["champion"], recorded_at=AT))
    return store


def put(session: Session, metric: str, subject: int, day: int, value: float) -> None:
    points.record(session, subject, metric, day, value, AT)


def test_a_metric_that_never_gets_stale_keeps_its_last_value_from_before_the_window(
    three: Store, shipped: Bundle
) -> None:
    with three.begin() as session:
        put(session, "seats_sold", 1, TODAY - 900, 50)
        put(session, "seats_sold", 1, TODAY - 800, 100)
        put(session, "active_users", 1, TODAY, 30)
    with three.read() as session:
        evaluation = evaluate(shipped, load_facts(session, shipped, TODAY))
    assert evaluation.columns["license_utilization"].values[0] == pytest.approx(0.3)  # type: ignore[union-attr]


def test_nothing_after_the_day_is_seen(three: Store, shipped: Bundle) -> None:
    """S1-28: the history of a metric as of a day."""
    with three.begin() as session:
        put(session, "seats_sold", 1, TODAY - 5, 100)
        put(session, "seats_sold", 1, TODAY + 1, 200)
    with three.read() as session:
        series = load_facts(session, shipped, TODAY).series["seats_sold"]
    assert series.values.tolist() == [100]


def test_points_stand_at_the_row_of_their_account(three: Store, shipped: Bundle) -> None:
    with three.begin() as session:
        put(session, "active_users", 4, TODAY, 7)
        put(session, "active_users", 1, TODAY - 1, 5)
        put(session, "active_users", 1, TODAY, 6)
    with three.read() as session:
        facts = load_facts(session, shipped, TODAY)
    series = facts.series["active_users"]
    assert isinstance(series, Series)
    assert facts.accounts.keys == ("a1", "a2", "a4")
    assert list(zip(series.rows, series.days - TODAY, series.values, strict=True)) == [(0, -1, 5), (0, 0, 6), (2, 0, 7)]


def test_the_facts_of_one_account_equal_its_part_of_all_facts(three: Store, shipped: Bundle) -> None:
    with three.begin() as session:
        put(session, "active_users", 1, TODAY, 6)
        put(session, "active_users", 4, TODAY, 7)
        session.add(
            EventRow(id=1, key="e", name="escalation", account_id=4, day=TODAY, at=AT, fields={}, recorded_at=AT)
        )
        session.add(GoalRow(account_id=4, goal="tickets_deflected", target=100, start_day=TODAY - 50, end_day=TODAY))
    with three.read() as session:
        whole = evaluate(shipped, load_facts(session, shipped, TODAY))
        alone = evaluate(shipped, load_facts(session, shipped, TODAY, [4]))
    row = whole.facts.accounts.keys.index("a4")
    for name, scored in whole.scores.items():
        assert alone.scores[name].computed[0] == scored.computed[row]
        np.testing.assert_array_equal(alone.scores[name].contributions[0], scored.contributions[row])
    for name, observed in whole.signals.items():
        assert alone.signals[name].verdicts[0] == observed.verdicts[row]


def test_an_unknown_revenue_is_unknown_and_a_pushed_field_is_a_column(three: Store, shipped: Bundle) -> None:
    with three.read() as session:
        facts = load_facts(session, shipped, TODAY)
    assert np.isnan(facts.fields["arr"].values).all()  # type: ignore[union-attr]
    region = facts.fields["region"]
    assert [region.words[code] for code in region.codes] == ["north"] * 3  # type: ignore[union-attr]
    assert facts.contacts.account_rows.tolist() == [0]
    assert facts.contacts.roles == (frozenset({"champion"}),)
