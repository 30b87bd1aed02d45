"""Reading what a customer report is composed of. Only the report's allow-list is read at all."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.report import HealthSection, Report
from engine.running.figures import Figures
from engine.running.rendering import render_inline
from engine.running.report import MetricFacts, ReportFacts, SentFacts, metrics_of, period
from engine.store.account_figures import figures
from engine.store.decision_tables import ScoreRow
from engine.store.people import account, day_of
from engine.store.run_tables import DeliveryRow
from engine.terms import DeliveryState


def load(session: Session, bundle: Bundle, account_id: int, report: Report, day: int) -> ReportFacts:
    """The facts of a report on an account as of the end of ``day``. Raises NotFound; Refused for a bad title."""
    found = account(session, account_id)
    names = metrics_of(report)
    seen = figures(session, bundle, account_id, day, names, period(report))
    goals = [seen.goal(name) for name, goal in bundle.catalog.goals.items() if goal.metric in names]
    score, wording = _health(session, bundle, account_id, report, day)
    return ReportFacts(
        account=found.name,
        title=render_inline(report.title, {"account": {"name": found.name, "key": found.key}}),
        day=day,
        metrics={name: _metric(bundle, seen, name, period(report)) for name in sorted(names)},
        goals={goal.metric: goal for goal in goals if goal is not None},
        score=score,
        wording=wording,
        sent=_sent(session, account_id, day),
    )


def _metric(bundle: Bundle, seen: Figures, name: str, days: int) -> MetricFacts:
    metric = bundle.catalog.metrics[name]
    return MetricFacts(
        title=metric.title,
        unit=metric.unit,
        kind=metric.type.value,
        decimals=metric.decimals,
        latest=seen.latest(name),
        course=seen.course(name, days),
    )


def _health(session: Session, bundle: Bundle, account_id: int, report: Report, day: int) -> tuple[int | None, str]:
    """The score on record and the customer's wording of its tier, as the pages showed them on the day."""
    cards = [part.scorecard for part in report.sections if isinstance(part, HealthSection)]
    card = bundle.scorecards.get(cards[0]) if cards else None
    if card is None:
        return None, ""
    mine = (ScoreRow.account_id == account_id, ScoreRow.scorecard == card.name)
    newest = select(func.max(ScoreRow.day)).where(*mine, ScoreRow.day <= day).scalar_subquery()
    row = session.scalar(select(ScoreRow).where(*mine, ScoreRow.day == newest))
    if row is None:
        return None, ""
    wordings = {band.tier.value: band.customer_wording for band in card.bands}
    return row.effective, wordings.get(row.tier or "", "")


def _sent(session: Session, account_id: int, day: int) -> tuple[SentFacts, ...]:
    rows = session.scalars(
        select(DeliveryRow).where(DeliveryRow.account_id == account_id, DeliveryRow.state == DeliveryState.SENT.value)
    )
    counts: dict[tuple[int, str], int] = {}
    for row in rows:
        key = (day_of(row.decided_at or row.claimed_at), row.subject)
        counts[key] = counts.get(key, 0) + 1
    return tuple(SentFacts(on, subject, count) for (on, subject), count in sorted(counts.items()) if on <= day)
