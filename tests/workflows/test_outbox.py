"""The outbox reaches Temporal: starts once, acts with their answer, wakes; and waits while nobody is there."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.running.lines import Line
from engine.store import acts, outbox, sessions
from engine.store.run_tables import OutboxRow, RunRow
from engine.store.sessions import Store
from engine.terms import ActState, OutboxKind, RunAct
from tests.engine.store.letters import put_rows, put_run as put_another
from tests.workflows.stage import OnStage, Recorder
from workflows.client import connect
from workflows.embedded import EmbeddedServer
from workflows.outbox import Drainer, run_key
from workflows.worker import work

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.temporal]

GATED = [
    Line("task", "prepare"),
    Line("gate", "yes", target=2, days=2),
    Line("end", "end"),
]


def put_run(store: Store, lines: list[Line]) -> int:
    """A requested run with its start in the outbox. Its number is unique on the shared server."""
    frozen = {"lines": [asdict(line) for line in lines]}
    with store.begin() as session:
        run = put_rows(session, id=random.randrange(10**9, 10**12), state="requested", frozen=frozen).run
        outbox.add(session, OutboxKind.START, run, {}, datetime.now(UTC))
    return run


def put_second_run(session: Session, account: int) -> int:
    """A requested run of another playbook for the same account, with its start in the outbox."""
    frozen = {"lines": [asdict(line) for line in GATED]}
    run = put_another(session, account, playbook="another", id=random.randrange(10**9, 10**12), frozen=frozen)
    outbox.add(session, OutboxKind.START, run, {}, datetime.now(UTC))
    return run


def put_act(store: Store, run: int, kind: RunAct, step: str = "") -> int:
    with store.begin() as session:
        return acts.add(session, run, kind, member="dana@vendor.example", reason="", at=datetime.now(UTC), step=step)


def act_of(store: Store, run: int) -> acts.Act:
    with store.read() as session:
        return acts.of_run(session, run)[-1]


def depth(store: Store) -> int:
    with store.read() as session:
        return outbox.depth(session)


async def test_a_start_reaches_temporal_and_starting_twice_is_harmless(on_stage: OnStage, sqlite_store: Store) -> None:
    run = put_run(sqlite_store, GATED)
    with sqlite_store.begin() as session:
        outbox.add(session, OutboxKind.START, run, {}, datetime.now(UTC))
    async with on_stage(GATED) as stage, stage.by_hand():
        drainer = Drainer(sqlite_store, stage.client, stage.queue)
        assert await drainer.drain() == 2
        assert depth(sqlite_store) == 0
        with sqlite_store.begin() as session:
            outbox.add(session, OutboxKind.WAKE, run, {"outcome": "exit", "step": ""}, datetime.now(UTC))
        await drainer.drain()
        await stage.client.get_workflow_handle(run_key(run)).result()
        with sqlite_store.begin() as session:
            outbox.add(session, OutboxKind.START, run, {}, datetime.now(UTC))
        await drainer.drain()
        assert depth(sqlite_store) == 0
        assert stage.recorder.outcomes == ["begin", "exit"]


async def test_an_act_is_carried_with_its_rows_id(on_stage: OnStage, sqlite_store: Store) -> None:
    run = put_run(sqlite_store, GATED)
    act = put_act(sqlite_store, run, RunAct.APPROVE, "yes")
    async with on_stage(GATED) as stage, stage.by_hand():
        await Drainer(sqlite_store, stage.client, stage.queue).drain()
        await stage.client.get_workflow_handle(run_key(run)).result()
        assert stage.recorder.outcomes == ["begin", "approved"]
        assert [record.act_id for record in stage.recorder.acts] == [act]


async def test_two_workers_that_drain_at_once_do_nothing_twice(on_stage: OnStage, sqlite_store: Store) -> None:
    run = put_run(sqlite_store, GATED)
    act = put_act(sqlite_store, run, RunAct.APPROVE, "yes")
    async with on_stage(GATED) as stage, stage.by_hand():
        pair = [Drainer(sqlite_store, stage.client, stage.queue) for _ in range(2)]
        async with asyncio.timeout(60):
            while depth(sqlite_store):
                await asyncio.gather(*(drainer.drain() for drainer in pair))
        await stage.client.get_workflow_handle(run_key(run)).result()
        assert stage.recorder.outcomes == ["begin", "approved"]
        assert [one.act_id for one in stage.recorder.acts] == [act]


async def test_a_refused_act_is_marked_not_applied_with_the_reason(on_stage: OnStage, sqlite_store: Store) -> None:
    run = put_run(sqlite_store, GATED)
    put_act(sqlite_store, run, RunAct.RESUME)
    async with on_stage(GATED) as stage, stage.by_hand():
        await Drainer(sqlite_store, stage.client, stage.queue).drain()
    refused = act_of(sqlite_store, run)
    assert (refused.state, refused.note) == (ActState.NOT_APPLIED, "the run is not paused")
    assert depth(sqlite_store) == 0


async def test_an_act_on_a_run_that_has_ended_is_marked_not_applied(on_stage: OnStage, sqlite_store: Store) -> None:
    run = put_run(sqlite_store, [Line("end", "end")])
    async with on_stage([Line("end", "end")]) as stage, stage.by_hand():
        drainer = Drainer(sqlite_store, stage.client, stage.queue)
        await drainer.drain()
        await stage.client.get_workflow_handle(run_key(run)).result()
        put_act(sqlite_store, run, RunAct.PAUSE)
        await drainer.drain()
    assert act_of(sqlite_store, run).state is ActState.NOT_APPLIED
    assert act_of(sqlite_store, run).note == "the run has already ended"


async def test_a_run_that_was_cancelled_before_its_start_is_not_started(on_stage: OnStage, sqlite_store: Store) -> None:
    run = put_run(sqlite_store, GATED)
    with sqlite_store.begin() as session:
        session.get_one(RunRow, run).state = "cancelled"
    async with on_stage(GATED) as stage, stage.by_hand():
        await Drainer(sqlite_store, stage.client, stage.queue).drain()
        assert stage.recorder.stretches == []
    with sqlite_store.read() as session:
        row = session.scalars(select(OutboxRow)).one()
    assert row.done_at is not None
    assert row.error == "the run has already ended"


async def test_while_temporal_is_down_starts_wait_and_go_when_it_is_back(sqlite_store: Store, tmp_path: Path) -> None:
    """F05, and the worker ends cleanly though its server was away."""
    server, recorder, stop = EmbeddedServer(tmp_path), Recorder(GATED), asyncio.Event()
    address = await asyncio.to_thread(server.start)
    client = await connect(address)
    activities: list[Callable[..., Any]] = [recorder.run_stretch, recorder.record_act]
    working = asyncio.create_task(work(client, "down", sqlite_store, here=activities, outward=activities, stop=stop))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(server.stop)
    runs = [put_run(sqlite_store, GATED) for _ in range(3)]
    await asyncio.sleep(1.5)
    assert recorder.stretches == []
    assert depth(sqlite_store) == 3
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(60):
        while len(recorder.stretches) < 3 or depth(sqlite_store):  # noqa: ASYNC110 # both change elsewhere
            await asyncio.sleep(0.05)
    assert sorted(stretch.run_id for stretch in recorder.stretches) == sorted(runs)
    stop.set()
    async with asyncio.timeout(60):
        await working
    await asyncio.to_thread(server.stop)


async def test_a_database_that_is_busy_for_long_does_not_end_the_drainer(
    on_stage: OnStage, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_PATIENCE", 0.05)
    run = put_run(sqlite_store, GATED)
    with sqlite_store.begin() as session:
        session.get_one(RunRow, run).state = "cancelled"
    async with on_stage(GATED) as stage:
        draining = asyncio.create_task(Drainer(sqlite_store, stage.client, stage.queue).run())
        with sqlite_store.begin():
            await asyncio.sleep(0.5)
        assert not draining.done()
        async with asyncio.timeout(60):
            while depth(sqlite_store):  # noqa: ASYNC110 # the drainer changes it
                await asyncio.sleep(0.05)
        draining.cancel()


async def test_what_takes_long_in_one_run_does_not_hold_up_another(on_stage: OnStage, sqlite_store: Store) -> None:
    async with on_stage(GATED) as stage, stage.by_hand():
        stage.recorder.hold.clear()
        busy = put_run(sqlite_store, GATED)
        draining = asyncio.create_task(Drainer(sqlite_store, stage.client, stage.queue).run())
        await stage.stands(1)
        put_act(sqlite_store, busy, RunAct.PAUSE)
        await asyncio.sleep(0.3)
        with sqlite_store.begin() as session:
            account = session.get_one(RunRow, busy).account_id
            other = put_second_run(session, account)
        await stage.stands(2)
        assert stage.recorder.stretches[-1].run_id == other
        assert act_of(sqlite_store, busy).state is ActState.PENDING
        stage.recorder.hold.set()
        async with asyncio.timeout(60):
            while depth(sqlite_store):  # noqa: ASYNC110 # the drainer changes it
                await asyncio.sleep(0.05)
        draining.cancel()
        assert [one.kind for one in stage.recorder.acts] == ["pause"]
