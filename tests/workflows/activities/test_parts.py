"""A cycle shard by shard, and one over what changed: both come to what one over everything at once would."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select, update

from engine.errors import Refused
from engine.evaluation.evaluation import evaluate
from engine.store import bundles, changed, score_overrides
from engine.store.base import Base
from engine.store.columns import open_columns
from engine.store.decision_tables import ScoreRow, SignalStatesRow
from engine.store.facts import load_facts
from engine.store.run_tables import RunRow, WaitRow
from engine.store.sessions import Store, connect
from engine.store.states import of_accounts
from engine.store.tables import AccountRow
from engine.terms import RunState, Tier
from tests.workflows.activities.small import ACCOUNTS, DAY, at, fill, left, send, send_days, small
from workflows.activities.cycle import run_cycle, run_part

REAL_DAY = 86_400.0


def made(folder: Path, name: str) -> Store:
    """A fresh database with the small portfolio."""
    store = connect(f"sqlite:///{folder}/{name}.db")
    Base.metadata.create_all(store.engine)
    fill(store)
    return store


def lived(store: Store, seed: int, shard: int = 8_192, sharded: int = 5) -> Store:
    """Five days of data with a cycle each evening, the last of them in shards."""
    for day in range(DAY - 4, DAY + 1):
        send_days(store, seed * 1_000 + day, [day])
        run_cycle(store, small(), at(day), day_seconds=REAL_DAY, shard=shard if day > DAY - sharded else 8_192)
    return store


def changes(store: Store, seed: int) -> None:
    """A few accounts get other values today and corrected ones for yesterday; one churns, one is overridden."""
    generator = np.random.default_rng(seed)
    chosen = [int(one) for one in generator.choice(np.arange(1, ACCOUNTS + 1), 6, replace=False)]
    with store.begin() as session:
        for day in (DAY - 1, DAY):
            send(session, day, "usage", {one: float(generator.integers(0, 100)) for one in chosen[:4]})
            send(session, day, "value", {one: float(generator.integers(0, 100)) for one in chosen[2:5]})
        score_overrides.override(
            session,
            chosen[5],
            "health",
            score=None,
            tier=Tier.DOING_WELL,
            reason="they said so",
            member="mia@example.org",
            expires_at=at(DAY + 5),
            at=at(DAY, 19),
        )
        session.execute(update(AccountRow).where(AccountRow.id == chosen[0]).values(stage="churned"))
        changed.mark(session, [chosen[0]])


def seen_now(store: Store) -> changed.Changed:
    with store.read() as session:
        return changed.read(session)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_a_cycle_over_what_changed_leaves_what_one_over_everything_leaves(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Bit for bit: states, scores, decisions, runs, what is asked. Ranks are compared with the peers of
    the last cycle over all, so the values that ranks are made of stay as they are in this comparison."""
    folder = tmp_path_factory.mktemp("equal")
    part, whole = (lived(made(folder, name), seed) for name in ("part", "whole"))
    for store in (part, whole):
        changes_without_ranks(store, seed)
    seen = seen_now(part)
    assert 0 < len(seen.accounts) < 10
    run_part(part, small(), at(DAY, 21), seen, day_seconds=REAL_DAY)
    run_cycle(whole, small(), at(DAY, 21), day_seconds=REAL_DAY)
    found, wanted = left(part), left(whole)
    assert {name: found[name] for name in wanted} == wanted


def changes_without_ranks(store: Store, seed: int) -> None:
    generator = np.random.default_rng(seed)
    chosen = [int(one) for one in generator.choice(np.arange(1, ACCOUNTS + 1), 5, replace=False)]
    with store.begin() as session:
        for day in (DAY - 1, DAY):
            send(session, day, "usage", {one: float(generator.integers(0, 100)) for one in chosen})
        session.execute(update(AccountRow).where(AccountRow.id == chosen[0]).values(stage="churned"))
        changed.mark(session, [chosen[0]])


