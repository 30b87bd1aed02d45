"""Read model: how accounts are looked after beside what is at stake: over-served, neglected and worth it."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.evaluation.care import Care, Effort, care
from engine.evaluation.columns import Floats
from engine.store.attention import Turn, queue
from engine.store.before import DAY_ZERO, end_of
from engine.store.glances import OPEN_STATES
from engine.store.run_tables import DeliveryRow, RunRow, TaskRow
from engine.store.tables import EventRow
from engine.terms import DeliveryState, TaskState

TOUCHES: Final = ("meeting", "call")
"""Events in which one of ours talked with the customer; replies are the customer's."""
LOOKED_AT: Final = 90


@dataclass(frozen=True, slots=True)
class Looked:
    """One account: what stands out (``care``, None nothing), touches in the time looked at, days since the last one
    (None: none in that time), what is open, and its place in the order of attention."""

    turn: Turn
    care: Care | None
    touches: int
    untouched: int | None
    open: int


def looked_after(session: Session, day: int, untouched_for: int = 30, owner: str | None = None) -> tuple[Looked, ...]:
    """Every customer, or one owner's, in the order of attention; what stands out is judged among all."""
    turns = queue(session, day)
    touches, last, open_ = _touches(session, day)
    effort = Effort(
        touches=np.array([touches[turn.account_id] for turn in turns], dtype=np.int64),
        untouched=np.array([day - last.get(turn.account_id, np.nan) for turn in turns], dtype=np.float64),
        open=np.array([open_[turn.account_id] for turn in turns], dtype=np.int64),
    )
    found = care(_column(turns, "risk"), _column(turns, "gain"), effort, untouched_for)
    return tuple(
        Looked(
            turn=turn,
            care=next((kind for kind, rows in found.items() if rows[row]), None),
            touches=int(effort.touches[row]),
            untouched=None if np.isnan(effort.untouched[row]) else int(effort.untouched[row]),
            open=int(effort.open[row]),
        )
        for row, turn in enumerate(turns)
        if owner is None or turn.owner == owner
    )


def _column(turns: tuple[Turn, ...], name: str) -> Floats:
    return np.array([getattr(turn, name) for turn in turns], dtype=np.float64)


def _touches(session: Session, day: int) -> tuple[Counter[int], dict[int, int], Counter[int]]:
    """By account: touches, the day of the last one, and how much is open."""
    since, until = end_of(day - LOOKED_AT), end_of(day)
    happened = [
        select(EventRow.account_id, EventRow.at).where(
            EventRow.name.in_(TOUCHES), EventRow.at >= since, EventRow.at < until
        ),
        select(DeliveryRow.account_id, DeliveryRow.decided_at).where(
            DeliveryRow.state == DeliveryState.SENT.value,
            DeliveryRow.decided_at >= since,
            DeliveryRow.decided_at < until,
        ),
        select(TaskRow.account_id, TaskRow.done_at).where(
            TaskRow.state == TaskState.DONE.value, TaskRow.done_at >= since, TaskRow.done_at < until
        ),
    ]
    touches: Counter[int] = Counter()
    last: dict[int, int] = {}
    for query in happened:
        for account, at in session.execute(query):
            touches[account] += 1
            last[account] = max(last.get(account, -1), (at - DAY_ZERO).days if at else -1)
    open_: Counter[int] = Counter(session.scalars(select(RunRow.account_id).where(RunRow.state.in_(OPEN_STATES))))
    open_.update(session.scalars(select(TaskRow.account_id).where(TaskRow.state == TaskState.OPEN.value)))
    return touches, last, open_
