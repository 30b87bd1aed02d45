"""Accepting points: what may be stored, and one sentence for every row that may not. Pure; the store stores.

Columns in, columns out: half a million rows are judged by their distinct texts, not one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from engine.definitions.catalog import Catalog
from engine.definitions.feature import ValueType
from engine.errors import BadRow
from engine.evaluation.columns import Flags, Floats, Ints
from engine.evaluation.point_values import combine, like, limits, metric_fault, read_day, read_value, short, value_fault

SHOWN: Final = 50
_BAD: Final = -1

Where: TypeAlias = Callable[[int, str], tuple[str, int]]
"""Says where a row (0-based) and one of its columns stand: a JSON pointer and 0, or "" and a line."""


@dataclass(frozen=True, slots=True, eq=False)
class Accepted:
    """Points ready to store, one per subject, metric and day, in the order (metric, subject, day).

    ``subjects`` int64[K] are the ids that were handed in, ``metrics`` int64[K] index ``names``, ``days`` int64[K],
    ``values`` float64[K]. ``bad``: the first 50 rows that were refused, ``total`` how many there are; nothing of a
    batch with a bad row is to be stored. ``rows`` is how many rows came in.
    """

    subjects: Ints
    metrics: Ints
    days: Ints
    values: Floats
    names: tuple[str, ...]
    bad: tuple[BadRow, ...]
    total: int
    rows: int


@dataclass(frozen=True, slots=True)
class RawPoint:
    """One point as it was pushed."""

    account: str
    metric: str
    day: str
    value: object


def accept_points(catalog: Catalog, accounts: Mapping[str, int], rows: Sequence[RawPoint], at_day: int) -> Accepted:
    """Accept rows of a JSON body; the pointers of bad rows are ``/points/<index>/<field>``."""
    return accept_columns(
        catalog,
        accounts,
        [row.account for row in rows],
        [row.metric for row in rows],
        [row.day for row in rows],
        [row.value for row in rows],
        at_day,
        where=lambda row, column: (f"/points/{row}/{column}", 0),
    )


def accept_columns(
    catalog: Catalog,
    accounts: Mapping[str, int],
    keys: Sequence[str],
    metrics: Sequence[str],
    days: Sequence[str],
    values: Sequence[object],
    at_day: int,
    *,
    where: Where,
    contacts: Mapping[str, int] | None = None,
) -> Accepted:
    """Accept parallel columns. ``accounts`` and ``contacts`` map external keys to subject ids; a metric ``of: contact``
    names its contact in the same column. Rows of one subject, metric and day are combined as the metric says."""
    names = tuple(dict.fromkeys(metrics))
    code_of = {name: code for code, name in enumerate(names)}
    codes = np.fromiter((code_of[name] for name in metrics), dtype=np.int64, count=len(metrics))
    if not names:
        return Accepted(codes, codes, codes, np.zeros(0), names, (), 0, 0)
    judged = _Judged(catalog, names, at_day, where)
    judged.metrics(codes)
    subjects = judged.subjects(codes, keys, accounts, contacts or {})
    when = judged.days(days)
    numbers = judged.values(codes, values)
    if judged.total:
        nothing = np.zeros(0, dtype=np.int64)
        return Accepted(nothing, nothing, nothing, np.zeros(0), names, judged.shown(), judged.total, len(keys))
    combined = _combined(catalog, names, codes, subjects, when, numbers)
    return Accepted(*combined, names, (), 0, len(keys))


class _Judged:
    """Rows judged column by column; every kind of fault is found once per distinct text."""

    def __init__(self, catalog: Catalog, names: tuple[str, ...], at_day: int, where: Where) -> None:
        self.catalog = catalog
        self.names = names
        self.at_day = at_day
        self.where = where
        self.total = 0
        self._bad: list[tuple[int, str, str, str]] = []
        self._refused: Flags = np.array([metric_fault(catalog, name) is not None for name in names], dtype=np.bool_)

    def shown(self) -> tuple[BadRow, ...]:
        """The first bad rows in the order of the batch."""
        found = []
        for row, column, code, message in sorted(self._bad)[:SHOWN]:
            pointer, line = self.where(row, column)
            found.append(BadRow(code, message, pointer, line, column if line else ""))
        return tuple(found)

    def metrics(self, codes: Ints) -> None:
        """Refuse rows of metrics that cannot be pushed."""
        faults = [metric_fault(self.catalog, name) or ("", "") for name in self.names]
        for row in self._some(self._refused[codes]):
            self._add(row, "metric", *faults[codes[row]])

    def subjects(
        self, codes: Ints, keys: Sequence[str], accounts: Mapping[str, int], contacts: Mapping[str, int]
    ) -> Ints:
        """The subject ids of all rows."""
        person = np.array([self._is_of_contact(name) for name in self.names], dtype=np.bool_)[codes]
        found = np.fromiter((accounts.get(key, _BAD) for key in keys), dtype=np.int64, count=len(keys))
        for row in np.flatnonzero(person).tolist():
            found[row] = contacts.get(keys[row], _BAD)
        for row in self._some(found == _BAD):
            known, kind = (contacts, "contact") if person[row] else (accounts, "account")
            message = f'there is no {kind} "{short(keys[row])}"{like(keys[row], known)}'
            self._add(row, "account", f"unknown_{kind}", message)
        return found

    def days(self, days: Sequence[str]) -> Ints:
        """All days as days since 1970-01-01."""
        distinct = {text: read_day(text, self.at_day) for text in set(days)}
        parsed = {text: found if isinstance(found, int) else _BAD for text, found in distinct.items()}
        found = np.fromiter((parsed[text] for text in days), dtype=np.int64, count=len(days))
        for row in self._some(found == _BAD):
            self._add(row, "day", "bad_day", str(distinct[days[row]]))
        return found

    def values(self, codes: Ints, values: Sequence[object]) -> Floats:
        """All values as numbers."""
        kinds = [self._kind(name) for name in self.names]
        allowed = np.array([limits(kind) for kind in kinds]).reshape(-1, 2)[codes]
        read = (read_value(value, kinds[code]) for code, value in zip(codes.tolist(), values, strict=True))
        numbers = np.fromiter(read, dtype=np.float64, count=len(values))
        inside = (numbers >= allowed[:, 0]) & (numbers <= allowed[:, 1])
        for row in self._some(~inside & ~self._refused[codes]):
            self._add(row, "value", "bad_value", value_fault(values[row], kinds[codes[row]]))
        return numbers

    def _kind(self, name: str) -> ValueType:
        return self.catalog.metrics[name].type if name in self.catalog.metrics else ValueType.NUMBER

    def _is_of_contact(self, name: str) -> bool:
        return name in self.catalog.metrics and self.catalog.metrics[name].of == "contact"

    def _some(self, bad: Flags) -> list[int]:
        rows = np.flatnonzero(bad)
        self.total += len(rows)
        found: list[int] = rows[:SHOWN].tolist()
        return found

    def _add(self, row: int, column: str, code: str, message: str) -> None:
        self._bad.append((row, column, code, message))


def _combined(
    catalog: Catalog, names: tuple[str, ...], codes: Ints, subjects: Ints, days: Ints, values: Floats
) -> tuple[Ints, Ints, Ints, Floats]:
    """One value per subject, metric and day. Of several, what the metric's ``combine`` says; sums are exact."""
    order = np.lexsort((days, subjects, codes))
    codes, subjects, days, values = codes[order], subjects[order], days[order], values[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (np.diff(codes) != 0) | (np.diff(subjects) != 0) | (np.diff(days) != 0)
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(order))
    combined = values[ends - 1].copy()
    for group in np.flatnonzero(ends - starts > 1).tolist():
        metric = catalog.metrics[names[codes[starts[group]]]]
        combined[group] = combine(metric, values[starts[group] : ends[group]].tolist())
    return subjects[starts], codes[starts], days[starts], combined
