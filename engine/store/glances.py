"""Read model: an account at first sight: name, money, renewal, tier, score, and what pulls it down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.store.decision_tables import ScoreRow
from engine.store.run_tables import RunRow
from engine.store.tables import AccountRow
from engine.terms import MICRO, RunState, Tier

OPEN_STATES = tuple(state.value for state in RunState if state.is_open)


@dataclass(frozen=True, slots=True)
class Glance:
    """One account at first sight. ``score`` in micro-points, None: insufficient data or never scored; ``cause`` is the
    metric that costs the score most, as its scorecard names it; days since 1970-01-01. ``last_tier``: the tier, or
    while too little is known the last there was."""

    id: int
    key: str
    name: str
    owner: str
    arr: float | None
    stage: str | None
    renewal_on: int | None
    tier: Tier | None
    score: int | None
    coverage: float
    cause: str
    scored_on: int | None
    last_tier: Tier | None = None


def glances(session: Session, account_ids: Sequence[int]) -> dict[int, Glance]:
    """The accounts by id; ids that do not exist are left out."""
    rows = session.scalars(select(AccountRow).where(AccountRow.id.in_(account_ids)))
    scores = latest_scores(session, account_ids)
    return {row.id: _glance(row, scores.get(row.id)) for row in rows}


def id_of(session: Session, key: str) -> int:
    """The id of the account with an external key. Raises `NotFound`."""
    found = session.scalar(select(AccountRow.id).where(AccountRow.key == key))
    if found is None:
        raise NotFound("There is no such account.")
    return found


def latest_scores(session: Session, account_ids: Sequence[int]) -> dict[int, ScoreRow]:
    """Each account's newest score row; of several scorecards the one that leads."""
    newest = (
        select(ScoreRow.account_id, func.max(ScoreRow.day).label("day"))
        .where(ScoreRow.account_id.in_(account_ids), ScoreRow.leads)
        .group_by(ScoreRow.account_id)
        .subquery()
    )
    is_newest = (ScoreRow.account_id == newest.c.account_id) & (ScoreRow.day == newest.c.day)
    rows = session.scalars(select(ScoreRow).join(newest, is_newest).where(ScoreRow.leads))
    return {row.account_id: row for row in rows}


def open_runs(session: Session, account_ids: Sequence[int]) -> Mapping[int, int]:
    """How many runs are open per account."""
    counted = (
        select(RunRow.account_id, func.count())
        .where(RunRow.account_id.in_(account_ids), RunRow.state.in_(OPEN_STATES))
        .group_by(RunRow.account_id)
    )
    return dict(session.execute(counted).all())


def tier_of(row: ScoreRow | None) -> Tier | None:
    """The tier in force, after overrides."""
    return Tier(row.tier) if row is not None and row.tier else None


def top_cause(lines: Sequence[Any]) -> str:
    """The known metric that keeps the most points from the score: its share of 100 less what it contributes."""
    lost = [
        (share * 100 * MICRO - contribution, name)
        for name, value, _normalised, share, contribution in lines
        if value is not None
    ]
    worst = max(lost, default=(0.0, ""))
    return worst[1] if worst[0] >= MICRO / 2 else ""


def _glance(row: AccountRow, score: ScoreRow | None) -> Glance:
    return Glance(
        id=row.id,
        key=row.key,
        name=row.name,
        owner=row.owner,
        arr=row.arr,
        stage=row.stage,
        renewal_on=row.renewal_on,
        tier=tier_of(score),
        score=score.effective if score else None,
        coverage=score.coverage if score else 0.0,
        cause=top_cause(score.lines) if score else "",
        scored_on=score.day if score else None,
        last_tier=Tier(score.last_tier) if score and score.last_tier else None,
    )
