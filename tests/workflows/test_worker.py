"""The worker as it is shipped, from a requested run to the letter, and a person in between."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from engine.definitions import bundle as definitions
from engine.errors import NotFound, Refused
from engine.evaluation.incoming.rows import Format
from engine.settings import Settings
from engine.store import accounts, acts, approvals, bundles, deliveries, files, members, runs
from engine.store.decision_tables import CycleRow
from engine.store.ingests import Kind, ingest
from engine.store.sessions import Store
from engine.terms import ActState, DeliveryState, Role, RunState
from workflows.channels.choosing import choose_channel
from workflows.payloads import CycleInput
from workflows.schedules import CYCLE_ID, ensure_schedule, evaluate_once, trigger
from workflows.worker import run_worker

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.temporal]

OWNER = "dana@vendor.example"
PLAYBOOK = """format: 1
playbook: ask-first
title: Ask first
category: education
steps:
  - approve:
      by: owner
      expires: 5d
      on_expiry: cancel
      steps:
        - email: {to: champion, message: hello}
"""
ACCOUNTS = f"key,name,owner\nacme,Acme,{OWNER}\n"
CONTACTS = "key,account,name,email,roles\nann,acme,Ann,ann@acme.example,champion\n"


@pytest.fixture
def run(sqlite_store: Store, tmp_path: Path) -> int:
    """A requested run that asks its owner before it writes to Ann."""
    files.write_workspace(str(tmp_path / "files"))
    shipped = files.read_files(str(tmp_path / "files"))
    texts = {
        "rules/catalog.yaml": shipped["rules/catalog.yaml"],
        "playbooks/ask-first.yaml": PLAYBOOK,
        "playbooks/messages/ask-first/hello.md": "Hello\n\nHello {{ contact.name }}.\n",
    }
    bundle, at = definitions.read(texts).bundle, datetime.now(UTC)
    assert bundle is not None
    with sqlite_store.begin() as session:
        members.add(session, OWNER, "Dana", [Role.CSM])
        bundles.publish(session, bundle, "tests", at)
        for kind, text in ((Kind.ACCOUNTS, ACCOUNTS), (Kind.CONTACTS, CONTACTS)):
            ingest(session, kind, [text.encode()], Format.CSV, bundle.catalog, at)
        account = accounts.ids(session, ["acme"])["acme"]
        return runs.start_by_hand(session, bundle, account, "ask-first", OWNER, "a test", at, 86_400.0)


@asynccontextmanager
async def working(environment: WorkflowEnvironment, store: Store, folder: Path) -> AsyncIterator[tuple[Client, str]]:
    """The shipped worker, ended in order; its client and task queue."""
    settings = Settings(data=str(folder), task_queue=f"test-{uuid4()}", base_url="https://cs.vendor.example")
    client, stop = environment.client, asyncio.Event()
    with environment.with_time_skipping_disabled():
        work = asyncio.create_task(run_worker(settings, store, choose_channel(settings), client, stop=stop))
        try:
            yield client, settings.task_queue
        finally:
            stop.set()
            async with asyncio.timeout(60):
                await work


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 # the database is changed by others
            await asyncio.sleep(0.05)


def state(store: Store, run: int) -> RunState:
    with store.read() as session:
        return runs.find(session, run).state


def is_asked(store: Store) -> bool:
    with store.read() as session:
        try:
            approvals.find(session, 1)
        except NotFound:
            return False
    return True


def decide_at_once(store: Store) -> tuple[list[bool], list[str]]:
    """Four people press at the same moment, two of them yes. What won, and what the others were told."""
    won: list[bool] = []
    told: list[str] = []
    ready = threading.Barrier(4)

    def decide(number: int) -> None:
        ready.wait()
        try:
            with store.begin() as session:
                approvals.decide(
                    session,
                    1,
                    version=1,
                    approve=number % 2 == 0,
                    member=f"person-{number}@vendor.example",
                    reason="because",
                    at=datetime.now(UTC),
                )
            won.append(number % 2 == 0)
        except Refused as refused:
            told.append(str(refused))

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won, told


async def test_of_people_who_decide_at_once_one_wins_and_the_run_does_what_was_decided(
    own_server: WorkflowEnvironment,
    sqlite_store: Store,
    run: int,
    tmp_path: Path,
) -> None:
    async with working(own_server, sqlite_store, tmp_path):
        await until(lambda: is_asked(sqlite_store))
        won, told = await asyncio.to_thread(decide_at_once, sqlite_store)
        assert len(won) == 1
        assert len(told) == 3
        await until(lambda: not state(sqlite_store, run).is_open)
    with sqlite_store.read() as session:
        [act] = acts.of_run(session, run)
        letters = deliveries.states(session)
    assert act.state is ActState.APPLIED
    assert all(act.actor in sentence for sentence in told)
    files_written = list((tmp_path / "outgoing").glob("*.eml"))
    if won == [True]:
        assert list(letters.values()) == [DeliveryState.SENT]
        [letter] = files_written
        assert "https://cs.vendor.example/u/" in letter.read_text()
    else:
        assert (letters, files_written) == ({}, [])


async def test_a_cycle_is_evaluated_by_its_schedule_and_when_it_is_asked_for(
    own_server: WorkflowEnvironment,
    sqlite_store: Store,
    run: int,
    tmp_path: Path,
) -> None:
    async with working(own_server, sqlite_store, tmp_path) as (client, queue):
        result = await evaluate_once(client, queue, CycleInput(), str(uuid4()))
        assert result.accounts == 1
        await ensure_schedule(client, queue)
        await ensure_schedule(client, queue)
        await trigger(client)
        schedule = client.get_schedule_handle(CYCLE_ID)
        async with asyncio.timeout(60):
            while not (await schedule.describe()).info.recent_actions:  # noqa: ASYNC110 # the server does it
                await asyncio.sleep(0.05)
        await schedule.delete()


async def test_the_schedule_runs_cycles_by_itself(
    own_server: WorkflowEnvironment, sqlite_store: Store, run: int, tmp_path: Path
) -> None:
    """S4-10: what the worker makes at its start, with a day of a second."""
    async with working(own_server, sqlite_store, tmp_path) as (client, queue):
        await ensure_schedule(client, queue, every=timedelta(seconds=1))
        await until(lambda: cycles(sqlite_store) >= 2)
        await client.get_schedule_handle(CYCLE_ID).delete()


def cycles(store: Store) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(CycleRow)) or 0
