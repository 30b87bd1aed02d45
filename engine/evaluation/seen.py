"""A metric seen through a window: its latest value, means and sums, changes and slopes, for all subjects at once.

A metric made of events counts a day without events as a true zero, for every account that exists. A metric of contacts
or products is rolled up into one of their account as its ``across`` says.
"""

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np

from engine.definitions.catalog import Catalog, Metric, Subject
from engine.definitions.feature import Feature, ValueType, Window
from engine.evaluation import owned, windows
from engine.evaluation.columns import Column, Flags, Floats, Ints, Numbers, Texts
from engine.evaluation.facts import Facts, Grid, Points, Series
from engine.evaluation.program import compute, unknown
from engine.evaluation.spans import days_since_last, worked_out

SMALLEST: Final = 20
"""Of fewer known values than these nobody can say what is much or little among them."""


class Around(Protocol):
    """What a metric is seen in: the subjects (accounts, or contacts, or products) and the day."""

    catalog: Catalog
    facts: Facts
    day: int
    size: int
    of: Subject

    def series(self, metric: Metric) -> Points:
        """The points behind a metric."""

    def above_zero(self, metric: Metric) -> Points:
        """The same with 1 for every point above zero and 0 for every other."""

    def as_of(self, day: int) -> "Around":
        """The same on another day."""

    def over(self, subject: Subject) -> "Around":
        """The contacts or products of the same accounts."""

    def columns(self) -> Mapping[str, Column]:
        """All columns by name."""

    def value(self, feature: Feature) -> Floats:
        """One numeric feature, NaN unknown."""


def see(feature: Feature, around: Around) -> Column:
    """One feature as a column of the subjects around it."""
    metric = around.catalog.metrics[feature.metric]
    if feature.window is Window.AGO:
        return see(Feature(metric.name), around.as_of(around.day - feature.days))
    if is_source_down(metric, around.facts, around.day) and feature.window is not Window.DAYS_SINCE:
        return unknown(metric.type, around.size)
    if metric.type is ValueType.TEXT and feature.window is Window.LATEST:
        return _text(metric, around)
    if around.of == "account" and metric.of != "account" and not (counts_days(metric) and _sums(metric)):
        return Numbers(_rolled_up(metric, feature, around))
    return Numbers(_number(metric, feature, around))


def is_source_down(metric: Metric, facts: Facts, day: int) -> bool:
    """Whether nobody sends the events of a metric: then no events are no zero.

    Nobody at all ever had one of them: their source has not been connected. Or nobody had one for more than
    ``stale_after`` days: it has gone silent. Only where others have some is nothing a true zero.
    """
    newest = facts.newest_events
    if metric.from_events is None or newest is None:
        return False
    last = max((newest[name] for name in metric.from_events.loaded if name in newest), default=None)
    return last is None or (bool(metric.stale_after) and day - last > metric.stale_after)


def _number(metric: Metric, feature: Feature, around: Around) -> Floats:
    days, size, day = feature.days, around.size, around.day
    match feature.window:
        case Window.LATEST:
            return _latest(metric, around)
        case Window.MEAN:
            return _mean(metric, around, day, days)
        case Window.PREVIOUS:
            return _mean(metric, around, day - days, days)
        case Window.CHANGE:
            return relative_change(_mean(metric, around, day - days, days), _mean(metric, around, day, days))
        case Window.SUM:
            return _sum(metric, around, days)
        case Window.SLOPE:
            return windows.slope(daily(metric, around, days, day), size, day, days, decimals_of(metric))
        case Window.DAYS:
            return _days(metric, around, days)
        case Window.DAYS_SINCE:
            return _days_since(metric, around)
    return _marks(metric, _latest(metric, around), around)


def _days_since(metric: Metric, around: Around) -> Floats:
    if metric.is_stored:
        return windows.days_since(around.series(metric), around.size, around.day)
    return days_since_last(metric, around.facts, around.day, contacts=around.of == "contact")


def _rolled_up(metric: Metric, feature: Feature, around: Around) -> Floats:
    match feature.window:
        case Window.CHANGE:
            means = [
                around.value(Feature(metric.name, window, feature.days)) for window in (Window.PREVIOUS, Window.MEAN)
            ]
            return relative_change(means[0], means[1])
        case Window.RANK:
            return _marks(metric, around.value(Feature(metric.name)), around)
    owners, here = _owners(metric.of, around.facts)
    values = around.over(metric.of).value(feature)
    how = "min" if feature.window is Window.DAYS_SINCE else metric.across or "sum"
    return owned.rolled(how, owners[here], values[here], around.size)


