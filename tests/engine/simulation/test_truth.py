"""The written truth fits the shipped rules, and is a truth at all."""

import pytest

from engine.definitions.bundle import Bundle
from engine.simulation.history import run_history
from engine.simulation.truth import CHALLENGES, SKIPPED, Challenge, true_uplift

each_challenge = pytest.mark.parametrize("challenge", CHALLENGES, ids=lambda each: each.rule)


def test_every_experiment_with_a_truth_is_shipped(shipped: Bundle) -> None:
    experiments = {(rule.name, action.playbook) for rule in shipped.rules.values() for action in rule.actions}
    assert {(each.rule, each.playbook) for each in CHALLENGES} <= experiments


def test_rules_about_what_is_not_simulated_decide_nothing(shipped: Bundle) -> None:
    """Nobody sends what they read, so they are clear or unknown, and the customers meet the known challenges alone."""
    history = run_history(shipped, seed=3, accounts=200, days=120)
    assert {rule for rule, _ in history.decisions} == {each.rule for each in CHALLENGES}
    assert history.strays == 0


@each_challenge
def test_the_simulated_customers_know_how_long_a_rule_waits(shipped: Bundle, challenge: Challenge) -> None:
    assert shipped.rules[challenge.rule].challenge.success.within == challenge.within


@each_challenge
def test_no_probability_leaves_the_unit_interval(challenge: Challenge) -> None:
    assert 0 < challenge.low < challenge.high <= challenge.high + challenge.amount < 1


def test_skipped_runs_make_the_truth_by_intention_to_treat_smaller() -> None:
    assert true_uplift("seats-unused", "seat-activation") == pytest.approx(0.20 * (1 - SKIPPED))


def test_one_playbook_does_nothing() -> None:
    assert [each.playbook for each in CHALLENGES if true_uplift(each.rule, each.playbook) == 0] == ["check-in"]


def test_an_experiment_nobody_simulates_has_no_truth() -> None:
    assert true_uplift("seats-unused", "check-in") is None
