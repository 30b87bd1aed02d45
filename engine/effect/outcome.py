"""Judging outcomes: what became of accounts when the time of the success criterion is up.

Treated and held-out accounts are judged by the same criterion, declared before anything started, from the data of
the day the outcome is due. Churned counts as not met; data that is missing makes the outcome unknown, never not met.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.definitions.bundle import Bundle
from engine.definitions.rule import Success
from engine.effect.wording import condition_sentence, event_sentence, feature_sentence, iso
from engine.evaluation.columns import Bytes, Column, Flags, Floats, Numbers, Texts
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.facts import Facts
from engine.evaluation.features import Features
from engine.evaluation.program import evaluate_condition
from engine.evaluation.signals import against
from engine.terms import Arm, OutcomeState, Verdict

_STATES: Mapping[int, OutcomeState] = {
    Verdict.HOLDS: OutcomeState.MET,
    Verdict.FAILS: OutcomeState.NOT_MET,
    Verdict.UNKNOWN: OutcomeState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class DueOutcome:
    """An outcome whose time is up. ``baseline``: the success feature at the decision (None: unknown).

    Days are days since 1970-01-01.
    """

    decision_id: int
    account_id: int
    rule: str
    playbook: str
    arm: Arm
    baseline: float | None
    decided_on: int
    due_on: int


@dataclass(frozen=True, slots=True)
class JudgedOutcome:
    """A due outcome with its judgement: ``value`` is the success feature when due (None: unknown or not a feature)."""

    due: DueOutcome
    state: OutcomeState
    value: float | None
    sentence: str
    judged_on: int


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """Outcomes of one rule due on one day, as columns: account rows (-1: not in the portfolio), baselines, days."""

    success: Success
    outcomes: Sequence[DueOutcome]
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]
    baselines: Floats
    day: int


def judge(bundle: Bundle, evaluation: Evaluation, outcomes: Iterable[DueOutcome]) -> tuple[JudgedOutcome, ...]:
    """Judge ``outcomes`` that are due by the day of ``evaluation``; the order is by rule and due day.

    Each is judged as of its own due day, so a late cycle gives the same answer. An outcome whose rule is no longer in
    the bundle is unknown. The facts must reach back to the day after the earliest decision whose success is an event.
    """
    groups: dict[tuple[str, int], list[DueOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.rule, outcome.due_on), []).append(outcome)
    found: list[JudgedOutcome] = []
    for (name, day), group in sorted(groups.items()):
        rule = bundle.rules.get(name)
        if rule is None:
            found += [_without_rule(outcome, evaluation.facts.at) for outcome in group]
        else:
            found += _judged(bundle, evaluation, _asked(rule.challenge.success, group, evaluation.facts, day))
    return tuple(found)


def _asked(success: Success, group: Sequence[DueOutcome], facts: Facts, day: int) -> _Asked:
    wanted = np.array([outcome.account_id for outcome in group], dtype=np.int64)
    rows = np.searchsorted(facts.accounts.ids, wanted)
    there = np.isin(wanted, facts.accounts.ids)
    baselines = np.array([np.nan if outcome.baseline is None else outcome.baseline for outcome in group])
    return _Asked(success, group, np.where(there, rows, -1), baselines, day)


def _judged(bundle: Bundle, evaluation: Evaluation, asked: _Asked) -> list[JudgedOutcome]:
    columns = _as_of(bundle, evaluation, asked.day)
    verdicts, values = _verdicts(columns, evaluation.facts, asked)
    churned = _churned(evaluation.facts, asked)
    verdicts = np.where(churned, -1, verdicts)
    at = evaluation.facts.at
    return [
        JudgedOutcome(
            due=outcome,
            state=_STATES[int(verdict)],
            value=None if np.isnan(value) else float(value),
            sentence=_sentence(bundle, asked.success, outcome, int(verdict), float(value), left=bool(left)),
            judged_on=at,
        )
        for outcome, verdict, value, left in zip(asked.outcomes, verdicts, values, churned, strict=True)
    ]


def _as_of(bundle: Bundle, evaluation: Evaluation, day: int) -> Mapping[str, Column]:
    if day == evaluation.facts.at:
        return evaluation.columns
    return Features(bundle.catalog, evaluation.facts, day=day)


def _verdicts(columns: Mapping[str, Column], facts: Facts, asked: _Asked) -> tuple[Bytes, Floats]:
    success, known = asked.success, asked.rows >= 0
    values = np.full(len(asked.rows), np.nan)
    if success.event:
        happened = _happened(facts, asked)
        verdicts = np.where(happened, 1, -1)
    elif success.condition is not None:
        planes = evaluate_condition(success.condition.tree, columns, len(facts.accounts))
        verdicts = planes.verdicts[asked.rows]
    else:
        values = np.where(known, _feature(columns, success, len(facts.accounts))[asked.rows], np.nan)
        verdicts = _measured(success, values, asked.baselines)
    return np.where(known, verdicts, 0).astype(np.int8), values


def _feature(columns: Mapping[str, Column], success: Success, size: int) -> Floats:
    column = columns.get(success.feature.name) if success.feature is not None else None
    return column.values if isinstance(column, Numbers) else np.full(size, np.nan)


def _measured(success: Success, values: Floats, baselines: Floats) -> Bytes:
    if success.limit is not None:
        return against(success.limit, values)
    wanted = success.change or 0.0
    base = np.where(baselines == 0, np.nan, baselines)  # nothing can be relative to zero
    # Rounded, so that 115 after 100 is a change of exactly 15 %.
    change = np.round((values - base) / np.abs(base), 12)
    met = change >= wanted if wanted >= 0 else change <= wanted
    return np.where(np.isnan(change), 0, np.where(met, 1, -1)).astype(np.int8)


def _happened(facts: Facts, asked: _Asked) -> Flags:
    happenings = facts.events.get(asked.success.event)
    if happenings is None:
        return np.zeros(len(asked.rows), dtype=np.bool_)
    # Keys in the order of (row, day): an event after the decision and up to the due day lies between two of them.
    scale = np.int64(1 << 20)
    keys = np.sort(happenings.rows * scale + happenings.days)
    decided = np.array([outcome.decided_on for outcome in asked.outcomes], dtype=np.int64)
    first = np.searchsorted(keys, asked.rows * scale + decided, side="right")
    last = np.searchsorted(keys, asked.rows * scale + asked.day, side="right")
    happened: Flags = last > first
    return happened


def _churned(facts: Facts, asked: _Asked) -> Flags:
    stage = facts.fields.get("stage")
    if not isinstance(stage, Texts) or "churned" not in stage.words:
        return np.zeros(len(asked.rows), dtype=np.bool_)
    churned: Flags = (asked.rows >= 0) & (stage.codes[asked.rows] == stage.words.index("churned"))
    return churned


def _sentence(bundle: Bundle, success: Success, outcome: DueOutcome, verdict: int, value: float, *, left: bool) -> str:
    if left:
        return f"the customer had left by {iso(outcome.due_on)}, which counts as not met"
    if success.event:
        return event_sentence(success.event, outcome.decided_on, outcome.due_on, verdict)
    if success.condition is not None:
        return condition_sentence(outcome.due_on, verdict)
    return feature_sentence(bundle.catalog, success, outcome.baseline, value, outcome.due_on)


def _without_rule(outcome: DueOutcome, at: int) -> JudgedOutcome:
    sentence = f'the rule "{outcome.rule}" is no longer there, so nothing says what success would have been'
    return JudgedOutcome(outcome, OutcomeState.UNKNOWN, None, sentence, at)
