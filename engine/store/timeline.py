"""Read model: what happened around one account, newest first: decisions and refusals, runs, deliveries, tasks,
approvals, people's acts and overrides, outcomes, what a customer answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store.decision_tables import DecisionRow, OutcomeRow, ScoreOverrideRow
from engine.store.inbox import Fact, facts_of
from engine.store.member_words import words_of
from engine.store.person_tables import AnswerRow, FeedbackRow, MetricOverrideRow
from engine.store.run_tables import (
    ActRow,
    ApprovalRow,
    DeliveryRow,
    ReportAnswerRow,
    ReportRow,
    RunRow,
    TaskRow,
)
from engine.store.tables import ContactRow
from engine.terms import OutcomeState, RunState

LIMIT = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. ``kind``: decision, run, delivery, task, approval, act, override, outcome, said (by a
    member), answer (of a customer), note, hold, snooze, exclusion;
    ``state`` its word from `engine.terms`; ``subject`` what it is about; ``who`` a member or contact, if any."""

    at: datetime
    kind: str
    state: str
    subject: str
    sentence: str = ""
    who: str = ""
    run_id: int | None = None
    reason: str = ""
    facts: tuple[Fact, ...] = ()


def timeline(session: Session, account_id: int) -> tuple[Entry, ...]:
    """The newest 60 entries of an account."""
    found = [
        *_decisions(session, account_id),
        *_runs(session, account_id),
        *_deliveries(session, account_id),
        *_people(session, account_id),
        *_overrides(session, account_id),
        *_words(session, account_id),
        *(Entry(*one) for one in words_of(session, account_id)),
        *_outcomes(session, account_id),
        *_answers(session, account_id),
    ]
    return tuple(sorted(found, key=lambda entry: entry.at, reverse=True)[:LIMIT])


def moment(day: int) -> datetime:
    """The first moment of a day since 1970-01-01, in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)


def _decisions(session: Session, account_id: int) -> Iterator[Entry]:
    rows = session.execute(
        select(DecisionRow, RunRow.id)
        .join(RunRow, RunRow.decision_id == DecisionRow.id, isouter=True)
        .where(DecisionRow.account_id == account_id)
        .order_by(DecisionRow.decided_at.desc())
        .limit(LIMIT)
    )
    for row, run_id in rows:
        yield Entry(
            row.decided_at,
            "decision",
            row.kind,
            row.playbook or row.rule,
            row.sentence,
            run_id=run_id,
            reason=row.reason or "",
            facts=facts_of(row.evidence),
        )


def _runs(session: Session, account_id: int) -> Iterator[Entry]:
    query = select(RunRow).where(RunRow.account_id == account_id).order_by(RunRow.id.desc()).limit(LIMIT)
    for row in session.scalars(query):
        if row.decision_id is None:
            yield Entry(row.requested_at, "run", RunState.REQUESTED.value, row.playbook, row.sentence, run_id=row.id)
        if row.ended_at is not None:
            yield Entry(row.ended_at, "run", row.state, row.playbook, row.sentence, run_id=row.id)


def _deliveries(session: Session, account_id: int) -> Iterator[Entry]:
    query = (
        select(DeliveryRow, ContactRow.name)
        .join(ContactRow, ContactRow.id == DeliveryRow.contact_id)
        .where(DeliveryRow.account_id == account_id)
        .order_by(DeliveryRow.id.desc())
        .limit(LIMIT)
    )
    for row, name in session.execute(query):
        at = row.decided_at or row.claimed_at
        yield Entry(at, "delivery", row.state, row.subject, row.reason, name, row.run_id)


def _people(session: Session, account_id: int) -> Iterator[Entry]:
    for task in session.scalars(select(TaskRow).where(TaskRow.account_id == account_id)):
        at = task.done_at or task.created_at
        yield Entry(at, "task", task.state, task.title, task.note, task.done_by or task.assignee, task.run_id)
    for one in session.scalars(select(ApprovalRow).where(ApprovalRow.account_id == account_id)):
        at = one.decided_at or one.requested_at
        yield Entry(at, "approval", one.state, one.step, one.reason, one.decided_by or one.approver, one.run_id)
    acts = select(ActRow).join(RunRow, RunRow.id == ActRow.run_id).where(RunRow.account_id == account_id)
    for act in session.scalars(acts):
        if act.kind not in {"approve", "reject", "task_done"}:  # these three are told by the approval and the task
            yield Entry(act.created_at, "act", act.kind, act.step, act.reason, act.actor, act.run_id, act.note)


def _overrides(session: Session, account_id: int) -> Iterator[Entry]:
    for row in session.scalars(select(ScoreOverrideRow).where(ScoreOverrideRow.account_id == account_id)):
        yield Entry(row.created_at, "override", row.tier or "score", row.scorecard, row.reason, row.author)
    for word in session.scalars(select(MetricOverrideRow).where(MetricOverrideRow.account_id == account_id)):
        subject = f"{word.name}: {word.value:g}"
        yield Entry(word.created_at, "override", "metric", subject, word.reason, word.author)


def _words(session: Session, account_id: int) -> Iterator[Entry]:
    for said in session.scalars(select(AnswerRow).where(AnswerRow.account_id == account_id)):
        yield Entry(said.at, "said", "answered", f"{said.question}: {said.value:g}", said.reason, said.author)
    for one in session.scalars(select(FeedbackRow).where(FeedbackRow.account_id == account_id)):
        yield Entry(one.at, "said", f"looks_{one.looks}", one.scorecard, one.reason, one.author)


def _outcomes(session: Session, account_id: int) -> Iterator[Entry]:
    judged = select(OutcomeRow).where(OutcomeRow.account_id == account_id, OutcomeRow.state != OutcomeState.DUE.value)
    for row in session.scalars(judged):
        yield Entry(moment(row.due_on), "outcome", row.state, row.playbook, reason=row.arm)


def _answers(session: Session, account_id: int) -> Iterator[Entry]:
    query = select(ReportAnswerRow, ReportRow).join(ReportRow, ReportRow.id == ReportAnswerRow.report_id)
    for row, report in session.execute(query.where(ReportRow.account_id == account_id)):
        yield Entry(row.at, "answer", report.report, f"{row.metric}: {row.value:g}", row.comment)
