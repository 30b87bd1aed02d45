"""What accounts are compared with: the values of everybody, kept from the last cycle over all accounts.

A part of the accounts (a shard of a cycle, those that changed, one that a run asks about) is compared with these, and
not with each other, so that it comes to the same as a cycle over everybody.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.evaluation.columns import Floats
from engine.evaluation.facts import Facts, Peers
from engine.evaluation.features import Features
from engine.evaluation.peers import gather
from engine.evaluation.reading import ranked
from engine.store.decision_tables import PeerRow

Gathered: TypeAlias = Mapping[tuple[str, str], Mapping[str, Floats]]
"""(feature, cohorts) → cohort → its known values, ascending."""


def gathered(bundle: Bundle, facts: Facts) -> Gathered:
    """The values of everything that accounts are compared by, of these accounts."""
    features = Features(bundle.catalog, facts)
    return {(feature.name, among): gather(feature, among, features) for feature, among in ranked(bundle)}


def merged(parts: Iterable[Gathered], day: int) -> Peers:
    """The values of all parts together."""
    found: dict[tuple[str, str], dict[str, list[Floats]]] = {}
    for part in parts:
        for key, cohorts in part.items():
            for word, values in cohorts.items():
                found.setdefault(key, {}).setdefault(word, []).append(values)
    return Peers(
        {
            key: {word: np.sort(np.concatenate(values)) for word, values in cohorts.items()}
            for key, cohorts in found.items()
        },
        day,
    )


def save(session: Session, peers: Peers) -> None:
    """Keep these in place of those of before."""
    session.execute(delete(PeerRow))
    rows = [
        {"feature": feature, "among": among, "cohort": word, "day": peers.day, "packed": values.astype("<f8").tobytes()}
        for (feature, among), cohorts in peers.values.items()
        for word, values in cohorts.items()
    ]
    if rows:
        session.execute(insert(PeerRow), rows)


def load(session: Session, bundle: Bundle, at: int) -> Peers | None:
    """What the bundle compares with on day ``at``; None where it compares nothing, or nothing of by then is kept."""
    if not ranked(bundle):
        return None
    found: dict[tuple[str, str], dict[str, Floats]] = {}
    day = None
    for row in session.scalars(select(PeerRow).where(PeerRow.day <= at)):
        values = np.frombuffer(row.packed, dtype="<f8").astype(np.float64)
        found.setdefault((row.feature, row.among), {})[row.cohort] = values
        day = row.day
    return Peers(found, day) if found else None