@pytest.mark.parametrize(("shard", "days"), [(1, 2), (7, 5), (50, 5)])
def test_shards_come_to_what_one_look_at_everybody_comes_to(tmp_path: Path, shard: int, days: int) -> None:
    """Ranks too: everybody is compared with everybody, whatever shard they are in."""
    assert left(lived(made(tmp_path, "shards"), 3, shard, days)) == left(lived(made(tmp_path, "whole"), 3))


def test_packed_columns_come_to_what_the_points_come_to(tmp_path: Path) -> None:
    store, plain = made(tmp_path, "columns"), lived(made(tmp_path, "plain"), 5)
    columns = open_columns(store, str(tmp_path / "columns"))
    assert columns is not None
    for day in range(DAY - 4, DAY + 1):
        send_days(store, 5 * 1_000 + day, [day])
        run_cycle(store, small(), at(day), day_seconds=REAL_DAY, columns=columns, shard=20)
    assert left(store) == left(plain)
    for each in (store, plain):
        changes(each, 5)
    run_part(store, small(), at(DAY, 21), seen_now(store), day_seconds=REAL_DAY, columns=columns)
    run_part(plain, small(), at(DAY, 21), seen_now(plain), day_seconds=REAL_DAY)
    assert left(store) == left(plain)
    columns.close()


def test_a_day_evaluated_again_is_as_if_it_had_been_evaluated_once(tmp_path: Path) -> None:
    """S4-15: what a signal remembers is of the day before; a wrong value of the morning leaves no trace in it."""
    once, twice = (lived(made(tmp_path, name), 9) for name in ("once", "twice"))
    with twice.begin() as session:
        send(session, DAY + 1, "usage", dict.fromkeys(range(1, ACCOUNTS + 1), 99.0))
    run_cycle(twice, small(), at(DAY + 1, 8), day_seconds=None)
    for store in (once, twice):
        with store.begin() as session:
            send(session, DAY + 1, "usage", {one: float(one) for one in range(1, ACCOUNTS + 1)})
        run_cycle(store, small(), at(DAY + 1), day_seconds=None)
    found, wanted = left(twice), left(once)
    assert (found["states"], found["scores"]) == (wanted["states"], wanted["scores"])


def test_a_part_is_compared_with_everybody_and_not_with_itself(store: Store) -> None:
    """The lowest of three changed accounts is not the bottom tenth because of that."""
    fill(store)
    with store.begin() as session:
        send(session, DAY, "value", {one: float(one) for one in range(1, ACCOUNTS + 1)})
    run_cycle(store, small(), at(DAY), day_seconds=None)
    with store.begin() as session:
        send(session, DAY, "value", {40: 2.0, 41: 44.0, 42: 45.0})
    run_part(store, small(), at(DAY, 21), seen_now(store), day_seconds=None)
    with store.read() as session:
        ranks = {one.account_id: one.value for one in of_accounts(session, [40, 41, 42]) if one.signal == "last"}
    assert ranks == {40: 4.0, 41: 88.0, 42: 90.0}


def test_one_account_alone_is_seen_as_the_cycle_saw_it(store: Store) -> None:
    """Rank, score and tier are what they were among all: a run that asks reads its own account and nobody else's."""
    fill(store)
    send_days(store, 6, [DAY])
    run_cycle(store, small(), at(DAY), day_seconds=None)
    with store.read() as session:
        for row in session.scalars(select(ScoreRow).where(ScoreRow.account_id < 9)):
            seen = evaluate(small(), load_facts(session, small(), DAY, [row.account_id]))
            assert seen.scores["health"].computed.tolist() == [-1 if row.computed is None else row.computed]


