"""Scores of contacts and products, rolled up into their account; and which of several scorecards leads."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.definitions.scorecard import RollUp, Scorecard
from engine.evaluation.columns import Numbers
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.facts import Facts, Products
from engine.evaluation.remembering import remember
from engine.evaluation.rolling_up import by_priority, leading
from engine.terms import MICRO
from tests.engine.evaluation import portfolio as p

LOGINS = p.metric("logins", of="contact")
SEATS, USE = p.metric("seats", of="product"), p.metric("use", of="product")
CATALOG = p.catalog(LOGINS, SEATS, USE, p.metric("a"))
PEOPLE = p.scorecard(
    p.dimension("all", 1.0, p.scored("logins", 0, 20)), name="people", of="contact", roll_up=RollUp("mean")
)
PARTS = p.scorecard(p.dimension("all", 1.0, p.scored("use")), name="parts", of="product", roll_up=RollUp("worst"))


def products(*accounts: int, names: tuple[str, ...] = ()) -> Products:
    named = names or tuple(f"part{at}" for at in range(len(accounts)))
    return Products(np.arange(len(accounts)) + 700, named, np.array(accounts, dtype=np.int64))


def known(size: int = 2, **more: Any) -> Facts:
    """Two accounts; the first has three contacts, the second one."""
    given: dict[str, Any] = {
        "people": ((0, ("champion",)), (0, ("user",)), (0, ("user",)), (1, ("user",))),
        "contact_series": {"logins": p.series({0: 20}, {0: 10}, {0: 3}, {})},
    }
    return p.facts(size, **(given | more))


def evaluated(*cards: Scorecard, **more: Any) -> Evaluation:
    return evaluate(p.bundle(CATALOG, cards=cards), known(**more))


def number(evaluation: Evaluation, name: str) -> list[float]:
    column = evaluation.columns[name]
    assert isinstance(column, Numbers)
    found: list[float] = column.values.tolist()
    return found


def test_every_contact_has_a_score_with_contributions_that_sum_to_it() -> None:
    """S3-11: 20, 10 and 3 of 20 logins; nothing is known of the fourth."""
    found = evaluated(PEOPLE).subject_scores["people"]
    assert found.computed.tolist() == [100 * MICRO, 50 * MICRO, 15 * MICRO, -1]
    assert found.contributions.sum(axis=1).tolist() == [100 * MICRO, 50 * MICRO, 15 * MICRO, 0]
    assert found.tier.tolist() == [2, 1, 0, -1]


def test_scores_of_contacts_are_no_scores_of_accounts() -> None:
    found = evaluated(PEOPLE)
    assert not found.scores
    assert set(found.every_score) == {"people"}


def test_a_scorecard_may_be_for_some_roles_and_those_who_left_are_in_none() -> None:
    """S3-11."""
    users = evaluated(replace(PEOPLE, roles=("user",))).subject_scores["people"]
    assert users.applies.tolist() == [False, True, True, True]
    facts = known()
    gone = replace(facts, contacts=replace(facts.contacts, departed=np.array([False, True, False, False])))
    found = evaluate(p.bundle(CATALOG, cards=[PEOPLE]), gone)
    assert found.subject_scores["people"].applies.tolist() == [True, False, True, True]
    assert number(found, "score.people")[0] == 57.5


def test_a_condition_of_theirs_may_read_the_contact_and_its_account() -> None:
    busy = replace(PEOPLE, applies_to=p.compare("contact.logins", ">", 5))
    assert evaluated(busy).subject_scores["people"].applies.tolist() == [True, True, False, False]
    big = replace(PEOPLE, applies_to=p.compare("account.arr", ">", 5))
    found = evaluated(big, fields={"arr": p.numbers(9, 1)}).subject_scores["people"]
    assert found.applies.tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("how", "expected"),
    [(RollUp("worst"), 15.0), (RollUp("mean"), 55.0)],
)
def test_contacts_roll_up_into_their_account_by_the_named_way(how: RollUp, expected: float) -> None:
    """S3-12, D.6 41: 100, 50 and 15: the worst is 15, the mean 55; who has no score has no say."""
    found = number(evaluated(replace(PEOPLE, roll_up=how)), "score.people")
    assert found[0] == expected
    assert np.isnan(found[1])


def test_an_account_with_two_products_has_two_scores_and_a_roll_up() -> None:
    """S1-02: 90 with 30 seats and 30 with 10: worst 30, mean 60, by seats (90 x 30 + 30 x 10) / 40 = 75."""
    given = {
        "products": products(0, 0, 1),
        "product_series": {"use": p.series({0: 90}, {0: 30}, {0: 50}), "seats": p.series({0: 30}, {0: 10}, {})},
    }
    found = evaluated(PARTS, **given)
    assert found.subject_scores["parts"].computed.tolist() == [90 * MICRO, 30 * MICRO, 50 * MICRO]
    assert number(found, "score.parts") == [30, 50]
    assert number(evaluated(replace(PARTS, roll_up=RollUp("mean")), **given), "score.parts") == [60, 50]
    by_seats = number(evaluated(replace(PARTS, roll_up=RollUp("weighted", "seats")), **given), "score.parts")
    assert by_seats[0] == 75
    assert np.isnan(by_seats[1])


def test_a_rolled_up_score_is_a_line_of_the_account_s_score_and_explained_with_it() -> None:
    """S3-12: half of the account's score is what its users are worth on the mean."""
    metric = p.metric("score.people", title="People, the mean of its contacts")
    catalog = p.catalog(*CATALOG.metrics.values(), metric)
    health = p.scorecard(
        p.dimension("all", 1.0, p.scored("a", weight=0.5), p.scored("score.people", weight=0.5)), min_coverage=0.0
    )
    bundle = p.bundle(catalog, cards=[health, PEOPLE])
    found = evaluate(bundle, known(series={"a": p.series({0: 75}, {0: 40})})).scores["health"]
    assert found.computed.tolist() == [65 * MICRO, 40 * MICRO]
    assert found.values[0].tolist() == [75, 55]


