"""Addresses that must not be written to. Read inside the transaction that claims a delivery, so an opt-out wins.

Whoever writes here queues with the claims for the same person: a claim has either been made before, or sees it.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from engine.store import changed
from engine.store.run_tables import SuppressionRow
from engine.store.tables import ContactRow
from engine.store.touches import normal, queue_for

ALL = "all"
"""The category that stands for every category."""
BOUNCED = "bounced: "
"""How the reason begins when letters to an address come back; no preference takes that away."""


def suppress(session: Session, address: str, category: str, reason: str, at: datetime) -> None:
    """Never write to this address again in this category (or in `ALL`). The first reason is kept."""
    key = (normal(address), category)
    queue_for(session, key[0])
    if session.get(SuppressionRow, key) is None:
        session.add(SuppressionRow(address=key[0], category=category, reason=reason[:500], at=at))
        session.flush()
        _tell(session, key[0])


def allow(session: Session, address: str, categories: Collection[str]) -> None:
    """The person wants messages of these categories (or `ALL`) again. What bounced stays shut."""
    address = normal(address)
    queue_for(session, address)
    session.execute(
        delete(SuppressionRow).where(
            SuppressionRow.address == address,
            SuppressionRow.category.in_(categories),
            SuppressionRow.reason.not_like(f"{BOUNCED}%"),
        ),
    )
    _tell(session, address)


def is_suppressed(session: Session, address: str, category: str) -> bool:
    """Whether this address must not get anything of this category."""
    return bool(why(session, address, category))


def why(session: Session, address: str, category: str) -> str:
    """Why this address must not get anything of this category; empty when it may."""
    reasons = session.scalars(
        select(SuppressionRow.reason).where(
            SuppressionRow.address == normal(address),
            SuppressionRow.category.in_((category, ALL)),
        ),
    ).all()
    if not reasons:
        return ""
    bounced = next((one for one in reasons if one.startswith(BOUNCED)), "")
    return f"letters to the contact come back ({bounced})" if bounced else _unwanted(category)


def categories(session: Session, address: str) -> frozenset[str]:
    """The categories this address gets nothing of; `ALL` among them: nothing at all."""
    return frozenset(
        session.scalars(select(SuppressionRow.category).where(SuppressionRow.address == normal(address))),
    )


def _unwanted(category: str) -> str:
    return f"the contact does not want messages of the category {category}"


def _tell(session: Session, address: str) -> None:
    """Runs that end when somebody unsubscribes are to hear of it."""
    people = session.scalars(select(ContactRow.id).where(func.lower(ContactRow.email) == address)).all()
    changed.mark(session, people)
