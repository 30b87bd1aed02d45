"""Columns by the names that files use, computed when first asked for: features, account facts, segments.

`Features` is a mapping from name to column. ``as_of`` is the same mapping on an earlier day, over the same series.
A metric made of events counts a day without events as a true zero, for every account that exists; only the days of
silence stay unknown until the first event.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

import numpy as np

from engine.definitions.catalog import Catalog, Metric
from engine.definitions.feature import Feature, ValueType, Window, parse_feature
from engine.evaluation import windows
from engine.evaluation.columns import Column, Floats, Ints, Numbers, Texts
from engine.evaluation.counting import count_events
from engine.evaluation.facts import Facts, Series
from engine.evaluation.program import compute, evaluate_condition

DERIVED: Final = ("signal.", "score.", "tier.", "cause.")
"""How names begin that are results of the evaluation itself."""

_EMPTY: Final = np.zeros(0, dtype=np.int64)

Derive: TypeAlias = Callable[[str], Column | None]


def feature_named(catalog: Catalog, name: str) -> Feature | None:
    """The feature that ``name`` means, or None where it is no feature of a metric of the catalog."""
    if name in catalog.metrics:
        return Feature(name)
    feature = parse_feature(name)
    return feature if feature is not None and feature.metric in catalog.metrics else None


class Features(Mapping[str, Column]):
    """Columns of all accounts (or, for ``contacts``, of all contacts) as of one day.

    Over contacts, ``contact.<metric>`` is the contact's own and every other name is the value of its account.
    ``derive`` answers names of `DERIVED`; ``given`` are columns that stand for themselves (examples of rules).
    A name nobody knows raises KeyError. Iterating yields what was asked for so far.
    """

    def __init__(
        self,
        catalog: Catalog,
        facts: Facts,
        *,
        day: int | None = None,
        derive: Derive | None = None,
        given: Mapping[str, Column] | None = None,
        contacts: bool = False,
    ) -> None:
        self.catalog = catalog
        self.facts = facts
        self.day = facts.at if day is None else day
        self.size = len(facts.contacts.ids) if contacts else len(facts.accounts)
        self._derive = derive
        self._given = given or {}
        self._contacts = contacts
        self._accounts = Features(catalog, facts, day=day, derive=derive, given=given) if contacts else self
        self._found: dict[str, Column] = {}
        self._series: dict[str, Series] = {}
        self._earlier: dict[int, Features] = {self.day: self}

    def __getitem__(self, name: str) -> Column:
        found = self._found.get(name)
        if found is None:
            found = self._column(name)
            if found is None:
                raise KeyError(name)
            self._found[name] = found
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._found))

    def __len__(self) -> int:
        return len(self._found)

    def as_of(self, day: int) -> "Features":
        """The same columns on another day; scores, tiers and signals are unknown there."""
        found = self._earlier.get(day)
        if found is None:
            found = Features(self.catalog, self.facts, day=day, given=self._given, contacts=self._contacts)
            found._series, found._earlier = self._series, self._earlier
            self._earlier[day] = found
        return found

    def value(self, feature: Feature) -> Floats:
        """One numeric feature, float64[size], NaN unknown."""
        column = self[f"contact.{feature.name}" if self._contacts else feature.name]
        return column.values if isinstance(column, Numbers) else np.full(self.size, np.nan)

    def _column(self, name: str) -> Column | None:
        if self._contacts and not name.startswith("contact."):
            column = self._accounts.get(name)
            return None if column is None else taken(column, self.facts.contacts.account_rows)
        if name in self._given:
            return self._given[name]
        if name.startswith(DERIVED):
            return self._derive(name) if self._derive else None
        if name.startswith("account."):
            return self._account(name.removeprefix("account."))
        if name.startswith("in_segment."):
            condition = self.catalog.segments.get(name.removeprefix("in_segment."))
            return None if condition is None else compute(condition.tree, self, self.size)
        feature = feature_named(self.catalog, name.removeprefix("contact.") if self._contacts else name)
        return None if feature is None else self._feature(feature)

    def _account(self, name: str) -> Column | None:
        fields = self.facts.fields
        if name in fields:
            return fields[name]
        if name == "segment":
            return self._segments()
        if name == "days_in_stage":
            return self._days("stage_since", 1)
        if name == "renewal_in_days":
            return self._days("renewal_on", -1)
        return None

    def _days(self, name: str, sign: int) -> Column | None:
        column = self.facts.fields.get(name)
        return Numbers(sign * (self.day - column.values)) if isinstance(column, Numbers) else None

    def _segments(self) -> Column:
        codes = np.full(self.size, -1, dtype=np.int64)
        for code, condition in enumerate(self.catalog.segments.values()):
            holds = evaluate_condition(condition.tree, self, self.size).holds
            codes[(codes < 0) & holds] = code
        return Texts(codes, tuple(self.catalog.segments))

    def _feature(self, feature: Feature) -> Column:
        metric = self.catalog.metrics[feature.metric]
        if metric.type is ValueType.TEXT:
            return Texts(np.full(self.size, -1, dtype=np.int64), ())
        match feature.window:
            case Window.LATEST:
                return Numbers(self._latest(metric))
            case Window.MEAN:
                return Numbers(self._mean(metric, self.day, feature.days))
            case Window.PREVIOUS:
                return Numbers(self._mean(metric, self.day - feature.days, feature.days))
            case Window.SUM:
                return Numbers(self._sum(metric, feature.days))
            case Window.CHANGE:
                before = self._mean(metric, self.day - feature.days, feature.days)
                return Numbers(relative_change(before, self._mean(metric, self.day, feature.days)))
            case Window.SLOPE:
                return Numbers(windows.slope(self._daily(metric, feature.days), *self._window(metric, feature.days)))
            case Window.DAYS_SINCE:
                return Numbers(self._days_since(metric))
        return Numbers(ranks(self._latest(metric), lower_is_better=metric.better == "lower"))

    def _window(self, metric: Metric, days: int) -> tuple[int, int, int, int]:
        return self.size, self.day, days, decimals_of(metric)

    def _latest(self, metric: Metric) -> Floats:
        if metric.formula is not None:
            column = compute(metric.formula.tree, self, self.size)
            return column.values if isinstance(column, Numbers) else np.full(self.size, np.nan)
        if metric.from_events is None:
            return windows.latest(self.series(metric), self.size, self.day, metric.stale_after)
        if metric.from_events.silence:
            return self._days_since(metric)
        return windows.total(self.series(metric), self.size, self.day, metric.from_events.over or 1, 0)[0].astype(float)

    def _mean(self, metric: Metric, day: int, days: int) -> Floats:
        series = self._daily(metric, days, day)
        if _counts_days(metric):
            return windows.total(series, self.size, day, days, 0)[0] / days
        return windows.mean(series, self.size, day, days, decimals_of(metric))

    def _sum(self, metric: Metric, days: int) -> Floats:
        sums, counts = windows.total(self._daily(metric, days), *self._window(metric, days))
        known = (counts > 0) | _counts_days(metric)
        return np.where(known, sums / 10.0 ** decimals_of(metric), np.nan)

    def _days_since(self, metric: Metric) -> Floats:
        if metric.formula is not None:
            return np.full(self.size, np.nan)
        return windows.days_since(self.series(metric), self.size, self.day)

    def _daily(self, metric: Metric, days: int, day: int | None = None) -> Series:
        """The points a window looks at; for formulas and rolling counts the value of every day of the window."""
        last = self.day if day is None else day
        if metric.formula is None and (metric.from_events is None or _counts_days(metric)):
            return self.series(metric)
        every = range(last - days + 1, last + 1)
        values = np.stack([self.as_of(each).value(Feature(metric.name)) for each in every], axis=1).ravel()
        known = ~np.isnan(values)
        rows = np.repeat(np.arange(self.size, dtype=np.int64), days)[known]
        return Series(rows, np.tile(np.array(every, dtype=np.int64), self.size)[known], values[known])

    def series(self, metric: Metric) -> Series:
        """The points behind a metric, per account (or contact); empty where there are none."""
        found = self._series.get(metric.name)
        if found is None:
            found = self._series[metric.name] = self._load(metric)
        return found

    def _load(self, metric: Metric) -> Series:
        facts = self.facts
        own = (facts.contact_series if self._contacts else facts.series).get(metric.name)
        if own is not None:
            return own
        if not self._contacts and metric.name in facts.contact_series:
            return windows.summed(facts.contact_series[metric.name], facts.contacts.account_rows)
        if metric.from_events is not None:
            return count_events(metric.from_events, facts, contacts=self._contacts)
        return Series(_EMPTY, _EMPTY, np.zeros(0))


class OwnNames(Mapping[str, Column]):
    """The columns as one rule sees them: its own signals are ``signal.<name>`` without the rule's name."""

    def __init__(self, rule: str, columns: Mapping[str, Column]) -> None:
        self._rule = rule
        self._columns = columns

    def __getitem__(self, name: str) -> Column:
        own = name.removeprefix("signal.")
        return self._columns[name if own == name or "." in own else f"signal.{self._rule}.{own}"]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def taken(column: Column, rows: Ints) -> Column:
    """The entries of a column at ``rows``: an account's value for each of its contacts or events."""
    if isinstance(column, Texts):
        return Texts(column.codes[rows], column.words)
    return Numbers(column.values[rows])


