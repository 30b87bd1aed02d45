"""Read model: one installation in numbers."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.definitions.bundle import Bundle
from engine.evaluation.evidence import is_scope
from engine.store import bundles, states
from engine.store.decision_tables import DecisionRow, EffectRow, EpisodeRow, ScoreRow
from engine.store.run_tables import DeliveryRow, ReportRow, RunRow
from engine.store.tables import AccountRow, PointRow
from engine.terms import DecisionKind, DeliveryState, ReportState, RunState, Tier


@dataclass(frozen=True, slots=True)
class Measured:
    """The newest estimate of one experiment; ``uplift`` and its interval are None while there is not enough data."""

    rule: str
    playbook: str
    treated: int
    held_out: int
    uplift: float | None
    low: float | None
    high: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts over the whole installation. ``tiers`` counts accounts of the newest day by tier; None is
    "insufficient data". ``refusals`` counts by reason. ``signals_firing`` counts the signals that hold for an account
    that is inside their rule, an episode of it being open, without those that only say whom a rule is for."""

    accounts: int
    points: int
    signals_firing: int
    tiers: dict[str | None, int]
    decisions: dict[str, int]
    refusals: dict[str, int]
    runs: dict[str, int]
    deliveries: dict[str, int]
    reports: int
    effects: tuple[Measured, ...]


def read(session: Session) -> Overview:
    """Count everything, as of now."""
    states = _counts(session, RunRow.state)
    delivered = _counts(session, DeliveryRow.state)
    decided = _counts(session, DecisionRow.kind)
    refusals = _counts(session, DecisionRow.reason)
    return Overview(
        accounts=_count(session, AccountRow.id),
        points=_count(session, PointRow.day),
        signals_firing=_firing(session, bundles.in_force(session)),
        tiers=_tiers(session),
        decisions={kind.value: decided.get(kind.value, 0) for kind in DecisionKind},
        refusals={reason: count for reason, count in refusals.items() if reason},
        runs={
            "open": sum(count for state, count in states.items() if state and RunState(state).is_open),
            "done": states.get(RunState.DONE.value, 0),
            "failed": states.get(RunState.FAILED.value, 0),
            "cancelled": states.get(RunState.CANCELLED.value, 0),
        },
        deliveries={
            state.value: delivered.get(state.value, 0)
            for state in (DeliveryState.SENT, DeliveryState.NOT_SENT, DeliveryState.AMBIGUOUS)
        },
        reports=session.scalar(select(func.count()).where(ReportRow.state == ReportState.APPROVED.value)) or 0,
        effects=tuple(_measured(row) for row in session.scalars(select(EffectRow).order_by(EffectRow.rule))),
    )


def _firing(session: Session, bundle: Bundle | None) -> int:
    inside: dict[str, set[int]] = {}
    open_now = select(EpisodeRow.rule, EpisodeRow.account_id).where(EpisodeRow.closed_on.is_(None))
    for rule, account in session.execute(open_now):
        inside.setdefault(rule, set()).add(account)
    firing = states.firing(session, set().union(*inside.values()))
    return sum(
        len(accounts & inside.get(name.rpartition(".")[0], set()))
        for name, accounts in firing.items()
        if not _is_scope(bundle, *name.rsplit(".", 1))
    )


def _is_scope(bundle: Bundle | None, rule: str, signal: str) -> bool:
    declared = bundle.rules.get(rule) if bundle else None
    return declared is not None and signal in declared.signals and is_scope(declared.signals[signal].measure)


def _count(session: Session, column: InstrumentedAttribute[int]) -> int:
    return session.scalar(select(func.count(column))) or 0


def _counts(
    session: Session, column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]
) -> dict[str | None, int]:
    return dict(session.execute(select(column, func.count()).group_by(column)).all())


def _tiers(session: Session) -> dict[str | None, int]:
    newest = select(func.max(ScoreRow.day)).scalar_subquery()
    found = dict(
        session.execute(select(ScoreRow.tier, func.count()).where(ScoreRow.day == newest).group_by(ScoreRow.tier)).all()
    )
    return {**{tier.value: found.get(tier.value, 0) for tier in Tier}, None: found.get(None, 0)}


def _measured(row: EffectRow) -> Measured:
    return Measured(row.rule, row.playbook, row.treated, row.held_out, row.uplift, row.low, row.high, row.sentence)
