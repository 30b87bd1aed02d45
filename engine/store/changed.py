"""Accounts about which something new is known that no cycle has looked at yet.

Whoever writes data marks its accounts in the same transaction. A cycle reads the marks before it reads any data and
takes away only those that are still as they were then: what came in between stays marked.
"""

# ruff: noqa: S608  (statements are made of integers and constants)

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.store.tables import ChangedAccountRow

MANY: Final = 5_000
"""Of more accounts than this they are not named one by one: everything is to be looked at."""
EVERYTHING: Final = 0
"""The mark for that, in place of an account."""

_ONE_MORE: Final = "ON CONFLICT (account_id) DO UPDATE SET changes = changed_accounts.changes + 1"


@dataclass(frozen=True, slots=True)
class Changed:
    """What was marked: account → how often. ``everything``: too much to be named."""

    marks: Mapping[int, int]

    @property
    def everything(self) -> bool:
        """Whether more changed than was named."""
        return EVERYTHING in self.marks

    @property
    def accounts(self) -> list[int]:
        """The accounts that were named, ascending."""
        return sorted(self.marks.keys() - {EVERYTHING})


def mark(session: Session, subject_ids: Collection[int]) -> None:
    """Mark the accounts that these subjects (accounts, contacts, products) are or belong to."""
    if not subject_ids:
        return
    named = ",".join(str(int(number)) for number in subject_ids)
    source = (
        f"SELECT id, 1 FROM accounts WHERE id IN ({named})"
        f" UNION SELECT account_id, 1 FROM contacts WHERE id IN ({named})"
        f" UNION SELECT account_id, 1 FROM products WHERE id IN ({named})"
    )
    if len(subject_ids) > MANY:
        source = f"SELECT {EVERYTHING}, 1"
    # WHERE true: without it SQLite takes ON CONFLICT for part of a join.
    marked = f"INSERT INTO changed_accounts (account_id, changes) SELECT * FROM ({source}) AS found WHERE true"
    session.execute(text(f"{marked} {_ONE_MORE}"))


def read(session: Session, limit: int = MANY) -> Changed:
    """What is marked, at most ``limit`` accounts."""
    rows = session.execute(
        select(ChangedAccountRow.account_id, ChangedAccountRow.changes)
        .order_by(ChangedAccountRow.account_id)
        .limit(limit)
    )
    return Changed(dict(rows.all()))


def forget(session: Session, seen: Changed) -> None:
    """Take away the marks of what has been looked at; what was marked again meanwhile stays."""
    if seen.marks:
        statement = text("DELETE FROM changed_accounts WHERE account_id = :account AND changes = :changes")
        session.execute(statement, [{"account": one, "changes": count} for one, count in seen.marks.items()])
