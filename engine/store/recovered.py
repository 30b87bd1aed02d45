"""Accounts that recovered by themselves: their run ended, or their outcome is due, and nothing had been done."""

from collections.abc import Collection
from typing import cast

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engine.store.naming import one_of
from engine.store.run_tables import DeliveryRow, RunRow, TaskRow
from engine.terms import DeliveryState, TaskState

BY_ITSELF = "nothing had been done by then, so it recovered by itself and does not count as saved"
_TOUCHED = [state.value for state in (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.AMBIGUOUS)]


def untouched(session: Session, decision_ids: Collection[int]) -> frozenset[int]:
    """Those of the decisions whose run wrote to nobody and gave no member anything that was done.

    A decision without a run (a replay of history has none) is not among them.
    """
    if not decision_ids:
        return frozenset()
    pairs = select(RunRow.decision_id, RunRow.id).where(
        one_of(cast("ColumnElement[int]", RunRow.decision_id), decision_ids)
    )
    runs: dict[int, int] = {run_id: decision for decision, run_id in session.execute(pairs) if decision is not None}
    return frozenset(runs.values()) - {runs[run_id] for run_id in _touched(session, runs)}


def is_untouched(session: Session, run_id: int) -> bool:
    """Whether nothing of a run has reached its account yet."""
    return not _touched(session, [run_id])


def _touched(session: Session, run_ids: Collection[int]) -> frozenset[int]:
    if not run_ids:
        return frozenset()
    went = select(DeliveryRow.run_id).where(one_of(DeliveryRow.run_id, run_ids), DeliveryRow.state.in_(_TOUCHED))
    done = select(TaskRow.run_id).where(
        one_of(cast("ColumnElement[int]", TaskRow.run_id), run_ids), TaskRow.state == TaskState.DONE.value
    )
    return frozenset(session.scalars(went)) | frozenset(number for number in session.scalars(done) if number)
