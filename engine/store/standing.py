"""Read model: does what was decided reach Temporal, and does a rule ask before it goes on? Pages say both on top."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.store import holds
from engine.store.decision_tables import CycleRow
from engine.store.run_tables import OutboxRow

PATIENCE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Standing:
    """``waiting`` outbox rows were not carried in half a minute, the oldest since ``since``; ``error`` says why.
    ``held``: why nothing goes out to anybody, without a full stop; empty while something may."""

    waiting: int
    since: datetime | None
    error: str
    held: str = ""


CALM: Final = Standing(0, None, "")


def read(session: Session, at: datetime) -> Standing:
    """How many starts, acts and wake-ups have waited longer than usual as of ``at``."""
    hold = holds.everything(session)
    held = hold.sentence if hold else ""
    late = (OutboxRow.done_at.is_(None), OutboxRow.created_at < at - PATIENCE)
    waiting, since = session.execute(select(func.count(), func.min(OutboxRow.created_at)).where(*late)).one()
    if not waiting:
        return replace(CALM, held=held)
    newest = select(OutboxRow.error).where(*late, OutboxRow.error != "").order_by(OutboxRow.id.desc()).limit(1)
    return Standing(waiting, since, session.scalar(newest) or "", held)


def asks(session: Session) -> dict[str, str]:
    """Rule → what a member is asked, where the newest cycle stopped at a rule's blast radius or first publication."""
    return dict(session.scalar(select(CycleRow.asks).order_by(CycleRow.id.desc()).limit(1)) or {})
