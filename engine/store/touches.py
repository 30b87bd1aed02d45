"""What is known of one person before a message goes to them, over all their accounts, playbooks and campaigns.

A person is an address, whatever its letters look like. Two claims for one person queue behind each other, so that
both cannot be the last one that a cap allows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session

from engine.definitions.calendar import Calendars
from engine.definitions.contact_policy import ContactPolicy
from engine.definitions.playbook import Span
from engine.evaluation.incoming.contacts import is_zone
from engine.running.pressure import OPERATIONAL, Place, Quiet, Touches
from engine.running.working_time import DAY_SECONDS, deadline, seen_at
from engine.store.run_tables import DeliveryRow, RunRow
from engine.store.tables import AccountRow, ContactRow, EventRow
from engine.terms import DeliveryState, Frequency, RunState

_WEEK: Final = 7
_EPOCH: Final = date(1970, 1, 1)
_GOES: Final = (DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.AMBIGUOUS)
_OPEN: Final = [state.value for state in RunState if state.is_open]
_ADDRESSES: Final = 1
"""The first number of locks on addresses, which sets them apart from the locks of `queueing`."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is to be written to, by which run and step. ``now``: on the run's clock. ``delivery_id``: the message's own
    row."""

    delivery_id: int
    address: str
    account_id: int
    run: RunRow
    step: str
    priority: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every message: the policy, and the calendars by which people work."""

    policy: ContactPolicy
    calendars: Calendars


def normal(address: str) -> str:
    """An address as a person's name: relays do not tell Ann@Example.com from ann@example.com."""
    return address.strip().lower()


def queue_for(session: Session, address: str) -> None:
    """Wait until no other transaction decides about this person, and keep others waiting until the end of this one."""
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(sha256(normal(address).encode()).digest()[:4], "big", signed=True)
        session.execute(text("SELECT pg_advisory_xact_lock(:space, :number)"), {"space": _ADDRESSES, "number": number})


def place(rules: Rules, account: AccountRow, contact: ContactRow, day_seconds: float) -> Place:
    """Where a person is: the zone of the contact, else of the account, else of the calendar of its country."""
    fields = account.fields
    named = str(fields.get("calendar") or fields.get("country") or "")
    calendar = rules.calendars.of(named)
    zones = (contact.time_zone, str(fields.get("time_zone") or ""), calendar.time_zone)
    zone = next((one for one in zones if one and is_zone(one)), "UTC")
    return Place(calendar, zone, day_seconds)


def known(session: Session, rules: Rules, asking: Asking, where: Place) -> Touches:
    """What is known of the person: of earlier messages, of more important ones, and of what people said to them."""
    same = _people(session, asking.address)
    others = _rows(session, asking, where)
    went = [(row, playbook) for row, playbook in others if row.state in _GOES]
    return Touches(
        sent=tuple(_moment(row) for row, _ in went if row.category != OPERATIONAL),
        # What should have gone already goes any moment.
        ahead=tuple(max(_moment(row), asking.now) for row, _ in others if _is_ahead(rules.policy, asking, where, row)),
        quiet=tuple(_quiet(session, rules.policy, asking, where, [row.id for row in same])),
        frequency=_frequency(same),
        twin=_twin(asking, where, went),
    )


def _people(session: Session, address: str) -> Sequence[ContactRow]:
    return session.scalars(select(ContactRow).where(func.lower(ContactRow.email) == normal(address))).all()


def _rows(session: Session, asking: Asking, where: Place) -> list[tuple[DeliveryRow, str]]:
    """Messages to the person of the last week and those still due, with their playbooks; not this one itself."""
    query = select(DeliveryRow, RunRow.playbook).join(RunRow, RunRow.id == DeliveryRow.run_id)
    waits = and_(
        DeliveryRow.state == DeliveryState.NOT_SENT.value,
        DeliveryRow.permanent.is_(False),
        RunRow.state.in_(_OPEN),
    )
    query = query.where(
        DeliveryRow.address == normal(asking.address),
        DeliveryRow.due_at > asking.now - where.days(_WEEK),
        DeliveryRow.contact_id.is_not(None),
        or_(DeliveryRow.state.in_(_GOES), waits),
        DeliveryRow.id != asking.delivery_id,
    )
    return [(row, playbook) for row, playbook in session.execute(query)]


def _is_ahead(policy: ContactPolicy, asking: Asking, where: Place, row: DeliveryRow) -> bool:
    waits = row.state == DeliveryState.NOT_SENT and row.category != OPERATIONAL
    return (
        waits and _moment(row) > asking.now - where.days(1) and policy.rank(row.priority) < policy.rank(asking.priority)
    )


def _twin(asking: Asking, where: Place, went: Sequence[tuple[DeliveryRow, str]]) -> str:
    """One person in several accounts, or twice in one, gets one mail: this step of this playbook, on the same day."""
    found = any(
        playbook == asking.run.playbook
        and row.step == asking.step
        and abs(_moment(row) - asking.now) < where.days(1)
        and (row.account_id != asking.account_id or row.run_id == asking.run.id)
        for row, playbook in went
    )
    return "the same message went to this person within a day" if found else ""


def _frequency(people: Sequence[ContactRow]) -> Frequency:
    """The rarest that the person chose anywhere."""
    chosen = {row.frequency for row in people}
    order = (Frequency.NEVER, Frequency.WEEKLY, Frequency.DAILY)
    return next((one for one in order if one.value in chosen), Frequency.IMMEDIATE)


def _quiet(
    session: Session, policy: ContactPolicy, asking: Asking, where: Place, people: Sequence[int]
) -> Iterator[Quiet]:
    """Until when nothing goes because of what happened. Events are on the clock of the data, not of the run."""
    run = asking.run
    seen = seen_at(asking.now, run.day_seconds, run.requested_at, run.started_at)
    person = or_(
        EventRow.contact_id.in_(people), and_(EventRow.account_id == asking.account_id, EventRow.contact_id.is_(None))
    )

    def until(at: datetime, span: Span) -> datetime:
        left = deadline(at, span, DAY_SECONDS, where.calendar) - seen
        return asking.now + where.days(left / timedelta(days=1))

    for names, span, why in (
        (policy.conversation_events, policy.quiet_after_conversation, "somebody has just talked to them"),
        (policy.survey_events, policy.quiet_after_survey, "they have just answered a survey"),
    ):
        if span is not None and (last := _last(session, names, person, seen, span)) is not None:
            yield Quiet(until(last, span), why)
    if policy.quiet_in_escalation:
        whole = EventRow.account_id == asking.account_id
        opened = _last(session, policy.escalation_opened, whole, seen, policy.escalation_lasts)
        closed = _last(session, policy.escalation_closed, whole, seen, policy.escalation_lasts)
        if opened is not None and (closed is None or closed < opened):
            yield Quiet(until(opened, policy.escalation_lasts), "an escalation of the account is open")


def _last(
    session: Session, names: Sequence[str], whose: ColumnElement[bool], seen: datetime, span: Span
) -> datetime | None:
    """When one of these events last happened, as far back as a span of so many days can reach."""
    first = seen - timedelta(days=2 * span.days + _WEEK)
    return session.scalar(
        select(func.max(EventRow.at)).where(
            EventRow.name.in_(names),
            whose,
            EventRow.day >= (first.astimezone(UTC).date() - _EPOCH).days,
            EventRow.at <= seen,
        )
    )


def _moment(row: DeliveryRow) -> datetime:
    return row.due_at or row.claimed_at
