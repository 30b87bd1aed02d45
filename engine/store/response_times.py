"""How long it takes from noticing to acting: for each run that a decision started, and as percentiles.

*Noticed* is the decision. *Begun* is the first thing the run did for the account: a message that went, a task it gave,
a call out, a report. *Acted* is the first thing a customer or colleague felt of it: a message sent, or a task that
was done. Both are on the clock of the wall, so runs whose days are scaled are not looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from engine.running.working_time import DAY_SECONDS
from engine.store.decision_tables import DecisionRow
from engine.store.run_tables import DeliveryRow, RunRow, StepRow, TaskRow
from engine.store.tables import AccountRow
from engine.terms import DeliveryState, StepState, TaskState

PERCENTILES: Final = (50, 90, 95, 99)
_DOES: Final = ["task", "ask", "email", "lesson", "report", "webhook", "guide", "note", "notify", "set"]


@dataclass(frozen=True, slots=True)
class Response:
    """One run. ``begun`` and ``acted`` are None while nothing has happened yet."""

    run_id: int
    account: str
    rule: str
    playbook: str
    mode: str
    noticed: datetime
    begun: datetime | None
    acted: datetime | None


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds at the percentiles of `PERCENTILES`, over ``count`` runs; ``open``: so many have not come so far yet."""

    count: int
    open: int
    seconds: tuple[float, ...]


def responses(session: Session, since: datetime, rule: str = "") -> list[Response]:
    """The runs that decisions since a moment started, the newest first."""
    wanted = [DecisionRow.decided_at >= since, RunRow.day_seconds == DAY_SECONDS]
    wanted += [RunRow.rule == rule] if rule else []
    query = (
        select(RunRow.id, AccountRow.key, RunRow.rule, RunRow.playbook, RunRow.mode, DecisionRow.decided_at)
        .join(DecisionRow, DecisionRow.id == RunRow.decision_id)
        .join(AccountRow, AccountRow.id == RunRow.account_id)
        .where(*wanted)
        .order_by(RunRow.id.desc())
    )
    done = (StepRow.state == StepState.DONE.value, StepRow.kind.in_(_DOES))
    begun = _firsts(session, StepRow.run_id, StepRow.at, wanted, done)
    sent = (DeliveryRow.state == DeliveryState.SENT.value,)
    went = _firsts(session, DeliveryRow.run_id, DeliveryRow.decided_at, wanted, sent)
    did = _firsts(session, TaskRow.run_id, TaskRow.done_at, wanted, (TaskRow.state == TaskState.DONE.value,))
    found = []
    for run, key, own, playbook, mode, noticed in session.execute(query):
        first, acted = _first(begun.get(run), went.get(run)), _first(went.get(run), did.get(run))
        found.append(Response(run, key, own, playbook, mode, noticed, first, acted))
    return found


def _firsts(
    session: Session,
    run: Any,
    moment: Any,
    runs: Sequence[ColumnElement[bool]],
    wanted: Sequence[ColumnElement[bool]],
) -> dict[int, datetime]:
    """Run → the first moment of what is wanted."""
    query = select(run, func.min(moment)).join(RunRow, RunRow.id == run)
    query = query.join(DecisionRow, DecisionRow.id == RunRow.decision_id).where(*runs, *wanted).group_by(run)
    return {number: first for number, first in session.execute(query) if first is not None}


def _first(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def times(found: Sequence[Response], *, acted: bool = False) -> Times:
    """Percentiles of the time until a run begun, or until it was ``acted``."""
    moments = [(one.noticed, one.acted if acted else one.begun) for one in found]
    seconds = [(moment - noticed).total_seconds() for noticed, moment in moments if moment is not None]
    known = tuple(float(each) for each in np.percentile(seconds, PERCENTILES)) if seconds else ()
    return Times(len(seconds), len(found) - len(seconds), known)


def by_rule(found: Sequence[Response]) -> dict[str, list[Response]]:
    """The runs of each rule."""
    rules: dict[str, list[Response]] = {}
    for one in found:
        rules.setdefault(one.rule, []).append(one)
    return dict(sorted(rules.items()))
