"""One account with a tiny history as the shipped catalog sees it: what the tests beside this compute by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from engine.evaluation.facts import Products, Series
from tests.engine.evaluation import portfolio as p
from tests.engine.evaluation.happened import Did, seen, told
from tests.starter.pack import PACK

PEOPLE: Final = ((0, {"champion"}), (0, {"sponsor"}), (0, {"key_user"}), (0, {"user"}))
"""Four people: the champion is 0, the sponsor 1, a key user 2, a user 3."""

CHAMPION, SPONSOR, KEY_USER, USER, NOBODY = 0, 1, 2, 3, -1

Event = tuple[int, int] | tuple[int, int, Mapping[str, Any]]
"""Who, how many days ago, and what the event says."""


def value(
    name: str,
    points: Mapping[str, Mapping[int, float]] | None = None,
    account: Mapping[str, float | str] | None = None,
    joined: Sequence[int] | None = None,
    **events: Sequence[Event],
) -> Any:
    """A metric or feature of the account today; None where it is unknown.

    ``points``: metric → value by age in days. ``joined``: how many days ago each of the four people joined.
    """
    return _of(name, points or {}, account or {}, joined, _kinds(events))


def person(name: str, who: int, **events: Sequence[Event]) -> Any:
    """A metric of one of the four people."""
    return seen(PACK.catalog, told(1, PEOPLE, **_kinds(events)), f"contact.{name}", of="contact")[who]


def minutes(name: str, **events: Sequence[tuple[int, int]]) -> Any:
    """The same for events of today, given as (who, minute of the day)."""
    kinds = {kind: tuple(Did(0, who, 0, minute) for who, minute in each) for kind, each in events.items()}
    return _of(name, {}, {}, None, kinds)


def products(name: str, **points: Sequence[Mapping[int, float]]) -> Any:
    """A metric of products rolled up: per product its values by age in days."""
    size = max(len(each) for each in points.values())
    owned = Products(np.arange(size) + 50, tuple(f"product-{at}" for at in range(size)), np.zeros(size, dtype=np.int64))
    series = {metric: p.series(*each) for metric, each in points.items()}
    return seen(PACK.catalog, replace(told(1), products=owned, product_series=series), name)[0]


def _kinds(events: Mapping[str, Sequence[Event]]) -> dict[str, tuple[Did, ...]]:
    return {
        kind: tuple(Did(0, each[0], each[1], 0, each[2] if len(each) > 2 else {}) for each in found)
        for kind, found in events.items()
    }


def _of(
    name: str,
    points: Mapping[str, Mapping[int, float]],
    account: Mapping[str, float | str],
    joined: Sequence[int] | None,
    kinds: Mapping[str, tuple[Did, ...]],
) -> Any:
    fields = {
        "department": p.texts("it", "finance", "it", None),
        "seniority": p.texts("manager", "vice_president", "staff", None),
    }
    if joined is not None:
        fields["joined_on"] = p.numbers(*(p.AT - age for age in joined))
    words = ("late", "on track")
    series: dict[str, Series] = {metric: p.series(each) for metric, each in points.items()}
    columns = {key: p.texts(said) if isinstance(said, str) else p.numbers(said) for key, said in account.items()}
    facts = replace(told(1, PEOPLE, fields, **kinds), series=series, fields=columns, words=words)
    return seen(PACK.catalog, facts, name)[0]
