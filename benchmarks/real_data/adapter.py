"""Repository activity (one row per contributor and active week) as files that `backcast ingest` takes.

An absent week is a true zero, from the account's first week to the project's last; the file only has active weeks. So
every week of the chosen window becomes one point per metric, on the week's Sunday, when it is known. Every active
week ever is also an event, so that the days of silence are known for accounts that were last seen long ago.
"""

import argparse
import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

METRICS = ("commits", "active_days", "files_changed", "areas")
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Week:
    """One active week of one contributor: its Monday and the four counts in the order of `METRICS`."""

    project: str
    account: str
    monday: date
    counts: tuple[int, ...]


def read(path: Path) -> list[Week]:
    """All active weeks in the file, in its order."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [
            Week(row["project"], row["account_id"], date.fromisoformat(row["week"]), tuple(int(row[m]) for m in METRICS))
            for row in csv.DictReader(file)
        ]


def points(weeks: Iterable[Week], first: date, last: date) -> Iterator[tuple[str, str, str, int]]:
    """``account, metric, day, value`` for every week that begins in ``first … last``, zeros included."""
    by_account: dict[str, dict[date, tuple[int, ...]]] = defaultdict(dict)
    ends: dict[str, date] = {}
    project_of: dict[str, str] = {}
    for week in weeks:
        by_account[week.account][week.monday] = week.counts
        project_of[week.account] = week.project
        ends[week.project] = max(ends.get(week.project, week.monday), week.monday)
    for account, active in by_account.items():
        monday = max(min(active), first)
        while monday <= min(last, ends[project_of[account]]):
            counts = active.get(monday, (0,) * len(METRICS))
            sunday = (monday + timedelta(days=6)).isoformat()
            yield from ((account, metric, sunday, value) for metric, value in zip(METRICS, counts, strict=True))
            monday += WEEK


def write(source: Path, folder: Path, first: date, last: date) -> dict[str, int]:
    """Write accounts, contacts, events and points to ``folder``; the number of rows of each."""
    weeks = read(source)
    folder.mkdir(parents=True, exist_ok=True)
    begun: dict[str, date] = {}
    for week in weeks:
        begun[week.account] = min(begun.get(week.account, week.monday), week.monday)
    accounts = ((name, name, "community@example.com", "adoption", day.isoformat()) for name, day in begun.items())
    contacts = ((f"{name}-person", name, "Contributor", f"{name}@example.net", "user") for name in begun)
    events = (
        (week.account, "active_week", week.monday.isoformat(), f"{week.account}-{week.monday}")
        for week in weeks
        if week.monday <= last
    )
    return {
        "accounts": _csv(folder / "accounts.csv", ("key", "name", "owner", "stage", "onboarded_on"), accounts),
        "contacts": _csv(folder / "contacts.csv", ("key", "account", "name", "email", "roles"), contacts),
        "events": _csv(folder / "events.csv", ("account", "event", "at", "key"), events),
        "points": _csv(folder / "points.csv.gz", ("account", "metric", "day", "value"), points(weeks, first, last)),
    }


def _csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> int:
    opener = gzip.open if path.suffix == ".gz" else open
    count = 0
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for count, row in enumerate(rows, start=1):  # noqa: B007 -- the count is wanted after the loop
            writer.writerow(row)
    return count


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="repo_activity_weekly.csv.gz")
    parser.add_argument("folder", type=Path, help="where the four files go")
    parser.add_argument("--first", type=date.fromisoformat, default=date(2022, 12, 26))
    parser.add_argument("--last", type=date.fromisoformat, default=date(2025, 12, 22))
    wanted = parser.parse_args()
    for name, count in write(wanted.source, wanted.folder, wanted.first, wanted.last).items():
        print(f"{count:>10,} {name}")


if __name__ == "__main__":
    main()
