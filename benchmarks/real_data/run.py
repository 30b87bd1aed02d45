"""Two years of repository activity through the product's own commands: ingest, evaluate, runs, outcomes, effects.

    python -m benchmarks.real_data.run PATH/repo_activity_weekly.csv.gz WORK_FOLDER

Every four weeks of 2024 and 2025 are evaluated as they would have been known then. The accounts that fire in one of
those weeks start real runs on the embedded Temporal server, whose letters become files; the other weeks are replayed
with ``--no-runs``. Writes ``result.json`` and ``tables.md`` to the folder. Both hold counts only.
"""

import argparse
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.real_data import adapter, figures, recount, redraw, tables
from benchmarks.real_data.product import DAY_SECONDS, Product, peak_mb

BEGIN: Final = date(2024, 1, 7)
END: Final = date(2025, 12, 28)
EVERY: Final = timedelta(days=28)
PATIENCE: Final = 180.0
_OPEN: Final = "SELECT count(*) FROM runs WHERE state NOT IN ('done', 'failed', 'cancelled')"


def sundays() -> Iterator[date]:
    """Every fourth Sunday from `BEGIN`, and `END`, on which what has become due is judged."""
    day = BEGIN
    while day < END:
        yield day
        day += EVERY
    yield END


def measure(source: Path, work: Path, chosen: date) -> dict[str, Any]:
    """The whole measurement in a fresh installation below ``work``."""
    feed, product = work / "feed", Product(work.resolve() / "data")
    shutil.rmtree(product.folder, ignore_errors=True)
    adapter.write(source, feed)
    taken = {kind: _ingest(product, kind, feed) for kind in ("accounts", "contacts", "events", "points")}
    evaluations, served, planned = [], {}, {}
    for day in sundays():
        if day == chosen:
            planned = _planned(product, day)
        evaluations.append(_evaluated(product, day, with_runs=day == chosen))
        if day == chosen:
            served = product.serve_until(lambda: product.ask(_OPEN)[0][0] == 0, PATIENCE)
    return {
        "chosen": chosen.isoformat(),
        "day_seconds": DAY_SECONDS,
        "ingest": taken,
        "evaluations": evaluations,
        "planned": planned,
        "served": served,
        "recounted": recount.compare(product, adapter.read(source), list(sundays())),
        "cycles": figures.cycles(product),
        "tenths": figures.tenths(product),
        "decisions": figures.decisions(product),
        "episodes": figures.episodes(product),
        "runs": figures.runs(product),
        "outcomes": figures.outcomes(product),
        "effects": figures.effects(product),
        "redrawn": redraw.redrawn(product),
        "afterwards": figures.afterwards(product),
        "by_project": figures.by_project(product),
        "by_quarter": figures.by_quarter(product),
        "database_mb": round((product.folder / "backcast.db").stat().st_size / 1e6),
    }


def _ingest(product: Product, kind: str, feed: Path) -> dict[str, Any]:
    (file,) = feed.glob(f"{kind}.csv*")
    answer, spent = product.run("ingest", kind, str(file.resolve()), "--json")
    print(f"{answer['new']:>10,} {kind} in {spent.wall:.1f} s", flush=True)
    return {**answer, **asdict(spent), "peak_mb": peak_mb()}


def _planned(product: Product, day: date) -> dict[str, Any]:
    """What `plan` and `scores` say of the day, in counts, before anything is done about it."""
    plan, planning = product.run("plan", "--at", day.isoformat(), "--json")
    scores, scoring = product.run("scores", "--at", day.isoformat(), "--format", "json")
    kinds = [decision["kind"] for decision in plan["decisions"]]
    return {
        "starts": kinds.count("start"),
        "hold_outs": kinds.count("hold_out"),
        "refusals": kinds.count("refuse"),
        "scored": sum(row["score"] is not None for row in scores),
        **asdict(planning + scoring),
    }


def _evaluated(product: Product, day: date, *, with_runs: bool) -> dict[str, Any]:
    words = ("evaluate", "--at", day.isoformat(), "--json")
    answer, spent = product.run(*words) if with_runs else product.run(*words, "--no-runs")
    print(f"{day} {answer['starts']:>4} starts {answer['judged']:>4} judged, {spent.wall:.1f} s", flush=True)
    return {"day": day.isoformat(), "with_runs": with_runs, **answer, **asdict(spent)}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="repo_activity_weekly.csv.gz")
    parser.add_argument("work", type=Path, help="folder for the feed, the installation and the results")
    parser.add_argument("--chosen", type=date.fromisoformat, default=date(2025, 3, 2), help="the week with real runs")
    wanted = parser.parse_args()
    if not wanted.source.is_file():
        parser.error(f"{wanted.source} is not there; the file is not shipped, docs/real-data.md says what it is")
    if wanted.chosen not in sundays():
        parser.error(f"--chosen is one of: {', '.join(str(day) for day in sundays())}")
    result = measure(wanted.source, wanted.work, wanted.chosen)
    (wanted.work / "result.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    (wanted.work / "tables.md").write_text(tables.render(result), encoding="utf-8")
    print(f"result.json and tables.md are in {wanted.work}")


if __name__ == "__main__":
    main()
