"""Stopping an account: nothing runs or starts for it until a member says otherwise. Open runs end."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.store import changed, notes, waits
from engine.store.run_tables import RunRow
from engine.store.tables import AccountRow
from engine.terms import RunState

LONGEST = 500


def stop(session: Session, account_id: int, *, reason: str, member: str, at: datetime) -> int:
    """Stop everything for an account; its waiting runs are told to end. Returns how many.

    Raises NotFound; Refused without a reason, for one that is too long, or while it is stopped already.
    """
    row = _row(session, account_id)
    plain = reason.strip()
    if not plain:
        raise Refused("Say why you stop it: the reason stands on the account's page.")
    if len(plain) > LONGEST:
        raise Refused(f"The reason has at most {LONGEST} characters; write the rest into a note.")
    if row.stopped_reason:
        raise Refused(f"The account is stopped already: {row.stopped_reason}.")
    row.stopped_reason = f"{plain} ({member})"[:LONGEST]
    notes.add(session, account_id, f"Stopped everything for this account: {plain}", member=member, at=at)
    changed.mark(session, [account_id])
    session.flush()
    waiting = select(RunRow.id).where(RunRow.account_id == account_id, RunRow.state == RunState.WAITING.value)
    return sum(waits.leave(session, run_id, at) for run_id in session.scalars(waiting).all())


def resume(session: Session, account_id: int, *, reason: str, member: str, at: datetime) -> None:
    """Let rules start for the account again. Raises NotFound; Refused while it is not stopped."""
    row = _row(session, account_id)
    if not row.stopped_reason:
        raise Refused("The account is not stopped.")
    row.stopped_reason = ""
    why = f": {reason.strip()}" if reason.strip() else ""
    notes.add(session, account_id, f"Let rules start for this account again{why}", member=member, at=at)
    changed.mark(session, [account_id])


def _row(session: Session, account_id: int) -> AccountRow:
    row = session.get(AccountRow, account_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no account {account_id}.")
    return row
