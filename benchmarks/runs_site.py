"""An installation with many accounts, served as a process of its own, for what runs cost at its size."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from benchmarks.measuring import ROOT
from engine.definitions import bundle as definitions
from engine.definitions.bundle import Bundle
from engine.evaluation.incoming.rows import Format
from engine.store import bundles, members, migrating
from engine.store.ingests import Kind, ingest
from engine.store.sessions import Store, connect
from engine.terms import Role

OWNERS: Final = 200
PATIENCE: Final = 7_200.0
FILES: Final = {
    "rules/catalog.yaml": """format: 1
north_star: usage
roles: [champion]
stages: [adoption, churned]
metrics:
  usage: {title: Usage, source: adoption, evidence: do, type: number, better: higher, bears_on_value: Habit}
""",
    "rules/contact.yaml": """format: 1
per_day: 100
per_week: 500
window: always
quiet: {after_conversation: none, after_survey: none, in_escalation: false}
""",
    "playbooks/three.yaml": """format: 1
playbook: three
title: Three steps at once
category: operational
steps:
  - task: {title: Look, to: owner}
  - task: {title: Call, to: owner}
  - task: {title: Write it down, to: owner}
""",
    "playbooks/wait.yaml": """format: 1
playbook: wait
title: Call, then wait
category: operational
steps:
  - task: {title: Call, to: owner}
  - wait: {at_most: 60d}
""",
    "playbooks/save.yaml": """format: 1
playbook: save
title: Write at once
category: operational
priority: save
steps:
  - email: {to: champion, message: hello}
""",
    "playbooks/messages/save/hello.md": "We saw it\n\nHello {{ contact.name }}.\n",
}
_CLI: Final = (sys.executable, "-c", "from api.cli import main; main()")


@contextmanager
def installation(accounts: int) -> Iterator[tuple[Path, Store, Bundle]]:
    """A folder with files and a database with accounts, of whom each owner has their share; nothing runs yet."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        for name, text in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        checked = definitions.read(FILES)
        if checked.bundle is None:
            raise SystemExit(f"the files do not check: {checked.problems[0]}")
        store = connect(f"sqlite:///{folder}/data/backcast.db")
        migrating.migrate(store)
        _people(store, checked.bundle, accounts)
        yield folder, store, checked.bundle
        store.close()


class Served:
    """``backcast serve`` on an installation, and the Temporal server it starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; seconds until it answers."""
        began = perf_counter()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "BACKCAST_DATA": str(self.folder / "data")}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 # our own program
                [*_CLI, "serve", "--port", str(self.port)], cwd=self.folder, env=environment, stdout=log, stderr=log
            )
        until(lambda: self.get("/healthz") < PATIENCE, 120)
        return perf_counter() - began

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(120)

    def get(self, path: str, cookie: str = "") -> float:
        """Seconds until a page is there; `PATIENCE` when it is not."""
        began = perf_counter()
        try:
            with urlopen(Request(f"http://127.0.0.1:{self.port}{path}", headers={"Cookie": cookie}), timeout=60) as got:
                got.read()
        except (URLError, OSError):
            return PATIENCE
        return perf_counter() - began

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the application and of its Temporal server."""
        record = next(self.folder.rglob("temporal.pid")).read_text(encoding="utf-8")
        return {"worker": self._process.pid if self._process else 0, "server": int(json.loads(record)["pid"])}

    def cpu(self) -> float:
        """CPU seconds of both so far."""
        return sum(cpu_of(pid) for pid in self.pids.values())

    def memory(self, field: str) -> dict[str, float]:
        """Memory of each in MB: ``VmRSS`` now, ``VmHWM`` at most so far."""
        return {name: _memory(pid, field) for name, pid in self.pids.items()}

    def disk_mb(self) -> Mapping[str, float]:
        """How large the two databases are."""
        names = {"temporal": "temporal.db*", "backcast": "backcast.db*"}
        return {
            name: round(sum(file.stat().st_size for file in self.folder.rglob(pattern)) / 1e6, 1)
            for name, pattern in names.items()
        }


def cookie(store: Store, email: str) -> str:
    """The session of a member."""
    at = datetime.now(UTC)
    with store.begin() as session:
        link = members.sign_in_link(session, members.find(session, email).id, at)
        return f"backcast={members.sign_in(session, link, at).token}"


def until(holds: Callable[[], object], patience: float = PATIENCE, pause: float = 0.1) -> float:
    """Wait until something holds; how many seconds it took."""
    began = perf_counter()
    while not holds():
        if perf_counter() - began > patience:
            raise SystemExit(f"nothing had happened after {patience:g} seconds")
        sleep(pause)
    return perf_counter() - began


def cpu_of(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int, field: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{field}:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise SystemExit("memory is read from /proc/PID/status, which this machine does not have")


def _people(store: Store, bundle: Bundle, accounts: int) -> None:
    numbers = range(accounts)
    rows = "key,name,owner\n" + "".join(f"a{n},Account {n},owner-{n % OWNERS}@cs.example\n" for n in numbers)
    people = "key,account,name,email,roles\n" + "".join(
        f"c{n},a{n},Person {n},p{n}@a{n}.example,champion\n" for n in numbers
    )
    at = datetime.now(UTC)
    with store.begin() as session:
        bundles.publish(session, bundle, "", at)
        for number in range(min(accounts, OWNERS)):
            members.add(session, f"owner-{number}@cs.example", f"Owner {number}", [Role.CSM])
        for kind, text in ((Kind.ACCOUNTS, rows), (Kind.CONTACTS, people)):
            ingest(session, kind, [text.encode()], Format.CSV, bundle.catalog, at)
