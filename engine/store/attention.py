"""Read model: in which order accounts deserve attention, each with all parts of the number that orders them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.evaluation.columns import Floats
from engine.evaluation.priority import Priority, Stakes, assumptions_for, prioritise, told
from engine.store import bundles
from engine.store.book import Book, outlook, read_book
from engine.store.decision_tables import EffectRow, EpisodeRow
from engine.terms import ChallengeKind

PREDICTED: Final = 30
"""A prediction counts for so many days."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One account's place in the order, from 1 over everybody's accounts, and all parts of its ``priority``.

    In the currency of the ARR: ``arr``, ``risk``, ``gain``, ``ageing``, ``priority``. Shares: ``loss``, ``save``,
    ``grow``, ``urgency``. ``renewal``: days from today, None unknown; ``waiting``: days since its oldest open challenge
    began. ``assumed``: parts that are not known, for which what is written down for that case stands in.
    """

    place: int
    account_id: int
    key: str
    name: str
    owner: str
    priority: float
    risk: float
    gain: float
    ageing: float
    arr: float
    loss: float
    save: float
    grow: float
    urgency: float
    renewal: int | None
    waiting: int
    assumed: tuple[str, ...]
    sentence: str


def queue(session: Session, day: int, owner: str | None = None) -> tuple[Turn, ...]:
    """All customers, or one owner's, those that deserve attention first; what stands in is worked out over all."""
    book = read_book(session)
    stakes = _stakes(session, book, day)
    assumptions = assumptions_for(stakes)
    found = prioritise(stakes, assumptions)
    mine = set(book.rows(owner))
    return tuple(
        _turn(book, stakes, found, row, place) for place, row in enumerate(found.order(), start=1) if row in mine
    )


def _stakes(session: Session, book: Book, day: int) -> Stakes:
    chances = outlook(session, book, day - PREDICTED)
    opened = _opened(session)
    waiting = [day - opened[account] if account in opened else np.nan for account in book.ids.tolist()]
    return Stakes(
        arr=book.arr,
        renewal=book.renewal - day,
        loss=chances.churn,
        save=_saves(session, book),
        grow=chances.grow,
        waiting=np.array(waiting, dtype=np.float64),
        tier=book.tier,
    )


def _opened(session: Session) -> Mapping[int, int]:
    """The day the oldest open challenge of each account began."""
    still = select(EpisodeRow.account_id, func.min(EpisodeRow.opened_on)).where(EpisodeRow.closed_on.is_(None))
    return dict(session.execute(still.group_by(EpisodeRow.account_id)).all())


def _saves(session: Session, book: Book) -> Floats:
    """The best measured effect of what answers an open challenge of each account; NaN where none is measured."""
    measured = _measured(session, bundles.in_force(session))
    best: dict[int, float] = {}
    query = select(EpisodeRow.account_id, EpisodeRow.rule).where(EpisodeRow.closed_on.is_(None))
    for account, rule in session.execute(query.where(EpisodeRow.rule.in_(measured))):
        best[account] = max(best.get(account, 0.0), measured[rule])
    return np.array([best.get(account, np.nan) for account in book.ids.tolist()], dtype=np.float64)


def _measured(session: Session, bundle: Bundle | None) -> dict[str, float]:
    """By rule the largest uplift of its playbooks that is known with an interval, as a chance; those of opportunities
    win something else than an account."""
    found: dict[str, float] = {}
    for row in session.scalars(select(EffectRow).where(EffectRow.uplift.is_not(None), EffectRow.low.is_not(None))):
        rule = bundle.rules.get(row.rule) if bundle else None
        if rule is not None and rule.challenge.kind is not ChallengeKind.OPPORTUNITY:
            found[row.rule] = max(found.get(row.rule, 0.0), min(max(row.uplift or 0.0, 0.0), 1.0))
    return found


def _turn(book: Book, stakes: Stakes, found: Priority, row: int, place: int) -> Turn:
    renewal, waiting = stakes.renewal[row], stakes.waiting[row]
    return Turn(
        place=place,
        account_id=int(book.ids[row]),
        key=book.keys[row],
        name=book.names[row],
        owner=book.owners[row],
        priority=float(found.priority[row]),
        risk=float(found.risk[row]),
        gain=float(found.gain[row]),
        ageing=float(found.ageing[row]),
        arr=float(found.arr[row]),
        loss=float(found.loss[row]),
        save=float(found.save[row]),
        grow=float(found.grow[row]),
        urgency=float(found.urgency[row]),
        renewal=None if np.isnan(renewal) else int(renewal),
        waiting=0 if np.isnan(waiting) else int(waiting),
        assumed=tuple(name for name, rows in found.assumed.items() if rows[row]),
        sentence=told(found, row),
    )
