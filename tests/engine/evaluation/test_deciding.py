"""From evaluations to plans: the edge, the order of the reasons, the guard, the hold-out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from engine.definitions.bundle import Bundle
from engine.definitions.feature import Feature
from engine.definitions.playbook import Playbook, ReEntry
from engine.definitions.rule import (
    Action,
    Challenge,
    Guard,
    HoldOut,
    Limit,
    Rule,
    Success,
    ThresholdMeasure,
)
from engine.evaluation.deciding import Decision, Past, Plan, decide, default_limit
from engine.evaluation.evaluation import evaluate
from engine.evaluation.facts import Facts
from engine.evaluation.holdout import arm
from engine.evaluation.past import Earlier, Snoozed
from engine.evaluation.wording import day_text
from engine.terms import Arm, ChallengeKind, DecisionKind, Mode, Reason
from tests.engine.evaluation import portfolio as p

AT = datetime(2024, 10, 4, tzinfo=UTC)
LOW = ThresholdMeasure(Feature("users"), Limit("below", 40))
KNOWN = Past(known_rules=frozenset({"low", "other"}))


def rule(name: str = "low", **more: Any) -> Rule:
    return p.rule(name, {"low_use": LOW}, **more)


def portfolio(*values: float, **more: Any) -> Facts:
    rows: list[Mapping[int, float]] = [{} if np.isnan(value) else {0: value} for value in values]
    return p.facts(len(values), series={"users": p.series(*rows)}, **more)


def bundle(*rules: Rule) -> Bundle:
    return p.bundle(p.catalog(p.metric("users", unit="people")), *rules)


def plan(known: Facts, past: Past, *rules: Rule) -> Plan:
    made = bundle(*(rules or (rule(),)))
    return decide(made, evaluate(made, known), past, AT)


def only(known: Facts, past: Past, *rules: Rule) -> Decision:
    (decision,) = plan(known, past, *rules).decisions
    return decision


def test_an_account_that_enters_a_rule_starts_its_playbook() -> None:
    """S0-03."""
    decision = only(portfolio(30, 50), KNOWN)
    assert (decision.kind, decision.account_key, decision.playbook) == (DecisionKind.START, "a0", "help")
    assert (decision.arm, decision.mode, decision.reason) == (Arm.TREATED, Mode.AUTOMATIC, None)
    assert decision.sentence == "It goes wrong: help starts, automatically"


def test_the_evidence_can_be_read_aloud() -> None:
    """S0-02: the metric, its value and its limit."""
    (evidence,) = only(portfolio(30), KNOWN).evidence
    assert evidence.sentence == "Users is 30 people, below 40 people"
    assert (evidence.signal, evidence.verdict, evidence.value) == ("low_use", 1, 30.0)
    assert evidence.place == "rules/test.yaml:1:1"


def test_an_account_inside_the_rule_is_left_alone() -> None:
    """S0-64: the transition starts, not the state."""
    assert plan(portfolio(30), replace(KNOWN, inside={"low": {100}})).decisions == ()


def test_an_episode_ends_when_the_rule_certainly_fails_and_not_when_it_is_unknown() -> None:
    found = plan(portfolio(50, np.nan, 30), replace(KNOWN, inside={"low": {100, 101, 102}}))
    assert [(closed.account_id, closed.rule) for closed in found.closed] == [(100, "low")]
    assert found.decisions == ()
    assert found.unknown == {"low": 1}


def test_an_unknown_rule_starts_nothing_and_is_counted() -> None:
    found = plan(portfolio(np.nan, np.nan, 50), KNOWN)
    assert found.decisions == ()
    assert found.unknown == {"low": 2}


@pytest.mark.parametrize(
    ("past", "reason", "sentence"),
    [
        ({"stopped": {100}}, Reason.STOPPED, "a person stopped everything for this account"),
        ({"suppressed": {100}}, Reason.SUPPRESSED, "the account must not be contacted by law"),
        ({"open_runs": {"help": {100}}}, Reason.OPEN_RUN, "a run of help is already open for this account"),
        (
            {"episode_ended": {("low", 100): p.AT - 29}},
            Reason.COOLDOWN,
            f"cooldown until {day_text(p.AT + 1)}: the last episode ended on {day_text(p.AT - 29)}",
        ),
        (
            {"held_out": {"help": {100: "other"}}},
            Reason.HELD_OUT_ELSEWHERE,
            "rule other holds this account out of help, so no other rule may start it",
        ),
    ],
)
def test_every_refusal_says_why(past: dict[str, Any], reason: Reason, sentence: str) -> None:
    decision = only(portfolio(30), replace(KNOWN, **past))
    assert (decision.kind, decision.reason, decision.arm, decision.mode) == (DecisionKind.REFUSE, reason, None, None)
    assert decision.sentence == f"It goes wrong: {sentence}"


def test_a_churned_account_is_refused() -> None:
    decisions = plan(portfolio(30, 30, fields={"stage": p.texts("churned", None)}), KNOWN).decisions
    assert [each.reason for each in decisions] == [Reason.CHURNED, None]


def test_the_reasons_are_asked_in_their_order() -> None:
    everything = Past(
        known_rules=frozenset({"low"}),
        stopped={100},
        suppressed={100, 101},
        open_runs={"help": {100, 101, 102}},
        episode_ended={("low", account): p.AT - 1 for account in range(100, 104)},
        held_out={"help": dict.fromkeys(range(100, 105), "other")},
    )
    found = [each.reason for each in plan(portfolio(*[30.0] * 6), everything).decisions]
    assert found == [
        Reason.STOPPED,
        Reason.SUPPRESSED,
        Reason.OPEN_RUN,
        Reason.COOLDOWN,
        Reason.HELD_OUT_ELSEWHERE,
        None,
    ]


def with_playbook(**more: Any) -> Bundle:
    """The bundle of `rule`, whose playbook says ``more``."""
    helping = Playbook("help", "Help", "education", (), p.PLACE, **more)
    return replace(bundle(rule()), playbooks={"help": helping})


def refused(made: Bundle, past: Past) -> Decision:
    (decision,) = decide(made, evaluate(made, portfolio(30)), past, AT).decisions
    return decision


def test_what_members_and_the_playbook_say_against_a_start_has_its_place_in_the_order() -> None:
    """Safety, then the account's stop, then people's words, then the rules (semantics D.5)."""
    made = with_playbook(re_entry=ReEntry(at_most=1))
    snoozed = Snoozed(1, AT + timedelta(days=3), 0, "omar", "wrong moment")
    everything = replace(
        KNOWN,
        suppressed={100},
        excluded={("low", account): "omar excluded it" for account in range(100, 102)},
        snoozed={("low", account): snoozed for account in range(100, 103)},
        open_runs={"help": set(range(100, 104))},
        earlier={("help", account): Earlier((p.AT - 9,), p.AT - 8) for account in range(100, 105)},
        episode_ended={("low", account): p.AT - 1 for account in range(100, 106)},
    )
    found = [each.reason for each in decide(made, evaluate(made, portfolio(*[30.0] * 7)), everything, AT).decisions]
    assert found == [
        Reason.SUPPRESSED,
        Reason.EXCLUDED,
        Reason.SNOOZED,
        Reason.OPEN_RUN,
        Reason.RE_ENTRY,
        Reason.COOLDOWN,
        None,
    ]


@pytest.mark.parametrize(
    ("limits", "earlier", "sentence"),
    [
        (ReEntry(at_most=1), Earlier((p.AT - 900,), p.AT - 899), "help runs at most once for one account, and it has"),
        (
            ReEntry(at_most=2, per=90),
            Earlier((p.AT - 89, p.AT - 3), p.AT - 2),
            "help runs at most 2 times within 90 days for one account, and it has",
        ),
        (
            ReEntry(min_gap=30),
            Earlier((p.AT - 50,), p.AT - 29),
            f"the last run of help ended on {day_text(p.AT - 29)}; the next may start on {day_text(p.AT + 1)}",
        ),
        (ReEntry(at_most=2, per=90), Earlier((p.AT - 90, p.AT - 3), p.AT - 2), ""),
        (ReEntry(min_gap=30), Earlier((p.AT - 50,), p.AT - 30), ""),
        (ReEntry(), Earlier((p.AT - 1,), p.AT), ""),
    ],
)
def test_a_playbook_runs_as_often_as_it_says(limits: ReEntry, earlier: Earlier, sentence: str) -> None:
    """D.2 9."""
    found = refused(with_playbook(re_entry=limits), replace(KNOWN, earlier={("help", 100): earlier}))
    assert found.reason == (Reason.RE_ENTRY if sentence else None)
    assert sentence in found.sentence


def test_a_playbook_does_not_start_beside_a_run_that_comes_before_it() -> None:
    found = refused(with_playbook(superseded_by=("rescue",)), replace(KNOWN, open_runs={"rescue": {100}}))
    assert found.reason is Reason.SUPERSEDED
    assert found.sentence == "It goes wrong: a run of rescue is open for this account, and rescue comes before help"


def test_a_snoozed_rule_that_fires_as_before_stays_asleep_and_one_that_is_worse_starts() -> None:
    """D.1 7."""
    firing = 1
    for severity, reason, woke in ((0, Reason.SNOOZED, None), (firing, Reason.SNOOZED, None)):
        asleep = Snoozed(7, AT + timedelta(days=3), severity, "omar", "wrong moment")
        found = only(portfolio(30), replace(KNOWN, snoozed={("low", 100): asleep}))
        assert (found.reason, found.woke, found.severity) == (reason, woke, firing)
        again = replace(KNOWN, snoozed={("low", 100): asleep}, inside={"low": {100}}, again={"low": {100}})
        assert plan(portfolio(30), again).decisions == ()


def test_whoever_is_decided_on_again_leaves_the_rule_as_anybody_does() -> None:
    past = replace(KNOWN, inside={"low": {100}}, again={"low": {100}})
    found = plan(portfolio(50), past)
    assert [closed.account_id for closed in found.closed] == [100]


def test_the_cooldown_ends_on_its_day() -> None:
    assert only(portfolio(30), replace(KNOWN, episode_ended={("low", 100): p.AT - 30})).kind is DecisionKind.START


def many(count: int) -> Facts:
    return portfolio(*[30.0] * count)


def test_above_the_blast_radius_nothing_starts_and_nothing_is_held_out_and_a_member_is_asked() -> None:
    half = rule(guard=Guard(hold_out=HoldOut(0.5)))
    found = plan(many(120), KNOWN, half)
    assert {each.reason for each in found.decisions} == {Reason.BLAST_RADIUS}
    starts = sum(arm(HoldOut(0.5), "low", "help", f"a{at}", p.AT) is Arm.TREATED for at in range(120))
    assert starts > default_limit(120) == 50
    assert found.asks == {"low": f"Rule low wants {starts} new runs at once; its limit is 50. Let them start?"}


def test_at_the_blast_radius_everything_starts() -> None:
    assert {each.kind for each in plan(many(50), KNOWN).decisions} == {DecisionKind.START}


def test_runs_of_the_last_day_count_towards_the_blast_radius() -> None:
    found = plan(many(3), replace(KNOWN, recent_starts={"low": 48}))
    assert {each.reason for each in found.decisions} == {Reason.BLAST_RADIUS}
    assert "3 new runs and 48 in the last 24 hours are more than the limit of 50" in found.decisions[0].sentence


def test_a_released_rule_passes_its_blast_radius() -> None:
    found = plan(many(60), replace(KNOWN, released={"low"}))
    assert {each.kind for each in found.decisions} == {DecisionKind.START}
    assert found.asks == {}


def test_the_limit_is_the_rule_s_own_or_grows_with_the_portfolio() -> None:
    assert [default_limit(count) for count in (10, 1_000, 4_000)] == [50, 50, 200]
    found = plan(many(4), KNOWN, rule(guard=Guard(max_new_runs=3)))
    assert {each.reason for each in found.decisions} == {Reason.BLAST_RADIUS}


def test_on_first_publication_existing_says_what_happens_to_those_inside() -> None:
    """Edge, not level (design §6)."""
    asked = plan(many(2), Past(), rule(existing="ask"))
    assert {each.reason for each in asked.decisions} == {Reason.EXISTING}
    assert asked.asks == {"low": "2 accounts were already inside rule low when it was first applied. Start for them?"}
    ignored = plan(many(2), Past(), rule(existing="ignore"))
    assert {each.reason for each in ignored.decisions} == {Reason.EXISTING}
    assert ignored.asks == {}
    enrolled = plan(many(2), Past(), rule(existing="enrol"))
    assert {each.kind for each in enrolled.decisions} == {DecisionKind.START}
    released = plan(many(2), Past(released={"low"}), rule(existing="ask"))
    assert {each.kind for each in released.decisions} == {DecisionKind.START}


LARGE = p.compare("account.arr", ">=", 100)


def test_the_first_action_that_applies_is_taken_and_an_unknown_one_does_not_apply() -> None:
    """S2-14"""
    actions = (Action("visit", Mode.APPROVE, p.PLACE, LARGE), Action("mail", Mode.AUTOMATIC, p.PLACE))
    known = portfolio(30, 30, 30, fields={"arr": p.numbers(100, 99, np.nan)})
    found = plan(known, KNOWN, rule(actions=actions)).decisions
    assert [(each.playbook, each.mode) for each in found] == [
        ("visit", Mode.APPROVE),
        ("mail", Mode.AUTOMATIC),
        ("mail", Mode.AUTOMATIC),
    ]


def test_an_action_that_was_passed_over_because_its_condition_is_unknown_is_named() -> None:
    actions = (Action("visit", Mode.APPROVE, p.PLACE, LARGE), Action("mail", Mode.AUTOMATIC, p.PLACE))
    assert only(portfolio(30), KNOWN, rule(actions=actions)).sentence == (
        "It goes wrong: mail starts, automatically; "
        "visit (approve) was passed over, as nobody knows whether the account's ARR is at least 100"
    )


def test_without_an_action_that_applies_the_start_is_refused() -> None:
    decision = only(portfolio(30), KNOWN, rule(actions=(Action("visit", Mode.APPROVE, p.PLACE, LARGE),)))
    assert (decision.reason, decision.playbook) == (Reason.NO_ACTION, "")


def test_an_account_in_the_hold_out_arm_is_held_out_with_its_baseline() -> None:
    success = Success(within=30, feature=Feature("users"), limit=Limit("at_least", 60))
    challenge = Challenge("It goes wrong", ChallengeKind.RISK, "because", "cs-ops", success)
    everybody = rule(guard=Guard(hold_out=HoldOut(1.0)), challenge=challenge)
    decision = only(portfolio(30), KNOWN, everybody)
    assert (decision.kind, decision.arm, decision.mode) == (DecisionKind.HOLD_OUT, Arm.HELD_OUT, None)
    assert decision.baseline == 30.0
    assert decision.sentence == "It goes wrong: drawn for the hold-out of 100 %, so help does not start"


def test_an_exempt_account_is_never_held_out_and_an_unknown_one_is_not_exempt() -> None:
    guard = Guard(hold_out=HoldOut(1.0, exempt=LARGE))
    found = plan(portfolio(30, 30, fields={"arr": p.numbers(100, np.nan)}), KNOWN, rule(guard=guard)).decisions
    assert [each.arm for each in found] == [Arm.EXEMPT, Arm.HELD_OUT]


def test_of_two_rules_that_want_the_same_playbook_the_first_by_name_gets_it() -> None:
    found = plan(portfolio(30), KNOWN, rule("other"), rule("low")).decisions
    assert [(each.rule, each.kind, each.reason) for each in found] == [
        ("low", DecisionKind.START, None),
        ("other", DecisionKind.REFUSE, Reason.OPEN_RUN),
    ]


def test_while_an_account_is_held_out_no_other_rule_starts_the_playbook() -> None:
    found = plan(portfolio(30), KNOWN, rule("low", guard=Guard(hold_out=HoldOut(1.0))), rule("other")).decisions
    assert [each.reason for each in found] == [None, Reason.HELD_OUT_ELSEWHERE]
    elsewhere = rule("other", playbook="visit")
    found = plan(portfolio(30), KNOWN, rule("low", guard=Guard(hold_out=HoldOut(1.0))), elsewhere).decisions
    assert [each.kind for each in found] == [DecisionKind.HOLD_OUT, DecisionKind.START]


def test_a_plan_is_the_same_each_time() -> None:
    assert plan(many(5), KNOWN) == plan(many(5), KNOWN)
