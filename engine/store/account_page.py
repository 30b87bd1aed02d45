"""Read model: one account as its page shows it. Scores come as the cycle stored them; nothing is computed again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.store import metric_overrides, score_overrides, states
from engine.store.decision_tables import EpisodeRow
from engine.store.glances import Glance, glances, latest_scores
from engine.store.portfolio import Course, courses
from engine.store.run_tables import ReportRow, RunRow
from engine.store.score_lines import Score, read_score
from engine.store.tables import AccountRow, ContactRow, GoalRow
from engine.store.timeline import Entry, timeline
from engine.terms import ReportState, RunState, Verdict

TREND_DAYS = 180


@dataclass(frozen=True, slots=True)
class SignalNow:
    """One signal as it stands, and since which day. ``holds``: the challenge of its rule is open for the account."""

    rule: str
    signal: str
    verdict: Verdict
    value: float | None
    since: int
    holds: bool


@dataclass(frozen=True, slots=True)
class Shared:
    """A report of the account. ``is_open``: its link works at the moment asked about."""

    id: int
    report: str
    state: ReportState
    is_open: bool
    created_at: datetime
    approved_by: str
    expires_at: datetime | None
    first_opened_at: datetime | None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at the account."""

    name: str
    email: str
    roles: tuple[str, ...]
    departed: bool


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal as agreed: from ``start_value`` on ``start_day`` to ``target`` on ``end_day``."""

    goal: str
    target: float
    start_value: float
    start_day: int
    end_day: int


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that is going on."""

    id: int
    playbook: str
    rule: str
    state: RunState
    sentence: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Everything on an account's page. ``words``: what people say its metrics really are."""

    account: Glance
    stopped_reason: str
    score: Score | None
    course: Course
    signals: tuple[SignalNow, ...]
    runs: tuple[OpenRun, ...]
    overrides: tuple[score_overrides.Override, ...]
    reports: tuple[Shared, ...]
    contacts: tuple[Contact, ...]
    goals: tuple[Goal, ...]
    timeline: tuple[Entry, ...]
    words: tuple[metric_overrides.MetricOverride, ...] = ()


def account_page(session: Session, account_id: int, scope: str | None, at: datetime) -> AccountPage:
    """One account as of ``at`` for owner ``scope`` (None: anybody's). Raises `NotFound`, foreign or missing alike."""
    row = owned(session, account_id, scope)
    current = latest_scores(session, [account_id]).get(account_id)
    return AccountPage(
        account=glances(session, [account_id])[account_id],
        stopped_reason=row.stopped_reason,
        score=read_score(session, current),
        course=courses(session, [account_id], (current.day if current else 0) - TREND_DAYS)[account_id],
        signals=_signals(session, account_id),
        runs=_runs(session, account_id),
        overrides=score_overrides.in_force(session, account_id, at),
        reports=_reports(session, account_id, at),
        contacts=_contacts(session, account_id),
        goals=_goals(session, account_id),
        timeline=timeline(session, account_id),
        words=metric_overrides.in_force(session, account_id, at),
    )


def owned(session: Session, account_id: int, scope: str | None) -> AccountRow:
    """The account's row, if its owner is ``scope`` or scope is None; for this package only. Raises `NotFound`."""
    row = session.get(AccountRow, account_id)
    if row is None or (scope is not None and row.owner != scope):
        raise NotFound("There is no such account.")
    return row


def _signals(session: Session, account_id: int) -> tuple[SignalNow, ...]:
    opened = select(EpisodeRow.rule).where(EpisodeRow.account_id == account_id, EpisodeRow.closed_on.is_(None))
    holding = set(session.scalars(opened))
    found = [
        SignalNow(one.rule, one.signal, Verdict(one.verdict), one.value, one.since, one.rule in holding)
        for one in states.of_accounts(session, [account_id])
    ]
    return tuple(sorted(found, key=lambda one: (not one.holds, -one.verdict, -one.since, one.rule)))


def _runs(session: Session, account_id: int) -> tuple[OpenRun, ...]:
    rows = session.scalars(select(RunRow).where(RunRow.account_id == account_id).order_by(RunRow.id.desc()).limit(100))
    return tuple(
        OpenRun(row.id, row.playbook, row.rule, RunState(row.state), row.sentence, row.requested_at)
        for row in rows
        if RunState(row.state).is_open
    )


def _reports(session: Session, account_id: int, at: datetime) -> tuple[Shared, ...]:
    rows = session.scalars(
        select(ReportRow).where(ReportRow.account_id == account_id).order_by(ReportRow.id.desc()).limit(20)
    )
    return tuple(
        Shared(
            row.id,
            row.report,
            ReportState(row.state),
            row.state == ReportState.APPROVED.value and row.expires_at is not None and row.expires_at > at,
            row.created_at,
            row.approved_by,
            row.expires_at,
            row.first_opened_at,
        )
        for row in rows
    )


def _contacts(session: Session, account_id: int) -> tuple[Contact, ...]:
    rows = session.scalars(
        select(ContactRow).where(ContactRow.account_id == account_id).order_by(ContactRow.name).limit(200)
    )
    return tuple(
        Contact(row.name, row.email, tuple(row.roles), row.departed_on is not None)
        for row in sorted(rows, key=lambda row: (row.departed_on is not None, set(row.roles) <= {"user"}, row.name))
    )


def _goals(session: Session, account_id: int) -> tuple[Goal, ...]:
    rows = session.scalars(select(GoalRow).where(GoalRow.account_id == account_id).order_by(GoalRow.goal))
    return tuple(Goal(row.goal, row.target, row.start_value, row.start_day, row.end_day) for row in rows)
