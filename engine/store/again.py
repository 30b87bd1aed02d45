"""What deciding has to know to decide once more: whom members left out, and how often a playbook has run."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, exists, select, true, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.definitions.bundle import Bundle
from engine.definitions.playbook import ReEntry
from engine.evaluation.past import Earlier
from engine.store.before import DAY_ZERO
from engine.store.decision_tables import DecisionRow, EpisodeRow
from engine.store.member_tables import ExclusionRow, SnoozeRow
from engine.store.naming import one_of
from engine.store.run_tables import RunRow
from engine.terms import DecisionKind, Reason, RunState

_LEFT_OUT = {Reason.EXCLUDED.value, Reason.SNOOZED.value}


def decided_again(session: Session, at: datetime, accounts: Collection[int] | None) -> dict[str, set[int]]:
    """Rule → accounts inside it about which nothing is decided but that a member left them out, or whose run a member
    cancelled and snoozed the rule. While the member's word is in force deciding comes to the same again."""
    found: dict[str, set[int]] = defaultdict(set)
    for decision in _newest(session, at, accounts):
        refused = decision.kind == DecisionKind.REFUSE.value and decision.reason in _LEFT_OUT
        if refused or (decision.kind == DecisionKind.START.value and _was_put_off(session, decision, at)):
            found[decision.rule].add(decision.account_id)
    return found


def earlier_runs(
    session: Session, bundle: Bundle, at: datetime, accounts: Collection[int] | None
) -> dict[tuple[str, int], Earlier]:
    """(playbook, account) → its runs until ``at``, of those playbooks that limit how often they run."""
    limited = [name for name, each in bundle.playbooks.items() if each.re_entry != ReEntry()]
    if not limited:
        return {}
    rows = session.execute(
        select(RunRow.playbook, RunRow.account_id, RunRow.requested_at, RunRow.ended_at)
        .where(RunRow.playbook.in_(limited), RunRow.requested_at <= at, _of(RunRow.account_id, accounts))
        .order_by(RunRow.id)
    )
    requested: dict[tuple[str, int], list[int]] = defaultdict(list)
    ended: dict[tuple[str, int], int] = {}
    for playbook, account, began, over in rows:
        key = playbook, account
        requested[key].append((began - DAY_ZERO).days)
        if over is not None and over <= at:
            ended[key] = max(ended.get(key, 0), (over - DAY_ZERO).days)
    return {key: Earlier(tuple(days), ended.get(key)) for key, days in requested.items()}


def _newest(session: Session, at: datetime, accounts: Collection[int] | None) -> Iterator[DecisionRow]:
    """The newest decision in each open episode that a member ever snoozed, or was ever excluded from."""
    touched = union(
        select(SnoozeRow.account_id, SnoozeRow.rule).where(SnoozeRow.at <= at, _of(SnoozeRow.account_id, accounts)),
        select(ExclusionRow.account_id, ExclusionRow.rule).where(
            ExclusionRow.at <= at, _of(ExclusionRow.account_id, accounts)
        ),
    ).subquery()
    same = (EpisodeRow.account_id == touched.c.account_id) & (EpisodeRow.rule == touched.c.rule)
    opened = select(EpisodeRow.id, EpisodeRow.account_id).join(touched, same).where(EpisodeRow.closed_on.is_(None))
    for episode, account in session.execute(opened).all():
        mine = (DecisionRow.account_id == account, DecisionRow.episode_id == episode, DecisionRow.decided_at <= at)
        newest = session.scalar(select(DecisionRow).where(*mine).order_by(DecisionRow.id.desc()).limit(1))
        if newest is not None:
            yield newest


def _was_put_off(session: Session, decision: DecisionRow, at: datetime) -> bool:
    """Whether the run that was started is cancelled, and the rule was snoozed after it had started."""
    cancelled = exists().where(RunRow.decision_id == decision.id, RunRow.state == RunState.CANCELLED.value)
    snoozed = exists().where(
        SnoozeRow.account_id == decision.account_id,
        SnoozeRow.rule == decision.rule,
        SnoozeRow.at >= decision.decided_at,
        SnoozeRow.at <= at,
    )
    return session.scalar(select(cancelled & snoozed)) is True


def _of(column: InstrumentedAttribute[int], accounts: Collection[int] | None) -> ColumnElement[bool]:
    return true() if accounts is None else one_of(column, accounts)
