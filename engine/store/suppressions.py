"""Addresses that must not be written to. Read inside the transaction that claims a delivery, so an opt-out wins."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store.run_tables import SuppressionRow

ALL = "all"
"""The category that stands for every category."""


def suppress(session: Session, address: str, category: str, reason: str, at: datetime) -> None:
    """Never write to this address again in this category (or in `ALL`). The first reason is kept."""
    key = (_normal(address), category)
    if session.get(SuppressionRow, key) is None:
        session.add(SuppressionRow(address=key[0], category=category, reason=reason[:500], at=at))
        session.flush()


def is_suppressed(session: Session, address: str, category: str) -> bool:
    """Whether this address must not get anything of this category."""
    found = session.scalar(
        select(SuppressionRow.address).where(
            SuppressionRow.address == _normal(address),
            SuppressionRow.category.in_((category, ALL)),
        ),
    )
    return found is not None


def _normal(address: str) -> str:
    """Opting out as Ann@Example.com also protects ann@example.com: relays do not tell them apart."""
    return address.strip().lower()
