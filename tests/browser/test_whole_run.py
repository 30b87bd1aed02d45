"""The whole product in one process: a decision becomes a run on Temporal, a person approves it in a browser, and
exactly what was approved leaves the building."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from engine.evaluation.deciding import Decision, Evidence, Plan
from engine.store import decisions
from engine.store.sessions import Store, connect
from engine.terms import Arm, DecisionKind, Mode
from tests.seeding import DAY, OWNER, Seeded, sign_in

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
Found = TypeVar("Found")
SERVE = "import sys; from api.cli import main; sys.argv[0] = 'backcast'; main()"


@dataclass(frozen=True, slots=True)
class Running:
    """``backcast serve`` on a data folder."""

    folder: Path
    address: str
    store: Store
    seeded: Seeded


@pytest.fixture
def running(seeded_template: tuple[Path, Seeded], tmp_path: Path) -> Iterator[Running]:
    """The served installation; at the end it is asked to stop, and has to."""
    template, seeded = seeded_template
    shutil.copyfile(template, tmp_path / "backcast.db")
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    for name, definition in seeded.bundle.texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(definition, encoding="utf-8")
    environment = {**os.environ, "BACKCAST_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SERVE, "serve", "--port", str(port)]
    with (
        (tmp_path / "serve.log").open("wb") as log,
        subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=log) as process,
    ):
        store = connect(f"sqlite:///{tmp_path}/backcast.db")
        try:
            eventually(lambda: _listens(port) or process.poll() is not None, 90)
            assert process.poll() is None, (tmp_path / "serve.log").read_text()
            yield Running(tmp_path, f"http://127.0.0.1:{port}", store, seeded)
        finally:
            store.close()
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def eventually(look: Callable[[], Found], seconds: float = 60) -> Found:
    """What ``look`` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def test_what_a_member_approves_is_exactly_what_is_sent(running: Running, chromium: Browser) -> None:
    """The way of a decision to a customer, through every layer."""
    run = decide(running)
    assert eventually(lambda: pending_approval(running, run)), "the run asks for a yes"

    context = chromium.new_context()
    token = sign_in(running.store, OWNER, datetime.now(UTC)).token
    context.add_cookies([{"name": "backcast", "value": token, "url": running.address}])
    page = context.new_page()
    page.goto(f"{running.address}/inbox")
    card = page.locator("article", has=page.get_by_role("link", name="Blue Harbor Bank"))
    card.get_by_text("Edit", exact=True).first.click()
    card.get_by_label("Subject").first.fill("Two minutes of your time?")
    card.get_by_role("button", name="Save this message").first.click()
    expect(card).to_contain_text("Two minutes of your time?")
    card.get_by_role("button", name="Approve and send").click()
    expect(page.get_by_text("Approved.")).to_be_visible()

    letter = eventually(lambda: sent(running))
    assert letter is not None
    assert letter["Subject"] == "Two minutes of your time?"
    assert letter["To"].addresses[0].addr_spec == "maria@blue.example"
    assert "List-Unsubscribe" in letter
    page.goto(f"{running.address}/runs/{run}")
    expect(page.get_by_text("Sent", exact=True)).to_be_visible()
    context.close()


def decide(running: Running) -> int:
    """Write a decision as a cycle does; the outbox brings it to Temporal."""
    evidence = (Evidence("usage_falling", 1, -0.31, "Weekly active users fell by 31 %.", "rules/x.yaml:1:1"),)
    decision = Decision(
        account_id=running.seeded.accounts["Blue Harbor Bank"],
        account_key="blue-harbor-bank",
        rule="usage-falling",
        playbook="usage-recovery",
        kind=DecisionKind.START,
        sentence="Weekly active users fell by 31 %.",
        evidence=evidence,
        arm=Arm.TREATED,
        mode=Mode.APPROVE,
    )
    plan = Plan(datetime.now(UTC), (decision,), (), {}, {})
    with running.store.begin() as session:
        return decisions.save_plan(session, running.seeded.bundle, plan, DAY, 86_400.0)[0]


def pending_approval(running: Running, run: int) -> bool:
    with running.store.read() as session:
        query = text("SELECT count(*) FROM approvals WHERE run_id = :run AND state = 'pending'")
        return bool(session.execute(query, {"run": run}).scalar_one())


def sent(running: Running) -> EmailMessage | None:
    """The letter that left, if one has."""
    letters = list((running.folder / "outgoing").glob("*.eml"))
    assert len(letters) <= 1
    return message_from_bytes(letters[0].read_bytes(), EmailMessage, policy=policy.default) if letters else None


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
