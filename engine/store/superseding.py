"""A playbook that takes the place of others: their runs for the account are told as soon as it is started."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.store import waits
from engine.store.run_tables import RunRow
from engine.terms import RunState


def tell_others(session: Session, bundle: Bundle, account_id: int, playbook: str, at: datetime) -> int:
    """Tell the account's runs that stand still and whose playbook ``playbook`` supersedes; how many were told. Those
    that are at work find out by themselves at their next stop."""
    names = [name for name, one in bundle.playbooks.items() if playbook in one.superseded_by]
    if not names:
        return 0
    mine = (RunRow.account_id == account_id, RunRow.playbook.in_(names), RunRow.state == RunState.WAITING.value)
    return sum(waits.leave(session, run_id, at) for run_id in session.scalars(select(RunRow.id).where(*mine)).all())
