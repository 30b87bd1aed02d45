"""Reading what deciding has to know of the past: episodes, runs, hold-outs, starts, stops."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.definitions.bundle import Bundle
from engine.evaluation.deciding import Past
from engine.store import exclusions, snoozes
from engine.store.again import decided_again, earlier_runs
from engine.store.before import DAY_ZERO
from engine.store.decision_tables import CycleRow, DecisionRow, EpisodeRow
from engine.store.decisions import waiting_for_word
from engine.store.evaluations import known_rules
from engine.store.naming import one_of
from engine.store.plain_rows import plain_rows
from engine.store.run_tables import RunRow
from engine.store.tables import AccountRow
from engine.terms import DecisionKind, RunState

FINAL = [state.value for state in RunState if not state.is_open]


def load_past(
    session: Session,
    bundle: Bundle,
    at: datetime,
    released: frozenset[str] = frozenset(),
    accounts: Collection[int] | None = None,
) -> Past:
    """The past as of ``at``, of all accounts or as far as it concerns those named. ``released``: rules whose blast
    radius a member lets pass this time.

    On a day before the last cycle it is what was known then, but for accounts stopped or suppressed: of those only
    the present is kept.
    """
    then = _Then(at, _is_over(session, at), accounts)
    return Past(
        inside=_inside(session, then, released),
        known_rules=frozenset(known_rules(session, then.day if then.over else None)),
        episode_ended=_ended(session, bundle, then),
        open_runs=_open_runs(session, then),
        held_out=_held_out(session, bundle, then),
        recent_starts=_recent_starts(session, then, bundle.rules),
        released=released,
        stopped=_accounts(session, AccountRow.stopped_reason != "", then),
        suppressed=_accounts(session, AccountRow.suppressed.is_(True), then),
        accounts=session.scalar(select(func.count()).select_from(AccountRow)) or 0,
        snoozed=snoozes.load(session, at, accounts),
        excluded=exclusions.load(session, at, accounts),
        again=decided_again(session, at, accounts),
        earlier=earlier_runs(session, bundle, at, accounts),
    )


def load_past_of(session: Session, bundle: Bundle, rule: str, account: int, at: datetime) -> Past:
    """The past as far as one rule and one account go: episodes, cooldown, what members and the playbook say against
    it, starts of the rule, how many accounts."""
    then = _Then(at, _is_over(session, at))
    mine = (EpisodeRow.rule == rule, EpisodeRow.account_id == account)
    is_inside = session.scalar(select(EpisodeRow.id).where(*mine, then.open_episode()).limit(1)) is not None
    ended = session.scalar(select(func.max(EpisodeRow.closed_on)).where(*mine, then.closed_episode()))
    return Past(
        inside={rule: {account}} if is_inside else {},
        episode_ended={} if ended is None else {(rule, account): ended},
        recent_starts=_recent_starts(session, then, (rule,)),
        accounts=session.scalar(select(func.count()).select_from(AccountRow)) or 0,
        snoozed=snoozes.load(session, at, [account]),
        excluded=exclusions.load(session, at, [account]),
        earlier=earlier_runs(session, bundle, at, [account]),
    )


@dataclass(frozen=True, slots=True)
class _Then:
    """The moment that is looked at. ``over``: later days have been decided, and nothing of them may be seen.

    The present is not looked at by its clock: what another process decided a moment ago counts, whatever it says.
    """

    at: datetime
    over: bool
    accounts: Collection[int] | None = None

    @property
    def day(self) -> int:
        return (self.at - DAY_ZERO).days

    def open_episode(self) -> ColumnElement[bool]:
        if not self.over:
            return EpisodeRow.closed_on.is_(None)
        return (EpisodeRow.opened_on <= self.day) & (EpisodeRow.closed_on.is_(None) | (EpisodeRow.closed_on > self.day))

    def closed_episode(self) -> ColumnElement[bool]:
        return EpisodeRow.closed_on <= self.day if self.over else EpisodeRow.closed_on.is_not(None)

    def open_run(self) -> ColumnElement[bool]:
        if not self.over:
            return RunRow.state.not_in(FINAL)
        return (RunRow.requested_at <= self.at) & (RunRow.ended_at.is_(None) | (RunRow.ended_at > self.at))

    def decided(self) -> ColumnElement[bool]:
        return DecisionRow.decided_at <= self.at if self.over else true()

    def meant(self, account: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Whose past it is."""
        return true() if self.accounts is None else one_of(account, self.accounts)


def _is_over(session: Session, at: datetime) -> bool:
    last = session.scalar(select(func.max(CycleRow.day)))
    return last is not None and (at - DAY_ZERO).days < last


def load_inside(
    session: Session, at: datetime, released: frozenset[str] = frozenset(), accounts: Collection[int] | None = None
) -> dict[str, set[int]]:
    """Only who is inside which rule: the one thing of the past that evaluating has to know."""
    return _inside(session, _Then(at, _is_over(session, at), accounts), released)


def _accounts(session: Session, wanted: ColumnElement[bool], then: _Then) -> frozenset[int]:
    return frozenset(session.scalars(select(AccountRow.id).where(wanted, then.meant(AccountRow.id))))


def _inside(session: Session, then: _Then, released: frozenset[str]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    query = select(EpisodeRow.rule, EpisodeRow.account_id).where(then.open_episode(), then.meant(EpisodeRow.account_id))
    for rule, account in plain_rows(session, query):
        found[rule].add(account)
    # What only waited for a member's word is decided again once the word is given.
    for rule, account in waiting_for_word(session, released) if released else ():
        found[rule].discard(account)
    return found


def _ended(session: Session, bundle: Bundle, then: _Then) -> dict[tuple[str, int], int]:
    query = (
        select(EpisodeRow.rule, EpisodeRow.account_id, func.max(EpisodeRow.closed_on))
        .where(then.closed_episode(), EpisodeRow.rule.in_(bundle.rules), then.meant(EpisodeRow.account_id))
        .group_by(EpisodeRow.rule, EpisodeRow.account_id)
    )
    return {(rule, account): ended for rule, account, ended in session.execute(query) if ended is not None}


def _open_runs(session: Session, then: _Then) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    query = select(RunRow.playbook, RunRow.account_id).where(then.open_run(), then.meant(RunRow.account_id))
    for playbook, account in session.execute(query):
        found[playbook].add(account)
    return found


def _held_out(session: Session, bundle: Bundle, then: _Then) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = defaultdict(dict)
    is_open = exists().where(EpisodeRow.id == DecisionRow.episode_id, then.open_episode())
    query = (
        select(DecisionRow.playbook, DecisionRow.account_id, DecisionRow.rule)
        .where(DecisionRow.kind == DecisionKind.HOLD_OUT.value)
        .where(then.decided(), then.meant(DecisionRow.account_id), is_open)
    )
    for playbook, account, rule in session.execute(query):
        # A rule that is gone judges nothing any more, so it holds nobody out. SQLite, asked for the rules, would look
        # by rule rather than by account.
        if rule in bundle.rules:
            found[playbook][account] = rule
    return found


def _recent_starts(session: Session, then: _Then, rules: Collection[str]) -> dict[str, int]:
    day_ago = then.at - timedelta(hours=24)
    query = (
        select(DecisionRow.rule, func.count())
        .where(DecisionRow.kind == DecisionKind.START.value, DecisionRow.decided_at > day_ago, then.decided())
        .where(DecisionRow.rule.in_(rules))
        .group_by(DecisionRow.rule)
    )
    return dict(session.execute(query).all())
