"""A history without a store: what the engine judges from data is what was drawn, and nothing else."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from engine.definitions.bundle import Bundle
from engine.effect.outcome import JudgedOutcome
from engine.simulation.history import History, run_history, with_hold_out
from engine.simulation.truth import CHALLENGES
from engine.terms import Arm, DecisionKind, OutcomeState

DRAWN = (Arm.TREATED, Arm.HELD_OUT)
KINDS = {challenge.rule: kind for kind, challenge in enumerate(CHALLENGES)}


def drawn(history: History, outcome: JudgedOutcome) -> OutcomeState:
    """What was drawn for the account, from the written truth."""
    traits, row, kind = history.portfolio.view.traits, outcome.due.account_id, KINDS[outcome.due.rule]
    helped = outcome.due.arm is Arm.TREATED and not traits.skips[row]
    solved = traits.draw[row] < traits.own[row] + CHALLENGES[kind].amount * helped
    return OutcomeState.MET if solved else OutcomeState.NOT_MET


@pytest.mark.parametrize("every", [1, 7, 14])
def test_the_data_tells_exactly_what_was_drawn_however_often_one_looks(measuring: Bundle, every: int) -> None:
    history = run_history(measuring, seed=11, accounts=500 if every == 1 else 1500, every=every)
    known = [each for each in history.outcomes if each.state is not OutcomeState.UNKNOWN]
    assert len(known) > 250
    assert [each.state for each in known] == [drawn(history, each) for each in known]


def test_no_account_gets_into_a_challenge_by_chance(history: History) -> None:
    assert history.strays == 0


def test_an_account_is_judged_once(history: History) -> None:
    counts = Counter(each.due.account_id for each in history.outcomes)
    assert set(counts.values()) == {1}


def test_some_outcomes_stay_unknown_in_both_arms_alike(measuring: Bundle) -> None:
    history = run_history(measuring, seed=6, accounts=4000)
    unknown = Counter(each.due.arm for each in history.outcomes if each.state is OutcomeState.UNKNOWN)
    judged = Counter(each.due.arm for each in history.outcomes)
    assert unknown.total() > 5
    assert all(unknown[arm] / judged[arm] < 0.02 for arm in DRAWN)


def test_every_challenge_is_met_and_missed_in_both_arms(history: History) -> None:
    seen = {(each.due.rule, each.due.arm, each.state) for each in history.outcomes}
    for rule in KINDS:
        for arm in DRAWN:
            assert {(rule, arm, OutcomeState.MET), (rule, arm, OutcomeState.NOT_MET)} <= seen


def test_only_accounts_that_were_inside_before_are_refused(history: History) -> None:
    refused = {rule for (rule, kind), _ in history.decisions.items() if kind is DecisionKind.REFUSE}
    assert refused == {"seats-unused", "behind-on-goal"}


def test_the_hold_out_has_the_share_that_was_asked_for(history: History) -> None:
    starts = sum(count for (_, kind), count in history.decisions.items() if kind is DecisionKind.START)
    held = sum(count for (_, kind), count in history.decisions.items() if kind is DecisionKind.HOLD_OUT)
    assert held / (starts + held) == pytest.approx(0.3, abs=0.04)


def test_every_effect_has_its_truth_beside_it(history: History) -> None:
    assert {(each.rule, each.playbook) for each in history.effects} == set(history.truth)
    assert all(each.interval is not None and not each.warnings for each in history.effects)


def test_before_and_after_would_praise_the_playbook_that_does_nothing(measuring: Bundle) -> None:
    """Semantics, trap 10: nobody met the goal at the start, so any share that does later looks like a gain."""
    history = run_history(measuring, seed=2, accounts=4000)
    (effect,) = (each for each in history.effects if each.playbook == "check-in")
    assert effect.treated.known.rate > 0.3
    assert effect.interval is not None
    assert not effect.interval.excludes_zero


def test_a_history_without_hold_out_measures_nothing(measuring: Bundle) -> None:
    rules = {name: replace(rule, guard=replace(rule.guard, hold_out=None)) for name, rule in measuring.rules.items()}
    history = run_history(replace(measuring, rules=rules), seed=1, accounts=300)
    assert all(each.interval is None for each in history.effects)
    assert all(each.sentence.startswith("not enough data") for each in history.effects)


def test_for_measuring_every_rule_holds_out_the_same_share(shipped: Bundle) -> None:
    shares = {rule.guard.hold_out.share for rule in with_hold_out(shipped, 0.4).rules.values() if rule.guard.hold_out}
    assert shares == {0.4}


def test_the_scorecards_of_the_starter_pack_see_all_tiers(shipped: Bundle) -> None:
    from engine.evaluation.evaluation import evaluate
    from engine.evaluation.facts import Before
    from engine.simulation.memory import facts_of, remembered
    from engine.simulation.portfolio import make_portfolio

    portfolio = make_portfolio(1, 600, first_day=20_600)
    memory = remembered(shipped, portfolio.view, portfolio.keys)
    scored = evaluate(shipped, facts_of(memory, 120, Before())).scores["health"]
    assert set(np.unique(scored.tier).tolist()) == {-1, 0, 1, 2}
