"""How often each rule fired, what came of it, and how often a person said no: what a review of a rule looks at."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.store.decision_tables import DecisionRow
from engine.store.run_tables import ApprovalRow, RunRow
from engine.terms import ApprovalState, DecisionKind, RunState


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """One rule: decisions (it ``fired``), runs that ``acted``, accounts ``held_out``, ``refused`` by the engine, and
    what people called ``false``: runs in which somebody rejected what was to be sent, or that somebody cancelled."""

    rule: str
    fired: int
    acted: int
    held_out: int
    refused: int
    false: int


def rule_counts(session: Session) -> dict[str, RuleCounts]:
    """The counts of every rule that ever decided anything, by name."""
    counted: dict[str, dict[str, int]] = {}
    kinds = select(DecisionRow.rule, DecisionRow.kind, func.count()).group_by(DecisionRow.rule, DecisionRow.kind)
    for rule, kind, count in session.execute(kinds):
        counted.setdefault(rule, {})[kind] = count
    false = _false(session)
    return {
        rule: RuleCounts(
            rule,
            fired=sum(by_kind.values()),
            acted=by_kind.get(DecisionKind.START.value, 0),
            held_out=by_kind.get(DecisionKind.HOLD_OUT.value, 0),
            refused=by_kind.get(DecisionKind.REFUSE.value, 0),
            false=false.get(rule, 0),
        )
        for rule, by_kind in sorted(counted.items())
    }


def _false(session: Session) -> dict[str, int]:
    rejected = select(ApprovalRow.run_id).where(ApprovalRow.state == ApprovalState.REJECTED.value)
    query = (
        select(RunRow.rule, func.count())
        .where((RunRow.id.in_(rejected)) | (RunRow.state == RunState.CANCELLED.value))
        .group_by(RunRow.rule)
    )
    return dict(session.execute(query).all())
