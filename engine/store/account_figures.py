"""Reading one account's figures for messages and reports: only the metrics they name, as far back as they show."""

from collections.abc import Iterable

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Catalog
from engine.errors import NotFound
from engine.evaluation.facts import Agreed, Contacts, Facts, Needs, Subjects
from engine.evaluation.features import Features, feature_named
from engine.running.figures import Figures
from engine.store.account_columns import account_fields
from engine.store.point_series import PointTable
from engine.store.tables import AccountRow, GoalRow

_GOAL_DAYS = 400
_NONE = np.zeros(0, dtype=np.int64)
_NOBODY = Contacts(ids=_NONE, keys=(), account_rows=_NONE, roles=(), departed=np.zeros(0, dtype=np.bool_))
"""Figures are the account's own: what is measured per contact is not among them."""


def figures(
    session: Session, bundle: Bundle, account_id: int, day: int, metrics: Iterable[str], days: int = 1
) -> Figures:
    """The figures of ``metrics`` (and all agreed goals) of one account as of the end of ``day``, with ``days`` days of
    their course. Raises NotFound."""
    account = session.get(AccountRow, account_id)
    if account is None:
        raise NotFound(f"There is no account {account_id}.")
    catalog = bundle.catalog
    goals = session.scalars(select(GoalRow).where(GoalRow.account_id == account_id)).all()
    agreed = {row.goal: _agreed(row) for row in goals if row.goal in catalog.goals}
    names = _with_parts(catalog, [*metrics, *(catalog.goals[goal].metric for goal in agreed)])
    wanted = _needs(catalog, names, max(days, _GOAL_DAYS if agreed else 0))
    subjects = Subjects(np.array([account_id], dtype=np.int64), (account.key,))
    points = PointTable(session, wanted, day, subjects.ids)
    facts = Facts(
        at=day,
        accounts=subjects,
        fields=account_fields([account]),
        series=points.series(wanted.metrics, subjects.ids),
        contacts=_NOBODY,
        goals=agreed,
    )
    return Figures(Features(catalog, facts))


def _with_parts(catalog: Catalog, metrics: Iterable[str]) -> frozenset[str]:
    """The metrics and, of formulas, what they are made of."""
    found: set[str] = set()
    todo = list(metrics)
    while todo:
        metric = catalog.metrics[todo.pop()]
        if metric.name in found:
            continue
        found.add(metric.name)
        for name in metric.formula.names if metric.formula else ():
            feature = feature_named(catalog, name)
            todo += [feature.metric] if feature else []
    return frozenset(found)


def _needs(catalog: Catalog, names: frozenset[str], days: int) -> Needs:
    metrics = [catalog.metrics[name] for name in names]
    sources = [metric.from_events for metric in metrics if metric.from_events is not None]
    stored = frozenset(metric.name for metric in metrics if metric.formula is None)
    back = max([30, *(metric.stale_after for metric in metrics), *(source.over for source in sources)])
    return Needs(
        days=days + back,
        metrics=stored,
        latest=frozenset(name for name in stored if not catalog.metrics[name].stale_after),
        contact_metrics=frozenset(),
        events=frozenset(),
        goals=frozenset(),
    )


def _agreed(row: GoalRow) -> Agreed:
    one = [np.array([value], dtype=np.float64) for value in (row.target, row.start_value, row.start_day, row.end_day)]
    return Agreed(one[0], one[1], one[2], one[3])
