"""Taking a decision back while nothing has come of it: the run has not been told yet."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.store import outbox
from engine.store.run_tables import ActRow, ApprovalRow
from engine.terms import ActState, ApprovalState, RunAct

GRACE: Final = timedelta(seconds=10)
"""So long a decision on a page waits before the run is told."""

_DECISIONS: Final = {RunAct.APPROVE.value: ApprovalState.APPROVED, RunAct.REJECT.value: ApprovalState.REJECTED}


def undo(session: Session, act_id: int, member: str, at: datetime) -> int:
    """Take an approval or a rejection back: it waits for a decision again. Returns the approval's id.

    Raises NotFound for an act that is not the member's; Refused where it is no such decision, or the run knows of it.
    """
    act = session.get(ActRow, act_id, with_for_update=True, populate_existing=True)
    if act is None or act.actor != member:
        raise NotFound("There is no such decision of yours.")
    decided = _DECISIONS.get(act.kind)
    if decided is None:
        raise Refused("Only an approval or a rejection can be taken back.")
    late = f"It is too late to take it back: the run has been told. It can be taken back for {GRACE.seconds} seconds."
    if act.state != ActState.PENDING.value or not outbox.withdraw(session, act.run_id, act.id, at):
        raise Refused(late)
    mine = (ApprovalRow.run_id == act.run_id, ApprovalRow.step == act.step, ApprovalRow.state == decided.value)
    pending = {"state": ApprovalState.PENDING.value, "decided_by": "", "decided_at": None, "reason": ""}
    again = update(ApprovalRow).where(*mine).values(**pending, version=ApprovalRow.version + 1)
    found = session.execute(again.returning(ApprovalRow.id)).scalars().all()
    if len(found) != 1:
        raise Refused(late)
    act.state, act.note = ActState.NOT_APPLIED.value, f"{member} took it back at once."
    return found[0]
