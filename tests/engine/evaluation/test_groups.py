"""The groups of a score: seen by themselves, with their weights, and summing to it exactly."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.evaluation.evaluation import evaluate
from engine.evaluation.explaining import AccountScore, account_score
from engine.evaluation.groups import groups
from tests.engine.evaluation import portfolio as p

CARD = p.scorecard(
    p.dimension("outcomes", 0.5, p.scored("a")),
    p.dimension("product_usage", 0.3, p.scored("b", weight=0.6), p.scored("c", weight=0.4)),
    p.dimension("relationship", 0.2, p.scored("d")),
    min_coverage=0.3,
)


def scored(**values: float) -> AccountScore:
    catalog = p.catalog(*(p.metric(name) for name in "abcd"))
    known = p.facts(1, series={name: p.series({0: value}) for name, value in values.items()})
    return account_score(evaluate(p.bundle(catalog, cards=[CARD]), known).scores["health"], 0)


def test_every_group_has_a_score_and_a_weight() -> None:
    """S4-12, S4-13: usage is 0.6 x 50 + 0.4 x 100 = 70 of 100, weighs 30 % and adds 21 points."""
    found = groups(CARD, scored(a=80, b=50, c=100, d=10))
    assert [(group.name, group.weight, group.share) for group in found] == [
        ("outcomes", 0.5, 0.5),
        ("product_usage", 0.3, pytest.approx(0.3)),
        ("relationship", 0.2, 0.2),
    ]
    assert [group.score for group in found] == pytest.approx([80, 70, 10])
    assert found[1].sentence == "Product usage: 70.0 of 100 x 30 % = 21.0 points"


def test_a_group_of_which_nothing_is_known_gives_its_weight_to_the_others() -> None:
    found = groups(CARD, scored(a=80, b=50, c=100))
    assert [group.score for group in found[:2]] == pytest.approx([80, 70])
    assert [group.share for group in found] == pytest.approx([0.625, 0.375, 0])
    assert (found[2].score, found[2].sentence) == (None, "Relationship: nothing of it has a say")


def test_without_a_score_no_group_has_one() -> None:
    assert [group.score for group in groups(CARD, scored(d=10))] == [None, None, None]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=4, max_size=4))
def test_the_points_of_the_groups_sum_to_the_score(values: list[float]) -> None:
    score = scored(**dict(zip("abcd", values, strict=True)))
    found = groups(CARD, score)
    assert sum(group.micro for group in found) == score.computed
    assert np.isclose(sum(group.share for group in found), 1)
