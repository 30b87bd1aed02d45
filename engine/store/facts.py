"""Reading what an evaluation needs, as columns. The counterpart of `engine.evaluation.facts`."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.feature import ValueType
from engine.evaluation.columns import Ints
from engine.evaluation.evaluation import needs
from engine.evaluation.facts import Agreed, Facts, Needs, Subjects
from engine.store import event_facts, metric_overrides, peer_values, people_facts
from engine.store.account_columns import rows_of
from engine.store.before import end_of, load_before, load_overrides
from engine.store.columns import Columns
from engine.store.point_series import PackedPoints, PointSource, PointTable
from engine.store.subject_ranges import of_subjects
from engine.store.tables import GoalRow, WordRow


def load_facts(
    session: Session,
    bundle: Bundle,
    at: int,
    account_ids: Sequence[int] | None = None,
    *,
    moment: datetime | None = None,
    late: int = 0,
    columns: Columns | None = None,
    known_at: datetime | None = None,
) -> Facts:
    """Everything `evaluate` reads, as of the end of day ``at``; of all accounts, or only of those named.

    ``moment`` (default: the end of the day) is when overrides must be in force: they end at a time of day. ``late``:
    how many days ago the earliest outcome that is to be judged was due. ``columns``: read points from there, which is
    the same and much faster for many accounts. ``known_at``: points and events as they were known at that moment,
    without what came or was corrected later; accounts, contacts and goals have no history and are today's.
    """
    wanted = needs(bundle, late)
    ids = None if account_ids is None else np.unique(np.array(account_ids, dtype=np.int64))
    accounts, fields, contacts, products = people_facts.people(session, at, ids)
    everyone = None if ids is None else np.concatenate([accounts.ids, contacts.ids, products.ids])
    points = _points(session, wanted, at, everyone, columns, known_at)
    said_at = end_of(at) if moment is None else moment
    return Facts(
        at=at,
        accounts=accounts,
        fields=fields,
        series=points.series(wanted.metrics, accounts.ids),
        contacts=contacts,
        contact_series=points.series(wanted.contact_metrics, contacts.ids),
        events=event_facts.needed(session, bundle.catalog, wanted, accounts, contacts, at, known_at),
        goals={goal: _agreed(session, goal, accounts) for goal in wanted.goals},
        before=load_before(session, bundle, accounts, at, contacts.ids, products.ids),
        overrides=load_overrides(session, accounts, said_at),
        products=products,
        product_series=points.series(wanted.product_metrics, products.ids),
        words=_words(session, bundle, wanted),
        peers=None if account_ids is None else peer_values.load(session, bundle, at),
        newest_events=event_facts.newest(session, bundle.catalog, wanted, at, known_at),
        metric_overrides=metric_overrides.load(session, accounts, said_at),
    )


def _points(
    session: Session,
    wanted: Needs,
    at: int,
    subjects: Ints | None,
    columns: Columns | None,
    known_at: datetime | None,
) -> PointSource:
    """Where to read points. The columns know the present only, and a few subjects are quickly looked up."""
    if columns is None or known_at is not None:
        return PointTable(session, wanted, at, subjects, known_at)
    return PackedPoints(session, wanted, at, columns)


def _words(session: Session, bundle: Bundle, wanted: Needs) -> tuple[str, ...]:
    """What the numbers of text metrics mean; empty where no text is read."""
    names = wanted.metrics | wanted.contact_metrics | wanted.product_metrics
    if not any(bundle.catalog.metrics[name].type is ValueType.TEXT for name in names):
        return ()
    found = dict(session.execute(select(WordRow.id, WordRow.word)).all())
    return tuple(found.get(number, "") for number in range(max(found, default=-1) + 1))


def _agreed(session: Session, goal: str, subjects: Subjects) -> Agreed:
    table = np.full((4, len(subjects)), np.nan)
    query = select(GoalRow.account_id, GoalRow.target, GoalRow.start_value, GoalRow.start_day, GoalRow.end_day).where(
        GoalRow.goal == goal
    )
    found = session.execute(of_subjects(query, GoalRow.account_id, subjects.ids)).all()
    rows = rows_of(subjects.ids, np.array([row[0] for row in found], dtype=np.int64))
    for row, place in zip(found, rows.tolist(), strict=True):
        if place >= 0:
            table[:, place] = row[1:]
    return Agreed(table[0], table[1], table[2], table[3])
