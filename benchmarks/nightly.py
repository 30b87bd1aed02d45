"""The nightly cycle with its state kept: new points, features, signals, scores, decisions, state; and the refresh.

    python -m benchmarks.nightly [--accounts 10000] [--folder FOLDER] [--json FILE]

A portfolio of 20 metrics over 90 days, ten rules of three signals, one scorecard of eight metrics, the packed columns
of it, and the cycles of a week and a day before. Then a day of points comes in, outside the clock, and one cycle over
all accounts is measured, from catching up with the points to the last committed row: CPU seconds of the process, and
the most memory that it ever had. After it, five times, one account in a hundred changes, and the cycle over those is
measured: a worker does this all day, so the median counts; the first in a process, which prepares its statements, is
told too. At last everything is evaluated again and has to be the same, bit for bit.
"""

import argparse
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from benchmarks.measuring import apart, peak_mb
from benchmarks.nightly_portfolio import DAYS, LAST_DAY, METRICS, definitions, drift, make, moment, send
from engine.definitions.bundle import Bundle
from engine.store import changed
from engine.store.columns import Columns, open_columns
from engine.store.sessions import Store, connect
from workflows.activities.cycle import run_cycle, run_part
from workflows.payloads import CycleResult

ACCOUNTS: Final = 100_000
REFRESHES: Final = 5
Levels = NDArray[np.float64]
"""What each metric of each account is about."""
goals: Final[dict[str, tuple[str, float]]] = {
    "cycle_cpu_s": ("<=", 20),
    "peak_mb": ("<=", 1_536),
    "part_share": ("<=", 0.03),
}


def run(*, quick: bool = False) -> dict[str, Any]:
    """The figures of 100,000 accounts, and ``sizes``: those of a tenth of them beside, because the work is linear."""
    sizes = [one_size(size) for size in ((2_000,) if quick else (ACCOUNTS // 10, ACCOUNTS))]
    return {**sizes[-1], "sizes": sizes}


def one_size(accounts: int, folder: str = "") -> dict[str, Any]:
    """Prepare a portfolio in a process of its own and measure in another: the figures of one size."""
    with TemporaryDirectory(dir=folder or None) as place:
        prepared = apart("benchmarks.nightly", "--prepare", place, "--accounts", str(accounts))
        return {
            "accounts": accounts,
            "metrics": METRICS,
            "days": DAYS,
            **prepared,
            **apart("benchmarks.nightly", "--measure", place),
        }


def add(report: Path, size: Mapping[str, Any]) -> None:
    """Put the figures of one size into a report that ``python -m benchmarks --json`` wrote."""
    kept = json.loads(report.read_text(encoding="utf-8"))
    figures = kept["benchmarks"]["nightly"]["figures"]
    others = [one for one in figures["sizes"] if one["accounts"] != size["accounts"]]
    figures["sizes"] = sorted([*others, size], key=lambda one: int(one["accounts"]))
    report.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def prepare(folder: Path, accounts: int) -> dict[str, Any]:
    """History, columns, and the cycles of a week and a day before the night that is measured."""
    began = process_time()
    store = make(folder, accounts)
    made, began = process_time() - began, process_time()
    columns = _columns(store, folder)
    with store.read() as session:
        columns.rebuild(session)
    rebuilt = process_time() - began
    for day in (LAST_DAY - 7, LAST_DAY):
        run_cycle(store, definitions(), moment(day), day_seconds=None, columns=columns)
    columns.close()
    return {"history_cpu_s": round(made, 1), "columns_cpu_s": round(rebuilt, 1)}


def measure(folder: Path) -> dict[str, Any]:
    """The night, the refresh, and whether the refresh left what evaluating everything leaves."""
    store, day, generator = connect(f"sqlite:///{folder}/backcast.db"), LAST_DAY + 1, np.random.default_rng(8)
    columns, bundle = _columns(store, folder), definitions()
    levels = np.load(folder / "levels.npy")
    everybody = np.arange(1, len(levels) + 1)
    with store.read() as session:
        columns.catch_up(session)  # to the evening before
    drift(levels, generator)
    send(store, day, levels, everybody)
    cycle = _timed(lambda: run_cycle(store, bundle, moment(day), day_seconds=86_400.0, columns=columns))
    peak = peak_mb()
    parts = [_refresh(store, bundle, columns, levels, generator) for _ in range(REFRESHES)]
    left = _fingerprint(store)
    run_cycle(store, bundle, moment(day), day_seconds=86_400.0, columns=columns)
    if _fingerprint(store) != left:
        raise SystemExit("a cycle over what changed left something else than one over everything")
    return {
        "cycle_cpu_s": cycle[0],
        "cycle_s": cycle[1],
        "decisions": cycle[2].starts + cycle[2].refusals + cycle[2].hold_outs,
        "peak_mb": peak,
        "part_accounts": len(everybody) // 100,
        "first_part_cpu_s": parts[0],
        "part_cpu_s": median(parts),
        "part_share": round(median(parts) / cycle[0], 4),
        "part_equals_whole": True,
    }


def _refresh(store: Store, bundle: Bundle, columns: Columns, levels: Levels, generator: np.random.Generator) -> float:
    """Change one account in a hundred and evaluate those; CPU seconds of the latter."""
    day, size = LAST_DAY + 1, len(levels)
    some = np.sort(generator.choice(size, size // 100, replace=False)) + 1
    levels[some - 1] = generator.uniform(5, 95, (len(some), METRICS))
    send(store, day, levels, some)
    with store.read() as session:
        seen = changed.read(session)
    return _timed(lambda: run_part(store, bundle, moment(day), seen, day_seconds=86_400.0, columns=columns))[0]


def _columns(store: Store, folder: Path) -> Columns:
    found = open_columns(store, str(folder / "columns"))
    if found is None:
        raise SystemExit("another process has the columns")
    return found


def _timed(work: Any) -> tuple[float, float, CycleResult]:
    cpu, clock = process_time(), perf_counter()
    result = work()
    return round(process_time() - cpu, 3), round(perf_counter() - clock, 3), result


def _fingerprint(store: Store) -> str:
    """All states, scores and decisions, as one hash."""
    found = sha256()
    with store.read() as session:
        for query in (
            "SELECT account_id, day, packed FROM signal_states ORDER BY account_id",
            "SELECT * FROM scores ORDER BY day, scorecard, account_id",
            "SELECT account_id, rule, kind, sentence FROM decisions ORDER BY id",
        ):
            for row in session.execute(text(query)):
                found.update(repr(tuple(row)).encode())
    return found.hexdigest()


def main() -> None:
    """Measure and print JSON."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--accounts", type=int, default=10_000)
    reader.add_argument("--folder", default="", help="where there is room for the portfolio")
    reader.add_argument("--json", type=Path, metavar="FILE", help="add the size to what python -m benchmarks wrote")
    reader.add_argument("--prepare", default="", help=argparse.SUPPRESS)
    reader.add_argument("--measure", default="", help=argparse.SUPPRESS)
    asked = reader.parse_args()
    if asked.prepare:
        found = prepare(Path(asked.prepare), asked.accounts)
    elif asked.measure:
        found = measure(Path(asked.measure))
    else:
        found = one_size(asked.accounts, asked.folder)
        if asked.json:
            add(asked.json, found)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
