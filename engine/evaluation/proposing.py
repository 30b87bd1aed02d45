"""What one evaluation proposes: which accounts enter a rule, what is meant for them, and the evidence for it.

Nothing in here knows the past but for who is inside a rule already, so a portfolio can be evaluated part by part and
what the parts propose is put together by `engine.evaluation.deciding`.
"""

from collections.abc import Mapping, Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition
from engine.definitions.rule import Action, Rule
from engine.evaluation.columns import Column, Flags, Numbers, Planes, Texts
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.evidence import Evidence, evidence_of, telling
from engine.evaluation.features import OwnNames
from engine.evaluation.holdout import arm
from engine.evaluation.program import evaluate_condition
from engine.terms import Arm, Verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """One account for which a rule holds and that was not inside it.

    ``action``: what is meant for it, None where nothing is. ``passed``: actions before it of which nobody knows whether
    they are meant for the account. ``arm``: as drawn. ``baseline``: the success feature now (None: unknown).
    ``severity``: how many signals of the rule fire.
    """

    account: int
    key: str
    action: Action | None
    passed: tuple[Action, ...]
    arm: Arm
    churned: bool
    evidence: tuple[Evidence, ...]
    baseline: float | None
    severity: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the evaluation of some accounts proposes.

    ``accounts``: how many they are. ``entries``: rule → who enters, in the order of account rows. ``left``: rule → of
    those inside, the ones for whom it certainly no longer holds. ``unknown``: rule → for how many it is unknown;
    ``flapping``: for how many of these because a signal of it changes too often.
    """

    accounts: int
    entries: Mapping[str, tuple[Entry, ...]]
    left: Mapping[str, tuple[int, ...]]
    unknown: Mapping[str, int]
    flapping: Mapping[str, int] = field(default_factory=dict)


def propose(
    bundle: Bundle,
    evaluation: Evaluation,
    inside: Mapping[str, AbstractSet[int]],
    again: Mapping[str, AbstractSet[int]] = MappingProxyType({}),
) -> Proposal:
    """What ``evaluation`` proposes, given who is ``inside`` each rule (its episode is open) and which of those are to
    be decided on ``again``."""
    known = {name: frozenset(inside.get(name, ())) - frozenset(again.get(name, ())) for name in bundle.rules}
    return Proposal(
        accounts=len(evaluation.facts.accounts),
        entries={name: _entries(rule, bundle, evaluation, known[name]) for name, rule in _rules(bundle)},
        left={name: _left(name, evaluation, inside.get(name, set())) for name, _ in _rules(bundle)},
        unknown={name: int((evaluation.rules[name] == Verdict.UNKNOWN).sum()) for name in bundle.rules},
        flapping={name: _flapping(rule, evaluation) for name, rule in _rules(bundle)},
    )


def _flapping(rule: Rule, evaluation: Evaluation) -> int:
    """For how many accounts the rule is unknown and one of its signals flaps."""
    unknown, found = evaluation.rules[rule.name] == Verdict.UNKNOWN, 0
    flags = [evaluation.signals[f"{rule.name}.{name}"].flapping for name in rule.signals]
    several = [flag for flag in flags if flag is not None and flag.any()]
    if several:
        found = int((unknown & np.logical_or.reduce(several)).sum())
    return found


def _rules(bundle: Bundle) -> list[tuple[str, Rule]]:
    return sorted(bundle.rules.items())


def _left(name: str, evaluation: Evaluation, inside: AbstractSet[int]) -> tuple[int, ...]:
    if not inside:
        return ()
    failing = evaluation.facts.accounts.ids[evaluation.rules[name] == Verdict.FAILS]
    return tuple(account for account in failing.tolist() if account in inside)


def _entries(rule: Rule, bundle: Bundle, evaluation: Evaluation, inside: AbstractSet[int]) -> tuple[Entry, ...]:
    facts = evaluation.facts
    firing = np.flatnonzero(evaluation.rules[rule.name] == Verdict.HOLDS)
    accounts = facts.accounts.ids[firing].tolist()
    rows = [row for row, account in zip(firing.tolist(), accounts, strict=True) if account not in inside]
    if not rows:
        return ()
    drawing = Drawing(rule, evaluation)
    severities = _severities(rule, evaluation)
    churned = _is_text(evaluation.columns.get("account.stage"), "churned", len(facts.accounts))
    baselines = _baselines(rule, evaluation)
    found = []
    for row in rows:
        action, passed = drawing.action(row)
        found.append(
            Entry(
                account=int(facts.accounts.ids[row]),
                key=facts.accounts.keys[row],
                action=action,
                passed=passed,
                arm=drawing.arm(row, action),
                churned=bool(churned[row]),
                evidence=telling(rule, evidence_of(rule, bundle.catalog, evaluation, row)),
                baseline=None if baselines is None or np.isnan(baselines[row]) else float(baselines[row]),
                severity=int(severities[row]),
            )
        )
    return tuple(found)


class Drawing:
    """Which action of a rule is meant for an account, and which arm it is in."""

    def __init__(self, rule: Rule, evaluation: Evaluation) -> None:
        columns, size = OwnNames(rule.name, evaluation.columns), len(evaluation.facts.accounts)
        hold_out = rule.guard.hold_out
        self._rule = rule
        self._facts = evaluation.facts
        self._applies = [_planes(each.when, columns, size, without=True) for each in rule.actions]
        self._exempt = _planes(hold_out.exempt if hold_out else None, columns, size, without=False).holds

    def action(self, row: int) -> tuple[Action | None, tuple[Action, ...]]:
        """The first action that certainly applies, and those before it of which nobody knows."""
        actions = self._rule.actions
        chosen = next((at for at, planes in enumerate(self._applies) if planes.holds[row]), len(actions))
        before = zip(actions[:chosen], self._applies, strict=False)
        passed = tuple(each for each, planes in before if planes.possible[row])
        return (actions[chosen] if chosen < len(actions) else None), passed

    def arm(self, row: int, action: Action | None) -> Arm:
        """The arm an account is in, should that action be taken."""
        if self._exempt[row]:
            return Arm.EXEMPT
        if action is None:
            return Arm.TREATED
        key = self._facts.accounts.keys[row]
        return arm(self._rule.guard.hold_out, self._rule.name, action.playbook, key, self._facts.at)


def _severities(rule: Rule, evaluation: Evaluation) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How many signals of the rule fire, for each account."""
    firing = [evaluation.signals[f"{rule.name}.{name}"].verdicts == Verdict.HOLDS for name in rule.signals]
    severities: np.ndarray[tuple[int], np.dtype[np.int64]] = np.sum(firing, axis=0, dtype=np.int64)
    return severities


def _baselines(rule: Rule, evaluation: Evaluation) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    feature = rule.challenge.success.feature
    column = None if feature is None else evaluation.columns.get(feature.name)
    return column.values if isinstance(column, Numbers) else None


def _planes(condition: Condition | None, columns: Mapping[str, Column], size: int, *, without: bool) -> Planes:
    # Where the condition is unknown it does not apply (design §4); `without` is the answer where there is none.
    if condition is None:
        flags = np.full(size, without, dtype=np.bool_)
        return Planes(flags, flags)
    return evaluate_condition(condition.tree, columns, size)


def _is_text(column: Column | None, word: str, size: int) -> Flags:
    if not isinstance(column, Texts) or word not in column.words:
        return np.zeros(size, dtype=np.bool_)
    return np.asarray(column.codes == column.words.index(word))
