"""The events a metric is made of, gathered: of its kinds, to the people it names, as its condition wants them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.definitions.catalog import FromEvents
from engine.evaluation.columns import Column, Flags, Floats, Ints, Numbers, Texts
from engine.evaluation.facts import Facts, Happenings
from engine.evaluation.program import evaluate_condition

_DAY: Final = 86_400
HALF: Final = 31
"""Rows and codes are put into one number, half of it each: one number sorts many times faster than a pair."""


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Events as parallel arrays of length K, in no particular order.

    ``rows`` are account rows, ``who`` contact rows (-1: nobody is named), ``times`` seconds since 1970-01-01 UTC,
    ``ids`` the source records. ``values``: the looked-at field as numbers, or as codes into ``words`` (NaN and -1:
    the event does not say).
    """

    rows: Ints
    who: Ints
    days: Ints
    times: Ints
    ids: Ints
    values: Floats
    words: tuple[str, ...] = ()

    def kept(self, keep: Flags) -> "Entries":
        """Only those that are ``keep`` (bool[K])."""
        return Entries(
            self.rows[keep],
            self.who[keep],
            self.days[keep],
            self.times[keep],
            self.ids[keep],
            self.values[keep],
            self.words,
        )

    def between(self, first: int, last: int) -> "Entries":
        """Only those of the days ``first`` to ``last``, both included."""
        return self.kept((self.days >= first) & (self.days <= last))


def gathered(source: FromEvents, facts: Facts, names: tuple[str, ...] = (), look_at: str = "") -> Entries:
    """The events a metric counts (by default those of ``event:``), of any day, with the values of one field."""
    kinds = [facts.events[name] for name in names or source.events if name in facts.events]
    parts = [_passing(kind, facts, source) for kind in kinds]
    values, words = _values([kind.fields.get(look_at) for kind in kinds], [len(kind.rows) for kind in kinds])
    return Entries(
        rows=_joined([kind.rows for kind in kinds]),
        who=_joined([kind.contact_rows for kind in kinds]),
        days=_joined([kind.days for kind in kinds]),
        times=_joined([times_of(kind) for kind in kinds]),
        ids=_joined([kind.ids for kind in kinds]),
        values=values,
        words=words,
    ).kept(np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_))


def distinct(subjects: Ints, things: Ints, size: int) -> Floats:
    """How many different things (codes; -1: none) each subject has, float64[size]."""
    known = things >= 0
    pairs = np.unique(subjects[known] << HALF | things[known])
    return np.bincount(pairs >> HALF, minlength=size).astype(np.float64)


def times_of(kind: Happenings) -> Ints:
    """When events happened, in seconds since 1970-01-01; where only the day is known, its first second."""
    return kind.days * _DAY if kind.times is None else kind.times


def with_roles(happenings: Happenings, facts: Facts, roles: tuple[str, ...]) -> Flags:
    """Which events happened to a contact with one of ``roles``, bool[K]; all of them where no role is named."""
    if not roles:
        return np.ones(len(happenings.rows), dtype=np.bool_)
    wanted = np.array([*(not held.isdisjoint(roles) for held in facts.contacts.roles), False], dtype=np.bool_)
    return wanted[happenings.contact_rows]


def _passing(kind: Happenings, facts: Facts, source: FromEvents) -> Flags:
    keep = with_roles(kind, facts, source.with_roles)
    if source.where is None:
        return keep
    return keep & evaluate_condition(source.where.tree, event_columns(kind.fields), len(kind.rows)).holds


def event_columns(fields: Mapping[str, Column]) -> Mapping[str, Column]:
    """An event's fields by the names conditions use."""
    return {f"event.{name}": column for name, column in fields.items()}


def _values(columns: list[Column | None], sizes: list[int]) -> tuple[Floats, tuple[str, ...]]:
    words = tuple(sorted({word for column in columns if isinstance(column, Texts) for word in column.words}))
    place = {word: code for code, word in enumerate(words)}
    parts = [_coded(column, size, place) for column, size in zip(columns, sizes, strict=True)]
    return (np.concatenate(parts) if parts else np.zeros(0)), words


def _coded(column: Column | None, size: int, place: Mapping[str, int]) -> Floats:
    if isinstance(column, Numbers):
        return column.values
    if column is None:
        return np.full(size, np.nan)
    codes = np.array([*(place[word] for word in column.words), -1], dtype=np.float64)[column.codes]
    return np.where(codes < 0, np.nan, codes)


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
