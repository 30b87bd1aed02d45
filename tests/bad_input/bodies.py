"""Bad bodies and what is answered to them: read from this folder, sent to the real application.

Beside each body ``NNN-name.<ext>`` lies ``NNN-name.problem``: how it is sent, if not plainly, and the answer.

    python -m tests.bad_input.bodies

sends all of them in this process and prints the memory that took and the slowest answer.
"""

import json
import resource
import sys
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any, Final

from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import func, select

from api.app import create_app
from engine.definitions import bundle as reading
from engine.evaluation.incoming.rows import Format
from engine.settings import Settings
from engine.store import bundles, ingests, members, migrating
from engine.store.ingests import Kind
from engine.store.sessions import Store, connect
from engine.store.tables import (
    AccountRow,
    ContactRow,
    CorrectionRow,
    EventRow,
    GoalRow,
    IngestRow,
    MetricRow,
    PointRow,
    ProductRow,
    WordRow,
)

HERE: Final = Path(__file__).parent
TYPES: Final = {"metric_json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv"}
SECONDS: Final = 2.0
MEGABYTES: Final = 256
AT: Final = datetime(2026, 3, 10, 12, tzinfo=UTC)
TABLES: Final = (
    AccountRow,
    ContactRow,
    CorrectionRow,
    EventRow,
    GoalRow,
    IngestRow,
    MetricRow,
    PointRow,
    ProductRow,
    WordRow,
)
GIVEN: Final = (
    (Kind.ACCOUNTS, "key,name,products\nacme,Acme,Mail;Chat\nzeta,Zeta,\n"),
    (Kind.CONTACTS, "key,account\nann,acme\n"),
)
_MORE: Final = "".join(
    f"  {name}: {{title: {name}, source: commercial, evidence: observe, {rest}, bears_on_value: They buy.}}\n"
    for name, rest in (
        ("plan", "type: text, better: neither"),
        ("signed", "type: date, better: neither"),
        ("incidents", "type: number, better: lower, of: product"),
    )
)


@dataclass(frozen=True)
class Case:
    """One body: where it is sent and how, and what is answered."""

    entry: str
    path: Path
    expected: dict[str, Any]

    @property
    def name(self) -> str:
        """What the case is called."""
        return self.path.stem

    def body(self) -> bytes:
        """The bytes that are sent; ``@@`` in a large one stands for very much of the same."""
        content: bytes = self.path.read_bytes()
        if "fill" not in self.expected:
            return content
        what, times = str(self.expected["fill"][0]), int(self.expected["fill"][1])
        before, _, after = content.partition(b"@@")
        after += str(self.expected.get("tail", "")).encode()
        if self.expected.get("zip"):
            return b"".join(_zipped(before, what.encode(), times, after))
        return before + what.encode() * times + after


def _zipped(before: bytes, what: bytes, times: int, after: bytes) -> Iterator[bytes]:
    packer, block = zlib.compressobj(level=1, wbits=31), 1 << 20
    yield packer.compress(before)
    for _ in range(times * len(what) // block):
        yield packer.compress(what * (block // len(what)))
    yield packer.compress(after) + packer.flush()


def cases(entry: str) -> list[Case]:
    """All bodies of one folder."""
    found = sorted((HERE / entry).glob("*.problem"))
    bodies = [next(path for path in HERE.glob(f"{entry}/{each.stem}.*") if path.suffix != ".problem") for each in found]
    return [Case(entry, body, json.loads(each.read_text())) for body, each in zip(bodies, found, strict=True)]


class Door:
    """The application, with a few accounts behind it, and a key to it."""

    def __init__(self, store: Store, catalog_text: str) -> None:
        checked = reading.read({"rules/catalog.yaml": catalog_text.replace("events:\n", f"{_MORE}events:\n", 1)})
        if checked.bundle is None:
            raise ValueError(checked.problems)
        self.store = store
        with store.begin() as session:
            bundles.publish(session, checked.bundle, "", AT)
            for kind, text in GIVEN:
                ingests.ingest(session, kind, [text.encode()], Format.CSV, checked.bundle.catalog, AT)
            self.key = members.new_key(session, "warehouse", AT)
        self.client = TestClient(create_app(store, Settings(), lambda: AT), raise_server_exceptions=False)

    def send(self, entry: str, body: bytes, kind: str = "points", headers: dict[str, str] | None = None) -> Response:
        """Push a body."""
        given = {"authorization": f"Bearer {self.key}", "content-type": TYPES[entry], **(headers or {})}
        answer: Response = self.client.post(f"/v1/{kind}", content=body, headers=given)
        return answer

    def send_case(self, case: Case) -> tuple[Response, float]:
        """Send a case; the answer and the CPU seconds until it was there."""
        body, expected = case.body(), case.expected
        begun = process_time()
        answer = self.send(case.entry, body, expected.get("kind", "points"), expected.get("headers"))
        return answer, process_time() - begun

    def stored(self) -> int:
        """How many rows there are of whatever can be pushed."""
        with self.store.read() as session:
            return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES)


def said(answer: Response) -> dict[str, Any]:
    """What of an answer is part of the promise: status, places, codes and sentences, of many errors the first three."""
    told = answer.json()
    errors = [{name: value for name, value in each.items() if value} for each in told.get("errors", [])[:3]]
    found = {"status": answer.status_code, "errors": errors} if errors else {"status": answer.status_code}
    return found | ({"total": told["total"]} if errors else {"detail": told["detail"]})


def _measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = connect(f"sqlite:///{folder}/backcast.db")
        migrating.migrate(store)
        door = Door(store, (HERE.parent / "catalog.yaml").read_text())
        door.send("csv", b"account,metric,day,value\nacme,seats,2026-03-01,7\n")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answers = [(door.send_case(case), case) for entry in TYPES for case in cases(entry)]
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        slowest = max((seconds, case.name) for (_, seconds), case in answers)
        worst = max(answer.status_code for (answer, _), _ in answers)
        store.close()
    told = {"bodies": len(answers), "megabytes": grown, "seconds": round(slowest[0], 2), "slowest": slowest[1]}
    sys.stdout.write(json.dumps(told | {"worst_status": worst}) + "\n")


if __name__ == "__main__":
    _measure()
