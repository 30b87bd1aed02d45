"""The shipped challenges beyond the first six: what sets each off, and what kind of step answers it."""

import pytest

from engine.definitions.playbook import AskStep, TaskStep, walk
from engine.evaluation.examples import tell
from engine.terms import ChallengeKind, Verdict
from tests.starter.pack import PACK


def fires(rule: str) -> list[str]:
    """The names of the rule's examples in which it does fire, worked out again."""
    found = [example for example in PACK.rules[rule].examples if example.then == "fires"]
    assert all(tell(PACK, example).rules[rule][0] == Verdict.HOLDS for example in found)
    return [example.name for example in found]


def answer(rule: str) -> str:
    """The playbook of the last action, which applies to everybody."""
    return PACK.rules[rule].actions[-1].playbook


@pytest.mark.parametrize(
    ("rule", "playbook"),
    [
        ("opens-but-idles", "find-out-why"),
        ("shallow-use", "train-the-team"),
        ("light-use", "find-out-why"),
        ("hard-to-use", "train-the-team"),
        ("seats-not-set-up", "finish-setup"),
        ("slow-start", "train-the-team"),
        ("value-at-risk", "find-out-why"),
        ("slipping-everywhere", "rethink-the-plan"),
        ("slipping-key-users", "call-key-users"),
        ("roi-proven", "celebrate-win"),
        ("used-without-return", "find-out-why"),
        ("milestone-late", "get-delivery-back"),
        ("detractor", "close-the-loop"),
        ("low-csat", "close-the-loop"),
        ("complaint-waiting", "close-the-loop"),
        ("support-overload", "close-the-loop"),
        ("says-and-does", "rethink-the-plan"),
        ("sponsor-changed", "know-more-people"),
        ("team-changing", "know-more-people"),
        ("answers-slower", "know-more-people"),
        ("weak-before-renewal", "know-more-people"),
        ("invoice-overdue", "settle-invoice"),
        ("renewal-ahead", "renewal-prep"),
        ("upgrade-interest", "talk-about-growth"),
        ("ask-for-reference", "celebrate-win"),
    ],
)
def test_a_challenge_is_set_off_by_what_it_names_and_answered_by_its_playbook(rule: str, playbook: str) -> None:
    """S0-30, S1-11, S1-42, S1-43, S1-44, S1-45, S2-20, S2-21, S2-22, S2-23, S2-24, S3-29, S3-37, S3-38, S4-20, S4-23,
    S4-52, S4-55, S4-57: each row of the articles with a rule of its own."""
    assert fires(rule)
    assert answer(rule) == playbook


def test_nothing_is_said_where_nobody_measures_it() -> None:
    """A workspace that sends none of these figures hears nothing from the rules about them."""
    told = [rule for rule in PACK.rules.values() for example in rule.examples if example.then == "unknown"]
    assert {"seats-not-set-up", "roi-proven", "low-csat", "answers-slower", "renewal-ahead"} <= {r.name for r in told}


def test_leading_indicators_are_shown_beside_the_score_and_never_part_of_it() -> None:
    """S1-40, S1-42, S1-43, S1-44, S1-45: interest in more, a team or sponsor that changes, slower answers."""
    leading = {name for name, rule in PACK.rules.items() if rule.leading_indicator}
    assert leading == {"says-and-does", "sponsor-changed", "team-changing", "answers-slower", "upgrade-interest"}
    read = {name for card in PACK.scorecards.values() for forced in card.forced for name in forced.when.names}
    assert not [name for name in read if name.removeprefix("signal.").partition(".")[0] in leading]


def test_a_contradiction_is_a_signal_of_its_own() -> None:
    """S1-41: a power user at an account that a colleague calls unhappy; and used a lot with little return (S4-57)."""
    assert "fires when a power user is at an unhappy account" in fires("says-and-does")
    assert PACK.rules["used-without-return"].challenge.kind is ChallengeKind.RISK


def test_use_is_told_apart_by_what_helps_training_help_pages_or_the_product() -> None:
    """S4-17, S4-18, S4-19: training where people stop halfway, and the product team where something is missing."""
    assert answer("slow-start") == answer("hard-to-use") == "train-the-team"
    assert PACK.playbooks["train-the-team"].category == "education"
    tasks = [step.title for step in walk(PACK.playbooks["find-out-why"].steps) if isinstance(step, TaskStep)]
    assert [title for title in tasks if "product team" in title]
    assert [title for title in tasks if "shows their people" in title]


def test_falling_use_everywhere_asks_questions_and_key_users_are_called() -> None:
    """S4-21, S4-22: the strategy is reviewed and targeted questions are asked; or somebody calls the very people."""
    everywhere = list(walk(PACK.playbooks[answer("slipping-everywhere")].steps))
    assert [step for step in everywhere if isinstance(step, TaskStep) and "Review the engagement plan" in step.title]
    assert {name for step in everywhere if isinstance(step, AskStep) for name in step.questions} >= {
        "content_with_product",
        "asks_for_missing",
    }
    called = [step.title for step in walk(PACK.playbooks["call-key-users"].steps) if isinstance(step, TaskStep)]
    assert called[0].startswith("Call the key users of")


def test_the_next_steps_are_to_sell_more_to_save_to_educate_and_to_support() -> None:
    """S1-55, S1-56, S1-57, S1-58, S3-17: each kind has a rule and a playbook."""
    kinds = {
        "sell more": answer("upgrade-interest"),
        "save": answer("says-and-does"),
        "educate": answer("shallow-use"),
        "support": answer("support-overload"),
    }
    assert len(set(kinds.values())) == 4
    assert PACK.playbooks[kinds["educate"]].category == "education"


def test_every_question_of_the_articles_is_asked_by_some_playbook() -> None:
    """S1-32, S3-33, S4-31, S4-32, S4-33: by whom it concerns, at the moment it matters."""
    steps = [step for playbook in PACK.playbooks.values() for step in walk(playbook.steps)]
    asked = {name for step in steps if isinstance(step, AskStep) for name in step.questions}
    assert asked >= {
        "asks_for_missing", "content_with_product", "engaged_on_calls", "happy_with_product", "renewal_settled",
        "right_people", "sentiment", "smooth_onboarding", "willing_to_recommend",
    }  # fmt: skip
    assert {"score_looks_right", "score_is_useful"} <= PACK.catalog.questions.keys()


def test_what_is_contentious_before_a_renewal_is_not_left_to_one_person() -> None:
    """S4-33, S3-30: four months ahead, and where questions are open a second colleague is asked."""
    tasks = [step.title for step in walk(PACK.playbooks["renewal-prep"].steps) if isinstance(step, TaskStep)]
    assert [title for title in tasks if "contentious" in title]
    assert fires("renewal-ahead") == ["fires 120 days before"]


def test_the_catalog_stands_in_groups_with_a_line_for_each_metric() -> None:
    """S2-36: what it is and how it bears on value, in words."""
    assert set(PACK.catalog.groups) == {
        "Commercial", "Delivery", "Questions", "Relationship", "Results", "Support and feedback", "Use",
    }  # fmt: skip
    grouped = [name for names in PACK.catalog.groups.values() for name in names]
    assert len(grouped) == len(set(grouped)) > 75
    assert all(len(PACK.catalog.metrics[name].bears_on_value) > 15 for name in grouped)


def test_to_make_an_advocate_of_them_is_a_goal_with_a_date() -> None:
    """S4-39."""
    challenge = PACK.rules["ask-for-reference"].challenge
    assert challenge.kind is ChallengeKind.GOAL
    assert (challenge.success.event, challenge.success.within) == ("reference_given", 90)