def test_marks_that_come_while_a_cycle_looks_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed after the data was read is looked at by the next cycle."""
    store = lived(made(tmp_path, "late"), 2)
    with store.begin() as session:
        send(session, DAY, "usage", {1: 5.0})
    seen = seen_now(store)
    with store.begin() as session:
        send(session, DAY, "usage", {1: 6.0, 2: 7.0})
    run_part(store, small(), at(DAY, 21), seen, day_seconds=None)
    assert seen_now(store).accounts == (1, 2)
    run_cycle(store, small(), at(DAY, 22), day_seconds=None)
    assert seen_now(store).marks == ()


def test_a_part_needs_a_cycle_over_all_of_its_day_and_definitions(tmp_path: Path) -> None:
    store = lived(made(tmp_path, "due"), 2)
    with store.begin() as session:
        send(session, DAY, "usage", {1: 5.0})
    with pytest.raises(Refused, match="one is due first"):
        run_part(store, small(), at(DAY + 1), seen_now(store), day_seconds=None)
    other = replace(small(), fingerprint="f" * 64)
    with pytest.raises(Refused, match="one is due first"):
        run_part(store, other, at(DAY, 21), seen_now(store), day_seconds=None)


def test_a_part_wakes_the_runs_of_its_accounts(store: Store) -> None:
    """What a run waits for has come with the data, and the run is told at once."""
    fill(store)
    run_cycle(store, small(), at(DAY - 1), day_seconds=None)
    with store.begin() as session:
        for day in (DAY - 1, DAY):
            send(session, day, "usage", {1: 10.0, 2: 10.0})
    run_cycle(store, small(), at(DAY), day_seconds=REAL_DAY)
    with store.begin() as session:
        runs = {row.account_id: row for row in session.scalars(select(RunRow))}
        for row in runs.values():
            row.state = RunState.WAITING.value
            condition = {">=": [{"var": "usage"}, 70]}
            session.add(WaitRow(run_id=row.id, step="wait-1", condition=condition, until=at(DAY) + timedelta(days=9)))
        assert runs
    account = min(runs)
    with store.begin() as session:
        send(session, DAY, "usage", {account: 80.0})
    result = run_part(store, small(), at(DAY, 21), seen_now(store), day_seconds=REAL_DAY)
    assert (result.accounts, result.woken) == (1, 1)


def test_a_score_goes_when_its_scorecard_does_not_apply_any_more(tmp_path: Path) -> None:
    store = lived(made(tmp_path, "gone"), 4)
    with store.begin() as session:
        session.execute(update(AccountRow).where(AccountRow.id == 3).values(stage="churned"))
        changed.mark(session, [3])
    run_part(store, small(), at(DAY, 21), seen_now(store), day_seconds=None)
    with store.read() as session:
        scored = set(session.scalars(select(ScoreRow.account_id).where(ScoreRow.day == DAY)))
        assert 3 not in scored
        assert len(scored) == ACCOUNTS - 1
        assert len(session.scalars(select(SignalStatesRow.account_id)).all()) == ACCOUNTS


def test_everything_a_person_or_a_source_says_of_an_account_marks_it(store: Store) -> None:
    """Points, corrections, overrides: each leaves a mark of its own; too many stand for everything."""
    fill(store)
    with store.begin() as session:
        changed.forget(session, changed.read(session))
        send(session, DAY, "usage", {4: 1.0})
    assert seen_now(store).accounts == (4,)
    with store.begin() as session:
        send(session, DAY, "usage", {4: 1.0})  # nothing new
        send(session, DAY, "usage", {5: 1.0, 4: 2.0})
    assert seen_now(store).accounts == (4, 5)
    assert len(seen_now(store).marks) == 3
    with store.begin() as session:
        changed.mark(session, range(1, changed.MANY + 2))
    assert seen_now(store).everything
    with store.begin() as session:
        changed.forget(session, changed.read(session))
    assert seen_now(store) == changed.Changed()


def test_of_the_bundle_in_force_nothing_is_asked_that_it_does_not_compare(store: Store) -> None:
    """A bundle without ranks keeps no values of everybody."""
    fill(store)
    plain = replace(small(), rules={"low": small().rules["low"]}, scorecards={})
    with store.begin() as session:
        bundles.publish(session, plain, "test", at(DAY))
    run_cycle(store, plain, at(DAY), day_seconds=None)
    assert left(store)["peers"] == []
