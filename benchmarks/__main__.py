"""All benchmarks with one command, each in a process of its own.

    python -m benchmarks [NAME …] [--quick] [--json FILE] [--table FILE]

A benchmark is a module in this folder with ``run(*, quick: bool) -> dict`` and ``goals``: figure → (comparison, limit).
It checks that its contenders say the same before it times them. Prints a line per goal; ``--json`` keeps all figures
with the machine and the versions they come from, ``--table`` writes them into a page between its markers.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from benchmarks.measuring import ROOT, peak_mb
from benchmarks.reporting import filled, goal_lines

NAMES: Final = (
    "conditions",
    "why",
    "columns",
    "scoring",
    "measures",
    "nightly",
    "ingest",
    "reaction",
    "runs",
    "effect_coverage",
)
PACKAGES: Final = (
    "numpy",
    "sqlalchemy",
    "json-logic-qubit",
    "polars",
    "zen-engine",
    "datalogic-py",
    "temporalio",
)


def main() -> None:
    """Run what was asked for and report it; exit 1 where a benchmark failed or, at full size, missed a goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: those there are)")
    parser.add_argument("--quick", action="store_true", help="small sizes: whether it works, not how fast")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the figures to this file")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write them into this page, between its markers")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if unknown := [name for name in wanted.names if not _exists(name)]:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(filter(_exists, NAMES))}")
    if wanted.alone:
        print(json.dumps(alone(wanted.names[0], quick=wanted.quick)))
        return
    names = wanted.names or [name for name in NAMES if _exists(name)]
    results = {name: measured(name, quick=wanted.quick) for name in names}
    report = _kept(wanted.json) | {"machine": machine()}
    report["benchmarks"] = report.get("benchmarks", {}) | results
    if wanted.json:
        wanted.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if wanted.table:
        wanted.table.write_text(filled(wanted.table.read_text(encoding="utf-8"), report), encoding="utf-8")
    missed = not all(goal["met"] for result in results.values() for goal in result["goals"])
    sys.exit(any("failed" in result for result in results.values()) or (missed and not wanted.quick))


def measured(name: str, *, quick: bool) -> dict[str, Any]:
    """One benchmark in a process of its own; what it says of its goals is printed."""
    command = [sys.executable, "-m", "benchmarks", name, "--alone", *(["--quick"] if quick else [])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 # our own
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        print(f"{name}: failed: {last[0]}", flush=True)
        return {"failed": last[0], "goals": []}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for line in goal_lines(name, result):
        print(line, flush=True)
    return result


def alone(name: str, *, quick: bool) -> dict[str, Any]:
    """Run a benchmark in this process: its figures, its goals, seconds on the clock, peak memory."""
    module = import_module(f"benchmarks.{name}")
    started = perf_counter()
    figures = module.run(quick=quick)
    goals: Mapping[str, tuple[str, float]] = getattr(module, "goals", {})
    return {
        "figures": figures,
        "goals": [_judged(key, *goal, figures.get(key)) for key, goal in goals.items()],
        "quick": quick,
        "seconds": round(perf_counter() - started, 1),
        "process_peak_mb": peak_mb(),
        "on": datetime.now(UTC).date().isoformat(),
    }


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(terse=True),
        "versions": versions,
    }


def _judged(figure: str, comparison: str, limit: float, value: float | None) -> dict[str, Any]:
    met = (
        value is not None
        and {
            "<=": lambda: value <= limit,
            ">=": lambda: value >= limit,
            "<": lambda: value < limit,
            ">": lambda: value > limit,
        }[comparison]()
    )
    return {"figure": figure, "goal": f"{comparison} {limit:,g}", "value": value, "met": met}


def _exists(name: str) -> bool:
    return name in NAMES and (Path(__file__).parent / f"{name}.py").exists()


def _kept(file: Path | None) -> dict[str, Any]:
    if file is None or not file.exists():
        return {}
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
