"""Read model: the list of accounts, the ones that need attention first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Subquery, func, or_, select
from sqlalchemy.orm import Session

from engine.store.decision_tables import ScoreRow
from engine.store.glances import Glance, glances, open_runs
from engine.store.tables import AccountRow
from engine.terms import Tier

PAGE = 50
TREND_DAYS = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a member asked for. ``owner`` None: everybody's; ``tier`` None: every tier; pages count from 1."""

    owner: str | None = None
    tier: Tier | None = None
    search: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Course:
    """A score over time: days since 1970-01-01 and micro-points (None: insufficient data), oldest first."""

    days: tuple[int, ...]
    scores: tuple[int | None, ...]

    @property
    def change(self) -> int | None:
        """Micro-points between the first and the last known score."""
        known = [score for score in self.scores if score is not None]
        return known[-1] - known[0] if len(known) > 1 else None


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the list."""

    account: Glance
    course: Course
    open_runs: int


@dataclass(frozen=True, slots=True)
class Portfolio:
    """One page of accounts, how many match, how many are in each tier, and who owns accounts."""

    rows: tuple[Listed, ...]
    total: int
    page: int
    tiers: Mapping[Tier | None, int]
    owners: tuple[str, ...]

    @property
    def pages(self) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-self.total // PAGE))


def portfolio(session: Session, wanted: Wanted, scope: str | None) -> Portfolio:
    """One page of what ``wanted`` asks for among the accounts of owner ``scope`` (None: all)."""
    day = session.scalar(select(func.max(ScoreRow.day)))
    scores = _scores_on(day)
    mine = [AccountRow.owner == scope] if scope is not None else []
    matching = [*mine, *_asked(wanted)]
    counted = (
        select(scores.c.tier, func.count())
        .select_from(AccountRow)
        .join(scores, scores.c.account_id == AccountRow.id, isouter=True)
        .where(*matching)
        .group_by(scores.c.tier)
    )
    tiers = {(Tier(tier) if tier else None): count for tier, count in session.execute(counted)}
    chosen = (
        select(AccountRow.id)
        .join(scores, scores.c.account_id == AccountRow.id, isouter=True)
        .where(*matching, *([scores.c.tier == wanted.tier.value] if wanted.tier else []))
        .order_by(
            scores.c.effective.is_(None), scores.c.effective, func.coalesce(AccountRow.arr, 0).desc(), AccountRow.id
        )
    )
    total = tiers.get(wanted.tier, 0) if wanted.tier else sum(tiers.values())
    page = min(max(wanted.page, 1), max(1, -(-total // PAGE)))
    ids = session.scalars(chosen.limit(PAGE).offset((page - 1) * PAGE)).all()
    return Portfolio(_listed(session, ids, day), total, page, tiers, _owners(session, scope))


def courses(session: Session, account_ids: Sequence[int], since: int) -> dict[int, Course]:
    """The scores of some accounts from day ``since`` on; of several scorecards the one that led on each day."""
    found: dict[int, dict[int, int | None]] = {account_id: {} for account_id in account_ids}
    rows = session.execute(
        select(ScoreRow.account_id, ScoreRow.day, ScoreRow.effective)
        .where(ScoreRow.account_id.in_(account_ids), ScoreRow.day >= since, ScoreRow.leads)
        .order_by(ScoreRow.day)
    )
    for account_id, day, effective in rows:
        found[account_id][day] = effective
    return {account_id: Course(tuple(by_day), tuple(by_day.values())) for account_id, by_day in found.items()}


def _scores_on(day: int | None) -> Subquery:
    """One row per account scored on ``day``: the score that leads."""
    return (
        select(ScoreRow.account_id, ScoreRow.effective, ScoreRow.tier)
        .where(ScoreRow.day == day, ScoreRow.leads)
        .subquery()
    )


def _asked(wanted: Wanted) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = []
    if wanted.owner is not None:
        asked.append(AccountRow.owner == wanted.owner)
    if wanted.search:
        like = f"%{_escaped(wanted.search.lower())}%"
        asked.append(
            or_(func.lower(AccountRow.name).like(like, escape="\\"), func.lower(AccountRow.key).like(like, escape="\\"))
        )
    return asked


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _listed(session: Session, ids: Sequence[int], day: int | None) -> tuple[Listed, ...]:
    accounts = glances(session, ids)
    trends = courses(session, ids, (day or 0) - TREND_DAYS)
    runs = open_runs(session, ids)
    return tuple(Listed(accounts[one], trends[one], runs.get(one, 0)) for one in ids)


def _owners(session: Session, scope: str | None) -> tuple[str, ...]:
    if scope is not None:
        return (scope,)
    return tuple(session.scalars(select(AccountRow.owner).distinct().order_by(AccountRow.owner).limit(200)))
