"""The packed columns: making them anew from points, reading everything back as window sums, picking a few accounts.

    python -m benchmarks.columns [--quick] [--accounts N]

20 metrics over 90 days in SQLite, 5 % of the days missing. Before anything is timed, columns and database are compared:
every cell of one day, and the window sums of a sample of accounts. Bytes are what the process had written to disk.
"""

import argparse
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, Final, TypeVar

import numpy as np
from sqlalchemy import text

from engine.evaluation import windows
from engine.evaluation.columns import Ints
from engine.evaluation.facts import Needs
from engine.store import points
from engine.store.columns import Columns, open_columns
from engine.store.migrating import migrate
from engine.store.point_series import PointTable
from engine.store.points import PointColumns
from engine.store.sessions import Store, connect

METRICS: Final = 20
DAYS: Final = 90
TODAY: Final = 20_000
SHARD: Final = 8_192
FEW: Final = 1_000
AT: Final = datetime(2026, 9, 1, tzinfo=UTC)
T = TypeVar("T")

goals: Final[Mapping[str, tuple[str, float]]] = {
    "rebuild_cpu_s": ("<=", 120),
    "read_all_cpu_s": ("<=", 15),
    "columns_bytes_per_point": ("<=", 12),
}


def run(*, quick: bool = False, accounts: int = 0) -> dict[str, Any]:
    """Fill a database, compare, then time: CPU seconds, bytes per point, milliseconds for a few accounts."""
    size = accounts or (2_000 if quick else 100_000)
    with TemporaryDirectory(prefix="backcast-columns-") as folder:
        store = connect(f"sqlite:///{folder}/backcast.db")
        migrate(store)
        _fill(store, size)
        columns = open_columns(store, f"{folder}/columns")
        if columns is None:
            raise SystemExit("a folder that was just made is locked")
        figures = _figures(store, columns, Path(folder), size)
        columns.close()
        store.close()
    return {"accounts": size, "metrics": METRICS, "days": DAYS} | figures


def _figures(store: Store, columns: Columns, folder: Path, size: int) -> dict[str, Any]:
    _checkpoint(store)
    with store.read() as session:
        made, rebuild = timed(lambda: columns.rebuild(session))
        compared = check(store, columns, size)
    reading = min(timed(lambda: read_all(columns, size))[1] for _ in range(3))
    some = np.sort(np.random.default_rng(1).choice(np.arange(1, size + 1), min(FEW, size), replace=False))
    gather = min(timed(lambda: sums(columns, some))[1] for _ in range(5))
    (written, ingest_bytes), ingest = timed(lambda: counted_bytes(lambda: _one_more_day(store, size)))
    (caught, column_bytes), catch_up = timed(lambda: counted_bytes(lambda: _catch_up(store, columns)))
    with store.read() as session:
        spot = min(timed(lambda: columns.spot_check(session))[1] for _ in range(5))
    return {
        "points": made.points,
        "windows_compared": compared,
        "rebuild_cpu_s": round(rebuild, 2),
        "rebuild_points_per_cpu_s": round(made.points / rebuild),
        "read_all_cpu_s": round(reading, 2),
        "read_points_per_cpu_s": round(made.points / reading),
        "gather_1000_accounts_ms": round(gather * 1000, 1),
        "one_day_points": caught,
        "one_day_catch_up_cpu_s": round(catch_up, 2),
        "one_day_ingest_cpu_s": round(ingest, 2),
        "columns_bytes_per_point": round(column_bytes / caught, 1),
        "table_bytes_per_point": round(ingest_bytes / written, 1),
        "columns_on_disk_bytes_per_point": round(_on_disk(folder / "columns") / (made.points + caught), 2),
        "table_on_disk_bytes_per_point": round((folder / "backcast.db").stat().st_size / (made.points + caught), 2),
        "spot_check_ms": round(spot * 1000, 1),
    }


def check(store: Store, columns: Columns, size: int) -> int:
    """Compare every cell of a day, and the windows of a sample of accounts; how many windows were compared."""
    sample = np.unique(np.linspace(1, size, 50, dtype=np.int64))
    names = frozenset(f"m{number}" for number in range(1, METRICS + 1))
    wanted = Needs(DAYS, names, frozenset(), frozenset(), frozenset(), frozenset())
    compared = 0
    with store.read() as session:
        if columns.differing(session, TODAY - DAYS // 2):
            raise SystemExit("columns and database differ")
        table = PointTable(session, wanted, TODAY, sample).series(names, sample)
    for name, listed in table.items():
        grid = columns.grid(int(name[1:]), sample, TODAY - DAYS + 1, TODAY)
        for days in (7, 30, DAYS):
            ours = windows.total(grid, len(sample), TODAY, days, 2)
            theirs = windows.total(listed, len(sample), TODAY, days, 2)
            if not all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True)):
                raise SystemExit(f"the sums of {name} over {days} days differ")
            compared += len(sample)
    return compared


