"""Contacts and members of a whole portfolio, as far as messages and tasks go: who is reached, where they are, who they
are, who does what."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.calendar import Calendar
from engine.definitions.playbook import CampaignStep, EmailStep
from engine.evaluation.columns import Ints, Texts
from engine.evaluation.evaluation import Evaluation
from engine.running.adding_up import Team
from engine.running.audiences import Audiences, Reachable
from engine.running.fast_forward import Course, Places
from engine.running.pressure import OPERATIONAL, Place
from engine.running.touching import Crowd
from engine.store import people
from engine.store.account_columns import rows_of
from engine.store.member_tables import AccountMemberRow
from engine.store.plain_rows import plain_rows
from engine.store.run_tables import DeliveryRow, SuppressionRow
from engine.store.runs import CHURNED
from engine.store.tables import AccountRow, ContactRow, EventRow, MemberRow
from engine.store.touches import normal
from engine.terms import DeliveryState, Frequency, Role

_WEEK = timedelta(days=7)
_WENT = [DeliveryState.SENDING.value, DeliveryState.SENT.value, DeliveryState.AMBIGUOUS.value]


def barred(session: Session) -> frozenset[int]:
    """The accounts for which nothing may run."""
    wanted = (AccountRow.stopped_reason != "") | AccountRow.suppressed.is_(True) | (AccountRow.stage == CHURNED)
    return frozenset(session.scalars(select(AccountRow.id).where(wanted)))


def calendars(bundle: Bundle, evaluation: Evaluation) -> list[Calendar]:
    """By which calendar people work, by account row."""
    named = _texts(evaluation, "calendar")
    countries = _texts(evaluation, "country")
    known = {name: bundle.calendars.of(name) for name in {*named, *countries}}
    return [known[name or country] for name, country in zip(named, countries, strict=True)]


def persons(session: Session, evaluation: Evaluation) -> Ints:
    """The same number for the same address, by contact row."""
    numbers: dict[str, int] = {}
    addresses = _contacts(session, evaluation, ContactRow.email)
    return np.array(
        [numbers.setdefault(normal(each) if each else f"#{row}", len(numbers)) for row, each in enumerate(addresses)],
        dtype=np.int64,
    )


def crowd(session: Session, evaluation: Evaluation, places: Places, at: datetime) -> Crowd:
    """Who all contacts are, and what is known of them that makes messages wait."""
    person = persons(session, evaluation)
    addresses = _contacts(session, evaluation, ContactRow.email)
    number = {normal(each): int(person[row]) for row, each in enumerate(addresses) if each}
    frequencies = _contacts(session, evaluation, ContactRow.frequency)
    chosen = {int(person[row]): Frequency(each) for row, each in enumerate(frequencies) if each}
    contacts, names = evaluation.facts.contacts, _contacts(session, evaluation, ContactRow.name)
    return Crowd(
        person=person,
        places=_places(session, evaluation, places),
        names=[name or key for name, key in zip(names, contacts.keys, strict=True)],
        accounts=[evaluation.facts.accounts.keys[row] for row in contacts.account_rows.tolist()],
        frequencies=chosen,
        sent=_sent(session, number, at),
        unwanted=_unwanted(session, number),
    )


def audiences(
    session: Session, bundle: Bundle, evaluation: Evaluation, courses: Sequence[Course], at: datetime
) -> Audiences:
    """Whom steps mean."""
    contacts = evaluation.facts.contacts
    has = np.array([bool(each) for each in _contacts(session, evaluation, ContactRow.email)], dtype=np.bool_)
    steps = [meaning.step for course in courses for meaning in course.known.values()]
    spans = {step.to.idle_for for step in steps if isinstance(step, EmailStep | CampaignStep)} - {0}
    idle = {}
    for days in spans:
        recent = select(EventRow.contact_id).where(
            EventRow.name == people.LOGIN, EventRow.day > people.day_of(at) - days, EventRow.contact_id.is_not(None)
        )
        idle[days] = ~np.isin(contacts.ids, np.array(session.scalars(recent.distinct()).all(), dtype=np.int64))
    return Audiences(bundle, evaluation, Reachable(has & ~contacts.departed, idle))


def team(session: Session, evaluation: Evaluation) -> Team:
    """Who does what for which account."""
    members = session.scalars(select(MemberRow).where(MemberRow.active).order_by(MemberRow.id)).all()
    admin = next((row.email for row in members if Role.ADMIN.value in row.roles), "")
    everybody = {row.email for row in members}
    owners = [owner if owner.lower() in everybody else owner or admin for owner in _texts(evaluation, "owner")]
    found = session.execute(select(AccountMemberRow.account_id, AccountMemberRow.role, AccountMemberRow.member)).all()
    rows = rows_of(evaluation.facts.accounts.ids, np.array([row[0] for row in found], dtype=np.int64)).tolist()
    roles = {(row, role): member for row, (_, role, member) in zip(rows, found, strict=True) if row >= 0}
    return Team(owners, roles, {row.email: row.manager for row in members if row.manager})


def _texts(evaluation: Evaluation, name: str) -> list[str]:
    """A text field of all accounts; empty where it is not known."""
    column = evaluation.facts.fields.get(name)
    if not isinstance(column, Texts):
        return [""] * len(evaluation.facts.accounts)
    return [column.words[code] if code >= 0 else "" for code in column.codes.tolist()]


def _contacts(session: Session, evaluation: Evaluation, column: Any) -> list[str]:
    """A text column of all contacts, by contact row."""
    ids = evaluation.facts.contacts.ids
    found = plain_rows(session, select(ContactRow.id, column).order_by(ContactRow.id))
    rows = rows_of(ids, np.array([row[0] for row in found], dtype=np.int64)).tolist()
    values = [""] * len(ids)
    for row, (_, value) in zip(rows, found, strict=True):
        if row >= 0:
            values[row] = value or ""
    return values


def _places(session: Session, evaluation: Evaluation, places: Places) -> list[Place]:
    zones = available_timezones()
    of_account = _texts(evaluation, "time_zone")
    of_contact = _contacts(session, evaluation, ContactRow.time_zone)
    known: dict[tuple[str, str], Place] = {}
    found = []
    for row, zone in zip(evaluation.facts.contacts.account_rows.tolist(), of_contact, strict=True):
        calendar = places.calendars[row]
        named = next((one for one in (zone, of_account[row], calendar.time_zone) if one in zones), "UTC")
        found.append(known.setdefault((calendar.name, named), Place(calendar, named)))
    return found


def _sent(session: Session, number: dict[str, int], at: datetime) -> dict[int, tuple[datetime, ...]]:
    """Person → when they got what went in the last week."""
    went = select(DeliveryRow.address, DeliveryRow.due_at).where(
        DeliveryRow.due_at > at - _WEEK,
        DeliveryRow.state.in_(_WENT),
        DeliveryRow.category != OPERATIONAL,
        DeliveryRow.contact_id.is_not(None),
    )
    found: dict[int, list[datetime]] = {}
    for address, moment in session.execute(went):
        if address in number and moment is not None:
            found.setdefault(number[address], []).append(moment.astimezone(UTC))
    return {person: tuple(sorted(moments)) for person, moments in found.items()}


def _unwanted(session: Session, number: dict[str, int]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for address, category in session.execute(select(SuppressionRow.address, SuppressionRow.category)):
        if normal(address) in number:
            found.setdefault(number[normal(address)], set()).add(category)
    return {person: frozenset(categories) for person, categories in found.items()}
