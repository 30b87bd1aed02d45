"""Reading what deciding has to know of the past: episodes, runs, hold-outs, starts, stops."""

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.evaluation.deciding import Past
from engine.store.decision_tables import DecisionRow, EpisodeRow
from engine.store.evaluations import known_rules
from engine.store.run_tables import RunRow
from engine.store.tables import AccountRow
from engine.terms import DecisionKind, Reason, RunState

_ASKED = [Reason.BLAST_RADIUS.value, Reason.EXISTING.value]
FINAL = [state.value for state in RunState if not state.is_open]


def load_past(session: Session, bundle: Bundle, at: datetime, released: frozenset[str] = frozenset()) -> Past:
    """The past as of ``at``. ``released``: rules whose blast radius a member lets pass this time."""
    return Past(
        inside=_inside(session, released),
        known_rules=frozenset(known_rules(session)),
        episode_ended=_ended(session, bundle),
        open_runs=_open_runs(session),
        held_out=_held_out(session),
        recent_starts=_recent_starts(session, at),
        released=released,
        stopped=frozenset(session.scalars(select(AccountRow.id).where(AccountRow.stopped_reason != ""))),
        suppressed=frozenset(session.scalars(select(AccountRow.id).where(AccountRow.suppressed))),
    )


def _inside(session: Session, released: frozenset[str]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for rule, account in session.execute(
        select(EpisodeRow.rule, EpisodeRow.account_id).where(EpisodeRow.closed_on.is_(None))
    ):
        found[rule].add(account)
    # What only waited for a member's word is decided again once the word is given.
    for rule, account in session.execute(
        select(DecisionRow.rule, DecisionRow.account_id)
        .join(EpisodeRow, EpisodeRow.id == DecisionRow.episode_id)
        .where(DecisionRow.reason.in_(_ASKED), DecisionRow.rule.in_(released), EpisodeRow.closed_on.is_(None))
    ):
        found[rule].discard(account)
    return found


def _ended(session: Session, bundle: Bundle) -> dict[tuple[str, int], int]:
    query = (
        select(EpisodeRow.rule, EpisodeRow.account_id, func.max(EpisodeRow.closed_on))
        .where(EpisodeRow.closed_on.is_not(None), EpisodeRow.rule.in_(bundle.rules))
        .group_by(EpisodeRow.rule, EpisodeRow.account_id)
    )
    return {(rule, account): ended for rule, account, ended in session.execute(query) if ended is not None}


def _open_runs(session: Session) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for playbook, account in session.execute(
        select(RunRow.playbook, RunRow.account_id).where(RunRow.state.not_in(FINAL))
    ):
        found[playbook].add(account)
    return found


def _held_out(session: Session) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = defaultdict(dict)
    query = (
        select(DecisionRow.playbook, DecisionRow.account_id, DecisionRow.rule)
        .join(EpisodeRow, EpisodeRow.id == DecisionRow.episode_id)
        .where(DecisionRow.kind == DecisionKind.HOLD_OUT.value, EpisodeRow.closed_on.is_(None))
    )
    for playbook, account, rule in session.execute(query):
        found[playbook][account] = rule
    return found


def _recent_starts(session: Session, at: datetime) -> dict[str, int]:
    query = (
        select(DecisionRow.rule, func.count())
        .where(DecisionRow.kind == DecisionKind.START.value, DecisionRow.decided_at > at - timedelta(hours=24))
        .group_by(DecisionRow.rule)
    )
    return dict(session.execute(query).all())
