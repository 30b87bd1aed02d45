"""A whole history without a store: evaluate, decide, let the accounts answer, judge, estimate.

It is the proof of the measuring: the engine sees data only, and what it measures is compared with the truth.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.definitions.bundle import Bundle
from engine.definitions.rule import HoldOut, Rule
from engine.effect.estimate import Effect, Outcome, estimate
from engine.effect.outcome import DueOutcome, JudgedOutcome, judge
from engine.evaluation.deciding import Decision, Past, Plan, decide
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.facts import Before
from engine.evaluation.remembering import remember
from engine.simulation.memory import facts_of, remembered
from engine.simulation.portfolio import WARM_UP, Portfolio, Response, make_portfolio
from engine.simulation.truth import true_uplift
from engine.terms import Arm, DecisionKind

_FIRST_DAY: Final = 19_800
"""A rotation of the hold-out begins on it, so that a history of 180 days has one drawing of arms."""

_RUN_LASTS: Final = 21
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class History:
    """What was measured in a history, and what was true by (rule, playbook). ``decisions`` counts by rule and kind.

    ``portfolio`` is in its last state; ``outcomes`` name accounts by their position in ``portfolio.keys``.
    """

    effects: tuple[Effect, ...]
    truth: Mapping[tuple[str, str], float]
    decisions: Mapping[tuple[str, DecisionKind], int]
    outcomes: tuple[JudgedOutcome, ...]
    portfolio: Portfolio
    strays: int
    skipped: int


@dataclass(slots=True)
class _Told:
    """The past as it grows; what the store keeps in its tables otherwise. Account ids are row numbers."""

    inside: dict[str, set[int]] = field(default_factory=dict)
    ended: dict[tuple[str, int], int] = field(default_factory=dict)
    runs: dict[str, dict[int, int]] = field(default_factory=dict)
    held: dict[str, dict[int, str]] = field(default_factory=dict)
    due: list[DueOutcome] = field(default_factory=list)
    judged: list[JudgedOutcome] = field(default_factory=list)

    def past(self, bundle: Bundle, day: int, *, first: bool) -> Past:
        """What `decide` reads on ``day``."""
        return Past(
            inside=self.inside,
            known_rules=frozenset() if first else frozenset(bundle.rules),
            episode_ended=self.ended,
            open_runs={name: {row for row, end in runs.items() if end > day} for name, runs in self.runs.items()},
            held_out=self.held,
        )

    def take(self, bundle: Bundle, plan: Plan, day: int) -> None:
        """Episodes, runs and due outcomes of a plan that is carried out."""
        for closed in plan.closed:
            self.inside[closed.rule].discard(closed.account_id)
            self.ended[closed.rule, closed.account_id] = day
            for held in self.held.values():
                if held.get(closed.account_id) == closed.rule:
                    del held[closed.account_id]
        for decision in plan.decisions:
            self.inside.setdefault(decision.rule, set()).add(decision.account_id)
            if decision.arm is not None:
                self._started(bundle.rules[decision.rule], decision, decision.arm, day)

    def _started(self, rule: Rule, decision: Decision, arm: Arm, day: int) -> None:
        if arm is Arm.TREATED:
            self.runs.setdefault(decision.playbook, {})[decision.account_id] = day + _RUN_LASTS
        else:
            self.held.setdefault(decision.playbook, {})[decision.account_id] = decision.rule
        self.due.append(
            DueOutcome(
                decision_id=len(self.due) + len(self.judged),
                account_id=decision.account_id,
                rule=decision.rule,
                playbook=decision.playbook,
                arm=arm,
                baseline=decision.baseline,
                decided_on=day,
                due_on=day + rule.challenge.success.within,
            )
        )

    def judge(self, bundle: Bundle, evaluation: Evaluation) -> None:
        """Judge what is due by the day of the evaluation."""
        at = evaluation.facts.at
        self.judged += judge(bundle, evaluation, [each for each in self.due if each.due_on <= at])
        self.due = [each for each in self.due if each.due_on > at]


def with_hold_out(bundle: Bundle, share: float) -> Bundle:
    """The bundle with every rule holding out ``share`` of its accounts, for measuring in little time."""
    rules = {
        name: replace(
            rule, guard=replace(rule.guard, hold_out=replace(rule.guard.hold_out or HoldOut(share), share=share))
        )
        for name, rule in bundle.rules.items()
    }
    return replace(bundle, rules=rules)


def run_history(bundle: Bundle, seed: int, accounts: int, days: int = 180, every: int = 14) -> History:
    """Live through ``days`` days with a cycle every ``every`` days, and estimate the effects on the last one.

    The bundle is used as it is; `with_hold_out` raises its hold-out. Outcomes are judged from the simulated data only.
    """
    portfolio = make_portfolio(seed, accounts, first_day=_FIRST_DAY, days=days, story=False)
    memory = remembered(bundle, portfolio.view, portfolio.keys)
    told, before, counts = _Told(), Before(), Counter[tuple[str, DecisionKind]]()
    strays = skipped = 0
    for day in range(WARM_UP, days, every):
        evaluation = evaluate(bundle, facts_of(memory, day, before))
        before = remember(evaluation)
        told.judge(bundle, evaluation)
        at = evaluation.facts.at
        plan = decide(bundle, evaluation, told.past(bundle, at, first=day == WARM_UP), EPOCH + timedelta(days=at))
        told.take(bundle, plan, at)
        counts.update((decision.rule, decision.kind) for decision in plan.decisions)
        answers = portfolio.respond(at, responses(plan.decisions))
        strays, skipped = strays + len(answers.strays), skipped + len(answers.skipped)
    effects = estimate(bundle, map(_counted, told.judged))
    return History(effects, _truth(effects), counts, tuple(told.judged), portfolio, strays, skipped)


def responses(decisions: Iterable[Decision]) -> tuple[Response, ...]:
    """What accounts notice of decisions: starts and hold-outs; a refusal changes nothing for anybody."""
    return tuple(Response(each.account_key, each.rule, each.arm) for each in decisions if each.arm is not None)


def _counted(judged: JudgedOutcome) -> Outcome:
    due = judged.due
    return Outcome(due.account_id, due.rule, due.playbook, due.arm, judged.state, due.decided_on)


def _truth(effects: Iterable[Effect]) -> dict[tuple[str, str], float]:
    known = {(each.rule, each.playbook): true_uplift(each.rule, each.playbook) for each in effects}
    return {experiment: uplift for experiment, uplift in known.items() if uplift is not None}
