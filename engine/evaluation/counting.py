"""Counting events into the daily points of the metrics that are made of them."""

from typing import Final

import numpy as np

from engine.definitions.catalog import FromEvents
from engine.evaluation import windows
from engine.evaluation.columns import Flags
from engine.evaluation.facts import Facts, Happenings, Series

_EMPTY: Final = np.zeros(0, dtype=np.int64)


def count_events(source: FromEvents, facts: Facts, *, contacts: bool = False) -> Series:
    """Daily counts of a metric made of events, from the events themselves, per account (or contact)."""
    kinds = [facts.events[kind] for kind in source.events if kind in facts.events]
    if not kinds:
        return Series(_EMPTY, _EMPTY, np.zeros(0))
    rows = np.concatenate([kind.rows for kind in kinds])
    who = np.concatenate([kind.contact_rows for kind in kinds])
    days = np.concatenate([kind.days for kind in kinds])
    keep = np.concatenate([with_roles(kind, facts, source.with_roles) for kind in kinds])
    if contacts:
        return windows.counted(who, days, keep & (who >= 0))
    if source.count == "distinct contacts":
        entries = np.unique(np.stack([rows, who, days])[:, keep & (who >= 0)], axis=1)
        rows, days, keep = entries[0], entries[2], np.ones(entries.shape[1], dtype=np.bool_)
    return windows.counted(rows, days, keep)


def with_roles(happenings: Happenings, facts: Facts, roles: tuple[str, ...]) -> Flags:
    """Which events happened to a contact with one of ``roles``, bool[K]; all of them where no role is named."""
    if not roles:
        return np.ones(len(happenings.rows), dtype=np.bool_)
    wanted = np.array([*(not held.isdisjoint(roles) for held in facts.contacts.roles), False], dtype=np.bool_)
    return wanted[happenings.contact_rows]
