"""What a person wants to get, by their address: over all accounts at which they are a contact."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.store import suppressions
from engine.store.suppressions import ALL
from engine.store.tables import ContactRow
from engine.store.touches import normal
from engine.terms import Frequency

_CHOSEN = "chosen on the preferences page"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The kinds of messages a person wants, and how often. ``nothing``: not even what everybody gets."""

    kinds: frozenset[str]
    frequency: Frequency = Frequency.IMMEDIATE
    nothing: bool = False


def of(session: Session, address: str, kinds: AbstractSet[str]) -> Preferences:
    """What a person wants of ``kinds``: everything they have not left."""
    left = suppressions.categories(session, address)
    chosen = {row.frequency for row in _people(session, address)}
    rarest = (Frequency.NEVER, Frequency.WEEKLY, Frequency.DAILY)
    frequency = next((one for one in rarest if one.value in chosen), Frequency.IMMEDIATE)
    return Preferences(frozenset() if ALL in left else frozenset(kinds - left), frequency, nothing=ALL in left)


def choose(session: Session, address: str, wanted: Preferences, *, kinds: AbstractSet[str], at: datetime) -> None:
    """Keep what a person wants of ``kinds``; all of their contacts hear of us as often as they chose."""
    back = wanted.kinds if wanted.nothing else {*wanted.kinds, ALL}
    suppressions.allow(session, address, back)
    for kind in sorted({ALL} if wanted.nothing else kinds - wanted.kinds):
        suppressions.suppress(session, address, kind, _CHOSEN, at)
    for row in _people(session, address):
        if row.frequency != wanted.frequency:
            row.frequency, row.recorded_at = wanted.frequency.value, at


def _people(session: Session, address: str) -> list[ContactRow]:
    same = func.lower(ContactRow.email) == normal(address)
    return list(session.scalars(select(ContactRow).where(same).order_by(ContactRow.id)))
