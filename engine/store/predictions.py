"""Predictions: fitted on the scores that were shown on past days, judged on later ones, told and kept for a day."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.effect.foreseeing import (
    CHANGE_DAYS,
    Shown,
    columns_of,
    cutoffs,
    fingerprint_of,
    futures,
    names_of,
)
from engine.effect.prediction import Band, Future, Judged, Known, Predictor, TooFew, fit_predictor
from engine.evaluation.columns import Floats, Ints
from engine.evaluation.replaying import CHURNED
from engine.store.account_columns import rows_of
from engine.store.backtests import seen_until
from engine.store.bulk import upsert
from engine.store.decision_tables import NameListRow, PredictionRow, PredictorRow, ScoreRow
from engine.store.packing import lines_table
from engine.store.tables import AccountRow, EventRow
from engine.terms import MICRO

UPGRADED: Final = "upgraded"
EVERY: Final = 14
WITHIN: Final = 90
MOST: Final = 20_000
_FACTOR, _PRIME = 7_919, 10_007
"""Account ids times the one, modulo the other, are spread evenly, whatever steps the ids were given in."""


@dataclass(frozen=True, slots=True)
class Chances:
    """What is told of one account: chances that sum to 1."""

    account_id: int
    churn: float
    flat: float
    grow: float

    def of(self, future: Future) -> float:
        """The chance of one future."""
        return {Future.CHURN: self.churn, Future.FLAT: self.flat, Future.GROW: self.grow}[future]


@dataclass(frozen=True, slots=True)
class Predicted:
    """All chances of one day, the likeliest to churn first; none, and a ``sentence`` why, where too little is known."""

    day: int
    within: int
    fingerprint: str
    accounts: int
    judged: tuple[Judged, ...]
    chances: tuple[Chances, ...]
    sentence: str = ""

    def judgement(self, future: Future) -> Judged | None:
        """How the chance of one future did on later accounts."""
        return next((one for one in self.judged if one.future is future), None)

    def is_better(self, future: Future) -> bool:
        """Whether it says more of this future than its base rate: only then anything may go by it."""
        judged = self.judgement(future)
        return judged is not None and judged.better_than_base_rate


def predict(
    session: Session, catalog: Catalog, day: int, within: int = WITHIN, every: int = EVERY, most: int = MOST
) -> Predicted:
    """Fit on what scores said up to ``day`` and what became of the accounts, and tell the chances of today's.

    Of more than ``most`` accounts about that many are fitted and judged on, always the same ones.
    """
    until = min(seen_until(session), day)
    ends = _ends(session, catalog, until)
    kept = _days(session, day)
    days = cutoffs([one for one in kept if one + within <= until], every)
    share = min(most / max(len(ends.ids), 1), 1.0)
    past = [shown for at in days if (shown := _shown(session, at, share))]
    metrics = tuple(sorted({name for shown in past for name in shown.marks}))
    known = _known(past, metrics, ends, within)
    accounts = len(np.unique(known.accounts))
    fitted = fit_predictor(known)
    if isinstance(fitted, TooFew):
        return Predicted(day, within, "", accounts, (), (), fitted.sentence)
    now = _shown(session, max(kept))
    chances = _told(fitted, now, metrics, ends) if now else ()
    return Predicted(day, within, fingerprint_of(fitted, names_of(metrics), within), accounts, fitted.judged, chances)


def save(session: Session, found: Predicted) -> None:
    """Keep what was told on a day; the same day again replaces it."""
    session.execute(delete(PredictionRow).where(PredictionRow.day == found.day))
    session.merge(
        PredictorRow(
            day=found.day,
            fingerprint=found.fingerprint,
            within=found.within,
            accounts=found.accounts,
            judged=[asdict(one) for one in found.judged],
            sentence=found.sentence,
        )
    )
    upsert(
        session,
        PredictionRow,
        {
            "day": [found.day] * len(found.chances),
            "account_id": [one.account_id for one in found.chances],
            "churn": [one.churn for one in found.chances],
            "flat": [one.flat for one in found.chances],
            "grow": [one.grow for one in found.chances],
            "predictor": [found.fingerprint] * len(found.chances),
        },
    )


def newest(session: Session, account_ids: Sequence[int] | None = None) -> Predicted | None:
    """What was told last, of these accounts (default: all); None where nothing was ever predicted or refused."""
    row = session.scalar(select(PredictorRow).order_by(PredictorRow.day.desc()).limit(1))
    if row is None:
        return None
    query = select(PredictionRow).where(PredictionRow.day == row.day)
    if account_ids is not None:
        query = query.where(PredictionRow.account_id.in_(account_ids))
    told = session.scalars(query.order_by(PredictionRow.churn.desc(), PredictionRow.account_id))
    chances = tuple(Chances(one.account_id, one.churn, one.flat, one.grow) for one in told)
    judged = tuple(_judged(one) for one in row.judged)
    return Predicted(row.day, row.within, row.fingerprint, row.accounts, judged, chances, row.sentence)


def owned(session: Session, owner: str | None) -> dict[int, str]:
    """The keys of the accounts of one owner (None: of all), by id."""
    query = select(AccountRow.id, AccountRow.key)
    return dict(session.execute(query if owner is None else query.where(AccountRow.owner == owner)).all())


def _judged(stored: Mapping[str, Any]) -> Judged:
    bands = tuple(Band(**band) for band in stored["bands"])
    return Judged(Future(stored["future"]), stored["base_rate"], stored["brier"], stored["brier_of_base_rate"], bands)


@dataclass(frozen=True, slots=True, eq=False)
class _Ends:
    """By ascending account ids: the day an account churned (NaN: it did not), whether it did on an unknown day, and
    the days on which accounts grew."""

    ids: Ints
    churned: Floats
    undated: Ints
    grown: Ints
    grown_days: Ints

    def of(self, accounts: Ints, day: int) -> tuple[Floats, Floats]:
        """The day of churning and of the next growing after ``day``, of some accounts."""
        later = self.grown_days > day
        first = np.full(len(self.ids), np.nan)
        # By falling day, so the earliest is written last.
        rows, days = rows_of(self.ids, self.grown[later])[::-1], self.grown_days[later][::-1]
        first[rows] = days
        place = rows_of(self.ids, accounts)
        return self.churned[place], first[place]


def _ends(session: Session, catalog: Catalog, until: int) -> _Ends:
    rows = session.execute(
        select(AccountRow.id, AccountRow.stage, AccountRow.stage_since).order_by(AccountRow.id)
    ).all()
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    gone = [row[1] == CHURNED and (row[2] is None or row[2] <= until) for row in rows]
    days = np.array([row[2] if left and row[2] is not None else np.nan for row, left in zip(rows, gone, strict=True)])
    undated = np.array([row[0] for row, left in zip(rows, gone, strict=True) if left and row[2] is None], np.int64)
    named = select(EventRow.account_id, EventRow.day).where(EventRow.name == UPGRADED, EventRow.day <= until)
    events = session.execute(named.order_by(EventRow.day)).all() if UPGRADED in catalog.events else ()
    grown = np.array([row[0] for row in events], dtype=np.int64)
    return _Ends(ids, days.astype(np.float64), undated, grown, np.array([row[1] for row in events], dtype=np.int64))


def _days(session: Session, day: int) -> list[int]:
    return list(session.scalars(select(ScoreRow.day).where(ScoreRow.leads, ScoreRow.day <= day).distinct()))


def _known(past: Sequence[Shown], metrics: tuple[str, ...], ends: _Ends, within: int) -> Known:
    days, accounts, columns, became = [], [], [], []
    for shown in past:
        churned, grown = ends.of(shown.accounts, shown.day)
        here = shown.scored & ~(churned <= shown.day) & ~np.isin(shown.accounts, ends.undated)
        days.append(np.full(int(here.sum()), shown.day, dtype=np.int64))
        accounts.append(shown.accounts[here])
        columns.append(columns_of(shown, metrics)[here[shown.scored]])
        became.append(futures(shown.day, within, churned, grown)[here])
    if not past:
        nobody = np.zeros(0, dtype=np.int64)
        return Known(nobody, nobody, np.zeros((0, len(names_of(metrics)))), nobody, within)
    return Known(
        np.concatenate(days), np.concatenate(accounts), np.concatenate(columns), np.concatenate(became), within
    )


def _told(fitted: Predictor, now: Shown, metrics: tuple[str, ...], ends: _Ends) -> tuple[Chances, ...]:
    chances = fitted.chances(columns_of(now, metrics))
    churned, _ = ends.of(now.accounts, now.day)
    stays = np.isnan(churned) & ~np.isin(now.accounts, ends.undated)
    found = [
        Chances(account, float(row[Future.CHURN]), float(row[Future.FLAT]), float(row[Future.GROW]))
        for account, row, here in zip(now.accounts[now.scored].tolist(), chances, stays[now.scored], strict=True)
        if here
    ]
    return tuple(sorted(found, key=lambda one: (-one.churn, one.account_id)))


def _shown(session: Session, day: int, share: float = 1.0) -> Shown | None:
    """The leading scores of one day, of about this share of the accounts, by ascending account; None for no scores."""
    query = select(ScoreRow.account_id, ScoreRow.computed, ScoreRow.coverage, ScoreRow.names_id, ScoreRow.packed).where(
        ScoreRow.day == day, ScoreRow.leads
    )
    if share < 1:
        query = query.where(ScoreRow.account_id * _FACTOR % _PRIME < round(_PRIME * share))
    rows = session.execute(query.order_by(ScoreRow.account_id)).all()
    if not rows:
        return None
    accounts = np.array([row[0] for row in rows], dtype=np.int64)
    return Shown(
        day=day,
        accounts=accounts,
        scores=_points([row[1] for row in rows]),
        coverage=np.array([row[2] for row in rows], dtype=np.float64),
        marks=_marks(session, [row[3] for row in rows], [row[4] for row in rows]),
        before=_before(session, day, accounts),
    )


def _marks(session: Session, names: Sequence[int], packed: Sequence[bytes]) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    numbers = np.array(names, dtype=np.int64)
    for number in np.unique(numbers).tolist():
        rows = np.flatnonzero(numbers == number)
        table = lines_table([packed[row] for row in rows.tolist()])
        for at, name in enumerate(session.get_one(NameListRow, number).names):
            found.setdefault(name, np.full(len(numbers), np.nan))[rows] = table[:, at, 1]
    return found


def _before(session: Session, day: int, accounts: Ints) -> Floats:
    """Each account's score on the last day that lies a month or more before."""
    found = np.full(len(accounts), np.nan)
    span = (ScoreRow.day <= day - CHANGE_DAYS, ScoreRow.day > day - 2 * CHANGE_DAYS, ScoreRow.leads)
    last = session.scalar(select(func.max(ScoreRow.day)).where(*span))
    if last is None:
        return found
    rows = session.execute(select(ScoreRow.account_id, ScoreRow.computed).where(ScoreRow.day == last, ScoreRow.leads))
    scores = dict(rows.all())
    return _points([scores.get(account) for account in accounts.tolist()])


def _points(micro: Sequence[int | None]) -> Floats:
    return np.array([np.nan if one is None else one / MICRO for one in micro], dtype=np.float64)
