"""Fresh data starts runs at once: beside the last cycle over all accounts, and never before the first."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest_asyncio
from sqlalchemy import func, select, update
from temporalio.testing import WorkflowEnvironment

from engine.settings import Settings
from engine.store import bundles, changed
from engine.store.decision_tables import CycleRow
from engine.store.run_tables import RunRow
from engine.store.sessions import Store
from engine.terms import RunState
from tests.workflows.activities.small import ACCOUNTS, fill, send, small
from tests.workflows.server import start_server
from workflows.activities.cycle import EPOCH, Cycles, run_cycle
from workflows.at_once import AtOnce
from workflows.channels.choosing import choose_channel
from workflows.worker import run_worker


@pytest_asyncio.fixture
async def own_server() -> AsyncIterator[WorkflowEnvironment]:
    """A server that no other test sees: it starts no second run of a number, and every database counts from one."""
    environment = await start_server()
    yield environment
    await environment.shutdown()


def today() -> int:
    return (datetime.now(UTC) - EPOCH).days


def yesterdays_values(store: Store) -> None:
    """Everybody uses it well, and a cycle over all has seen that today."""
    fill(store)
    with store.begin() as session:
        bundles.publish(session, small(), "test", datetime.now(UTC))
        for day in (today() - 1, today()):
            send(session, day, "usage", dict.fromkeys(range(1, ACCOUNTS + 1), 80.0))
            send(session, day, "value", {one: 50.0 + one for one in range(1, ACCOUNTS + 1)})
    run_cycle(store, small(), datetime.now(UTC), day_seconds=86_400.0)


def fall(store: Store, account: int) -> None:
    with store.begin() as session:
        for day in (today() - 1, today()):
            send(session, day, "usage", {account: 5.0})


async def everything() -> None:
    """A cycle over all that somebody else runs."""


def state_of(store: Store, account: int) -> str | None:
    with store.read() as session:
        return session.scalar(select(RunRow.state).where(RunRow.account_id == account, RunRow.rule == "low"))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 # the database is changed by others
            await asyncio.sleep(0.02)


async def test_a_fall_starts_a_run_without_waiting_for_the_night(
    own_server: WorkflowEnvironment, sqlite_store: Store, tmp_path: Path
) -> None:
    """S0-64, S4-10: data in, run going, no human step; and nothing but what changed was evaluated."""
    yesterdays_values(sqlite_store)
    settings = Settings(data=str(tmp_path), task_queue=f"test-{uuid4()}")
    stop = asyncio.Event()
    with own_server.with_time_skipping_disabled():
        channel = choose_channel(settings)
        work = asyncio.create_task(run_worker(settings, sqlite_store, channel, own_server.client, stop=stop))
        try:
            fall(sqlite_store, 7)
            await until(lambda: state_of(sqlite_store, 7) == RunState.WAITING.value)
        finally:
            stop.set()
            async with asyncio.timeout(60):
                await work
    with sqlite_store.read() as session:
        assert session.scalar(select(func.count()).select_from(CycleRow)) == 1
        assert changed.read(session) == changed.Changed()


async def test_what_is_wanted_is_a_part_only_beside_a_cycle_of_today(sqlite_store: Store) -> None:
    """Before the first cycle nothing; on another day, or with too much that is new, a cycle over all."""
    cycles = Cycles(sqlite_store, 86_400.0)
    looking = AtOnce(cycles, everything, lambda: None)
    fill(sqlite_store)
    with sqlite_store.begin() as session:
        send(session, today(), "usage", {1: 80.0})
    assert await looking.step() == "nothing"
    run_cycle(sqlite_store, small(), datetime.now(UTC), day_seconds=86_400.0)
    assert await looking.step() == "nothing"
    fall(sqlite_store, 1)
    assert await looking.step() == "part"
    with sqlite_store.begin() as session:
        changed.mark(session, range(1, changed.MANY + 2))
    assert await looking.step() == "nothing"  # it may still be coming in
    with sqlite_store.begin() as session:
        session.execute(update(CycleRow).values(decided_at=datetime.now(UTC) - timedelta(minutes=11)))
    assert await looking.step() == "all"
    with sqlite_store.begin() as session:
        changed.forget(session, changed.read(session))
        session.execute(update(CycleRow).values(day=today() - 1))
    assert await looking.step() == "nothing"
    fall(sqlite_store, 2)
    assert await looking.step() == "all"


async def test_nothing_is_evaluated_beside_a_cycle_over_all(sqlite_store: Store) -> None:
    yesterdays_values(sqlite_store)
    fall(sqlite_store, 1)
    cycles = Cycles(sqlite_store, 86_400.0)
    looking = AtOnce(cycles, everything, lambda: None)
    with cycles.turn:
        assert await looking.step() == "nothing"
    assert await looking.step() == "part"
