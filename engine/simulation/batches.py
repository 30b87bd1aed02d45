"""The data of some days in a row, in the columns an import would bring."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.evaluation.columns import Floats, Ints
from engine.simulation.measuring import EVENTS, FIRST_USER, LOGINS_FOR, METRICS, ROLES, View, events, points
from engine.simulation.stages import stages
from engine.simulation.truth import SEATS


@dataclass(frozen=True, slots=True, eq=False)
class PointColumns:
    """Points of accounts, length K: ``accounts`` are positions in `Portfolio.keys`, ``metrics`` in `METRICS`."""

    accounts: Ints
    metrics: Ints
    days: Ints
    values: Floats


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``account``: position in `Portfolio.keys`; ``seat``: position of the contact in `ROLES`, -1 none."""

    name: str
    account: int
    seat: int
    day: int
    fields: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Everything that happened from one day to another. ``accounts`` / ``contacts``: positions in `Portfolio.keys` of
    accounts whose record, or one of whose contacts' records, is another than before the batch."""

    points: PointColumns
    events: tuple[Event, ...]
    accounts: tuple[int, ...]
    contacts: tuple[int, ...]


def batch_of(view: View, seed: int, first: int, last: int) -> Batch:
    """The batch of the days ``first`` to ``last`` of the history, both included."""
    course = view.course
    changed = np.flatnonzero(stages(view, first - 1) != stages(view, last))
    moved = _within(course.departed, first, last) | _within(course.named, first, last)
    happened = [*_events(view, first, last), *_logins(view, seed, first, last)]
    return Batch(
        points=_points(view, first, last),
        events=tuple(sorted(happened, key=lambda event: event.day)),
        accounts=tuple(changed.tolist()),
        contacts=tuple(np.flatnonzero(moved).tolist()),
    )


def _within(days: Ints, first: int, last: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    inside: np.ndarray[tuple[int], np.dtype[np.bool_]] = (days >= first) & (days <= last)
    return inside


def _points(view: View, first: int, last: int) -> PointColumns:
    series = [points(view, metric, first, last + 1) for metric in METRICS]
    codes = [np.full(len(each.rows), code, dtype=np.int64) for code, each in enumerate(series)]
    return PointColumns(
        accounts=np.concatenate([each.rows for each in series]),
        metrics=np.concatenate(codes),
        days=np.concatenate([each.days for each in series]),
        values=np.concatenate([each.values for each in series]),
    )


def _events(view: View, first: int, last: int) -> Iterator[Event]:
    for kind in EVENTS:
        seen = events(view, kind, first, last + 1)
        columns = [values.tolist() for values in seen.fields.values()]
        fields = [tuple(zip(seen.fields, row, strict=True)) for row in zip(*columns, strict=True)] if columns else None
        for at, (row, seat, day) in enumerate(
            zip(seen.rows.tolist(), seen.seats.tolist(), seen.days.tolist(), strict=True)
        ):
            yield Event(kind, row, seat, day, fields[at] if fields else ())


def _logins(view: View, seed: int, first: int, last: int) -> Iterator[Event]:
    """Logins of named people from the last weeks of the history on; the fewer seats are used, the more are idle."""
    offset = view.last + 1 - LOGINS_FOR
    start = max(first, offset)
    if start > last:
        return
    # Drawn for the whole time at once: the same however the days are cut into batches.
    rng = np.random.default_rng([seed, 2])
    people = (len(view.traits.arr), len(ROLES))
    seats = view.course.seats(view.traits, view.last, view.last + 1)
    in_use = view.course.users[:, view.last : view.last + 1] / seats
    idle = rng.random(people) > 1.1 * in_use
    # With most of the seats unused there are always people to win back.
    idle[:, FIRST_USER : FIRST_USER + 2] |= in_use < 0.45
    idle[:, :FIRST_USER] = False
    logged_in = rng.random((*people, LOGINS_FOR + view.after)) < 0.12
    logged_in[idle] = False
    # Not everybody's product tells who logs in.
    logged_in[(view.traits.kind != SEATS) & (np.arange(people[0]) % 4 > 0)] = False
    rows, which, days = np.nonzero(logged_in[:, :, start - offset : last + 1 - offset])
    there = (start + days < view.course.churned[rows]) & ((which != 0) | (start + days < view.course.departed[rows]))
    for row, seat, day in zip(rows[there].tolist(), which[there].tolist(), days[there].tolist(), strict=True):
        yield Event("login", row, seat, day + start + view.first_day)
