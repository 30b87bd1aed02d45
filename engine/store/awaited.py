"""What waiting runs wait for beside conditions: dates of their account that may move, and events as they come."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition
from engine.definitions.playbook import WaitStep, walk
from engine.errors import EngineError
from engine.evaluation.program import evaluate_condition
from engine.running.dates import calendar_of, date_of, moment_of, on_clock
from engine.running.ways import origin
from engine.running.working_time import deadline, seen_at
from engine.store import bundles, people, waits
from engine.store.account_columns import column
from engine.store.naming import one_of
from engine.store.run_tables import RunRow, WaitRow
from engine.store.runs import Run
from engine.store.tables import AccountRow
from engine.terms import RunState

_SAME: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that has just been stored, of ``day`` (days since 1970-01-01)."""

    name: str
    account_id: int
    day: int
    fields: Mapping[str, Any]


def wait_step(bundle: Bundle, playbook: str, step: str) -> WaitStep | None:
    """The wait a line called ``step`` stands for; None where it is no wait of the author's."""
    found = (one for one in walk(bundle.playbooks[playbook].steps) if one.id == origin(step))
    return next((one for one in found if isinstance(one, WaitStep)), None)


def due_at(
    bundle: Bundle, fields: Mapping[str, Any], step: WaitStep, run: RunRow | Run, now: datetime
) -> datetime | None:
    """When the date a run waits for is there, on the run's clock; None while the date is not known."""
    day = date_of(fields, step.until_date)
    if day is None:
        return None
    moment = moment_of(day, step.before, calendar_of(bundle.calendars, fields))
    seen = seen_at(now, run.day_seconds, run.requested_at, run.started_at)
    return on_clock(moment, now, seen, run.day_seconds)


def until(
    bundle: Bundle, fields: Mapping[str, Any], step: WaitStep, run: RunRow | Run, since: datetime, now: datetime
) -> datetime:
    """When a wait for a date that began at ``since`` is over, as far as is known: at its date, or after its longest
    time."""
    latest = deadline(since, step.at_most, run.day_seconds, calendar_of(bundle.calendars, fields))
    due = due_at(bundle, fields, step, run, now)
    return min(due, latest) if due else latest


def dates_of(account: AccountRow) -> dict[str, Any]:
    """The fields of an account, its dates among them."""
    own = {name: getattr(account, name) for name in ("onboarded_on", "renewal_on", "notice_on", "stage_since")}
    return {**account.fields, **own}


def moved(session: Session, now: datetime, accounts: Collection[int] | None = None) -> list[tuple[int, str]]:
    """The runs, each with its step, that wait for a date that is not any more when they think. ``accounts``: only
    theirs."""
    dated = session.execute(_dated(accounts)).all()
    return [(run.id, wait.step) for wait, run in dated if _has_moved(session, wait, run, now)]


def arrived(session: Session, events: Sequence[Happened], at: datetime) -> int:
    """Wake the runs that wait for one of these events; how many were woken.

    What happened on an earlier day than the run began to wait does not count.
    """
    names = sorted({event.name for event in events})
    query = (
        select(WaitRow, RunRow)
        .join(RunRow, RunRow.id == WaitRow.run_id)
        .where(WaitRow.event.in_(names), WaitRow.satisfied_at.is_(None))
        .order_by(RunRow.id, WaitRow.step)
    )
    waiting = session.execute(query).all()
    if not waiting:
        return 0
    by_account: dict[int, list[Happened]] = defaultdict(list)
    for event in events:
        by_account[event.account_id].append(event)
    meant = [(wait, run) for wait, run in waiting if _meant(session, wait, run, by_account[run.account_id])]
    return sum(waits.satisfy(session, run.id, wait.step, at) for wait, run in meant)


def _meant(session: Session, wait: WaitRow, run: RunRow, events: Sequence[Happened]) -> bool:
    since = people.day_of(wait.since) if wait.since else 0
    found = [event for event in events if event.name == wait.event and event.day >= since]
    if not found:
        return False
    try:
        step = wait_step(bundles.by_fingerprint(session, run.bundle), run.playbook, wait.step)
    except EngineError:  # nobody can read what this run waits for; events are stored all the same
        return False
    return step is None or step.where is None or any(_holding(step.where, found))


def _holding(where: Condition, events: Sequence[Happened]) -> Iterator[bool]:
    # What is no field of the event is unknown here, so the run keeps waiting.
    columns = {name: column([_field(event, name) for event in events]) for name in where.names}
    yield from evaluate_condition(where.tree, columns, len(events)).holds.tolist()


def _field(event: Happened, name: str) -> Any:
    return event.fields.get(name.removeprefix("event.")) if name.startswith("event.") else None


def _dated(accounts: Collection[int] | None) -> Any:
    waiting = (WaitRow.since.is_not(None), WaitRow.event == "", WaitRow.satisfied_at.is_(None))
    query = select(WaitRow, RunRow).join(RunRow, RunRow.id == WaitRow.run_id).where(*waiting)
    query = query.where(RunRow.state == RunState.WAITING.value).order_by(RunRow.id)
    return query if accounts is None else query.where(one_of(RunRow.account_id, accounts))


def _has_moved(session: Session, wait: WaitRow, run: RunRow, now: datetime) -> bool:
    try:
        bundle = bundles.by_fingerprint(session, run.bundle)
        step = wait_step(bundle, run.playbook, wait.step)
    except EngineError:
        return False
    if step is None or not step.until_date:
        return False
    fields = dates_of(session.get_one(AccountRow, run.account_id))
    return abs(until(bundle, fields, step, run, wait.since or now, now) - wait.until) > _SAME
