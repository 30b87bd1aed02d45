"""The cause below a fall, down to what its formula is made of and to people; and which playbooks answer it."""

from dataclasses import replace
from typing import Any

import pytest

from engine.definitions.catalog import FromContacts
from engine.definitions.condition import Arithmetic, Var
from engine.definitions.feature import Feature, Window
from engine.definitions.measure import ConditionMeasure
from engine.definitions.rule import Action, Limit, ThresholdMeasure
from engine.definitions.scorecard import Scorecard
from engine.evaluation.answering import Measured, answers
from engine.evaluation.changes import explain_change
from engine.evaluation.evaluation import evaluate
from engine.evaluation.explaining import account_score
from engine.evaluation.facts import Facts
from engine.evaluation.features import Features
from engine.evaluation.root_causes import RootCause, root_cause
from engine.terms import ChallengeKind, Mode
from tests.engine.evaluation import portfolio as p

RATIO = p.condition(Arithmetic("/", (Var("active", p.NUMBER), Var("seats", p.NUMBER)), p.NUMBER), "active", "seats")
CATALOG = p.catalog(
    p.metric("active", from_contacts=FromContacts(Feature("logins", Window.SUM, 30), at_least=1.0)),
    p.metric("logins", of="contact"),
    p.metric("seats", title="Seats sold"),
    p.metric("use", title="Licence utilisation", type=p.SHARE, formula=RATIO),
    p.metric("calls"),
)
CARD = p.scorecard(
    p.dimension("product_use", 0.7, p.scored("use", full=1.0)), p.dimension("talk", 0.3, p.scored("calls"))
)
USERS = [(0, {"user"})] * 4


def known(logins: list[float], seats: float = 4, calls: float = 50) -> Facts:
    return p.facts(
        1,
        people=USERS,
        series={"seats": p.series({0: seats}), "calls": p.series({0: calls})},
        contact_series={"logins": p.series(*({0: each} for each in logins))},
    )


def cause(before: Facts, after: Facts, card: Scorecard = CARD) -> RootCause | None:
    bundle = p.bundle(CATALOG, cards=[card])
    scores = [account_score(evaluate(bundle, facts).scores["health"], 0) for facts in (before, after)]
    change = explain_change(CATALOG, card, scores[0], card, scores[1])
    return root_cause(CATALOG, card, change, Features(CATALOG, before), Features(CATALOG, after))


def test_a_fall_is_followed_to_the_input_and_the_people_behind_it() -> None:
    """S0-58, S0-59, S1-34: utilisation fell because active users fell, seats being the same; and who stopped."""
    found = cause(known([9, 5, 3, 1]), known([9, 5, 0, 0]))
    assert found is not None
    assert (found.metric, found.dimension, found.micro) == ("use", "product_use", -35_000_000)
    assert found.chain == ("use", "active")
    assert [(one.name, one.before, one.after, one.effect) for one in found.inputs] == [
        ("active", 4.0, 2.0, -0.5),
        ("seats", 4.0, 4.0, 0.0),
    ]
    assert [(one.key, one.stopped) for one in found.people] == [("c2", True), ("c3", True)]
    assert found.sentence == (
        "Licence utilisation (product use) moved the score by -35.0; "
        "because Active went from 4 to 2, Seats sold stayed 4; "
        "behind it: c2: sum of Logins over 30 days stopped (it was 3); "
        "c3: sum of Logins over 30 days stopped (it was 1)"
    )


def test_the_input_that_pulled_the_other_way_is_not_to_blame() -> None:
    found = cause(known([9, 5, 3, 1], seats=4), known([9, 5, 3, 0], seats=12))
    assert found is not None
    assert [one.name for one in found.inputs] == ["seats", "active"]
    assert found.chain == ("use", "seats")
    assert found.people == ()


