"""Letting go what is on hold: what would go out then, and the release itself, which wakes whatever waited for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.playbook import CampaignStep, EmailStep, ReportStep
from engine.errors import EngineError
from engine.running.lines import meanings
from engine.running.ways import exits, origin
from engine.store import bundles, deliveries, holds, people, runs
from engine.store.glances import OPEN_STATES
from engine.store.holds import Hold
from engine.store.run_tables import DeliveryRow, RunRow, WaitRow
from engine.store.runs import Run
from engine.store.tables import AccountRow, ContactRow
from engine.terms import DeliveryState, RunState

LISTED: Final = 200
"""So many messages are listed at most; all are counted."""


@dataclass(frozen=True, slots=True)
class Due:
    """One message that would go. ``to``: a contact's name; ``since``: when it was due."""

    account: str
    run_id: int
    playbook: str
    step: str
    to: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Overdue:
    """What a release sends. ``messages`` and ``people`` count all of it; ``due`` lists the oldest 200."""

    messages: int
    people: int
    due: tuple[Due, ...]

    @property
    def sentence(self) -> str:
        """How much it is, in a sentence without a full stop."""
        if not self.messages:
            return "nothing is overdue"
        messages = f"{self.messages} overdue message{'' if self.messages == 1 else 's'}"
        return f"{messages} to {self.people} {'person' if self.people == 1 else 'people'}"


def would_send(session: Session, hold_id: int, at: datetime) -> Overdue:
    """What goes out as soon as a hold is released: messages that were put off, and those of runs whose time has come.

    Who a step is for is looked at then, not now: a role names everybody who has it, so it can be fewer. Raises
    NotFound.
    """
    hold = holds.find(session, hold_id)
    found: dict[tuple[int, str, int], Due] = {}
    receivers: set[str] = set()
    for contact, address, due in (*_put_off(session, hold, at), *_coming(session, hold.account_id, at)):
        found.setdefault((due.run_id, due.step, contact), due)
        receivers.add(address.lower())
    listed = sorted(found.values(), key=lambda one: (one.since, one.run_id, one.step))
    return Overdue(len(found), len(receivers), tuple(listed[:LISTED]))


def release(session: Session, hold_id: int, author: str, at: datetime) -> int:
    """Release a hold and wake the runs whose messages it put off. Returns how many waited for it.

    Raises NotFound; Refused, naming who was first, when it is released already.
    """
    hold = next((one for one in holds.listed(session) if one.id == hold_id), None)
    holds.release(session, hold_id, author, at)
    return deliveries.wake_held(session, hold.account_id if hold else None, at)


def _put_off(session: Session, hold: Hold, at: datetime) -> Iterator[tuple[int, str, Due]]:
    """Messages that the hold put off, or whose time has come; not those that wait for a window of their own."""
    states = [DeliveryState.NOT_SENT.value, DeliveryState.CLAIMED.value]
    mine = [] if hold.account_id is None else [DeliveryRow.account_id == hold.account_id]
    is_due = or_(DeliveryRow.due_at.is_(None), DeliveryRow.due_at <= at, DeliveryRow.reason == hold.sentence)
    rows = session.execute(
        select(DeliveryRow, RunRow.playbook, AccountRow.name, ContactRow)
        .join(RunRow, RunRow.id == DeliveryRow.run_id)
        .join(AccountRow, AccountRow.id == DeliveryRow.account_id)
        .join(ContactRow, ContactRow.id == DeliveryRow.contact_id)
        .where(DeliveryRow.state.in_(states), DeliveryRow.permanent.is_(False), is_due, *mine)
        .where(RunRow.state.in_(OPEN_STATES), RunRow.state != RunState.PAUSED.value)
    )
    for row, playbook, account, contact in rows:
        due = Due(account, row.run_id, playbook, row.step, contact.name, min(row.claimed_at, at))
        yield contact.id, contact.email, due


def _coming(session: Session, account_id: int | None, at: datetime) -> Iterator[tuple[int, str, Due]]:
    """What runs send in the next stretch that is due: they were just requested, or what they wait for has come."""
    for run, since in _moving(session, account_id, at):
        try:
            bundle = bundles.by_fingerprint(session, run.bundle)
        except EngineError:  # its definitions cannot be read: the run is closed instead of going on
            continue
        account = session.get_one(AccountRow, run.account_id)
        for step, contact in _messages(session, bundle, run, at):
            yield contact.id, contact.address, Due(account.name, run.id, run.playbook, step, contact.name, since)


def _moving(session: Session, account_id: int | None, at: datetime) -> Iterator[tuple[Run, datetime]]:
    query: Select[RunRow] = select(RunRow).where(RunRow.state.in_([RunState.REQUESTED.value, RunState.ACTIVE.value]))
    mine = [] if account_id is None else [RunRow.account_id == account_id]
    for row in session.scalars(query.where(*mine).order_by(RunRow.id)).all():
        yield runs.find(session, row.id), row.requested_at
    waits = select(WaitRow.run_id, WaitRow.until).join(RunRow, RunRow.id == WaitRow.run_id)
    over = (WaitRow.until <= at) | WaitRow.satisfied_at.is_not(None)
    standing = RunRow.state == RunState.WAITING.value
    for run_id, until in session.execute(waits.where(over, standing, *mine).order_by(WaitRow.run_id)).all():
        yield runs.find(session, run_id), min(until, at)


def _messages(session: Session, bundle: Bundle, run: Run, at: datetime) -> Iterator[tuple[str, people.Person]]:
    """Step and contact of every message that the stretch ahead may send."""
    playbook = bundle.playbooks.get(run.playbook)
    known = meanings(playbook, run.mode) if playbook else {}
    reachable = people.reachable(session, run.account_id, at)
    for number in _ahead(run):
        line = run.lines[number]
        meaning = known.get(origin(line.step))
        step = meaning.step if meaning else None
        if isinstance(step, EmailStep | CampaignStep | ReportStep):
            role = step.share_with if isinstance(step, ReportStep) else step.to.role
            yield from ((line.step, person) for person in reachable if not role or role in person.roles)


def _ahead(run: Run) -> list[int]:
    """The numbers of the outward lines up to the next stops, whichever way branches go."""
    here = run.cursor
    pending = list(exits(run.lines, here)) if run.lines[here].stops else [here]
    seen: list[int] = []
    while pending:
        number = pending.pop()
        if number not in seen and not run.lines[number].stops:
            seen.append(number)
            pending += exits(run.lines, number)
    return sorted(number for number in seen if run.lines[number].outward)
