"""What the shipped scorecard and rules say of accounts told in a few words: each input counts, none is needed."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from engine.definitions.problem import Place
from engine.definitions.rule import Example, ExampleEvent, ExampleGoal
from engine.evaluation.columns import Numbers
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.examples import tell
from engine.evaluation.explaining import AccountScore, account_score, explain
from engine.terms import ChallengeKind, Tier, Verdict
from tests.starter.pack import PACK

GOAL: Final = ExampleGoal("tickets_deflected", target=1_200, age=60, within=120)
WELL: Final[Mapping[str, Any]] = {"active_users": 80, "seats_sold": 100, "features_used": 8, "nps": 50}
MET: Final = (ExampleEvent("meeting", 2, "champion"),)
INPUTS: Final = ("goal", "active_users", "features_used", "nps", "meeting")


def seen(
    *events: ExampleEvent, goal: bool = True, deflected: float = 10, stage: str = "adoption", **given: float
) -> Evaluation:
    """An account of the shipped workspace; ``deflected``: support questions deflected on each of 60 days."""
    values: dict[str, Any] = {name: dict.fromkeys(range(30), value) for name, value in given.items()}
    values["account.stage"] = {0: stage}
    if goal:
        values["tickets_deflected"] = dict.fromkeys(range(60), deflected)
    ages: dict[str, tuple[int, ...]] = {}
    for one in events:
        ages[one.event] = (*ages.get(one.event, ()), one.age)
    agreed = (GOAL,) if goal else ()
    return tell(PACK, Example("it", values, "fires", Place("it"), ages, events, agreed))


def score(*events: ExampleEvent, **told: Any) -> AccountScore:
    """The account's health."""
    return account_score(seen(*events, **told).scores["health"], 0)


def without(name: str) -> AccountScore:
    """The account that does well, without one of its inputs."""
    given = {key: value for key, value in WELL.items() if key != name}
    return score(*(() if name == "meeting" else MET), goal=name != "goal", **given)


def test_an_account_that_does_everything_is_doing_well_at_100() -> None:
    """S0-09, S3-27."""
    whole = score(*MET, **WELL)
    assert (whole.effective, whole.tier) == (100_000_000, Tier.DOING_WELL)


def test_an_account_low_on_everything_requires_attention() -> None:
    """S0-13, S3-28."""
    low = score(
        ExampleEvent("meeting", 80, "champion"), deflected=1, active_users=8, seats_sold=100, features_used=1, nps=-40
    )
    assert low.effective is not None
    assert low.effective < 20_000_000
    assert low.tier is Tier.REQUIRES_ATTENTION


@pytest.mark.parametrize("name", INPUTS)
def test_without_any_one_input_there_is_still_a_score_with_less_coverage(name: str) -> None:
    """S1-09, S1-47: what customers do, what teams observe and what customers say each count, and none is needed."""
    whole, part = score(*MET, **WELL), without(name)
    assert part.coverage < whole.coverage
    if name == "goal":
        assert part.coverage < 0.6, "half of the model is what the customer wants to reach"
        assert part.effective is None
    else:
        assert part.effective == 100_000_000


@pytest.mark.parametrize(
    ("told", "events"),
    [
        ({"deflected": 5}, MET),
        ({"active_users": 30}, MET),
        ({"features_used": 2}, MET),
        ({"nps": -20}, MET),
        ({}, (ExampleEvent("meeting", 40, "champion"),)),
        ({}, (*MET, ExampleEvent("escalation", 3, "champion"))),
    ],
    ids=["goal", "seats in use", "features", "NPS", "contact", "escalation"],
)
def test_each_input_moves_the_score(told: dict[str, Any], events: tuple[ExampleEvent, ...]) -> None:
    """S1-03, S1-04, S1-07, S0-38, S4-35: outcomes, usage, feedback, relationship and escalations."""
    worse = score(*events, **{**WELL, **told})
    assert worse.effective is not None
    assert worse.effective < 100_000_000


