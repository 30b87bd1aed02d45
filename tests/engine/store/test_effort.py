"""Where effort and need part, and what is told in the morning."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from engine.definitions.bundle import Bundle
from engine.evaluation.care import Care
from engine.store.attention import queue
from engine.store.before import end_of
from engine.store.decision_tables import DecisionRow, ScoreRow
from engine.store.digests import Entry, digest
from engine.store.effort import Looked, looked_after
from engine.store.files import check
from engine.store.run_tables import TaskRow
from engine.store.sessions import Store
from engine.store.tables import EventRow
from tests.engine.store.futures import END, WHEN, live
from tests.seeding import DAY, OTHER, OWNER, seed


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """The definitions that are shipped."""
    found = check(".")[0].bundle
    assert found is not None
    return found


@pytest.fixture
def hundred(sqlite_store: Store) -> Store:
    """A hundred accounts that nobody has touched."""
    with sqlite_store.begin() as session:
        live(session, accounts=130, steps=6)
    return sqlite_store


def looked(store: Store) -> dict[int, Looked]:
    with store.read() as session:
        return {one.turn.account_id: one for one in looked_after(session, END)}


def meet(store: Store, account: int, ago: int, times: int = 1) -> None:
    at = end_of(END) - timedelta(days=ago, hours=1)
    with store.begin() as session:
        for number in range(times):
            key = f"m{account}-{ago}-{number}"
            row = EventRow(key=key, name="meeting", account_id=account, day=END - ago, at=at, recorded_at=WHEN)
            session.add(row)


def test_who_could_be_saved_and_is_not_touched_is_found_until_somebody_is_at_it(hundred: Store) -> None:
    """S3-09: saveable and untouched for 30 days; a meeting or an open task ends it."""
    found = looked(hundred)
    saveable = [account for account, one in found.items() if one.care is Care.NEGLECTED_SAVEABLE]
    assert len(saveable) >= len(found) // 4
    least = min(found[account].turn.risk for account in saveable)
    assert all(one.turn.risk < least for one in found.values() if one.care is None)
    met, long_ago, tasked = saveable[:3]
    meet(hundred, met, 29)
    meet(hundred, long_ago, 30)
    with hundred.begin() as session:
        session.add(TaskRow(account_id=tasked, step="t", title="Call", assignee="ann", state="open", created_at=WHEN))
    after = looked(hundred)
    assert [after[one].care is Care.NEGLECTED_SAVEABLE for one in (met, long_ago, tasked)] == [False, True, False]
    assert (after[met].touches, after[met].untouched, after[tasked].open) == (1, 29, 1)


def test_who_could_grow_and_is_not_touched_is_found(hundred: Store) -> None:
    """S3-10: growable and untouched, where there is not as much to save."""
    found = looked(hundred)
    growable = [one for one in found.values() if one.care is Care.NEGLECTED_GROWABLE]
    assert growable
    for one in growable:
        assert one.untouched is None
        meet(hundred, one.turn.account_id, 3)
    assert not [one for one in looked(hundred).values() if one.care is Care.NEGLECTED_GROWABLE]


def test_much_effort_where_little_can_be_saved_is_found(hundred: Store) -> None:
    """S3-08."""
    last = list(looked(hundred))[-1]
    first = next(iter(looked(hundred)))
    for account in (last, first):
        meet(hundred, account, 10, times=9)
    found = looked(hundred)
    assert found[last].care is Care.OVER_SERVED
    assert found[first].care is not Care.OVER_SERVED


def told(store: Store, bundle: Bundle, owner: str | None = OWNER) -> dict[str, Entry]:
    with store.read() as session:
        return {entry.key: entry for entry in digest(session, bundle, DAY, owner)}


def test_the_digest_says_what_changed_why_and_the_next_step(sqlite_store: Store, shipped: Bundle) -> None:
    """S4-60: a tier that changed, the metric behind it, what was decided on which evidence, what waits."""
    numbers = seed(sqlite_store).accounts
    with sqlite_store.begin() as session:
        elm = update(ScoreRow).where(ScoreRow.account_id == numbers["Elm Insurance"])
        session.execute(elm.where(ScoreRow.day < DAY).values(tier="doing_well", effective=80_000_000))
        session.execute(elm.where(ScoreRow.day == DAY).values(cause="license_utilization", effective=71_500_000))
    found = told(sqlite_store, shipped)
    assert found["elm-insurance"].changed == ("Doing Well became Take Notice", "score 80.0 to 71.5")
    assert found["elm-insurance"].why == ("most by Licence utilisation",)
    assert found["elm-insurance"].next == "nothing waits; it renews in 150 days"
    assert "started usage-recovery" in found["northwind-health"].changed
    assert any("the rule needs a fall of 20 %" in why for why in found["northwind-health"].why)
    assert found["northwind-health"].next.startswith("decide what waits for a yes until 2026-11-22")
    assert found["acorn-logistics"].next == "How do the calls with this account go?, due 2026-11-21"
    assert "delta-foundry" not in found


def test_the_digest_is_in_the_order_of_attention_and_of_the_owner(store: Store, shipped: Bundle) -> None:
    seed(store)
    everybody = told(store, shipped, None)
    places = [entry.place for entry in everybody.values()]
    assert places == sorted(places)
    assert set(told(store, shipped, OTHER)) == {"delta-foundry"}
    with store.read() as session:
        order = [turn.key for turn in queue(session, DAY)]
        touched = {one.turn.key: (one.touches, one.open) for one in looked_after(session, DAY)}
    assert touched["acorn-logistics"] == (1, 2), "a message was sent; a run and a task are open"
    assert [key for key in order if key in everybody] == list(everybody)


def test_a_day_without_news_leaves_what_waits(sqlite_store: Store, shipped: Bundle) -> None:
    seed(sqlite_store)
    with sqlite_store.begin() as session:
        for row in session.scalars(select(DecisionRow)):
            row.decided_at = end_of(DAY - 40)
        session.execute(update(ScoreRow).values(effective=50_000_000, tier="take_notice"))
    found = told(sqlite_store, shipped)
    assert set(found) == {"northwind-health", "acorn-logistics"}
    assert all(entry.changed == () for entry in found.values())
