"""What a transaction has looked up once and need not look up again: it holds the lock on what it asks about."""

from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session, SessionTransaction

_REMEMBERED: Final = "remembered"


def remembered(session: Session, about: str) -> dict[Any, Any]:
    """What is remembered ``about`` something until the present transaction ends; empty at first. Only for what nobody
    else can change meanwhile, and what this transaction changes through it."""
    everything: WeakKeyDictionary[SessionTransaction, dict[str, dict[Any, Any]]] = session.info.setdefault(
        _REMEMBERED, WeakKeyDictionary()
    )
    transaction = session.get_nested_transaction() or session.get_transaction()
    if transaction is None:
        return {}
    found: dict[Any, Any] = everything.setdefault(transaction, {}).setdefault(about, {})
    return found
