"""The one account an example tells of, as the facts that an evaluation reads.

A plain value is taken to have been so all along (``seats_sold: 100``), except of metrics whose points are amounts of a
day. An example's contacts are one of each role, one of none, and those it names beside them (``user 2``).
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

import numpy as np

from engine.definitions.catalog import Catalog, Metric
from engine.definitions.feature import ValueType
from engine.definitions.rule import Example, ExampleEvent, ExampleGoal
from engine.evaluation.columns import Column, Numbers, Texts
from engine.evaluation.facts import Agreed, Contacts, Facts, Happenings, Series, Subjects
from engine.evaluation.goals import adds_up

DAY: Final = date(2026, 6, 1).toordinal() - date(1970, 1, 1).toordinal()
"""The day on which examples take place; ages count back from it."""

SOMEBODY: Final = "somebody"
"""The contact of an example who has no role."""

_ALWAYS: Final = 800

Value = float | str | bool


def given_columns(catalog: Catalog, example: Example, age: int = 0) -> Mapping[str, Column]:
    """Columns for names that are no points, as they were ``age`` days ago: features, scores, segments, and the days of
    a silence. A value without a day has been so all along; on a day of which nothing is told it is unknown."""
    found: dict[str, Column] = {}
    for name, values in example.given.items():
        metric = catalog.metrics.get(name)
        is_points = metric is not None and (metric.from_events is None or not metric.from_events.silence)
        is_points &= metric is None or metric.type is not ValueType.TEXT
        if values and not is_points and not name.startswith("account."):
            always = age == 0 or set(values) == {0}
            found[name] = _values([values[min(values)] if always else values.get(age)], like=values[min(values)])
    return found


def facts_told(catalog: Catalog, example: Example) -> Facts:
    """The account's facts, as of `DAY`."""
    contacts = _contacts(catalog, example)
    points = {
        name: _series(catalog.metrics[name], {0: values})
        for name, values in example.given.items()
        if name in catalog.metrics
    }
    fields = {
        name.removeprefix("account."): _column(values[min(values)])
        for name, values in example.given.items()
        if name.startswith("account.") and values
    }
    return Facts(
        at=DAY,
        accounts=Subjects(np.ones(1, dtype=np.int64), ("example",)),
        fields=fields,
        series=points,
        contacts=contacts,
        contact_series={
            name: _series(catalog.metrics[name], {contacts.keys.index(who): told for who, told in people.items()})
            for name, people in example.people.items()
        },
        events={name: _happenings(catalog, name, example) for name in catalog.events},
        goals={goal.goal: _agreed(goal) for goal in example.agreed},
    )


def _agreed(goal: ExampleGoal) -> Agreed:
    start = DAY - goal.age
    told = (goal.target, goal.at_start, start, start + goal.within)
    return Agreed(*(np.array([value], dtype=np.float64) for value in told))


def _series(metric: Metric, rows: Mapping[int, Mapping[int, Value]]) -> Series:
    """The points of a metric, by row and age in days."""
    points: list[tuple[int, int, float]] = []
    for row, values in sorted(rows.items()):
        told = dict(values)
        if set(told) == {0} and not adds_up(metric):
            told = dict.fromkeys(range(_ALWAYS), told[0])
        points += sorted((row, DAY - age, float(told[age])) for age in told if not isinstance(told[age], str))
    owners, days, numbers = zip(*points, strict=True) if points else ((), (), ())
    return Series(np.array(owners, dtype=np.int64), np.array(days, dtype=np.int64), np.array(numbers, dtype=np.float64))


def _contacts(catalog: Catalog, example: Example) -> Contacts:
    """One contact for each role of the catalog, one without any, and the others the example names."""
    usual = (*catalog.roles, SOMEBODY)
    more = sorted({who for people in example.people.values() for who in people} - set(usual))
    keys = (*usual, *more)
    return Contacts(
        ids=np.arange(len(keys), dtype=np.int64) + 2,
        keys=keys,
        account_rows=np.zeros(len(keys), dtype=np.int64),
        roles=tuple(frozenset({key.partition(" ")[0]} & set(catalog.roles)) for key in keys),
        departed=np.zeros(len(keys), dtype=np.bool_),
    )


def _happenings(catalog: Catalog, name: str, example: Example) -> Happenings:
    told = example.happened or tuple(ExampleEvent(kind, age) for kind, ages in example.events.items() for age in ages)
    events = sorted((event for event in told if event.event == name), key=lambda event: -event.age)
    people = [catalog.roles.index(event.role) if event.role else len(catalog.roles) for event in events]
    return Happenings(
        ids=np.arange(len(events), dtype=np.int64) + 1,
        rows=np.zeros(len(events), dtype=np.int64),
        contact_rows=np.array(people, dtype=np.int64),
        days=DAY - np.array([event.age for event in events], dtype=np.int64),
        fields={field: _values([event.fields.get(field) for event in events]) for field in catalog.events[name].fields},
    )


def _column(value: Value) -> Column:
    return _values([value])


def _values(values: list[Value | None], like: Value | None = None) -> Column:
    """A column of what was told; texts that are ISO dates are days. ``like``: what else its values are like."""
    texts = {value for value in [*values, like] if isinstance(value, str)}
    if texts and not all(_is_date(text) for text in texts):
        words = tuple(sorted(texts))
        return Texts(np.array([words.index(each) if isinstance(each, str) else -1 for each in values]), words)
    return Numbers(np.array([_number(value) for value in values], dtype=np.float64))


def _number(value: Value | None) -> float:
    if isinstance(value, str):
        return float(date.fromisoformat(value).toordinal() - date(1970, 1, 1).toordinal())
    return np.nan if value is None else float(value)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
