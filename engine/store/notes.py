"""Notes: what members write down about an account, perhaps about one of its runs. Never changed, never deleted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.store.member_tables import NoteRow
from engine.store.run_tables import RunRow
from engine.store.tables import AccountRow

LONGEST: Final = 10_000
"""Characters of a note."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note. ``run_id`` None: about the account as such."""

    id: int
    account_id: int
    run_id: int | None
    author: str
    text: str
    at: datetime


def add(session: Session, account_id: int, text: str, *, member: str, at: datetime, run_id: int | None = None) -> int:
    """Write a note. Returns its id. Raises NotFound for an unknown account or a run that is not the account's; Refused
    for an empty text or one that is too long."""
    if session.get(AccountRow, account_id) is None:
        raise NotFound(f"There is no account {account_id}.")
    run = session.get(RunRow, run_id) if run_id is not None else None
    if run_id is not None and (run is None or run.account_id != account_id):
        raise NotFound(f"The account has no run {run_id}.")
    plain = text.replace("\r\n", "\n").strip()
    if not plain:
        raise Refused("A note needs a text.")
    if len(plain) > LONGEST:
        raise Refused(f"A note has at most {LONGEST:,} characters; this one has {len(plain):,}.")
    row = NoteRow(account_id=account_id, run_id=run_id, author=member, text=plain, at=at)
    session.add(row)
    session.flush()
    return row.id


def of_account(session: Session, account_id: int, run_id: int | None = None) -> tuple[Note, ...]:
    """The notes of an account, or of one of its runs, the newest first."""
    query = select(NoteRow).where(NoteRow.account_id == account_id).order_by(NoteRow.id.desc())
    if run_id is not None:
        query = query.where(NoteRow.run_id == run_id)
    return tuple(
        Note(row.id, row.account_id, row.run_id, row.author, row.text, row.at) for row in session.scalars(query)
    )
