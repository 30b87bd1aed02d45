"""The shipped starter pack: it checks clean, every warning in it has an answer, and its examples hold."""

from datetime import date
from typing import Final

import pytest

from engine.definitions.playbook import (
    ApproveStep,
    AskStep,
    BranchStep,
    CampaignStep,
    EmailStep,
    Playbook,
    ReportStep,
    TaskStep,
    WaitStep,
    walk,
)
from engine.definitions.problem import render
from engine.definitions.rule import EventMeasure, GoalMeasure, Rule, SilenceMeasure, ThresholdMeasure, TrendMeasure
from engine.definitions.scorecard import GoalLine, Linear, Threshold
from engine.evaluation.examples import check_examples
from engine.evaluation.hygiene import hygiene
from engine.terms import ChallengeKind, Mode
from tests.starter.pack import CHECKED, PACK, TEXTS

RULES = tuple(PACK.rules.values())
PLAYBOOKS = tuple(PACK.playbooks.values())


def name_of(one: Rule | Playbook) -> str:
    """Name a parametrised test."""
    return one.name


def test_the_pack_has_no_problem_and_no_note() -> None:
    """A metric whose bearing on value is not said would be a note (S0-04)."""
    assert CHECKED.problems == ()
    assert [render(note, TEXTS) for note in CHECKED.notes] == []
    assert PACK.catalog.north_star


def test_lint_finds_nothing_to_say_about_the_pack() -> None:
    """S2-41, S1-22: no rule judges itself, no review is overdue, nothing that is scored is without an answer."""
    assert [render(note, TEXTS) for note in hygiene(PACK, date(2026, 11, 22))] == []


CORE: Final = {
    "seats-unused": {"seat-activation"},
    "usage-falling": {"usage-recovery"},
    "behind-on-goal": {"goal-review"},
    "champion-left": {"new-champion"},
    "gone-quiet": {"check-in"},
    "ready-to-expand": {"expansion-offer"},
}


def test_each_challenge_is_answered_by_the_playbook_for_it() -> None:
    """S2-10: every rule that is shipped has an answer, and every playbook a rule that starts it."""
    answers = {rule.name: {action.playbook for action in rule.actions} for rule in RULES}
    assert {name: answers[name] for name in CORE} == CORE
    assert len(answers) >= 25
    assert set().union(*answers.values()) == {playbook.name for playbook in PLAYBOOKS}


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_a_warning_has_an_answer_an_owner_a_review_and_a_criterion(rule: Rule) -> None:
    """Everything is actionable (S0-01, S2-07, S2-08, S2-09, S2-10)."""
    assert rule.actions
    assert rule.signals
    assert rule.challenge.owner
    assert rule.challenge.review_by
    assert len(rule.challenge.why) > 40
    assert rule.challenge.success.within > 0


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_the_last_action_applies_to_everybody(rule: Rule) -> None:
    """No account that fires is left without an answer (S0-01)."""
    assert rule.actions[-1].when is None


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_a_rule_measures_its_own_effect_and_does_not_nag(rule: Rule) -> None:
    """A tenth is held out at random; after a run there is a pause of weeks."""
    assert rule.guard.hold_out is not None
    assert rule.guard.hold_out.share == pytest.approx(0.1)
    assert rule.guard.cooldown >= 30


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_a_rule_carries_an_example_that_fires_and_one_that_does_not(rule: Rule) -> None:
    told = {example.then for example in rule.examples}
    assert {"fires", "clear"} <= told


def test_every_example_comes_out_as_it_is_written() -> None:
    assert [render(problem, TEXTS) for problem in check_examples(PACK)] == []


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_who_has_left_is_not_played(rule: Rule) -> None:
    """Every rule reads the stage: a churned account is never a risk or an opportunity."""
    assert "signal.still_a_customer" in rule.when.names


def test_the_mode_depends_on_the_challenge_and_on_the_customer() -> None:
    """S2-11, S2-12, S2-13, S2-14."""
    modes = {rule.name: [action.mode for action in rule.actions] for rule in RULES}
    assert modes["champion-left"] == [Mode.APPROVE]
    assert modes["gone-quiet"] == [Mode.AUTOMATIC]
    assert modes["seats-unused"] == [Mode.APPROVE, Mode.AUTOMATIC]
    assert modes["ready-to-expand"] == [Mode.MANUAL, Mode.APPROVE]


