"""A simulated portfolio as the facts of a day, without a store: what `evaluate` reads, straight from the columns.

Account ids are row numbers here, contact ids count the first `ROLES` of each account: nobody else has events.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.definitions.bundle import Bundle
from engine.evaluation.columns import Column, Ints, Numbers, Texts
from engine.evaluation.evaluation import needs
from engine.evaluation.facts import Agreed, Before, Contacts, Facts, Happenings, Needs, Series, Subjects
from engine.simulation.measuring import EVENTS, METRICS, NEXT_SEAT, ROLES, View, events, points
from engine.simulation.stages import STAGES, stages

_SEATS: Final = NEXT_SEAT + 1


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What stays the same from day to day."""

    view: View
    subjects: Subjects
    contacts: Contacts
    goals: Agreed
    needs: Needs
    kinds: tuple[str, ...]


def remembered(bundle: Bundle, view: View, keys: tuple[str, ...]) -> Memory:
    """The unchanging part of the facts of a portfolio whose account keys are ``keys``."""
    ids = np.arange(len(keys), dtype=np.int64)
    owners = np.repeat(ids, _SEATS)
    contacts = Contacts(
        ids=np.arange(len(owners), dtype=np.int64),
        keys=tuple(map(str, range(len(owners)))),
        account_rows=owners,
        roles=tuple(map(frozenset, [(role,) for role in ROLES[:_SEATS]])) * len(keys),
        departed=np.zeros(len(owners), dtype=np.bool_),
    )
    wanted = needs(bundle)
    kinds = tuple(kind for kind in EVENTS if kind in wanted.events)
    return Memory(view, Subjects(ids, keys), contacts, agreed(view), wanted, kinds)


def facts_of(memory: Memory, day: int, before: Before) -> Facts:
    """Everything known at the end of ``day`` of the history (0 is its first day), and nothing after it."""
    view, wanted = memory.view, memory.needs
    series = {}
    for metric in wanted.metrics:
        if metric in METRICS:
            series[metric] = points(view, metric, _since(wanted, metric, day), day + 1)
    # The store keeps one count per day of a metric made of events; so do we.
    series["days_since_contact"] = _merged(view, day)
    series["escalations"] = _counts(view, "escalation", max(0, day - 45), day)
    return Facts(
        at=view.first_day + day,
        accounts=memory.subjects,
        fields=_fields(view, day),
        series=series,
        contacts=memory.contacts,
        events={kind: _happenings(memory, kind, day) for kind in memory.kinds},
        goals={"tickets_deflected": memory.goals},
        before=before,
    )


def agreed(view: View) -> Agreed:
    """The goal agreed with each account that has one: a year's tickets, in a straight line."""
    traits = view.traits
    start = np.where(traits.has_goal, traits.goal_start + view.first_day, np.nan).astype(np.float64)
    return Agreed(
        target=np.where(traits.has_goal, np.round(traits.plan / 30 * 365), np.nan),
        start_value=np.where(traits.has_goal, 0.0, np.nan),
        start_day=start,
        end_day=start + 365,
    )


def _since(wanted: Needs, metric: str, day: int) -> int:
    return 0 if metric in wanted.latest else max(0, day + 1 - wanted.spans.get(metric, wanted.days))


def _counts(view: View, kind: str, first: int, day: int) -> Series:
    seen = events(view, kind, first, day + 1)
    return Series(seen.rows, seen.days, np.ones(len(seen.rows)))


def _merged(view: View, day: int) -> Series:
    # At most one talk a day, so a day's mark is a day's count.
    first = max(0, day - 120)
    marks = view.course.contact[:, first : day + 1] & (np.arange(first, day + 1) < view.course.churned[:, None])
    rows, columns = np.nonzero(marks)
    return Series(rows, columns + (view.first_day + first), np.ones(len(rows)))


def _fields(view: View, day: int) -> dict[str, Column]:
    traits = view.traits
    return {
        "arr": Numbers(traits.arr),
        "stage": Texts(stages(view, day), STAGES),
        "onboarded_on": Numbers((traits.onboarded + view.first_day).astype(np.float64)),
        "renewal_on": Numbers((traits.renewal + view.first_day).astype(np.float64)),
    }


def _happenings(memory: Memory, kind: str, day: int) -> Happenings:
    seen = events(memory.view, kind, 0, day + 1)
    ids: Ints = np.arange(len(seen.rows), dtype=np.int64)
    return Happenings(
        ids=ids,
        rows=seen.rows,
        contact_rows=np.where(seen.seats >= 0, seen.rows * _SEATS + seen.seats, -1),
        days=seen.days,
        fields={name: Numbers(values) for name, values in seen.fields.items()},
    )
