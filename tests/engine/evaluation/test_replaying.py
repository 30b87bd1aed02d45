"""Replaying sees what was so on each day and nothing that came later."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from engine.definitions.feature import Feature
from engine.definitions.rule import ConditionMeasure, Limit, ThresholdMeasure
from engine.evaluation.columns import Texts
from engine.evaluation.facts import Series
from engine.evaluation.narrowing import narrowed, rule_names, todays
from engine.evaluation.replaying import as_then, customers, replay
from tests.engine.evaluation import portfolio as made
from tests.engine.evaluation.portfolio import AT


def low(limit: float = 10) -> ThresholdMeasure:
    return ThresholdMeasure(Feature("usage"), Limit("below", limit))


CATALOG = made.catalog(made.metric("usage", stale_after=30))
BUNDLE = made.bundle(CATALOG, made.rule("low-usage", {"low": low()}))
FACTS = made.facts(2, series={"usage": made.series({21: 20, 14: 20, 7: 5, 0: 5}, {21: 5, 14: 20, 7: 20, 0: 20})})


def replayed(*ages: int) -> list[list[int]]:
    found = replay(BUNDLE, [replace(FACTS, at=AT - age) for age in ages])
    return [row.tolist() for row in found.rules["low-usage"]]


def test_each_cutoff_sees_the_values_of_its_day() -> None:
    assert replayed(21, 14, 7, 0) == [[-1, 1], [-1, -1], [1, -1], [1, -1]]


def test_there_must_be_a_day() -> None:
    with pytest.raises(ValueError, match="no day"):
        replay(BUNDLE, [])


def test_a_planted_future_does_not_show() -> None:
    """Stage, start, goals and people of a later day, and what people have overridden, are not known yet."""
    later = made.facts(
        3,
        fields={
            "stage": made.texts("churned", "adoption", "churned"),
            "stage_since": made.numbers(AT + 5, AT - 5, AT),
            "onboarded_on": made.numbers(AT - 90, AT + 1, np.nan),
        },
        goals={"g": made.agreed(100, 0, age=-3, remaining=90, size=3)},
        people=[(0, ["champion"]), (0, ["user"])],
    )
    people = replace(later.contacts, fields={"joined_on": made.numbers(AT + 2, np.nan)})
    then = as_then(replace(later, contacts=people))
    stage = then.fields["stage"]
    assert isinstance(stage, Texts)
    assert [stage.words[code] if code >= 0 else None for code in stage.codes] == [None, "adoption", "churned"]
    assert np.isnan(then.goals["g"].target).all()
    assert then.contacts.departed.tolist() == [True, False]
    assert then.overrides == ()
    assert customers(later).tolist() == [True, False, False], "churns later, begins later, has churned"


def test_verdicts_on_a_day_are_the_same_whatever_comes_later() -> None:
    """The law of no look-ahead: cutting the future off changes nothing."""
    whole = replayed(21, 14)
    points = FACTS.series["usage"]
    assert isinstance(points, Series)
    kept = points.days <= AT - 14
    cut = replace(points, rows=points.rows[kept], days=points.days[kept], values=points.values[kept], derived={})
    found = replay(BUNDLE, [replace(FACTS, at=AT - age, series={"usage": cut}) for age in (21, 14)])
    assert [row.tolist() for row in found.rules["low-usage"]] == whole


def test_each_evaluation_remembers_the_one_before() -> None:
    """A signal that clears at another limit keeps firing from cutoff to cutoff."""
    from engine.definitions.rule import Signal

    holding = Signal("low", low(), made.PLACE, clears=Limit("above", 30))
    bundle = made.bundle(CATALOG, made.rule("low-usage", {"low": holding}))
    found = replay(bundle, [replace(FACTS, at=AT - age) for age in (21, 14, 7, 0)])
    assert found.rules["low-usage"][:, 1].tolist() == [1, 1, 1, 1]


def test_metrics_and_conditions_come_along() -> None:
    wanted = made.compare("usage", ">=", 20.0)
    found = replay(BUNDLE, [replace(FACTS, at=AT - age) for age in (14, 0)], ["usage"], wanted)
    assert_array_equal(found.metrics["usage"], [[20, 20], [5, 20]])
    assert found.condition is not None
    assert found.condition.tolist() == [[1, 1], [-1, 1]]


def test_only_what_a_rule_reads_is_kept() -> None:
    asks = ConditionMeasure(made.compare("score.health", "<", 50.0))
    other = made.rule("on-score", {"bad": asks})
    card = made.scorecard(made.dimension("d", 1.0, made.scored("usage")))
    bundle = made.bundle(CATALOG, BUNDLE.rules["low-usage"], other, cards=[card])
    assert narrowed(bundle, ["low-usage"], []).scorecards == {}
    small = narrowed(bundle, ["on-score"], [])
    assert (list(small.rules), list(small.scorecards)) == (["on-score"], ["health"])
    assert small.rules["on-score"].actions == ()
    assert {"usage"} < rule_names(bundle.rules["low-usage"])


def test_a_field_without_a_past_is_named_however_deep_it_hides() -> None:
    by_size = made.compare("account.arr", ">=", 1000.0)
    catalog = made.catalog(made.metric("usage"), segments={"large": by_size})
    inside = ConditionMeasure(made.flag("in_segment.large"))
    bundle = made.bundle(catalog, made.rule("large-only", {"large": inside, "low": low()}))
    assert todays(bundle, rule_names(bundle.rules["large-only"])) == ("account.arr",)
    assert todays(bundle, ["account.stage", "account.days_in_stage", "usage"]) == ()
    assert todays(bundle, ["account.renewal_in_days"]) == ("account.renewal_in_days",)