def test_an_input_that_is_gone_is_said_to_be_unknown() -> None:
    """A metric that nobody can work out any more counts as the worst here, so that it falls."""
    worst = replace(CARD, missing="worst", min_coverage=0.0)
    after = known([9, 5, 3, 1])
    after = replace(after, series={"calls": after.series["calls"]})
    found = cause(known([9, 5, 3, 1]), after, worst)
    assert found is not None
    assert "because Seats sold went from 4 to not known, Active stayed 4" in found.sentence


def test_where_nothing_fell_there_is_no_cause() -> None:
    assert cause(known([9, 5, 0, 0]), known([9, 5, 3, 1])) is None


def low(name: str) -> ThresholdMeasure:
    return ThresholdMeasure(Feature(name), Limit("below", 0.5))


def rules(**signals: Any) -> Any:
    made = [p.rule(name, {"it": measure}, playbook=f"{name}-play") for name, measure in signals.items()]
    return p.bundle(CATALOG, *made, cards=[CARD])


def test_the_rules_that_read_the_cause_or_what_it_is_made_of_answer_it() -> None:
    """S0-03, S0-41: for each failing metric the playbooks mapped to it."""
    bundle = rules(seats=low("seats"), use=low("use"), calls=low("calls"))
    assert [one.playbook for one in answers(bundle, ("use", "active"), {})] == ["use-play"]
    assert [one.playbook for one in answers(bundle, ("use", "seats"), {})] == ["seats-play", "use-play"]


def test_a_metric_that_no_rule_reads_is_a_gap() -> None:
    """S0-03."""
    assert answers(rules(calls=low("calls")), ("use", "active"), {}) == ()


def test_a_rule_that_only_reads_the_score_answers_no_metric_in_particular() -> None:
    by_score = ConditionMeasure(p.compare("score.health", "<", 50))
    by_cause = ConditionMeasure(p.compare("cause.health", "==", "use", p.TEXT))
    bundle = rules(score=by_score, named=by_cause)
    assert [one.rule for one in answers(bundle, ("use",), {}, "health")] == ["named"]
    assert answers(bundle, ("calls",), {}, "health") == ()


@pytest.mark.parametrize(
    ("effects", "order"),
    [
        ({}, ["first", "second", "third"]),
        ({"second": Measured(0.2, 0.1, 0.3), "third": Measured(0.3, 0.05, 0.5)}, ["third", "second", "first"]),
        ({"first": Measured(0.4, -0.1, 0.9)}, ["first", "second", "third"]),
        ({"first": Measured(-0.2, -0.3, -0.1)}, ["second", "third", "first"]),
    ],
)
def test_proven_playbooks_come_first_then_the_authors_order_then_harm(
    effects: dict[str, Measured], order: list[str]
) -> None:
    """S2-50: by measured effect where there is enough evidence, else in the author's order; the basis is shown."""
    actions = tuple(Action(name, Mode.AUTOMATIC, p.PLACE) for name in ("first", "second", "third"))
    bundle = p.bundle(CATALOG, p.rule("use", {"it": low("use")}, actions=actions), cards=[CARD])
    found = answers(bundle, ("use",), {("use", name): effect for name, effect in effects.items()})
    assert [one.playbook for one in found] == order
    assert all(("not known yet" in one.basis) == (one.playbook not in effects) for one in found)
    if "second" in effects:
        assert found[1].basis == "measured: 20 (10 to 30) points more reach the goal than without it"


def test_a_metric_without_a_formula_has_nothing_below_it() -> None:
    found = cause(known([9, 5, 3, 1], calls=90), known([9, 5, 3, 1], calls=10))
    assert found is not None
    assert (found.metric, found.chain, found.inputs, found.people) == ("calls", ("calls",), (), ())


def test_an_opportunity_is_no_answer_to_a_fall() -> None:
    chance = replace(p.rule("a", {"it": low("use")}).challenge, kind=ChallengeKind.OPPORTUNITY)
    bundle = p.bundle(CATALOG, p.rule("a", {"it": low("use")}, challenge=chance), cards=[CARD])
    assert answers(bundle, ("use",), {}) == ()
