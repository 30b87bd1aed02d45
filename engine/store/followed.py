"""Read model: everything that happened to one account because of one rule, in the order it happened."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.evaluation.explaining import AccountScore, ScoreLine
from engine.store.decision_tables import DecisionRow, OutcomeRow, ScoreRow
from engine.store.run_tables import ApprovalRow, DeliveryRow, ReportAnswerRow, ReportRow, RunRow
from engine.store.tables import AccountRow
from engine.terms import DeliveryState, Tier


@dataclass(frozen=True, slots=True)
class Approved:
    """One approval: who edited it, who decided it and how, and how many messages it covered."""

    step: str
    state: str
    edited_by: str
    decided_by: str
    messages: int


@dataclass(frozen=True, slots=True)
class Followed:
    """One account and one rule. Texts are as they were recorded; empty or None where it has not happened.

    ``scores``: every known score by day. ``letters``: subjects of what was sent.
    """

    name: str
    scores: tuple[tuple[int, AccountScore], ...]
    evidence: tuple[str, ...]
    decision: str
    playbook: str
    run_id: int | None
    run_state: str
    approvals: tuple[Approved, ...]
    letters: tuple[str, ...]
    report_opened: bool
    report_answer: float | None
    report_comment: str
    outcome: str
    outcome_sentence: str


def follow(session: Session, key: str, rule: str) -> Followed:
    """Follow the account's newest decision on the rule. Raises LookupError where there is none."""
    account = session.scalars(select(AccountRow).where(AccountRow.key == key)).one()
    decision = session.scalars(
        select(DecisionRow)
        .where(DecisionRow.account_id == account.id, DecisionRow.rule == rule)
        .order_by(DecisionRow.id.desc())
    ).first()
    if decision is None:
        message = f'nothing was ever decided on "{key}" by the rule "{rule}"'
        raise LookupError(message)
    run = session.scalars(select(RunRow).where(RunRow.decision_id == decision.id)).first()
    run_id = None if run is None else run.id
    outcome = session.get(OutcomeRow, decision.id)
    report = session.scalars(select(ReportRow).where(ReportRow.run_id == run_id)).first()
    answer = None if report is None else _answer(session, report.id)
    return Followed(
        name=account.name,
        scores=_scores(session, account.id),
        evidence=tuple(fact["sentence"] for fact in decision.evidence if fact["verdict"] == 1),
        decision=decision.sentence,
        playbook=decision.playbook,
        run_id=run_id,
        run_state="" if run is None else run.state,
        approvals=_approvals(session, run_id),
        letters=_letters(session, run_id),
        report_opened=report is not None and report.first_opened_at is not None,
        report_answer=None if answer is None else answer.value,
        report_comment="" if answer is None else answer.comment,
        outcome="" if outcome is None else outcome.state,
        outcome_sentence="" if outcome is None else outcome.sentence,
    )


def _scores(session: Session, account_id: int) -> tuple[tuple[int, AccountScore], ...]:
    rows = session.scalars(select(ScoreRow).where(ScoreRow.account_id == account_id).order_by(ScoreRow.day))
    return tuple((row.day, score_of(row)) for row in rows if row.computed is not None)


def score_of(row: ScoreRow) -> AccountScore:
    """A stored score as it was explained on its day."""
    return AccountScore(
        computed=row.computed,
        effective=row.effective,
        coverage=row.coverage,
        raw_tier=_tier(row.raw_tier),
        computed_tier=_tier(row.computed_tier),
        tier=_tier(row.tier),
        lines=tuple(ScoreLine(*line) for line in row.lines),
    )


def _tier(word: str | None) -> Tier | None:
    return None if word is None else Tier(word)


def _approvals(session: Session, run_id: int | None) -> tuple[Approved, ...]:
    rows = session.scalars(select(ApprovalRow).where(ApprovalRow.run_id == run_id).order_by(ApprovalRow.id))
    return tuple(
        Approved(
            row.step,
            row.state,
            row.edited_by,
            row.decided_by,
            sum(1 for item in row.content if item["contact_id"] is not None),
        )
        for row in rows
    )


def _letters(session: Session, run_id: int | None) -> tuple[str, ...]:
    sent = DeliveryRow.state == DeliveryState.SENT.value
    return tuple(
        session.scalars(select(DeliveryRow.subject).where(DeliveryRow.run_id == run_id, sent).order_by(DeliveryRow.id))
    )


def _answer(session: Session, report_id: int) -> ReportAnswerRow | None:
    return session.scalars(select(ReportAnswerRow).where(ReportAnswerRow.report_id == report_id)).first()
