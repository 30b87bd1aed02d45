"""Absences: when a member is out of office, and who stands in. Ended early by moving their end, never deleted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.store.member_tables import AbsenceRow
from engine.store.tables import MemberRow

LONGEST: Final = timedelta(days=366)
"""A member who is away for longer has left: then what points at them is moved for good."""


@dataclass(frozen=True, slots=True)
class Absence:
    """One absence of ``member``; ``delegate`` stands in. Both are addresses."""

    id: int
    member: str
    delegate: str
    starts_at: datetime
    ends_at: datetime


def add(session: Session, member: str, delegate: str, *, starts_at: datetime, ends_at: datetime, at: datetime) -> int:
    """Say that a member is away from one moment to another. Returns the absence's id.

    Raises Refused where the delegate is no active member or the member, where it ends before it begins, is over or is
    longer than a year, or where the member is away then already.
    """
    delegate = delegate.strip().lower()
    if wrong := _wrong(session, member, delegate, starts_at, ends_at, at):
        raise Refused(" ".join(wrong))
    row = AbsenceRow(member=member, delegate=delegate, starts_at=starts_at, ends_at=ends_at)
    session.add(row)
    session.flush()
    return row.id


def end(session: Session, absence_id: int, member: str, at: datetime) -> None:
    """The member is back (or does not go). Raises NotFound for an absence that is not theirs, or is over."""
    row = session.get(AbsenceRow, absence_id)
    if row is None or row.member != member or row.ends_at <= at:
        raise NotFound("There is no such absence.")
    row.ends_at = at
    row.starts_at = min(row.starts_at, at)


def of_member(session: Session, member: str, at: datetime) -> tuple[Absence, ...]:
    """The member's absences that are not over, the next first."""
    rows = session.scalars(
        select(AbsenceRow).where(AbsenceRow.member == member, AbsenceRow.ends_at > at).order_by(AbsenceRow.starts_at)
    )
    return tuple(_absence(row) for row in rows)


def now_absent(session: Session, member: str, at: datetime) -> Absence | None:
    """The absence the member is in at ``at``; None while they are there."""
    row = session.scalar(
        select(AbsenceRow)
        .where(AbsenceRow.member == member, AbsenceRow.starts_at <= at, AbsenceRow.ends_at > at)
        .order_by(AbsenceRow.id.desc())
        .limit(1)
    )
    return None if row is None else _absence(row)


def stands_in_for(session: Session, delegate: str, at: datetime) -> tuple[str, ...]:
    """The members who are away at ``at`` and for whom ``delegate`` stands in."""
    found = session.scalars(
        select(AbsenceRow.member)
        .where(AbsenceRow.delegate == delegate, AbsenceRow.starts_at <= at, AbsenceRow.ends_at > at)
        .distinct()
        .order_by(AbsenceRow.member)
    )
    return tuple(found)


def _wrong(
    session: Session, member: str, delegate: str, starts_at: datetime, ends_at: datetime, at: datetime
) -> list[str]:
    wrong: list[str] = []
    if delegate == member:
        wrong.append("Nobody stands in for themselves: name a colleague.")
    elif session.scalar(select(MemberRow.id).where(MemberRow.email == delegate, MemberRow.active)) is None:
        wrong.append(f'No active member has the address "{delegate}": name a colleague who stands in.')
    if ends_at <= starts_at:
        wrong.append("An absence ends after it begins.")
    elif ends_at <= at:
        wrong.append("This absence is over already.")
    elif ends_at - starts_at > LONGEST:
        wrong.append("An absence is at most a year long; a member who leaves hands over with `backcast member leave`.")
    if other := _overlapping(session, member, starts_at, ends_at):
        wrong.append(f"An absence from {other.starts_at:%Y-%m-%d} to {other.ends_at:%Y-%m-%d} is there already.")
    return wrong


def _overlapping(session: Session, member: str, starts_at: datetime, ends_at: datetime) -> AbsenceRow | None:
    meets = (AbsenceRow.starts_at < ends_at) & (AbsenceRow.ends_at > starts_at)
    return session.scalar(select(AbsenceRow).where(AbsenceRow.member == member, meets).limit(1))


def _absence(row: AbsenceRow) -> Absence:
    return Absence(row.id, row.member, row.delegate, row.starts_at, row.ends_at)
