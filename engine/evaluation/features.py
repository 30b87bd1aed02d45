"""Columns by the names that files use, computed when first asked for: features, account facts, segments.

`Features` is a mapping from name to column. ``as_of`` is the same mapping on an earlier day, over the same series.
How a metric is seen through a window stands in `engine.evaluation.seen`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

import numpy as np

from engine.definitions.catalog import Catalog, Metric, Subject
from engine.definitions.feature import Feature, parse_feature
from engine.evaluation import windows
from engine.evaluation.columns import Column, Floats, Ints, Numbers, Texts
from engine.evaluation.counting import count_events
from engine.evaluation.facts import Facts, Points, Series
from engine.evaluation.goals import GOAL, goal_column
from engine.evaluation.program import compute, evaluate_condition
from engine.evaluation.seen import above_zero, decimals_of, ranks, relative_change, see

__all__ = ["DERIVED", "Features", "OwnNames", "decimals_of", "feature_named", "ranks", "relative_change", "taken"]

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
    """Columns of all accounts (or ``of`` all contacts, or all products) as of one day.

    Over contacts, ``contact.<metric>`` is the contact's own and every other name is the value of its account; over
    products likewise. ``contacts=True`` is the same as ``of="contact"``.
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
        of: Subject = "account",
    ) -> None:
        self.catalog = catalog
        self.facts = facts
        self.day = facts.at if day is None else day
        self.of: Subject = "contact" if contacts else of
        self._ids, self._owners = _subjects(facts, self.of)
        self.size = len(self._ids)
        self._derive = derive
        self._given = given or {}
        self._found: dict[str, Column] = {}
        self._series: dict[str, Points] = {}
        self._others: dict[Subject, Features] = {self.of: self}
        self._earlier: dict[int, Features] = {self.day: self}

    def __getitem__(self, name: str) -> Column:
        found = self._found.get(name)
        if found is None:
            found = self._column(name)
            if found is None:
                raise KeyError(name)
            found = self._found[name] = self._overridden(name, found)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._found))

    def __len__(self) -> int:
        return len(self._found)

    def as_of(self, day: int) -> "Features":
        """The same columns on another day; scores, tiers and signals are unknown there."""
        found = self._earlier.get(day)
        if found is None:
            found = Features(self.catalog, self.facts, day=day, given=self._given, of=self.of)
            found._series, found._earlier = self._series, self._earlier
            self._earlier[day] = found
        return found

    def over(self, subject: Subject) -> "Features":
        """The same day over the accounts, contacts or products of the same facts."""
        found = self._others.get(subject)
        if found is None:
            found = self._others[subject] = self._over(subject)
            found._others = self._others  # noqa: SLF001 - one of its own kind
        return found

    def _over(self, subject: Subject) -> "Features":
        first = next(iter(self._earlier.values()))
        if first is not self:  # points do not depend on the day: what was counted for the first is there for all
            return first.over(subject).as_of(self.day)
        derive = self._derive if subject == "account" else None
        return Features(self.catalog, self.facts, day=self.day, derive=derive, given=self._given, of=subject)

    def given(self, name: str) -> Column | None:
        """A column that stands for itself; None where it has to be computed."""
        return self._given.get(name)

    def columns(self) -> Mapping[str, Column]:
        """The mapping itself."""
        return self

    def value(self, feature: Feature) -> Floats:
        """One numeric feature, float64[size], NaN unknown."""
        column = self[feature.name if self.of == "account" else f"{self.of}.{feature.name}"]
        return column.values if isinstance(column, Numbers) else np.full(self.size, np.nan)

    def series(self, metric: Metric) -> Points:
        """The points behind a metric, per account (or contact, or product); empty where there are none."""
        found = self._series.get(metric.name)
        if found is None:
            found = self._series[metric.name] = self._load(metric)
        return found

    def above_zero(self, metric: Metric) -> Points:
        """The same with 1 for every point above zero and 0 for every other."""
        name = f"{metric.name} > 0"
        found = self._series.get(name)
        if found is None:
            found = self._series[name] = above_zero(self.series(metric))
        return found

    def _overridden(self, name: str, found: Column) -> Column:
        """The column with what people say in its place; a word is about the day of the evaluation only."""
        if not self.facts.metric_overrides or self.of != "account" or self.day != self.facts.at:
            return found
        mine = [one for one in self.facts.metric_overrides if one.name == name]
        if not mine or not isinstance(found, Numbers):
            return found
        values = found.values.copy()
        for one in mine:  # the newest one comes last
            values[one.account_row] = one.value
        return Numbers(values)

    def _column(self, name: str) -> Column | None:
        own = f"{self.of}."
        if self.of != "account" and not name.startswith(own):
            column = self.over("account").get(name)
            return None if column is None else taken(column, self._owners)
        if self.of == "account" and name in self._given:
            return self._given[name]
        if name.startswith(DERIVED):
            return self._derive(name) if self._derive else None
        if name.startswith(GOAL):
            return goal_column(name, self)
        if self.of == "account" and name.startswith(own):
            return self._account(name.removeprefix(own))
        if name.startswith("in_segment."):
            condition = self.catalog.segments.get(name.removeprefix("in_segment."))
            return None if condition is None else compute(condition.tree, self, self.size)
        bare = name if self.of == "account" else name.removeprefix(own)
        found = self._field(bare)
        if found is not None:
            return found
        feature = feature_named(self.catalog, bare)
        return None if feature is None else see(feature, self)

    def _field(self, name: str) -> Column | None:
        """A field of a contact or a product: what is known of the person or thing itself."""
        people = self.facts.contacts
        if self.of == "product" and name == "name":
            words = tuple(sorted(set(self.facts.products.names)))
            return Texts(np.array([words.index(each) for each in self.facts.products.names], dtype=np.int64), words)
        if self.of != "contact":
            return None
        if name.startswith("in_role."):
            role = name.removeprefix("in_role.")
            return Numbers(np.array([role in held for held in people.roles], dtype=np.float64))
        if name == "days_since_joined":
            joined = people.fields.get("joined_on")
            return Numbers(self.day - joined.values) if isinstance(joined, Numbers) else None
        return people.fields.get(name)

    def _account(self, name: str) -> Column | None:
        fields = self.facts.fields
        if name in fields:
            return fields[name]
        match name:
            case "segment":
                return self._segments()
            case "days_in_stage":
                return self._days("stage_since", 1)
            case "renewal_in_days":
                return self._days("renewal_on", -1)
            case "notice_in_days":
                return self._days("notice_on", -1)
            case "products":
                owners = self.facts.products.account_rows
                return Numbers(np.bincount(owners, minlength=self.size).astype(np.float64))
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

    def _load(self, metric: Metric) -> Points:
        facts = self.facts
        stored = {"account": facts.series, "contact": facts.contact_series, "product": facts.product_series}
        own = stored[self.of].get(metric.name)
        if own is not None:
            return own
        if self.of == "account" and metric.of == "contact" and metric.name in facts.contact_series:
            return windows.summed(facts.contact_series[metric.name], facts.contacts.account_rows, self.size)
        if metric.from_events is not None and self.of != "product":
            return count_events(metric.from_events, facts, contacts=self.of == "contact")
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


def _subjects(facts: Facts, of: Subject) -> tuple[Ints, Ints]:
    """The ids of the subjects, and the row of the account each belongs to."""
    if of == "account":
        return facts.accounts.ids, np.arange(len(facts.accounts), dtype=np.int64)
    owned = facts.contacts if of == "contact" else facts.products
    return owned.ids, owned.account_rows
