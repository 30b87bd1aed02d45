"""The cause below a fall: from the metric to its dimension, to what its formula is made of, to the people behind it.

What an input did is found by setting it back: the value as it is now, less the value with this one input as it was
before. The input that pulled hardest in the direction of the metric is to blame, and is looked into in turn.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.definitions.catalog import Catalog, Metric
from engine.definitions.feature import Feature, Window
from engine.definitions.scorecard import Scorecard
from engine.evaluation.change_sentences import signed
from engine.evaluation.changes import Change
from engine.evaluation.columns import Column, Numbers
from engine.evaluation.features import Features, feature_named
from engine.evaluation.program import compute
from engine.evaluation.wording import feature_title, feature_value, name_text, number

DEEPEST: Final = 4
"""Formulas of formulas are followed this far."""
MOST: Final = 20
"""So many people are named; those who fell most come first."""


@dataclass(frozen=True, slots=True)
class Input:
    """One thing a metric is made of, before and after (None: unknown). ``effect``: by how much it moved the metric, in
    the metric's unit, None where that cannot be said. ``name``: as files write it."""

    name: str
    before: float | None
    after: float | None
    effect: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Person:
    """A contact whose own value fell. ``stopped``: there is nothing any more."""

    key: str
    before: float
    after: float | None
    stopped: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class RootCause:
    """What is behind a fall. ``chain``: the features from the scorecard's metric down to the one to blame; ``micro``:
    what the metric cost. ``sentence`` says all of it."""

    metric: str
    dimension: str
    micro: int
    chain: tuple[str, ...]
    inputs: tuple[Input, ...]
    people: tuple[Person, ...]
    sentence: str


def root_cause(
    catalog: Catalog, card: Scorecard, change: Change, before: Features, after: Features, row: int = 0
) -> RootCause | None:
    """Follow the largest fall of a change down; None where nothing fell.

    ``before`` and ``after``: the account's features as of the two days, at ``row`` of both.
    """
    metric = next((each for each in card.metrics if each.name == change.cause), None)
    if metric is None:
        return None
    dimension = next(each.name for each in card.dimensions if metric in each.metrics)
    micro = sum(part.micro for part in change.parts if part.metric == metric.name)
    chain, inputs = _down(catalog, metric.feature, before, after, row)
    people = tuple(_people(catalog, chain[-1], before, after, row))[:MOST]
    title = feature_title(catalog, metric.feature)
    said = [f"{title} ({dimension.replace('_', ' ')}) moved the score by {signed(micro)}"]
    said += [f"because {_because(inputs)}"] if inputs else []
    said += [f"behind it: {'; '.join(person.sentence for person in people[:3])}"] if people else []
    return RootCause(metric.name, dimension, micro, tuple(each.name for each in chain), inputs, people, "; ".join(said))


def _because(inputs: tuple[Input, ...]) -> str:
    """Those that moved, the one to blame first, then those that did not."""
    return ", ".join(each.sentence for each in inputs)


def _down(
    catalog: Catalog, feature: Feature, before: Features, after: Features, row: int
) -> tuple[tuple[Feature, ...], tuple[Input, ...]]:
    """The features from ``feature`` to the one to blame, and the inputs of the last formula among them."""
    chain, inputs = [feature], tuple[Input, ...]()
    while len(chain) < DEEPEST:
        metric = catalog.metrics[chain[-1].metric]
        found = _inputs(catalog, metric, before, after, row) if metric.of == "account" else ()
        if not found:
            break
        inputs = found
        below = feature_named(catalog, found[0].name)
        if below is None or below in chain or found[0].before == found[0].after:
            break
        chain.append(below)
    return tuple(chain), inputs


def _inputs(catalog: Catalog, metric: Metric, before: Features, after: Features, row: int) -> tuple[Input, ...]:
    """What a formula is made of, that which pulled hardest in the direction of the metric first."""
    if metric.formula is None:
        return ()
    tree, size = metric.formula.tree, after.size
    now, was = (_at(compute(tree, columns, size), row) for columns in (after, before))
    way = 0.0 if now is None or was is None else float(np.sign(now - was))
    found = []
    for name in sorted(metric.formula.names):
        back = _at(compute(tree, _SetBack(after, before, name), size), row)
        effect = None if now is None or back is None else now - back
        values = _at(before.get(name), row), _at(after.get(name), row)
        found.append(Input(name, *values, effect, _sentence(catalog, name, *values)))
    return tuple(sorted(found, key=lambda one: (one.before == one.after, -way * (one.effect or 0.0), one.name)))


class _SetBack(Mapping[str, Column]):
    """The columns of one day with a single one as it was on another."""

    def __init__(self, now: Features, before: Features, name: str) -> None:
        self._now, self._before, self._name = now, before, name

    def __getitem__(self, name: str) -> Column:
        return (self._before if name == self._name else self._now)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)


def _at(column: Column | None, row: int) -> float | None:
    if not isinstance(column, Numbers):
        return None
    value = float(column.values[row])
    return None if np.isnan(value) else value


def _sentence(catalog: Catalog, name: str, before: float | None, after: float | None) -> str:
    title, feature = name_text(catalog, name), feature_named(catalog, name)

    def said(value: float | None) -> str:
        if value is None:
            return "not known"
        return number(value) if feature is None else feature_value(catalog, feature, value)

    if before == after:
        return f"{title} stayed {said(after)}"
    return f"{title} went from {said(before)} to {said(after)}"


def _people(catalog: Catalog, feature: Feature, before: Features, after: Features, row: int) -> Iterator[Person]:
    """The account's contacts whose own value fell, those who fell most first."""
    own = _of_contacts(catalog, feature)
    if own is None:
        return
    title, earlier = feature_title(catalog, own), dict(_values(own, before, row))
    fell: list[tuple[float, str, float, float | None]] = []
    for key, value in _values(own, after, row):
        was = earlier.get(key)
        if was is not None and was > (value or 0.0):
            fell.append(((value or 0.0) - was, key, was, value))
    for _, key, was, now in sorted(fell, key=lambda one: one[:2]):
        ends = [feature_value(catalog, own, each) for each in (was, now or 0.0)]
        way = f"stopped (it was {ends[0]})" if not now else f"went from {ends[0]} to {ends[1]}"
        yield Person(key, was, now, not now, f"{key}: {title} {way}")


def _of_contacts(catalog: Catalog, feature: Feature) -> Feature | None:
    """The feature of contacts that a feature of the account is made of; None where it is not made of contacts."""
    metric = catalog.metrics[feature.metric]
    if metric.from_contacts is not None:
        return metric.from_contacts.metric
    if metric.of == "contact" or metric.from_events is not None:
        return Feature(metric.name, feature.window, feature.days) if feature.window is not Window.RANK else None
    return None


def _values(feature: Feature, features: Features, row: int) -> Iterator[tuple[str, float | None]]:
    contacts = features.facts.contacts
    values = features.over("contact").value(feature)
    for at in np.flatnonzero(contacts.account_rows == row).tolist():
        yield contacts.keys[at], None if np.isnan(values[at]) else float(values[at])