def _marks(metric: Metric, values: Floats, around: Around) -> Floats:
    """Percentile ranks among all accounts, where they can be compared: with the peers that were told, or each other."""
    peers = around.facts.peers
    told = None if peers is None or around.of != "account" else peers.values.get((metric.name, "all"))
    among = np.sort(values[~np.isnan(values)]) if told is None else told.get("", values[:0])
    if len(among) < SMALLEST:
        return np.full(around.size, np.nan)
    return ranks(values, lower_is_better=metric.better == "lower", among=among)


def _owners(subject: Subject, facts: Facts) -> tuple[Ints, Flags]:
    """The account of each contact or product, and which of them count: contacts who have departed do not."""
    if subject == "contact":
        return facts.contacts.account_rows, ~facts.contacts.departed
    return facts.products.account_rows, np.ones(len(facts.products.ids), dtype=np.bool_)


def _text(metric: Metric, around: Around) -> Column:
    if metric.of != around.of:
        return unknown(ValueType.TEXT, around.size)
    if metric.from_events is not None:
        return worked_out(metric, around.catalog, around.facts, around.day, contacts=around.of == "contact")
    codes = windows.latest(around.series(metric), around.size, around.day, metric.stale_after)
    return Texts(np.where(np.isnan(codes), -1, codes).astype(np.int64), around.facts.words)


def _latest(metric: Metric, around: Around) -> Floats:
    size, source = around.size, metric.from_events
    if metric.formula is not None:
        return _values(compute(metric.formula.tree, around.columns(), size), size)
    if metric.from_contacts is not None:
        wanted = metric.from_contacts.metric
        values = around.over("contact").value(wanted) if wanted else None
        return owned.from_contacts(metric.from_contacts, around.facts, values, around.day)
    if source is None:
        return windows.latest(around.series(metric), size, around.day, metric.stale_after)
    if source.silence:
        return windows.days_since(around.series(metric), size, around.day)
    if not source.is_daily:
        contacts = around.of == "contact"
        return _values(worked_out(metric, around.catalog, around.facts, around.day, contacts=contacts), size)
    decimals = decimals_of(metric)
    sums = windows.total(around.series(metric), size, around.day, source.over or 1, decimals)[0]
    return sums / 10.0**decimals


def _mean(metric: Metric, around: Around, day: int, days: int) -> Floats:
    series, decimals = daily(metric, around, days, day), decimals_of(metric)
    if counts_days(metric):
        return windows.total(series, around.size, day, days, decimals)[0] / (days * 10.0**decimals)
    return windows.mean(series, around.size, day, days, decimals)


def _sum(metric: Metric, around: Around, days: int) -> Floats:
    decimals = decimals_of(metric)
    sums, counts = windows.total(daily(metric, around, days, around.day), around.size, around.day, days, decimals)
    return np.where((counts > 0) | counts_days(metric), sums / 10.0**decimals, np.nan)


def _days(metric: Metric, around: Around, days: int) -> Floats:
    if metric.is_stored and (metric.from_events is None or counts_days(metric)):
        series = around.above_zero(metric)
    else:
        series = above_zero(daily(metric, around, days, around.day))
    sums, counts = windows.total(series, around.size, around.day, days, 0)
    return np.where((counts > 0) | counts_days(metric), sums.astype(np.float64), np.nan)


def daily(metric: Metric, around: Around, days: int, last: int) -> Points:
    """The points a window looks at; of what is worked out, the value of every day of the window."""
    if metric.is_stored and (metric.from_events is None or counts_days(metric)):
        return around.series(metric)
    every, size = range(last - days + 1, last + 1), around.size
    values = np.stack([around.as_of(each).value(Feature(metric.name)) for each in every], axis=1).ravel()
    known = ~np.isnan(values)
    rows = np.repeat(np.arange(size, dtype=np.int64), days)[known]
    return Series(rows, np.tile(np.array(every, dtype=np.int64), size)[known], values[known])


def above_zero(points: Points) -> Points:
    """The points with 1 in place of every value above zero and 0 in place of every other."""
    if isinstance(points, Grid):
        marks = np.where(np.isnan(points.values), np.nan, points.values > 0)
        return Grid(points.first, marks, points.last_days, points.last_values)
    return Series(points.rows, points.days, (points.values > 0).astype(np.float64))


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
    if metric.from_events is not None and metric.from_events.is_daily and not _has_fractions(metric):
        return 0
    return metric.decimals + 2 if metric.type is ValueType.SHARE else metric.decimals


def counts_days(metric: Metric) -> bool:
    """Whether a day without a point is a true zero: plain daily counts of events."""
    source = metric.from_events
    return source is not None and source.is_daily and not source.silence and not source.over


def _has_fractions(metric: Metric) -> bool:
    source = metric.from_events
    return source is not None and (source.take == "sum" or source.count == "minutes")


def _sums(metric: Metric) -> bool:
    return metric.across in {None, "sum"}


def _values(column: Column, size: int) -> Floats:
    return column.values if isinstance(column, Numbers) else np.full(size, np.nan)
