"""Whether what an approval covers could still be done: nobody approves what cannot go out any more."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import EngineError, Refused
from engine.store import bundles, people, runs
from engine.store.run_tables import ApprovalRow
from engine.store.runs import Run
from engine.store.suppressions import ALL, is_suppressed
from engine.store.tables import AccountRow, ContactRow


def check(session: Session, row: ApprovalRow, at: datetime) -> None:
    """Raises Refused where the run has ended, the account is barred, or nobody is left to write to."""
    if why := _why_not(session, row, at):
        raise Refused(f"This cannot be approved any more: {why}.")


def _why_not(session: Session, row: ApprovalRow, at: datetime) -> str:
    run = runs.find(session, row.run_id)
    if not run.state.is_open:
        return f"the run is {run.state.value}"
    account = session.get_one(AccountRow, row.account_id, populate_existing=True)
    if barred := runs.why_barred(account):
        return barred
    written_to = {item["contact_id"] for item in row.content if item.get("contact_id") is not None}
    if not written_to or any(item["kind"] not in {"email", "lesson"} for item in row.content):
        return ""
    category = _category(session, run)
    gone = [_why_gone(session, contact, category, at) for contact in sorted(written_to)]
    return "; ".join(gone) if all(gone) else ""


def _category(session: Session, run: Run) -> str:
    try:
        return bundles.by_fingerprint(session, run.bundle).playbooks[run.playbook].category
    except EngineError:  # definitions that cannot be read are the run's trouble, not the approver's
        return ALL


def _why_gone(session: Session, contact_id: int, category: str, at: datetime) -> str:
    contact = session.scalar(select(ContactRow).where(ContactRow.id == contact_id))
    if contact is None:  # whoever sends it says so
        return ""
    if not contact.email:
        return f"{contact.name} has no address"
    if contact.departed_on is not None and contact.departed_on <= people.day_of(at):
        return f"{contact.name} has left"
    return f"{contact.name} has unsubscribed" if is_suppressed(session, contact.email, category) else ""
