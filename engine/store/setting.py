"""What a run sets at its account: the lifecycle stage, or a further field such as a risk flag."""

from datetime import datetime

from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.store import changed, people
from engine.store.tables import AccountRow

STAGE = "stage"


def set_field(session: Session, account_id: int, *, name: str, value: str | float | bool, at: datetime) -> str:
    """Set a field of an account. Returns what it is now and was before, as a sentence without a full stop.

    The account is looked at again by the next cycle, so rules see it at once. Raises NotFound.
    """
    row = session.get(AccountRow, account_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no account {account_id}.")
    before = row.stage if name == STAGE else row.fields.get(name)
    if before == value:
        return f"{name} is {_said(value)} already"
    if name == STAGE:
        row.stage, row.stage_since = str(value), people.day_of(at)
    else:
        row.fields = {**row.fields, name: value}
    row.recorded_at = at
    session.flush()
    changed.mark(session, [account_id])
    return f"{name} is {_said(value)} now" + ("" if before is None else f", before: {_said(before)}")


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