def read_all(columns: Columns, size: int) -> int:
    """Everything, shard by shard, as sums over 7, 30 and 90 days; their total."""
    return sum(sums(columns, part) for part in _parts(size))


def sums(columns: Columns, ids: Ints) -> int:
    """Sums over 7, 30 and 90 days of all metrics of some accounts; their total."""
    found = 0
    for number in range(1, METRICS + 1):
        grid = columns.grid(number, ids, TODAY - DAYS + 1, TODAY, lasting=True)
        for days in (7, 30, DAYS):
            found += int(windows.total(grid, len(ids), TODAY, days, 2)[0].sum())
        found += int(np.nansum(windows.latest(grid, len(ids), TODAY)))
    return found


def timed(act: Callable[[], T]) -> tuple[T, float]:
    """What something gives back, and its CPU seconds."""
    started = process_time()
    found = act()
    return found, process_time() - started


def counted_bytes(act: Callable[[], int]) -> tuple[int, int]:
    """What something gives back, and the bytes this process had the system write meanwhile."""
    before = _written()
    found = act()
    return found, _written() - before


def _written() -> int:
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    return int(lines["write_bytes"])


def _parts(size: int) -> Iterator[Ints]:
    for first in range(1, size + 1, SHARD):
        yield np.arange(first, min(first + SHARD, size + 1))


def _fill(store: Store, size: int) -> None:
    """The history, straight into the table: it is not what is measured."""
    with store.begin() as session:
        for number in range(1, METRICS + 1):
            session.execute(
                text("INSERT INTO metrics (id, name) VALUES (:id, :name)"), {"id": number, "name": f"m{number}"}
            )
    for day in range(TODAY - DAYS + 1, TODAY + 1):
        with store.begin() as session:
            # One point as they usually come, so that there is a trail to go on from.
            one = np.ones(1, dtype=np.int64)
            points.add(session, PointColumns(one, one, one * day, np.ones(1)), AT)
            session.execute(
                text(
                    "WITH RECURSIVE a(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM a WHERE id < :size),"
                    " h(subject, metric, hash) AS (SELECT a.id, m.id, (a.id * 7919 + m.id * 104729 + :day * 15485863)"
                    " % 1000003 FROM a CROSS JOIN metrics m)"
                    " INSERT INTO points (day, subject_id, metric_id, value, recorded_at)"
                    " SELECT :day, subject, metric, hash % 10007 / 100.0, :at FROM h"
                    " WHERE hash % 20 > 0 AND (subject > 1 OR metric > 1)"
                ),
                {"size": size, "day": day, "at": AT.strftime("%Y-%m-%d %H:%M:%S.%f")},
            )


def _one_more_day(store: Store, size: int) -> int:
    """The next day, as it comes: through the module that writes points, 5,000 accounts at a time."""
    random, written = np.random.default_rng(2), 0
    with store.begin() as session:
        for part in np.array_split(np.arange(1, size + 1), max(size // 5_000, 1)):
            subjects, metrics = np.repeat(part, METRICS), np.tile(np.arange(1, METRICS + 1), len(part))
            values = np.round(random.random(len(subjects)) * 100, 2)
            days = np.full(len(subjects), TODAY + 1)
            written += points.add(session, PointColumns(subjects, metrics, days, values), AT).new
    _checkpoint(store)
    return written


def _checkpoint(store: Store) -> None:
    """Bring the log into the database file, so that its bytes are counted too."""
    with closing(sqlite3.connect(store.engine.url.database or "")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _catch_up(store: Store, columns: Columns) -> int:
    with store.read() as session:
        found = columns.catch_up(session).points
    columns.save()
    return found


def _on_disk(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2,000 accounts: whether it works, not how fast")
    parser.add_argument("--accounts", type=int, default=0, help="another size")
    given = parser.parse_args()
    print(json.dumps(run(quick=given.quick, accounts=given.accounts), indent=2))
