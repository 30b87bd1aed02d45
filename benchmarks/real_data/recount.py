"""The same entries counted a second time, straight from the source and without a line of the engine.

Written from what the rules say in words, account by account and slowly, so that it shares no mistake with the engine.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeAlias

from benchmarks.real_data.adapter import FIRST, METRICS, Week
from benchmarks.real_data.product import Product

Entries: TypeAlias = dict[tuple[str, str], set[str]]
"""Day and rule to the accounts that enter the rule on that day."""

_COMMITS: Final = METRICS.index("commits")
_AREAS: Final = METRICS.index("areas")


@dataclass(frozen=True, slots=True)
class Seen:
    """One account as of a day: its active weeks by how many days ago they ended, and since how many days it is here."""

    weeks: Mapping[int, tuple[int, ...]]
    known: int

    @property
    def silent(self) -> int:
        """Days since the last active week ended."""
        return min(self.weeks)

    def active(self, days: int) -> int:
        """Active weeks within so many days."""
        return sum(ago < days for ago in self.weeks)

    def total(self, metric: int, near: int, far: int) -> int:
        """What a metric adds up to from ``near`` to before ``far`` days ago."""
        return sum(counts[metric] for ago, counts in self.weeks.items() if near <= ago < far)

    def change(self, metric: int) -> float | None:
        """The mean of eight weeks over that of the eight before, minus 1; None where one of them is not known."""
        now, before = self._mean(metric, 0, 56), self._mean(metric, 56, 112)
        return now / before - 1 if now is not None and before else None

    def _mean(self, metric: int, near: int, far: int) -> float | None:
        weeks = len([ago for ago in range(near, far, 7) if ago <= self.known])
        return self.total(metric, near, far) / weeks if weeks else None


def _slower(seen: Seen) -> bool:
    change = seen.change(_COMMITS)
    return change is not None and change <= -0.5 and seen.total(_COMMITS, 56, 112) >= 4 and seen.silent < 56


def _narrower(seen: Seen) -> bool:
    areas, commits = seen.change(_AREAS), seen.change(_COMMITS)
    if areas is None or commits is None:
        return False
    return areas <= -0.3 and seen.total(_AREAS, 56, 112) >= 4 and commits > -0.5


RULES: Final[Mapping[str, Callable[[Seen], bool]]] = {
    "came-once": lambda seen: 28 <= seen.silent <= 56 and seen.active(365) == 1,
    "gone-silent": lambda seen: seen.silent >= 56 and seen.active(365) >= 2,
    "narrowing": _narrower,
    "slowing-down": _slower,
}


def expected(weeks: Iterable[Week], days: Sequence[date]) -> Entries:
    """Who enters each rule on each of ``days`` (Sundays, in order)."""
    histories: dict[str, dict[date, tuple[int, ...]]] = defaultdict(dict)
    for week in weeks:
        histories[week.account][week.monday + timedelta(days=6)] = week.counts
    found: Entries = {}
    inside: dict[str, set[str]] = {rule: set() for rule in RULES}
    for day in days:
        there = {account: seen for account, history in histories.items() if (seen := _seen(history, day)) is not None}
        for rule, holds in RULES.items():
            firing = {account for account, seen in there.items() if holds(seen)}
            found[day.isoformat(), rule] = firing - inside[rule]
            inside[rule] = firing
    return found


def _seen(history: Mapping[date, tuple[int, ...]], day: date) -> Seen | None:
    weeks = {(day - sunday).days: counts for sunday, counts in history.items() if sunday <= day}
    begun = max(min(history), FIRST + timedelta(days=6))
    return Seen(weeks, (day - begun).days) if weeks else None


def compare(product: Product, weeks: Iterable[Week], days: Sequence[date]) -> dict[str, int]:
    """How many entries there should be, and how many the product missed or made up."""
    should = expected(weeks, days)
    did: Entries = defaultdict(set)
    for day, rule, account in product.ask(
        "SELECT date(decided_at), rule, key FROM decisions JOIN accounts ON accounts.id = account_id"
    ):
        did[day, rule].add(account)
    return {
        "entries": sum(map(len, should.values())),
        "missed": sum(len(accounts - did[place]) for place, accounts in should.items()),
        "made_up": sum(len(accounts - should.get(place, set())) for place, accounts in did.items()),
    }