def test_scores_that_are_not_rolled_up_are_no_name_of_the_account() -> None:
    with pytest.raises(KeyError):
        evaluated(replace(PEOPLE, roll_up=None)).columns["score.people"]


def test_tiers_of_contacts_settle_like_those_of_accounts() -> None:
    first = evaluated(PEOPLE)
    second = evaluated(
        PEOPLE, contact_series={"logins": p.series({0: 14.8}, {0: 9.6}, {0: 9}, {0: 1})}, before=remember(first)
    )
    assert second.subject_scores["people"].raw_tier.tolist() == [1, 0, 0, 0]
    assert second.subject_scores["people"].tier.tolist() == [2, 1, 0, 0]


STAGE = p.compare("account.stage", "==", "onboarding", p.TEXT)
EARLY = p.scorecard(p.dimension("all", 1.0, p.scored("a")), name="early", priority=1, applies_to=STAGE)
LATER = p.scorecard(p.dimension("all", 1.0, p.scored("a", 0, 200)), name="later", priority=2)


def test_the_first_scorecard_by_priority_that_applies_leads_and_the_others_stay_visible() -> None:
    """S0-24, D.6 40: a model of its own for accounts in onboarding."""
    stages = p.texts("onboarding", "adoption", None)
    found = evaluated(LATER, EARLY, size=3, series={"a": p.series({0: 80}, {0: 80}, {0: 80})}, fields={"stage": stages})
    cards = {card.name: card for card in (LATER, EARLY)}
    assert by_priority(cards) == ("early", "later")
    assert leading(cards, found.scores, 3).tolist() == [0, 1, 1]
    assert found.scores["early"].computed.tolist() == [80 * MICRO, -1, -1]
    assert found.scores["later"].computed.tolist() == [40 * MICRO] * 3


def test_where_no_scorecard_applies_none_leads() -> None:
    found = evaluated(EARLY, size=1, series={"a": p.series({0: 80})}, fields={"stage": p.texts("adoption")})
    assert leading({"early": EARLY}, found.scores, 1).tolist() == [-1]


def test_two_models_over_the_same_data_are_both_valid() -> None:
    """S3-02."""
    found = evaluated(LATER, replace(EARLY, applies_to=None), size=1, series={"a": p.series({0: 80})})
    assert [found.scores[name].computed[0] for name in ("early", "later")] == [80 * MICRO, 40 * MICRO]
