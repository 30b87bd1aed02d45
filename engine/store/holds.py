"""Holds: while one is open nothing goes out, of one account or of all. Set by a member or found at a restored database.

A hold takes effect with its row: whoever claims a delivery looks here in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.store.member_tables import HoldRow
from engine.store.tables import AccountRow

MEMBER: Final = "member"
RESTORED: Final = "restored"
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold. ``account_id`` None: of everything; ``account``: the account's name then, else empty. ``cause``:
    ``member`` or ``restored``."""

    id: int
    account_id: int | None
    account: str
    cause: str
    reason: str
    author: str
    at: datetime

    @property
    def sentence(self) -> str:
        """Why nothing goes out, without a full stop."""
        what = f"everything that goes to {self.account}" if self.account_id is not None else "everything"
        if self.cause == RESTORED:
            return f"{what} is on hold since {_moment(self.at)}: {self.reason}"
        return f"{self.author} put {what} on hold at {_moment(self.at)}: {self.reason}"


def held(session: Session, account_id: int) -> str:
    """Why nothing goes out to an account now, as a sentence without a full stop; empty when something may."""
    found = session.scalar(_open(or_(HoldRow.account_id.is_(None), HoldRow.account_id == account_id)).limit(1))
    return _hold(session, found).sentence if found else ""


def hold(session: Session, *, account_id: int | None, cause: str, reason: str, author: str, at: datetime) -> int:
    """Hold everything that goes out (``account_id`` None), or what goes to one account. Returns the hold's id.

    Raises NotFound for an unknown account; Refused without a reason, or while the same is on hold already.
    """
    account = session.get(AccountRow, account_id) if account_id is not None else None
    if account_id is not None and account is None:
        raise NotFound(f"There is no account {account_id}.")
    if not reason.strip():
        raise Refused("Say why it is put on hold: whoever releases it has to know.")
    same = HoldRow.account_id.is_(None) if account_id is None else HoldRow.account_id == account_id
    if (other := session.scalar(_open(same).limit(1))) is not None:
        raise Refused(f"Nothing was changed: {_hold(session, other).sentence}.")
    row = HoldRow(account_id=account_id, cause=cause, reason=reason.strip()[:_LONGEST], author=author, at=at)
    session.add(row)
    session.flush()
    return row.id


def release(session: Session, hold_id: int, author: str, at: datetime) -> None:
    """Let go what was held. Raises NotFound; Refused, naming who was first, when it is released already."""
    row = session.get(HoldRow, hold_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no hold {hold_id}.")
    if row.released_at is not None:
        raise Refused(f"{row.released_by} released this hold at {_moment(row.released_at)}.")
    row.released_by, row.released_at = author, at


def find(session: Session, hold_id: int) -> Hold:
    """One open hold. Raises NotFound."""
    row = session.get(HoldRow, hold_id)
    if row is None or row.released_at is not None:
        raise NotFound("There is no such hold, or it is released already.")
    return _hold(session, row)


def everything(session: Session) -> Hold | None:
    """The hold of everything, if there is one."""
    row = session.scalar(_open(HoldRow.account_id.is_(None)).limit(1))
    return None if row is None else _hold(session, row)


def of_account(session: Session, account_id: int) -> Hold | None:
    """The hold of one account alone, if there is one."""
    row = session.scalar(_open(HoldRow.account_id == account_id).limit(1))
    return None if row is None else _hold(session, row)


def listed(session: Session) -> tuple[Hold, ...]:
    """All open holds: that of everything first, then by age."""
    rows = session.scalars(_open()).all()
    return tuple(sorted((_hold(session, row) for row in rows), key=lambda one: (one.account_id is not None, one.id)))


def _open(*wanted: ColumnElement[bool]) -> Select[HoldRow]:
    return select(HoldRow).where(HoldRow.released_at.is_(None), *wanted).order_by(HoldRow.id)


def _hold(session: Session, row: HoldRow) -> Hold:
    account = session.get(AccountRow, row.account_id) if row.account_id is not None else None
    name = account.name if account else ""
    return Hold(row.id, row.account_id, name, row.cause, row.reason, row.author, row.at)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