def relative_change(before: Floats, now: Floats) -> Floats:
    """``now`` over ``before`` minus 1 (relative to the size of a negative base); a zero base is unknown.

    Rounded to 12 decimals, so that 110 after 100 is a change of exactly 10 %.
    """
    base = np.where(before == 0, np.nan, np.abs(before))
    return np.round((now - before) / base, 12)


def ranks(values: Floats, *, lower_is_better: bool = False, among: Floats | None = None) -> Floats:
    """``100 · count(v <= x) / N`` over the known values (``>=`` where lower is better); unknown stays outside N.

    ``among``: the values to compare with, ascending; by default these very values.
    """
    known = ~np.isnan(values)
    ordered = np.sort(values[known]) if among is None else among
    if lower_is_better:
        better = len(ordered) - np.searchsorted(ordered, values, side="left")
    else:
        better = np.searchsorted(ordered, values, side="right")
    return np.where(known, 100.0 * better / max(len(ordered), 1), np.nan)


def decimals_of(metric: Metric) -> int:
    """The power of ten in which a metric's values are summed exactly; a share has the decimals of its percentage."""
    if metric.from_events is not None:
        return 0
    return metric.decimals + 2 if metric.type is ValueType.SHARE else metric.decimals


def _counts_days(metric: Metric) -> bool:
    """Whether a day without a point is a true zero: plain daily counts of events."""
    source = metric.from_events
    return source is not None and not source.silence and not source.over