def test_the_rules_see_risks_goals_and_opportunities_by_every_kind_of_measure() -> None:
    """S0-06, S2-18, S2-19, S2-25, S2-26, S2-28, S2-29."""
    kinds = {rule.challenge.kind for rule in RULES}
    measures = {type(signal.measure) for rule in RULES for signal in rule.signals.values()}
    assert kinds == set(ChallengeKind)
    assert {ThresholdMeasure, TrendMeasure, GoalMeasure, SilenceMeasure, EventMeasure} <= measures


def test_the_playbooks_use_every_kind_of_step() -> None:
    kinds = {type(step) for playbook in PLAYBOOKS for step in walk(playbook.steps)}
    assert kinds == {TaskStep, AskStep, EmailStep, CampaignStep, WaitStep, BranchStep, ApproveStep, ReportStep}
    waits = [step for playbook in PLAYBOOKS for step in walk(playbook.steps) if isinstance(step, WaitStep)]
    assert {wait.until is None for wait in waits} == {True, False}


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=name_of)
def test_where_the_data_is_missing_a_branch_asks_a_person(playbook: Playbook) -> None:
    branches = [step for step in walk(playbook.steps) if isinstance(step, BranchStep)]
    assert branches or all(isinstance(step, TaskStep | AskStep) for step in walk(playbook.steps))
    assert all(isinstance(branch.unknown[0], TaskStep) for branch in branches)


def test_no_report_leaves_without_a_persons_yes() -> None:
    for playbook in PLAYBOOKS:
        gated = [inner for step in walk(playbook.steps) if isinstance(step, ApproveStep) for inner in walk(step.steps)]
        reports = [step for step in walk(playbook.steps) if isinstance(step, ReportStep)]
        assert [step for step in reports if step not in gated] == []


def test_a_message_is_short_and_every_message_is_used() -> None:
    used = set()
    for playbook in PLAYBOOKS:
        for step in walk(playbook.steps):
            used |= {(playbook.name, step.message)} if isinstance(step, EmailStep) else set()
            used |= {(playbook.name, lesson) for lesson in step.lessons} if isinstance(step, CampaignStep) else set()
    assert used == set(PACK.messages)
    for message in PACK.messages.values():
        assert len(message.subject) < 60
        assert len(message.body.split()) < 150


def test_the_scorecard_weighs_outcomes_usage_and_relationship_as_in_the_articles() -> None:
    """50 %, 30 %, 20 % (S2-33), the goal first (S1-08), and complaints weigh 1.25 times (S0-51)."""
    health = PACK.scorecards["health"]
    assert {one.name: round(one.weight, 6) for one in health.dimensions} == {
        "outcomes": 0.5,
        "usage": 0.3,
        "relationship": 0.2,
    }
    assert {type(metric.normaliser) for metric in health.metrics} == {GoalLine, Linear, Threshold}
    assert {metric.name: metric.multiplier for metric in health.metrics}["escalations"] == 1.25
    assert sum(health.shares.values()) == pytest.approx(1)
    assert [forced.tier.value for forced in health.forced] == ["requires_attention"]


def test_a_measured_effect_comes_back_into_the_score_with_a_small_weight() -> None:
    assert 0 < PACK.scorecards["health"].shares["response.seat-activation.mean_90d"] < 0.05


def test_the_report_shows_only_what_a_customer_may_see() -> None:
    """S2-47: an allow-list, each metric of which is marked for customers."""
    allowed = PACK.reports["quarterly"].allow
    assert allowed
    assert all(PACK.catalog.metrics[name].customer_may_see for name in allowed)
    secret = {"nps", "escalations", "days_since_contact", "spend"}
    assert not any(PACK.catalog.metrics[name].customer_may_see for name in secret)


def test_an_answer_to_the_report_becomes_a_measurement() -> None:
    assert PACK.catalog.metrics["report_agreement"].evidence == "say"
