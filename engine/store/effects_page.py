"""Read model: what each playbook changed, treated against held out, as the cycle estimated it."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.store.decision_tables import EffectRow, OutcomeRow
from engine.terms import Arm, OutcomeState


@dataclass(frozen=True, slots=True)
class Side:
    """One arm: how many accounts were judged, how many met the goal, for how many the data was missing, how many are
    still due."""

    judged: int
    met: int
    unknown: int
    due: int

    @property
    def share(self) -> float | None:
        """The share that met the goal, None where nothing is judged yet."""
        return self.met / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Effect:
    """One experiment. ``uplift`` with its interval ``low`` … ``high`` as differences of shares; None: not enough data,
    and ``sentence`` says how much would be."""

    rule: str
    playbook: str
    treated: Side
    held_out: Side
    uplift: float | None
    low: float | None
    high: float | None
    sentence: str
    estimated_on: int

    @property
    def has_begun(self) -> bool:
        """Whether anybody has been judged, or waits to be."""
        return any(side.judged or side.unknown or side.due for side in (self.treated, self.held_out))


def effects_page(session: Session) -> tuple[Effect, ...]:
    """Every experiment that was estimated, the clearest gain first, those without an answer last."""
    due = _due(session)
    rows = session.scalars(select(EffectRow)).all()
    found = [_effect(row, due) for row in rows]
    return tuple(sorted(found, key=lambda one: (one.low is None, -(one.low or 0.0), one.rule, one.playbook)))


def _due(session: Session) -> dict[tuple[str, str, str], int]:
    rows = session.execute(
        select(OutcomeRow.rule, OutcomeRow.playbook, OutcomeRow.arm, func.count())
        .where(OutcomeRow.state == OutcomeState.DUE.value)
        .group_by(OutcomeRow.rule, OutcomeRow.playbook, OutcomeRow.arm)
    )
    return {(rule, playbook, arm): count for rule, playbook, arm, count in rows}


def _effect(row: EffectRow, due: dict[tuple[str, str, str], int]) -> Effect:
    def side(arm: Arm, judged: int, met: int, unknown: int) -> Side:
        return Side(judged, met, unknown, due.get((row.rule, row.playbook, arm.value), 0))

    return Effect(
        rule=row.rule,
        playbook=row.playbook,
        treated=side(Arm.TREATED, row.treated, row.treated_met, row.treated_unknown),
        held_out=side(Arm.HELD_OUT, row.held_out, row.held_out_met, row.held_out_unknown),
        uplift=row.uplift,
        low=row.low,
        high=row.high,
        sentence=row.sentence,
        estimated_on=row.estimated_on,
    )
