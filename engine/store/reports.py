"""Customer reports: composed as drafts, frozen when a member approves them, opened by a link.

Only the SHA-256 of a link's token is compared. The token itself is made from this installation's secret, so that a
message that has to be tried again carries the same link.
"""

import base64
import hashlib
import hmac
import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.errors import NotFound, Refused
from engine.running.report import compose
from engine.store import people, points, report_facts, secrets
from engine.store.run_tables import ReportAnswerRow, ReportRow
from engine.terms import ReportState

SECRET: Final = "report-links"  # noqa: S105  the secret's name
_CLOSED: Final = "This link does not open a report. It may have expired: ask whoever sent it for a new one."


@dataclass(frozen=True, slots=True)
class OpenReport:
    """A report as its reader opens it. ``content`` is `ReportContent.as_json`; ``answers`` metric → value."""

    id: int
    account_id: int
    content: dict[str, Any]
    answers: dict[str, float]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A report with where it stands."""

    id: int
    account_id: int
    report: str
    state: ReportState
    content: dict[str, Any]
    approved_at: datetime | None
    expires_at: datetime | None


def compose_for(
    session: Session,
    bundle: Bundle,
    account_id: int,
    report: str,
    at: datetime,
    run_id: int | None = None,
    step: str = "",
    share_with: str = "",
) -> int:
    """Compose a report from the figures of the day of ``at``. Returns its id; a step of a run has one report.

    A draft of that step is composed anew (its next steps stay), an approved one stays as it is. Raises NotFound for
    an unknown report.
    """
    definition = bundle.reports.get(report)
    if definition is None:
        raise NotFound(f'There is no report "{report}".')
    row = _of_step(session, run_id, step)
    if row is not None and row.state != ReportState.DRAFT.value:
        return row.id
    facts = report_facts.load(session, bundle, account_id, definition, people.day_of(at))
    content = compose(definition, replace(facts, next_steps=_next_steps(row.content if row else {}))).as_json()
    if row is None:
        row = ReportRow(account_id=account_id, run_id=run_id, step=step, report=report, created_at=at)
        row.state, row.share_with = ReportState.DRAFT.value, share_with
        session.add(row)
    row.content = content
    session.flush()
    return row.id


def edit_next_steps(session: Session, report_id: int, text: str) -> None:
    """Write what comes next into a draft. Raises NotFound; Refused when it is no draft or has no such section."""
    row = _row(session, report_id)
    sections = [dict(section) for section in row.content["sections"]]
    found = [section for section in sections if section["kind"] == "next_steps"]
    if row.state != ReportState.DRAFT.value or not found:
        raise Refused("Only a draft that has the section “next steps” can be completed.")
    found[0]["text"] = text.strip()
    row.content = {**row.content, "sections": sections}


def approve(session: Session, report_id: int, *, member: str, at: datetime, expires_days: int) -> str:
    """Freeze a draft and open its link for ``expires_days`` days. Returns the link's token.

    Raises NotFound; Refused when it is no draft any more.
    """
    row = session.get(ReportRow, report_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no report {report_id}.")
    if row.state != ReportState.DRAFT.value:
        raise Refused(f"This report is {row.state} already: compose a new one.")
    row.state = ReportState.APPROVED.value
    row.approved_by, row.approved_at = member, at
    row.expires_at = at + timedelta(days=expires_days)
    token = token_of(session, report_id)
    row.token_hash = _hash(token)
    return token


def token_of(session: Session, report_id: int) -> str:
    """The token of a report's link, the same every time."""
    made = hmac.digest(secrets.get(session, SECRET), f"report:{report_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def open_by_token(session: Session, token: str, at: datetime) -> OpenReport:
    """The report a link opens. Raises NotFound, alike for an unknown, an expired and a revoked link."""
    row = _open_row(session, token, at)
    row.first_opened_at = row.first_opened_at or at
    answers = session.scalars(select(ReportAnswerRow).where(ReportAnswerRow.report_id == row.id))
    return OpenReport(
        id=row.id,
        account_id=row.account_id,
        content=row.content,
        answers={answer.metric: answer.value for answer in answers},
        expires_at=row.expires_at or at,
    )


def answer(session: Session, token: str, metric: str, value: float, comment: str, at: datetime) -> None:
    """Keep what the customer answers, as a point of ``metric``; answering again replaces it.

    Raises NotFound as `open_by_token`; Refused for a question that is not there or a value off its scale.
    """
    row = _open_row(session, token, at)
    asked = [part for part in row.content["sections"] if part["kind"] == "question" and part["metric"] == metric]
    if not asked:
        raise Refused("The report does not ask this.")
    low, high = asked[0]["low"], asked[0]["high"]
    if not (math.isfinite(value) and low <= value <= high):
        raise Refused(f"Answer with a number from {low} to {high}.")
    found = session.get(ReportAnswerRow, (row.id, metric))
    if found is None:
        found = ReportAnswerRow(report_id=row.id, metric=metric)
        session.add(found)
    found.value, found.comment, found.at = value, comment.strip()[:2000], at
    points.record(session, row.account_id, metric, people.day_of(at), value, at)


def revoke(session: Session, report_id: int, *, member: str, at: datetime) -> None:
    """Make a report's link worthless from now on. Raises NotFound; Refused when it has none."""
    row = _row(session, report_id)
    if row.state != ReportState.APPROVED.value:
        raise Refused(f"This report is {row.state}: there is no link to take back.")
    row.state, row.revoked_at = ReportState.REVOKED.value, at
    row.approved_by = f"{row.approved_by}, taken back by {member}"[:320]


def of_step(session: Session, run_id: int, step: str) -> Draft | None:
    """The report of a step of a run; None before it is composed."""
    row = _of_step(session, run_id, step)
    return None if row is None else _draft(row)


def find(session: Session, report_id: int) -> Draft:
    """One report. Raises NotFound."""
    return _draft(_row(session, report_id))


def _of_step(session: Session, run_id: int | None, step: str) -> ReportRow | None:
    if run_id is None:
        return None
    return session.scalar(select(ReportRow).where(ReportRow.run_id == run_id, ReportRow.step == step))


def _next_steps(content: dict[str, Any]) -> str:
    texts = [part["text"] for part in content.get("sections", ()) if part["kind"] == "next_steps"]
    return str(texts[0]) if texts else ""


def _open_row(session: Session, token: str, at: datetime) -> ReportRow:
    row = session.scalar(select(ReportRow).where(ReportRow.token_hash == _hash(token)))
    is_open = row is not None and row.state == ReportState.APPROVED.value
    if row is None or not is_open or row.expires_at is None or row.expires_at <= at:
        raise NotFound(_CLOSED)
    return row


def _row(session: Session, report_id: int) -> ReportRow:
    row = session.get(ReportRow, report_id)
    if row is None:
        raise NotFound(f"There is no report {report_id}.")
    return row


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _draft(row: ReportRow) -> Draft:
    return Draft(
        row.id, row.account_id, row.report, ReportState(row.state), row.content, row.approved_at, row.expires_at
    )
