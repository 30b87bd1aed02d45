"""From a point over HTTP to a started run: the whole application with its embedded Temporal server, idle otherwise.

    python -m benchmarks.reaction [--quick]

``backcast serve`` runs as a process of its own on a new SQLite database. One account after the other gets a point that
fires a rule, by ``POST /v1/points``; the clock runs from before the request until the database says that the run has
started. Seconds on the clock: somebody waits for them.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

import numpy as np
from sqlalchemy import select

from benchmarks.measuring import ROOT
from engine.store import members
from engine.store.migrating import migrate
from engine.store.run_tables import RunRow
from engine.store.sessions import Store, connect
from engine.store.tables import AccountRow

goals: Final[Mapping[str, tuple[str, float]]] = {"p95_s": ("<", 1.0)}
PATIENCE: Final = 60.0
_PAUSE: Final = 0.005
_CLI: Final = (sys.executable, "-c", "from api.cli import main; main()")

_FILES: Final = {
    "rules/catalog.yaml": """format: 1
north_star: seats_used
stages: [adoption, churned]
metrics:
  seats_used: {title: Seats used, source: adoption, evidence: do, type: number, better: higher,
    bears_on_value: Who does not use it does not renew it.}
""",
    "rules/seats-low.yaml": """format: 1
rule: seats-low
challenge:
  {title: Few seats are used, kind: risk, why: They are cut first., owner: cs-ops, review_by: 2030-01-01,
   success: {metric: seats_used, at_least: 50, within: 45d}}
actions: [{playbook: call, mode: automatic}]
guard: {max_new_runs: 1000}
existing: enrol
signals: {low: {metric: seats_used, threshold: {below: 10}}}
when: {any: [low]}
examples:
  - {name: fires when few are used, given: {seats_used: 3}, then: fires}
""",
    "playbooks/call.yaml": """format: 1
playbook: call
title: Call them
category: operational
steps:
  - task: {title: Call them, to: owner}
""",
}


def run(*, quick: bool = False) -> dict[str, Any]:
    """Seconds from the request to the started run, one account after the other."""
    count = 5 if quick else 60
    with TemporaryDirectory() as place, _serving(Path(place), count) as (store, post):
        taken = [_one(store, post, number) for number in range(1, count + 1)]
    return {
        "runs": count,
        "p50_s": round(float(np.median(taken)), 3),
        "p95_s": round(float(np.percentile(taken, 95)), 3),
        "max_s": round(max(taken), 3),
    }


def _one(store: Store, post: Any, number: int) -> float:
    began = perf_counter()
    post(f"account-{number}", 3)
    started = select(RunRow.id).join(AccountRow).where(RunRow.started_at.is_not(None))
    _until(store, lambda session: session.scalar(started.where(AccountRow.key == f"account-{number}")))
    taken = perf_counter() - began
    sleep(0.3)  # the next one comes to an idle application
    return taken


def _until(store: Store, found: Any) -> None:
    deadline = perf_counter() + PATIENCE
    while perf_counter() < deadline:
        with store.read() as session:
            if found(session):
                return
        sleep(_PAUSE)
    raise SystemExit(f"nothing had happened after {PATIENCE:g} seconds")


@contextmanager
def _serving(folder: Path, accounts: int) -> Iterator[tuple[Store, Any]]:
    """The application at work, and how to post a point to it."""
    for name, text in _FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    store = connect(f"sqlite:///{folder}/data/backcast.db")
    migrate(store)
    with store.begin() as session:
        key = members.new_key(session, "benchmark", datetime.now(UTC))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BACKCAST_DATA": str(folder / "data")}
    command = [*_CLI, "serve", "--port", str(port)]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)  # noqa: S603 # our own
    try:
        _wait_for(port)
        _send(port, key, "accounts", "key\n" + "".join(f"account-{number}\n" for number in range(accounts + 1)))
        _send(port, key, "points", _point("account-0", 100))
        # The first cycle of all is left to the night or to a person: data may still be coming in.
        subprocess.run([*_CLI, "evaluate"], cwd=folder, env=environment, stdout=log, stderr=log, check=True)  # noqa: S603 # our own
        yield store, lambda account, value: _send(port, key, "points", _point(account, value))
    finally:
        process.terminate()
        process.wait()
        log.close()
        store.close()


def _point(account: str, value: float) -> str:
    return f"account,metric,day,value\n{account},seats_used,{datetime.now(UTC).date().isoformat()},{value}\n"


def _send(port: int, key: str, what: str, body: str) -> None:
    headers = {"authorization": f"Bearer {key}", "content-type": "text/csv"}
    with urlopen(
        Request(f"http://127.0.0.1:{port}/v1/{what}", body.encode(), headers), timeout=30
    ) as answer:  # loopback
        answer.read()


def _wait_for(port: int) -> None:
    deadline = perf_counter() + PATIENCE
    while perf_counter() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):  # loopback
                return
        except (URLError, OSError):
            sleep(0.1)
    raise SystemExit("the application did not begin to answer")


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    print(json.dumps(run(quick=parser.parse_args().quick)))


if __name__ == "__main__":
    main()
