"""Read model: a report as a member handles it, before and after it is shared."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.store.account_page import owned
from engine.store.glances import Glance, glances
from engine.store.run_tables import ReportAnswerRow, ReportRow
from engine.terms import ReportState


@dataclass(frozen=True, slots=True)
class Answered:
    """What the customer answered to one question."""

    metric: str
    value: float
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReportPage:
    """One report. ``content`` is `engine.running.report.ReportContent.as_json`."""

    id: int
    account: Glance
    report: str
    state: ReportState
    content: dict[str, Any]
    created_at: datetime
    approved_by: str
    expires_at: datetime | None
    first_opened_at: datetime | None
    answers: tuple[Answered, ...]

    def is_open(self, at: datetime) -> bool:
        """Whether its link works."""
        return self.state is ReportState.APPROVED and self.expires_at is not None and self.expires_at > at


def report_page(session: Session, report_id: int, scope: str | None) -> ReportPage:
    """One report of an account owned by ``scope`` (None: anybody's). Raises `NotFound`, foreign or missing alike."""
    row = session.get(ReportRow, report_id)
    if row is None:
        raise NotFound("There is no such report.")
    owned(session, row.account_id, scope)
    answers = session.scalars(select(ReportAnswerRow).where(ReportAnswerRow.report_id == report_id))
    return ReportPage(
        id=row.id,
        account=glances(session, [row.account_id])[row.account_id],
        report=row.report,
        state=ReportState(row.state),
        content=row.content,
        created_at=row.created_at,
        approved_by=row.approved_by,
        expires_at=row.expires_at,
        first_opened_at=row.first_opened_at,
        answers=tuple(Answered(one.metric, one.value, one.comment, one.at) for one in answers),
    )