def test_the_explanation_names_every_part_with_its_share() -> None:
    """S1-18, S2-36, S4-48: in words, each part with its share of the whole; the shares sum to 100 %."""
    found = score(*MET, **WELL)
    assert sum(line.share for line in found.lines) == pytest.approx(1.0)
    text = explain(PACK.catalog, PACK.scorecards["health"], found, None).text
    for name in ("tickets_deflected", "license_utilization", "features_used", "nps", "days_since_contact"):
        assert PACK.catalog.metrics[name].title in text
        assert name not in text, "people read titles, not keys"


@pytest.mark.parametrize("touch", ["reply", "meeting", "call"])
def test_a_mail_answered_a_meeting_and_a_call_each_end_the_silence(touch: str) -> None:
    """S4-40, S4-41, S4-42: with somebody who matters."""

    def silence(*events: ExampleEvent) -> float:
        column = seen(*events, **WELL).columns["days_since_contact"]
        assert isinstance(column, Numbers)
        return float(column.values[0])

    before = ExampleEvent("meeting", 30, "champion")
    assert silence(before) == 30
    assert silence(before, ExampleEvent(touch, 4, "sponsor")) == 4
    assert silence(before, ExampleEvent(touch, 4, "user")) == 30, "a user is not a key contact"


def test_a_leading_event_alone_starts_its_playbook_while_the_score_is_high() -> None:
    """S1-60, S1-46, S2-25: the champion leaves, and nothing else has changed."""
    gone = seen(*MET, ExampleEvent("contact_departed", 1, "champion"), **WELL)
    assert gone.rules["champion-left"][0] == Verdict.HOLDS
    assert gone.scores["health"].computed[0] == 100_000_000
    assert [action.playbook for action in PACK.rules["champion-left"].actions] == ["new-champion"]


def test_room_to_grow_is_seen_where_the_customer_is_happy_and_never_where_it_complains() -> None:
    """S1-10, S0-10: doing well leads to an offer, and to no playbook that saves."""
    full = {**WELL, "active_users": 95}
    happy = seen(*MET, **full)
    assert account_score(happy.scores["health"], 0).tier is Tier.DOING_WELL
    firing = [name for name, verdicts in happy.rules.items() if verdicts[0] == Verdict.HOLDS]
    assert firing == ["ready-to-expand"]
    assert PACK.rules["ready-to-expand"].challenge.kind is ChallengeKind.OPPORTUNITY
    complaining = seen(*MET, ExampleEvent("escalation", 3, "champion"), **full)
    assert complaining.rules["ready-to-expand"][0] == Verdict.FAILS


def test_what_colleagues_are_asked_is_on_a_scale_and_becomes_a_measurement() -> None:
    """S1-30, S1-31, S4-27, S4-31: how engaged on calls, how happy with the product."""
    asked = {name for playbook in PACK.playbooks.values() for step in playbook.steps for name in questions(step)}
    for name in ("engaged_on_calls", "happy_with_product"):
        question, metric = PACK.catalog.questions[name], PACK.catalog.metrics[name]
        assert (question.low, question.high) == (1, 5)
        assert (question.evidence, metric.evidence) == ("observe", "observe")
        assert name in asked


def questions(step: object) -> tuple[str, ...]:
    """What a step asks."""
    return tuple(getattr(step, "questions", ()))


def test_every_signal_is_observed_and_arms_an_action() -> None:
    """S2-16: a measure that this version observes, in the condition that the rule's actions answer."""
    for rule in PACK.rules.values():
        assert rule.actions
        assert {f"signal.{name}" for name in rule.signals} <= set(rule.when.names)


def test_what_a_colleague_says_today_counts_from_today_and_yesterday_stays_what_it_was() -> None:
    """S4-29: two changes on consecutive days."""
    told = {"happy_with_product": {1: 2.0, 0: 4.0}}
    columns = tell(PACK, Example("it", told, "fires", Place("it"))).columns

    def value(name: str) -> float:
        column = columns[name]
        assert isinstance(column, Numbers)
        return float(column.values[0])

    assert value("happy_with_product") == 4
    assert value("happy_with_product.previous_1d") == 2
