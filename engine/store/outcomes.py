"""Outcomes and effects: what is due, what it was judged to be, what every experiment says."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from engine.effect.estimate import Effect, Outcome
from engine.effect.feedback import FeedbackPoint
from engine.effect.outcome import DueOutcome, JudgedOutcome
from engine.store import points
from engine.store.before import end_of
from engine.store.decision_tables import EffectRow, OutcomeRow
from engine.terms import Arm, OutcomeState


def due(session: Session, day: int) -> list[DueOutcome]:
    """The outcomes whose time is up by the end of ``day`` and that nobody has judged yet."""
    rows = session.scalars(
        select(OutcomeRow).where(OutcomeRow.state == OutcomeState.DUE.value, OutcomeRow.due_on <= day)
    )
    return [
        DueOutcome(
            decision_id=row.decision_id,
            account_id=row.account_id,
            rule=row.rule,
            playbook=row.playbook,
            arm=Arm(row.arm),
            baseline=row.baseline,
            decided_on=row.decided_on,
            due_on=row.due_on,
        )
        for row in rows
    ]


def lateness(session: Session, day: int) -> int:
    """How many days before ``day`` the earliest outcome that nobody has judged yet was due; 0 where none is."""
    earliest = session.scalar(select(func.min(OutcomeRow.due_on)).where(OutcomeRow.state == OutcomeState.DUE.value))
    return 0 if earliest is None else max(0, day - earliest)


def save_judged(session: Session, judged: Sequence[JudgedOutcome]) -> None:
    """Write the judgements; each outcome is judged once."""
    for one in judged:
        session.execute(
            update(OutcomeRow)
            .where(OutcomeRow.decision_id == one.due.decision_id, OutcomeRow.state == OutcomeState.DUE.value)
            .values(state=one.state.value, value=one.value, sentence=one.sentence, judged_on=one.judged_on)
        )


def save_feedback(session: Session, found: Sequence[FeedbackPoint]) -> None:
    """Append the points that bring outcomes back into the metrics."""
    if not found:
        return
    numbers = points.metric_ids(session, {point.metric for point in found})
    columns = points.PointColumns(
        subject_ids=np.array([point.account_id for point in found], dtype=np.int64),
        metric_ids=np.array([numbers[point.metric] for point in found], dtype=np.int32),
        days=np.array([point.day for point in found], dtype=np.int32),
        values=np.array([point.value for point in found], dtype=np.float64),
    )
    points.add(session, columns, end_of(found[0].day))


def judged(session: Session) -> list[Outcome]:
    """Every judged outcome, as the estimate reads it."""
    rows = session.execute(
        select(
            OutcomeRow.account_id,
            OutcomeRow.rule,
            OutcomeRow.playbook,
            OutcomeRow.arm,
            OutcomeRow.state,
            OutcomeRow.decided_on,
        ).where(OutcomeRow.state != OutcomeState.DUE.value)
    )
    return [
        Outcome(account, rule, playbook, Arm(arm), OutcomeState(state), decided_on)
        for account, rule, playbook, arm, state, decided_on in rows
    ]


def save_effects(session: Session, effects: Sequence[Effect], day: int) -> None:
    """Replace the estimates of all experiments by these."""
    session.execute(delete(EffectRow))
    if effects:
        session.execute(insert(EffectRow), [_effect_row(effect, day) for effect in effects])


def _effect_row(effect: Effect, day: int) -> dict[str, object]:
    interval = effect.interval
    return {
        "rule": effect.rule,
        "playbook": effect.playbook,
        "treated": effect.treated.accounts,
        "treated_met": effect.treated.met,
        "treated_unknown": effect.treated.unknown,
        "held_out": effect.held_out.accounts,
        "held_out_met": effect.held_out.met,
        "held_out_unknown": effect.held_out.unknown,
        "uplift": interval.uplift if interval else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "sentence": " ".join((effect.sentence, *effect.warnings)),
        "estimated_on": day,
    }
