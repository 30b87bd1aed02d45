"""Two questions with known answers: of those who were active lately, who goes silent for the next 91 days?

CDNOW: customers with at least two purchase days, the last less than 182 days ago; silent means no purchase.
Repository activity: contributors with at least three active weeks, the last less than 91 days ago; silent means no
commit. Weeks carry their Monday, and a cutoff on a Monday knows the week that begins on it.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.columns import Flags, Floats, Ints

AHEAD: Final = 91
"""Days without anything that count as having gone silent."""


@dataclass(frozen=True, slots=True)
class Task:
    """One question: its file, which columns to read, who is asked about, and on which days."""

    name: str
    file: str
    account: str
    day: str
    amounts: tuple[str, ...]
    at_least: int
    seen_within: int
    train: tuple[date, ...]
    test: tuple[date, ...]


def _every(first: date, last: date) -> tuple[date, ...]:
    return tuple(first + timedelta(days=AHEAD * step) for step in range((last - first).days // AHEAD + 1))


CDNOW: Final = Task(
    name="cdnow",
    file="cdnow_transactions.csv.gz",
    account="customer_id",
    day="date",
    amounts=("amount_usd", "quantity"),
    at_least=2,
    seen_within=182,
    train=(date(1997, 6, 30), date(1997, 9, 30), date(1997, 12, 30)),
    test=(date(1998, 3, 31),),
)
REPOSITORY: Final = Task(
    name="repository",
    file="repo_activity_weekly.csv.gz",
    account="account_id",
    day="week",
    amounts=("commits", "active_days", "files_changed", "areas"),
    at_least=3,
    seen_within=91,
    train=_every(date(2008, 1, 7), date(2019, 9, 23)),
    test=_every(date(2021, 1, 4), date(2025, 9, 29)),
)
TASKS: Final = (CDNOW, REPOSITORY)


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """Who was active when, one entry per account and active day, sorted by account, then day (length K).

    ``accounts``: the keys; ``rows`` int64[K] into them; ``days`` int64[K] since 1970-01-01; ``amounts`` float64[K, A],
    added up over the rows of the file that fall on one day.
    """

    accounts: tuple[str, ...]
    rows: Ints
    days: Ints
    amounts: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Those a cutoff asks about: ``rows`` int64[E] of accounts, and whether each went ``silent`` bool[E]."""

    day: int
    rows: Ints
    silent: Flags


def read(task: Task, folder: Path) -> Activity:
    """The activity in the task's file below ``folder``."""
    with gzip.open(folder / task.file, "rt", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    keys = sorted({line[task.account] for line in lines})
    number = {key: row for row, key in enumerate(keys)}
    rows = np.array([number[line[task.account]] for line in lines], dtype=np.int64)
    days = np.array([day_number(date.fromisoformat(line[task.day])) for line in lines], dtype=np.int64)
    amounts = np.array([[float(line[name]) for name in task.amounts] for line in lines])
    entries, place = np.unique(np.stack([rows, days]), axis=1, return_inverse=True)
    added = np.stack([np.bincount(place.ravel(), weights=column) for column in amounts.T], axis=1).astype(np.float64)
    return Activity(tuple(keys), entries[0], entries[1], added)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def asked(task: Task, activity: Activity, cutoff: date) -> Asked:
    """Whom the task asks about on ``cutoff``, and the answers."""
    day = day_number(cutoff)
    past = Past(activity, day)
    rows = np.flatnonzero((past.active_days() >= task.at_least) & (past.days_since() < task.seen_within))
    later = activity.rows[(activity.days > day) & (activity.days <= day + AHEAD)]
    silent = ~np.isin(rows, later)
    return Asked(day, rows, silent)


class Past:
    """Recency, frequency and amounts of every account as of a day, float64[accounts]; what came later is not seen."""

    def __init__(self, activity: Activity, day: int) -> None:
        self.size, self.day = len(activity.accounts), day
        known = activity.days <= day
        self.rows, self.days, self.amounts = activity.rows[known], activity.days[known], activity.amounts[known]

    def active_days(self, over: int | None = None) -> Floats:
        """Active days (of weekly data: weeks) ever, or in the ``over`` days that end with the day."""
        return np.bincount(self._rows(over), minlength=self.size).astype(np.float64)

    def amount(self, column: int = 0, over: int | None = None) -> Floats:
        """An amount added up, ever or over the last days."""
        weights = self.amounts[self._recent(over), column]
        return np.bincount(self._rows(over), weights=weights, minlength=self.size).astype(np.float64)

    def days_since(self) -> Floats:
        """Days since the last active day, infinite for who never was."""
        last = np.full(self.size, -np.inf)
        np.maximum.at(last, self.rows, self.days)
        return self.day - last

    def age(self) -> Floats:
        """Days since the first active day, minus infinity for who never was."""
        first = np.full(self.size, np.inf)
        np.minimum.at(first, self.rows, self.days)
        return self.day - first

    def _recent(self, over: int | None) -> Flags:
        return np.ones(len(self.days), dtype=np.bool_) if over is None else self.days > self.day - over

    def _rows(self, over: int | None) -> Ints:
        return self.rows[self._recent(over)]


def present(folder: Path) -> Iterator[Task]:
    """The tasks whose file is in ``folder``."""
    return (task for task in TASKS if (folder / task.file).is_file())
