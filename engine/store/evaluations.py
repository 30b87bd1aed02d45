"""Writing what an evaluation said: the present signal states, the day's scores, the cycle itself."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np
from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.scorecard import Scorecard
from engine.errors import Refused
from engine.evaluation.columns import Column, Texts
from engine.evaluation.deciding import Plan
from engine.evaluation.evaluation import Evaluation, Observed, Scored
from engine.evaluation.scoring import TIERS
from engine.evaluation.wording import day_text
from engine.store.base import Base
from engine.store.decision_tables import CycleRow, ScoreRow, SignalStateRow
from engine.store.decisions import waiting_for_word


def save_evaluation(session: Session, bundle: Bundle, evaluation: Evaluation) -> None:
    """Replace the signal states by these and write the day's scores; the same day again replaces them."""
    _save_states(session, evaluation)
    for name, scored in evaluation.scores.items():
        _save_scores(session, bundle.scorecards[name], bundle.fingerprint, evaluation, scored)


def save_cycle(session: Session, bundle: Bundle, plan: Plan, day: int, counts: Mapping[str, int]) -> None:
    """Record that a cycle ran: which rules are known from now on, what was unknown, what a member is still asked."""
    applied = {name for name in bundle.rules if plan.unknown.get(name, 0) < counts["accounts"]}
    session.add(
        CycleRow(
            day=day,
            decided_at=plan.at,
            bundle=bundle.fingerprint,
            rules=sorted(known_rules(session) | applied),
            unknown=dict(plan.unknown),
            asks=_still_asked(session, bundle) | dict(plan.asks),
            counts=dict(counts),
        )
    )


def refuse_past(session: Session, day: int) -> None:
    """Raise Refused where a cycle has decided on a later day: what followed from that cannot be taken back."""
    last = session.scalar(select(func.max(CycleRow.day)))
    if last is not None and day < last:
        asked = day_text(day)
        raise Refused(
            f"A cycle has decided on {day_text(last)} already, so nothing is decided any more on {asked}. "
            f"`backcast plan --at {asked}` shows what would have been."
        )


def _still_asked(session: Session, bundle: Bundle) -> dict[str, Any]:
    """The questions of the last cycle that nobody has answered, where somebody still waits for the answer."""
    asked = session.scalar(select(CycleRow.asks).order_by(CycleRow.id.desc()).limit(1)) or {}
    waiting = {rule for rule, _ in waiting_for_word(session, bundle.rules.keys() & asked.keys())} if asked else set()
    return {rule: sentence for rule, sentence in asked.items() if rule in waiting}


def known_rules(session: Session, until: int | None = None) -> set[str]:
    """The rules of which some cycle (up to the day ``until``) knew for at least one account whether they hold.

    One that was never anything but unknown has not been applied yet: nobody was inside or outside.
    """
    newest = select(CycleRow.rules).order_by(CycleRow.id.desc()).limit(1)
    return set(session.scalar(newest if until is None else newest.where(CycleRow.day <= until)) or ())


def _save_states(session: Session, evaluation: Evaluation) -> None:
    since = {
        (row.account_id, row.rule, row.signal): _Standing(row.verdict, row.known, row.since)
        for row in session.execute(
            select(
                SignalStateRow.account_id,
                SignalStateRow.rule,
                SignalStateRow.signal,
                SignalStateRow.verdict,
                SignalStateRow.known,
                SignalStateRow.since,
            )
        )
    }
    session.execute(delete(SignalStateRow))
    ids = evaluation.facts.accounts.ids.tolist()
    rows: list[dict[str, Any]] = []
    for name, observed in evaluation.signals.items():
        rows += _states(name, observed, ids, since, evaluation.facts.at)
    if rows:
        # The table, not the class: a third of the time, and there are as many rows as accounts times signals.
        session.execute(insert(table_of(SignalStateRow)), rows)


class _Standing(NamedTuple):
    """What a signal said before: its verdict, the last one that was known, and the day the verdict began."""

    verdict: int
    known: int
    since: int


def _states(
    name: str, observed: Observed, ids: list[int], since: Mapping[tuple[int, str, str], _Standing], at: int
) -> list[dict[str, Any]]:
    rule, _, signal = name.partition(".")
    rows = []
    for account, verdict, value in zip(ids, observed.verdicts.tolist(), observed.values.tolist(), strict=True):
        before = since.get((account, rule, signal), _Standing(verdict, 0, at))
        rows.append(
            {
                "account_id": account,
                "rule": rule,
                "signal": signal,
                "verdict": verdict,
                "known": verdict or before.known,
                "value": None if np.isnan(value) else value,
                "since": before.since if before.verdict == verdict else at,
            }
        )
    return rows


def _save_scores(
    session: Session, scorecard: Scorecard, fingerprint: str, evaluation: Evaluation, scored: Scored
) -> None:
    day, accounts = evaluation.facts.at, evaluation.facts.accounts.ids
    session.execute(
        # All accounts are evaluated, so all scores of the day are replaced; naming them is more than a query can hold.
        delete(ScoreRow).where(ScoreRow.day == day, ScoreRow.scorecard == scorecard.name)
    )
    names = [metric.name for metric in scorecard.metrics]
    causes = evaluation.columns[f"cause.{scorecard.name}"]
    rows = [
        {
            "day": day,
            "scorecard": scorecard.name,
            "account_id": account,
            "computed": _micro(scored.computed[row]),
            "effective": _micro(scored.effective[row]),
            "coverage": float(scored.coverage[row]),
            "raw_tier": _tier(scored.raw_tier[row]),
            "computed_tier": _tier(scored.computed_tier[row]),
            "tier": _tier(scored.tier[row]),
            "lines": _lines(names, scored, row),
            "cause": _word(causes, row),
            "bundle": fingerprint,
        }
        for row, account in enumerate(accounts.tolist())
        if scored.applies[row]
    ]
    if rows:
        session.execute(insert(table_of(ScoreRow)), rows)


def _word(column: Column, row: int) -> str | None:
    return column.words[column.codes[row]] if isinstance(column, Texts) and column.codes[row] >= 0 else None


def table_of(row: type[Base]) -> Table:
    """The table behind a class."""
    return cast("Table", row.__table__)


def _micro(value: np.int64) -> int | None:
    return None if value < 0 else int(value)


def _tier(code: np.int8) -> str | None:
    return None if code < 0 else TIERS[code].value


def _lines(names: list[str], scored: Scored, row: int) -> list[list[Any]]:
    """Per metric ``[name, value, normalised, share, contribution]``; JSON has no NaN, so unknown is null."""
    table = zip(
        names,
        scored.values[row].tolist(),
        scored.normalised[row].tolist(),
        scored.shares[row].tolist(),
        scored.contributions[row].tolist(),
        strict=True,
    )
    return [[name, _known(value), _known(normal), share, part] for name, value, normal, share, part in table]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
