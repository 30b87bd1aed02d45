"""Accepting points: what may be stored, and one sentence for every row that may not. Pure; the store stores.

Columns in, columns out, block by block: texts are judged once and looked up from then on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.definitions.catalog import Catalog
from engine.definitions.feature import ValueType
from engine.evaluation.columns import Floats, Ints
from engine.evaluation.incoming.faults import BAD, Report
from engine.evaluation.incoming.points import PointBlock
from engine.evaluation.point_values import (
    combine,
    is_decimal_comma,
    is_word,
    limits,
    metric_fault,
    plain_numbers,
    read_day,
    read_value,
    value_fault,
)

_KEPT: Final = 100_000
_NUMERIC: Final = frozenset({ValueType.NUMBER, ValueType.SHARE, ValueType.BOOLEAN})


@dataclass(frozen=True, slots=True, eq=False)
class Accepted:
    """Points ready to store, in the order of their rows: ``subjects`` int64[K] are ids, ``metrics`` int64[K] index
    the names and ``days`` int64[K] are days since 1970-01-01. ``values`` float64[K]; a text's is the index of its
    word among the words of the `PointJudge`."""

    subjects: Ints
    metrics: Ints
    days: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.days)


class PointJudge:
    """Judges blocks of one body. ``names`` and ``words`` are what the codes in `Accepted` stand for."""

    def __init__(self, catalog: Catalog, at_day: int) -> None:
        self._catalog = catalog
        self._codes = _Codes(catalog)
        self._days = _Days(at_day)
        self._words: dict[str, int] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics met so far."""
        return tuple(self._codes.names)

    @property
    def words(self) -> tuple[str, ...]:
        """The values of text metrics met so far."""
        return tuple(self._words)

    def codes(self, block: PointBlock) -> Ints:
        """int64[K]: each row's metric as an index into ``names``, `BAD` where nothing can be pushed of it."""
        return np.fromiter(map(self._codes.__getitem__, block.metrics), dtype=np.int64, count=len(block))

    def accept(self, block: PointBlock, codes: Ints, subjects: Ints, report: Report) -> Accepted:
        """The rows, with the subjects that were found for them. Where anything was reported they are not to be
        stored."""
        for row in report.some(codes == BAD):
            report.add(row, "metric", *(metric_fault(self._catalog, block.metrics[row].strip()) or ("", "")))
        days = np.fromiter(map(self._days.__getitem__, block.days), dtype=np.int64, count=len(block))
        for row in report.some(days == BAD):
            report.add(row, "day", "bad_day", str(read_day(block.days[row], self._days.at_day)))
        values = self._values(block, codes, report)
        return Accepted(subjects, codes, days, values)

    def _values(self, block: PointBlock, codes: Ints, report: Report) -> Floats:
        kinds = [self._catalog.metrics[name].type for name in self._codes.names]
        used = {kinds[code] for code in set(codes.tolist()) - {BAD}}
        numbers = plain_numbers(block.values) if used <= _NUMERIC else None
        if numbers is None:
            numbers = self._read(block.values, codes, kinds)
        allowed = np.array([*map(limits, kinds), (-np.inf, np.inf)]).reshape(-1, 2)
        inside = (numbers >= allowed[codes, 0]) & (numbers <= allowed[codes, 1])
        if ValueType.BOOLEAN in used:
            truth = np.array([*(kind is ValueType.BOOLEAN for kind in kinds), False])[codes]
            inside &= ~truth | (numbers == 0) | (numbers == 1)
        for row in report.some(~inside & (codes != BAD)):
            value, kind = block.values[row], kinds[codes[row]]
            comma = kind in _NUMERIC and is_decimal_comma(value)
            report.add(row, "value", "decimal_comma" if comma else "bad_value", value_fault(value, kind))
        return numbers

    def _read(self, values: Sequence[object], codes: Ints, kinds: Sequence[ValueType]) -> Floats:
        read = (
            (
                self._word(value) if code != BAD and kinds[code] is ValueType.TEXT else read_value(value, kinds[code])
                for code, value in zip(codes.tolist(), values, strict=True)
            )
            if kinds
            else (0.0 for _ in values)
        )
        return np.fromiter(read, dtype=np.float64, count=len(values))

    def _word(self, value: object) -> float:
        if not is_word(value):
            return np.nan
        return float(self._words.setdefault(str(value).strip(), len(self._words)))


class _Codes(dict[str, int]):
    """Metric names to codes; of a name that cannot be pushed nothing is kept, for there may be very many."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__()
        self.catalog = catalog
        self.names: list[str] = []
        self._places: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        name = text.strip()
        if metric_fault(self.catalog, name) is not None:
            return BAD
        code = self._places.setdefault(name, len(self.names))
        if code == len(self.names):
            self.names.append(name)
        if len(self) < _KEPT:
            self[text] = code
        return code


class _Days(dict[str, int]):
    """Days as texts to days since 1970-01-01."""

    def __init__(self, at_day: int) -> None:
        super().__init__()
        self.at_day = at_day

    def __missing__(self, text: str) -> int:
        found = read_day(text, self.at_day)
        if not isinstance(found, int):
            return BAD
        if len(self) < _KEPT:
            self[text] = found
        return found


def combined(catalog: Catalog, names: Sequence[str], points: Accepted) -> Accepted:
    """One value per day, subject and metric, in that order. Of several: what the metric's ``combine`` says of them in
    the order they came; sums are exact."""
    order = np.lexsort((points.metrics, points.subjects, points.days))
    codes, subjects, days = points.metrics[order], points.subjects[order], points.days[order]
    values = points.values[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (np.diff(codes) != 0) | (np.diff(subjects) != 0) | (np.diff(days) != 0)
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(order))
    found = values[ends - 1].copy() if len(order) else values
    for group in np.flatnonzero(ends - starts > 1).tolist():
        metric = catalog.metrics[names[codes[starts[group]]]]
        if metric.combine != "last":
            found[group] = combine(metric, values[starts[group] : ends[group]].tolist())
    return Accepted(subjects[starts], codes[starts], days[starts], found)


def find_metrics_of(catalog: Catalog, names: Sequence[str]) -> Mapping[int, str]:
    """The codes of metrics that are not of accounts, with what they are of."""
    return {code: catalog.metrics[name].of for code, name in enumerate(names) if catalog.metrics[name].of != "account"}
