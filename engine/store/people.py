"""Who a run has to do with: the account, its owner, and the contacts a message is for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.store import runs
from engine.store.run_tables import DeliveryRow
from engine.store.tables import AccountRow, ContactRow, EventRow, MemberRow
from engine.terms import Role

LOGIN: Final = "login"
"""The event whose absence makes a contact idle."""

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as messages and tasks speak of it. ``barred``: why nothing may run for it (empty: it may).

    ``owner`` is the e-mail of the member responsible: the account's owner or, where it has none, the first admin.
    """

    id: int
    key: str
    name: str
    owner: str
    owner_name: str
    fields: Mapping[str, Any]
    barred: str


@dataclass(frozen=True, slots=True)
class Person:
    """A contact who can be written to. ``language``: as the data says it; empty: the account's."""

    id: int
    name: str
    address: str
    roles: tuple[str, ...]
    language: str = ""

    @property
    def masked(self) -> str:
        """The address as pages show it: who knows it recognises it, nobody else learns it."""
        local, _, domain = self.address.partition("@")
        return f"{local[:1]}…@{domain}"


def account(session: Session, account_id: int) -> Account:
    """One account with its owner. Raises NotFound."""
    row = session.get(AccountRow, account_id, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no account {account_id}.")
    owner = row.owner or _first_admin(session)
    return Account(
        id=row.id,
        key=row.key,
        name=row.name,
        owner=owner,
        owner_name=_member_name(session, owner),
        fields={
            **row.fields,
            "arr": row.arr,
            "stage": row.stage,
            "onboarded_on": row.onboarded_on,
            "renewal_on": row.renewal_on,
            "owner": row.owner or None,
        },
        barred=runs.why_barred(row),
    )


def with_role(session: Session, account_id: int, role: str, at: datetime) -> tuple[Person, ...]:
    """The contacts of an account who have a role, an address, and have not departed."""
    return tuple(person for person in reachable(session, account_id, at) if role in person.roles)


def reachable(session: Session, account_id: int, at: datetime) -> tuple[Person, ...]:
    """The contacts of an account who have an address and have not departed."""
    rows = session.scalars(select(ContactRow).where(ContactRow.account_id == account_id).order_by(ContactRow.id))
    today = day_of(at)
    return tuple(
        Person(row.id, row.name, row.email, tuple(row.roles), row.language)
        for row in rows
        if row.email and (row.departed_on is None or row.departed_on > today)
    )


def idle(session: Session, people: Iterable[Person], days: int, at: datetime) -> tuple[Person, ...]:
    """Those of ``people`` who have not logged in for ``days`` days."""
    found = tuple(people)
    recent = select(EventRow.contact_id).where(
        EventRow.name == LOGIN,
        EventRow.day > day_of(at) - days,
        EventRow.contact_id.in_([person.id for person in found]),
    )
    active = set(session.scalars(recent))
    return tuple(person for person in found if person.id not in active)


def of_event(session: Session, event_id: int) -> int | None:
    """The contact an event is about."""
    row = session.get(EventRow, event_id)
    return None if row is None else row.contact_id


def written_to(session: Session, run_id: int, step: str) -> frozenset[int]:
    """The contacts a step of a run wrote to, or tried to."""
    query = select(DeliveryRow.contact_id).where(DeliveryRow.run_id == run_id, DeliveryRow.step == step)
    return frozenset(session.scalars(query))


def day_of(at: datetime) -> int:
    """The UTC day of a moment, in days since 1970-01-01."""
    return (at.astimezone(UTC).date() - _EPOCH).days


def _first_admin(session: Session) -> str:
    rows = session.scalars(select(MemberRow).where(MemberRow.active).order_by(MemberRow.id))
    members = list(rows)
    admins = [row.email for row in members if Role.ADMIN.value in row.roles]
    return next(iter(admins), next((row.email for row in members), ""))


def _member_name(session: Session, email: str) -> str:
    return session.scalar(select(MemberRow.name).where(MemberRow.email == email.lower())) or ""
