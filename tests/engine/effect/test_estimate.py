"""From judged outcomes to the effect of an experiment."""

from engine.definitions.bundle import Bundle
from engine.effect.estimate import ArmCount, Outcome, estimate, firsts
from engine.terms import Arm, OutcomeState

MET, NOT_MET, UNKNOWN, DUE = OutcomeState.MET, OutcomeState.NOT_MET, OutcomeState.UNKNOWN, OutcomeState.DUE


def arm(which: Arm, first_id: int, **states: int) -> list[Outcome]:
    listed = [OutcomeState(state) for state, count in states.items() for _ in range(count)]
    return [Outcome(first_id + i, "limit", "help", which, state, 100) for i, state in enumerate(listed)]


def test_the_effect_is_the_difference_of_the_arms_with_its_interval(bundle: Bundle) -> None:
    """S2-51."""
    outcomes = arm(Arm.TREATED, 0, met=56, not_met=14) + arm(Arm.HELD_OUT, 1000, met=48, not_met=32)
    effect = next(each for each in estimate(bundle, outcomes) if each.rule == "limit")
    assert effect.interval is not None
    assert (round(effect.interval.low, 4), round(effect.interval.high, 4)) == (0.0524, 0.3339)
    assert effect.sentence == (
        "help helps: more accounts met the goal with it than without (+20.0 points, 95 % interval +5.2 to +33.4)"
    )


def test_an_interval_with_zero_inside_claims_nothing(bundle: Bundle) -> None:
    outcomes = arm(Arm.TREATED, 0, met=35, not_met=35) + arm(Arm.HELD_OUT, 1000, met=15, not_met=15)
    effect = next(each for each in estimate(bundle, outcomes) if each.rule == "limit")
    assert effect.sentence.startswith("help: no difference shown")


def test_a_playbook_that_hurts_is_said_to_hurt(bundle: Bundle) -> None:
    outcomes = arm(Arm.TREATED, 0, met=10, not_met=60) + arm(Arm.HELD_OUT, 1000, met=20, not_met=10)
    effect = next(each for each in estimate(bundle, outcomes) if each.rule == "limit")
    assert effect.sentence.startswith("help does harm: fewer accounts")


def test_too_few_outcomes_give_no_interval_but_the_number_needed(bundle: Bundle) -> None:
    outcomes = arm(Arm.TREATED, 0, met=20, not_met=20) + arm(Arm.HELD_OUT, 1000, met=3, not_met=6, unknown=5)
    effect = next(each for each in estimate(bundle, outcomes) if each.rule == "limit")
    assert effect.interval is None
    assert effect.held_out == ArmCount(accounts=14, met=3, unknown=5)
    assert effect.sentence == (
        "not enough data: 40 treated and 9 held-out accounts are judged; "
        "you would need about 370 accounts per arm to see a difference of 10 points"
    )


def test_an_experiment_that_has_not_begun_is_listed_as_not_enough_data(bundle: Bundle) -> None:
    effects = estimate(bundle, [])
    assert [each.rule for each in effects] == ["change", "condition", "event", "limit"]
    assert all(each.interval is None and each.sentence.startswith("not enough data") for each in effects)


def test_outcomes_that_are_still_due_do_not_count(bundle: Bundle) -> None:
    effect = next(each for each in estimate(bundle, arm(Arm.TREATED, 0, due=5, met=2)) if each.rule == "limit")
    assert effect.treated == ArmCount(accounts=2, met=2, unknown=0)


def test_unknown_outcomes_are_counted_and_not_compared(bundle: Bundle) -> None:
    outcomes = arm(Arm.TREATED, 0, met=10, unknown=90) + arm(Arm.HELD_OUT, 1000, met=10, unknown=30)
    effect = next(each for each in estimate(bundle, outcomes) if each.rule == "limit")
    assert effect.interval is not None
    assert (effect.interval.uplift, effect.treated.unknown, effect.held_out.unknown) == (0.0, 90, 30)


def test_only_the_first_outcome_of_an_account_counts_in_one_drawing_of_arms() -> None:
    early, late = (Outcome(1, "limit", "help", Arm.TREATED, state, day) for state, day in ((NOT_MET, 10), (MET, 100)))
    redrawn = Outcome(1, "limit", "help", Arm.HELD_OUT, MET, 200)
    assert firsts([redrawn, late, early], rotate=180) == (early, redrawn)


def test_arms_of_the_wrong_size_are_warned_about(bundle: Bundle) -> None:
    outcomes = arm(Arm.TREATED, 0, met=450, not_met=450) + arm(Arm.HELD_OUT, 1000, met=50, not_met=50)
    effect = next(each for each in estimate(bundle, outcomes) if each.rule == "limit")
    (warning,) = effect.warnings
    assert warning == (
        "the arms do not have the sizes that were drawn: 100 of 1000 accounts are held out, 30 % was declared; "
        "find out why before you believe the effect"
    )


def test_outcomes_lost_in_one_arm_only_are_warned_about(bundle: Bundle) -> None:
    outcomes = arm(Arm.TREATED, 0, met=300, not_met=300, unknown=100) + arm(Arm.HELD_OUT, 1000, met=150, not_met=150)
    effect = next(each for each in estimate(bundle, outcomes) if each.rule == "limit")
    (warning,) = effect.warnings
    assert warning == (
        "the outcome is unknown for 14.3 % of the treated and 0 % of the held-out accounts: what is missing may differ "
        "between the arms, so distrust the effect"
    )


def test_outcomes_lost_in_both_arms_alike_are_no_warning(bundle: Bundle) -> None:
    outcomes = arm(Arm.TREATED, 0, met=300, unknown=100) + arm(Arm.HELD_OUT, 1000, met=130, unknown=40)
    effect = next(each for each in estimate(bundle, outcomes) if each.rule == "limit")
    assert effect.warnings == ()


def test_a_rule_without_a_hold_out_is_no_experiment(without_hold_out: Bundle) -> None:
    assert estimate(without_hold_out, []) == ()


def test_exempt_accounts_are_in_no_comparison(bundle: Bundle) -> None:
    """They were never drawn, so nobody like them was held out; counting them as treated would bias the effect."""
    drawn = [Outcome(n, "r", "p", Arm.TREATED if n % 2 else Arm.HELD_OUT, OutcomeState.NOT_MET, 10) for n in range(40)]
    large = [Outcome(100 + n, "r", "p", Arm.EXEMPT, OutcomeState.MET, 10) for n in range(40)]
    found = {(each.rule, each.playbook): each for each in estimate(bundle, [*drawn, *large])}[("r", "p")]
    assert found.treated.accounts == found.held_out.accounts == 20
    assert found.treated.met == 0
