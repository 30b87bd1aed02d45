"""What a CSM reads as the reason: measured values beside their limits, and nothing that is no news."""

from typing import Any

import numpy as np
import pytest

from engine.definitions.condition import AnyOf
from engine.definitions.feature import Feature
from engine.definitions.rule import (
    ConditionMeasure,
    EventMeasure,
    Limit,
    Signal,
    SilenceMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.evaluation.evaluation import evaluate
from engine.evaluation.evidence import Evidence, evidence_of, is_scope, signal_sentence, telling
from engine.terms import Verdict
from tests.engine.evaluation import portfolio as p

CATALOG = p.catalog(p.metric("used", title="Licence utilisation", type=p.SHARE), p.metric("nps", title="NPS"))
BELOW = ThresholdMeasure(Feature("used"), Limit("below", 0.4))
CUSTOMER = ConditionMeasure(p.compare("account.stage", "!=", "churned", p.TEXT))
PROMOTER = p.compare("nps", ">=", 30)
HAPPY = ConditionMeasure(p.condition(AnyOf((PROMOTER.tree, p.compare("used", ">=", 0.9, p.SHARE).tree)), "nps", "used"))
COLUMNS = {"account.stage": p.texts("value"), "nps": p.numbers(45), "used": p.numbers(np.nan)}


def said(measure: Any, verdict: Verdict, value: float | None = None, **more: Any) -> str:
    return signal_sentence(CATALOG, Signal("it", measure, p.PLACE, **more), verdict, value, COLUMNS, 0)


@pytest.mark.parametrize(
    ("verdict", "value", "sentence"),
    [
        (Verdict.HOLDS, 0.31, "Licence utilisation is 31 %, below 40 % for 7 days"),
        (Verdict.FAILS, 0.55, "Licence utilisation is 55 %, not below 40 % for 7 days"),
        (Verdict.UNKNOWN, None, "Licence utilisation is not known; needed: below 40 % for 7 days"),
        (Verdict.HOLDS, 0.42, "Licence utilisation is 42 %: it was below 40 % for 7 days and is not above 45 % yet"),
    ],
)
def test_a_value_stands_beside_its_limit(verdict: Verdict, value: float | None, sentence: str) -> None:
    assert said(BELOW, verdict, value, lasting=7, clears=Limit("above", 0.45)) == sentence


@pytest.mark.parametrize(
    ("measure", "verdict", "value", "sentence"),
    [
        (
            TrendMeasure("nps", -0.2, 30, 0),
            Verdict.HOLDS,
            -0.31,
            "NPS went down by 31 % in 30 days against the 30 days before, down by 20 % or more",
        ),
        (
            TrendMeasure("nps", -0.2, 30, 5),
            Verdict.UNKNOWN,
            None,
            "NPS cannot be compared with the 30 days before; needed: down by 20 % or more",
        ),
        (
            SilenceMeasure(Feature("nps"), 30),
            Verdict.HOLDS,
            40.0,
            "NPS: silent for 40 days, more than 30 days",
        ),
        (
            EventMeasure("contact_departed", 30, roles=("key_user",)),
            Verdict.HOLDS,
            1.0,
            "Contact departed (key user): yesterday, within the last 30 days",
        ),
        (CUSTOMER, Verdict.FAILS, None, "The account's stage is value; needed: not churned"),
        (ConditionMeasure(PROMOTER), Verdict.HOLDS, None, "NPS is 45, at least 30"),
        (ConditionMeasure(p.compare("nps", "==", 45)), Verdict.HOLDS, None, "NPS is 45"),
        (HAPPY, Verdict.HOLDS, None, "NPS is 45; needed: NPS is at least 30 or Licence utilisation is at least 90 %"),
    ],
)
def test_every_measure_is_said_in_one_sentence(
    measure: Any, verdict: Verdict, value: float | None, sentence: str
) -> None:
    assert said(measure, verdict, value) == sentence


def test_only_a_condition_on_the_words_an_account_is_described_by_says_whom_a_rule_is_for() -> None:
    assert is_scope(CUSTOMER)
    assert is_scope(ConditionMeasure(p.flag("in_segment.enterprise")))
    assert not is_scope(ConditionMeasure(p.compare("account.renewal_in_days", "<", 90)))
    assert not is_scope(HAPPY)
    assert not is_scope(BELOW)


def seen(stage: str, *signals: str) -> tuple[Evidence, ...]:
    measures = {"low_use": BELOW, "still_a_customer": CUSTOMER}
    declared = p.rule("low", {name: measures[name] for name in signals})
    known = p.facts(1, series={"used": p.series({0: 0.3})}, fields={"stage": p.texts(stage)})
    evaluation = evaluate(p.bundle(CATALOG, declared), known)
    return telling(declared, evidence_of(declared, CATALOG, evaluation, 0))


def test_that_a_customer_is_still_one_is_no_news_unless_it_is_wrong_or_all_there_is() -> None:
    assert [each.signal for each in seen("value", "low_use", "still_a_customer")] == ["low_use"]
    assert [each.signal for each in seen("churned", "low_use", "still_a_customer")] == ["low_use", "still_a_customer"]
    assert [each.signal for each in seen("value", "still_a_customer")] == ["still_a_customer"]
