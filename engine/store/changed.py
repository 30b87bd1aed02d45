"""Accounts about which something new is known that no cycle has looked at yet.

Whoever writes data marks its accounts in the same transaction. A cycle reads the marks before it reads any data and
takes away exactly those: what comes in between stays marked. Marks are only added, so no writer waits for another.
"""

# ruff: noqa: S608  (statements are made of integers and constants)

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.store.tables import ChangedAccountRow

MANY: Final = 5_000
"""Of more accounts than this they are not named one by one: everything is to be looked at."""
_EVERYTHING: Final = 0
"""Stands for that in place of an account."""
_AT_ONCE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Changed:
    """Marks that were read: their numbers, and the accounts they name, ascending. ``everything``: or more than that."""

    marks: tuple[int, ...] = ()
    accounts: tuple[int, ...] = ()
    everything: bool = False


def mark(session: Session, subject_ids: Collection[int]) -> None:
    """Mark the accounts that these subjects (accounts, contacts, products) are or belong to."""
    if not subject_ids:
        return
    named = ",".join(str(int(number)) for number in subject_ids)
    whose = (
        f"SELECT id FROM accounts WHERE id IN ({named})"
        f" UNION SELECT account_id FROM contacts WHERE id IN ({named})"
        f" UNION SELECT account_id FROM products WHERE id IN ({named})"
    )
    if len(subject_ids) > MANY:
        whose = f"SELECT {_EVERYTHING}"
    session.execute(text(f"INSERT INTO changed_accounts (account_id) {whose}"))


def read(session: Session) -> Changed:
    """What is marked. Where that is very much, only a part of the marks, which stand for everything."""
    query = select(ChangedAccountRow.id, ChangedAccountRow.account_id).order_by(ChangedAccountRow.id)
    rows = session.execute(query.limit(_AT_ONCE)).all()
    accounts = {row.account_id for row in rows}
    everything = _EVERYTHING in accounts or len(accounts) > MANY or len(rows) == _AT_ONCE
    return Changed(tuple(row.id for row in rows), tuple(sorted(accounts - {_EVERYTHING})), everything)


def forget(session: Session, seen: Changed) -> None:
    """Take away the marks of what has been looked at."""
    if seen.marks:
        statement = text("DELETE FROM changed_accounts WHERE id = :id")
        session.execute(statement, [{"id": number} for number in seen.marks])
