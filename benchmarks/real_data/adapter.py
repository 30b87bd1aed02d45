"""Repository activity (one row per contributor and active week) as files that `backcast ingest` takes.

An absent week is a true zero, from the account's first week to the project's last; the file only has active weeks. So
every week of the chosen window becomes one point per metric. Every active week ever is also an event, so that the days
of silence are known for accounts that were last seen long ago. Both carry the week's Sunday, the first day on which
the week is known as a whole, and come week by week, as a feed would bring them.
"""

import argparse
import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

METRICS: Final = ("commits", "active_days", "files_changed", "areas")
FIRST: Final = date(2022, 12, 26)
LAST: Final = date(2025, 12, 22)
"""The Mondays of the first and the last week of points: two years to look at, and one before them to look back on."""

_WEEK: Final = timedelta(days=7)
_TO_SUNDAY: Final = timedelta(days=6)


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
            Week(
                row["project"], row["account_id"], date.fromisoformat(row["week"]), tuple(int(row[m]) for m in METRICS)
            )
            for row in csv.DictReader(file)
        ]


def begun(weeks: Iterable[Week]) -> dict[str, date]:
    """The Monday of each account's first active week."""
    found: dict[str, date] = {}
    for week in weeks:
        found[week.account] = min(found.get(week.account, week.monday), week.monday)
    return found


def point_lines(weeks: Sequence[Week], first: date, last: date) -> Iterator[tuple[str, int]]:
    """``account,metric,day,value`` for every week that begins in ``first … last``, zeros included: the lines of one
    week as one text, and how many they are."""
    starts = begun(weeks)
    project_of = {week.account: week.project for week in weeks}
    ends: dict[str, date] = {}
    active: dict[date, dict[str, tuple[int, ...]]] = defaultdict(dict)
    for week in weeks:
        active[week.monday][week.account] = week.counts
        ends[week.project] = max(ends.get(week.project, week.monday), week.monday)
    monday = max(first, min(starts.values()))
    while monday <= min(last, max(ends.values())):
        sunday, seen = (monday + _TO_SUNDAY).isoformat(), active[monday]
        there = [name for name, start in starts.items() if start <= monday <= ends[project_of[name]]]
        yield "".join(_lines(name, sunday, seen.get(name, _NOTHING)) for name in there), len(there) * len(METRICS)
        monday += _WEEK


_NOTHING: Final = (0,) * len(METRICS)


def _lines(account: str, day: str, counts: tuple[int, ...]) -> str:
    return "".join(f"{account},{metric},{day},{value}\n" for metric, value in zip(METRICS, counts, strict=True))


def write(source: Path, folder: Path, first: date = FIRST, last: date = LAST) -> dict[str, int]:
    """Write accounts, contacts, events and points to ``folder``; the number of rows of each."""
    weeks = read(source)
    folder.mkdir(parents=True, exist_ok=True)
    starts = begun(weeks)
    accounts = [f"{name},{name},community@example.com,adoption,{day}\n" for name, day in starts.items()]
    contacts = [f"{name}-person,{name},Contributor,{name}@example.net,user\n" for name in starts]
    events = [
        f"{week.account},active_week,{week.monday + _TO_SUNDAY},{week.account}-{week.monday}\n"
        for week in weeks
        if week.monday <= last
    ]
    lists = {
        "accounts": ("key,name,owner,stage,onboarded_on", accounts),
        "contacts": ("key,account,name,email,roles", contacts),
        "events": ("account,event,at,key", events),
    }
    for name, (header, lines) in lists.items():
        (folder / f"{name}.csv").write_text(f"{header}\n{''.join(lines)}", encoding="utf-8")
    return {name: len(lines) for name, (_, lines) in lists.items()} | {
        "points": _write_points(folder / "points.csv.gz", point_lines(weeks, first, last))
    }


def _write_points(path: Path, weeks: Iterable[tuple[str, int]]) -> int:
    """Packed lightly: most lines are zeros, and trying harder costs more than the bytes are worth."""
    total = 0
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8", newline="") as file:
        file.write("account,metric,day,value\n")
        for lines, count in weeks:
            file.write(lines)
            total += count
    return total


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="repo_activity_weekly.csv.gz")
    parser.add_argument("folder", type=Path, help="where the four files go")
    parser.add_argument("--first", type=date.fromisoformat, default=FIRST, help="Monday of the first week of points")
    parser.add_argument("--last", type=date.fromisoformat, default=LAST, help="Monday of the last week of points")
    wanted = parser.parse_args()
    for name, count in write(wanted.source, wanted.folder, wanted.first, wanted.last).items():
        print(f"{count:>10,} {name}")


if __name__ == "__main__":
    main()
