"""The worker as it is shipped calls a connection, waits while it is down, and calls it again under the same id."""

import asyncio
import base64
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from temporalio.testing import WorkflowEnvironment

from engine.definitions import bundle as definitions
from engine.evaluation.incoming.rows import Format
from engine.settings import Settings
from engine.store import accounts, bundles, files, members, notices, runs
from engine.store.ingests import Kind, ingest
from engine.store.run_tables import DeliveryRow
from engine.store.sessions import Store
from engine.terms import Role, RunState
from tests.workflows.channels.faulty_receiver import FaultyReceiver
from workflows.channels.choosing import choose_channel
from workflows.worker import run_worker

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.temporal]

OWNER = "dana@vendor.example"
A_DAY = 60.0
"""Seconds: so short that the pauses between attempts are, too."""
CONNECTIONS = """format: 1
connections:
  crm: {kind: crm, url: "env:CRM_URL", secret: "env:CRM_SECRET"}
"""
PLAYBOOK = """format: 1
playbook: note-it
title: Note it
category: operational
steps:
  - note: {to: crm, body: {text: "{{ account.name }} is at risk"}}
  - notify: {to: owner, text: "It is noted"}
"""


@pytest.fixture
def run(sqlite_store: Store, tmp_path: Path) -> int:
    files.write_workspace(str(tmp_path / "files"))
    catalog = files.read_files(str(tmp_path / "files"))["rules/catalog.yaml"]
    texts = {"rules/catalog.yaml": catalog, "rules/connections.yaml": CONNECTIONS, "playbooks/note-it.yaml": PLAYBOOK}
    checked, at = definitions.read(texts), datetime.now(UTC)
    assert checked.bundle is not None, checked.problems
    with sqlite_store.begin() as session:
        members.add(session, OWNER, "Dana", [Role.CSM])
        bundles.publish(session, checked.bundle, "tests", at)
        text = f"key,name,owner\nacme,Acme,{OWNER}\n".encode()
        ingest(session, Kind.ACCOUNTS, [text], Format.CSV, checked.bundle.catalog, at)
        account = accounts.ids(session, ["acme"])["acme"]
        return runs.start_by_hand(session, checked.bundle, account, "note-it", OWNER, "a test", at, A_DAY)


async def test_a_receiver_that_comes_back_gets_each_call_once_under_one_id(
    own_server: WorkflowEnvironment, sqlite_store: Store, run: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F15, P1: down, then slow to answer, then there."""
    stop = asyncio.Event()
    with FaultyReceiver(modes=["503", "drop"]) as receiver, own_server.with_time_skipping_disabled():
        monkeypatch.setenv("CRM_URL", receiver.url)
        monkeypatch.setenv("CRM_SECRET", "whsec_" + base64.b64encode(b"k" * 32).decode())
        settings = Settings(data=str(tmp_path), task_queue=f"test-{uuid4()}", allow_egress=receiver.url)
        channel = choose_channel(settings)
        work = asyncio.create_task(run_worker(settings, sqlite_store, channel, own_server.client, stop=stop))
        try:
            async with asyncio.timeout(60):
                while not await asyncio.to_thread(_is_done, sqlite_store, run):  # noqa: ASYNC110 # others change it
                    await asyncio.sleep(0.05)
        finally:
            stop.set()
            await work
    assert len(receiver.calls) == 3
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    with sqlite_store.read() as session:
        assert [row.state for row in session.scalars(select(DeliveryRow))] == ["sent"]
        [notice] = notices.of_member(session, OWNER)
    assert (notice.subject, notice.text) == ("Acme: Note it", "It is noted")


def _is_done(store: Store, run: int) -> bool:
    with store.read() as session:
        return runs.find(session, run).state is RunState.DONE
