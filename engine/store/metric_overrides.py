"""People's words on what a metric of an account really is: with reason, author and expiry; ended, never deleted.

The points stay as they are. While a word is in force the evaluation goes by it, and every explanation shows both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.definitions.feature import ValueType, feature_type
from engine.errors import NotFound, Refused
from engine.evaluation import facts
from engine.evaluation.facts import Subjects
from engine.evaluation.features import feature_named
from engine.store import changed
from engine.store.account_columns import rows_of
from engine.store.person_tables import MetricOverrideRow
from engine.store.score_overrides import wrong_about
from engine.store.subject_ranges import of_subjects
from engine.store.tables import AccountRow


@dataclass(frozen=True, slots=True)
class MetricOverride:
    """One word on a metric (``name``: it or a feature of it). ``ended_at``: it was taken back before it expired."""

    id: int
    account_id: int
    name: str
    value: float
    reason: str
    author: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


def override(
    session: Session,
    catalog: Catalog,
    account_id: int,
    name: str,
    *,
    value: float,
    reason: str,
    member: str,
    expires_at: datetime,
    at: datetime,
) -> int:
    """Say what a metric of an account really is until ``expires_at``. Returns the override's id.

    An older word on the same metric ends. Raises NotFound for an account that is missing; Refused for a metric that
    is not a number of the account, a value it cannot have, without a reason, or an expiry past or too far away.
    """
    if session.get(AccountRow, account_id) is None:
        raise NotFound(f"There is no account {account_id}.")
    if wrong := (*_wrong(catalog, name, value), *wrong_about(reason, expires_at, at)):
        raise Refused(" ".join(wrong))
    for older in _in_force(session, account_id, at):
        if older.name == name:
            older.ended_at, older.ended_by = at, member
    row = MetricOverrideRow(
        account_id=account_id,
        name=name,
        value=float(value),
        reason=reason.strip(),
        author=member,
        created_at=at,
        expires_at=expires_at,
        ended_by="",
    )
    session.add(row)
    session.flush()
    changed.mark(session, [account_id])
    return row.id


def end(session: Session, override_id: int, member: str, at: datetime) -> None:
    """Take a word back. Raises NotFound; Refused when it is not in force any more."""
    row = session.get(MetricOverrideRow, override_id)
    if row is None:
        raise NotFound(f"There is no override {override_id}.")
    if row.ended_at is not None or row.expires_at <= at:
        raise Refused("This override is not in force any more.")
    row.ended_at, row.ended_by = at, member
    changed.mark(session, [row.account_id])


def in_force(session: Session, account_id: int, at: datetime) -> tuple[MetricOverride, ...]:
    """What people say of an account's metrics at ``at``."""
    return tuple(_of(row) for row in _in_force(session, account_id, at))


def history(session: Session, account_id: int) -> tuple[MetricOverride, ...]:
    """Everything people have ever said of an account's metrics, newest first."""
    query = select(MetricOverrideRow).where(MetricOverrideRow.account_id == account_id)
    return tuple(_of(row) for row in session.scalars(query.order_by(MetricOverrideRow.id.desc())))


def load(session: Session, subjects: Subjects, moment: datetime) -> tuple[facts.MetricOverride, ...]:
    """The words in force at ``moment`` as an evaluation reads them; of one metric the newest comes last."""
    query = select(MetricOverrideRow).where(
        MetricOverrideRow.created_at <= moment,
        MetricOverrideRow.expires_at > moment,
        (MetricOverrideRow.ended_at.is_(None)) | (MetricOverrideRow.ended_at > moment),
    )
    mine = of_subjects(query, MetricOverrideRow.account_id, subjects.ids)
    found = session.scalars(mine.order_by(MetricOverrideRow.id)).all()
    ids = [row.account_id for row in found]
    places = rows_of(subjects.ids, np.array(ids, dtype=np.int64)).tolist()
    return tuple(
        facts.MetricOverride(place, row.name, row.value, row.reason, row.author, row.expires_at.date().isoformat())
        for row, place in zip(found, places, strict=True)
        if place >= 0
    )


def _in_force(session: Session, account_id: int, at: datetime) -> Sequence[MetricOverrideRow]:
    query = select(MetricOverrideRow).where(
        MetricOverrideRow.account_id == account_id,
        MetricOverrideRow.created_at <= at,
        MetricOverrideRow.expires_at > at,
        (MetricOverrideRow.ended_at.is_(None)) | (MetricOverrideRow.ended_at > at),
    )
    return session.scalars(query.order_by(MetricOverrideRow.id)).all()


def _wrong(catalog: Catalog, name: str, value: float) -> list[str]:
    feature = feature_named(catalog, name)
    if feature is None:
        return [f'There is no metric "{name}".']
    metric = catalog.metrics[feature.metric]
    kind = feature_type(metric.type, feature.window) or metric.type
    if metric.of != "account" and not metric.across:
        return [f"{metric.title} is of each {metric.of}: it is told by pushing a point, not by an override."]
    if kind is ValueType.TEXT or kind is ValueType.DATE:
        return [f"{metric.title} is a {kind.value}: only numbers are overridden."]
    if not math.isfinite(value) or (kind is ValueType.BOOLEAN and value not in {0.0, 1.0}):
        return [f"{metric.title} cannot be {value:g}."]
    return []


def _of(row: MetricOverrideRow) -> MetricOverride:
    return MetricOverride(
        id=row.id,
        account_id=row.account_id,
        name=row.name,
        value=row.value,
        reason=row.reason,
        author=row.author,
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )
