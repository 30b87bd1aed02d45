"""Who goes before whom (D.5 30): safety, then a stop, then a person's override, then an exception, then the model."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.definitions.measure import ConditionMeasure
from engine.definitions.scorecard import ForcedTier
from engine.evaluation.deciding import Decision, Past, decide
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.facts import MetricOverride, ScoreOverride
from engine.evaluation.scoring import TIERS
from engine.terms import DecisionKind, Reason, Tier
from tests.engine.evaluation import portfolio as p

AT = datetime(2024, 10, 4, tzinfo=UTC)
PLAIN = p.scorecard(p.dimension("all", 1.0, p.scored("users")))
WITH_EXCEPTION = replace(PLAIN, forced=(ForcedTier(p.compare("calls", ">=", 1), Tier.TAKE_NOTICE, p.PLACE),))
RULE = p.rule("low", {"low": ConditionMeasure(p.compare("tier.health", "==", "requires_attention", p.TEXT))})
PERSON = ScoreOverride(0, "health", "they told me", "ana@example.com", "2026-12-22", tier="requires_attention")


def evaluated(*, exception: bool, person: bool, metric: float | None = None) -> Evaluation:
    """An account of 90 points: Doing Well by the model, Take Notice by the exception, the worst by the person."""
    card = WITH_EXCEPTION if exception else PLAIN
    bundle = p.bundle(p.catalog(p.metric("users"), p.metric("calls")), RULE, cards=[card])
    words = () if metric is None else (MetricOverride(0, "users", metric, "so", "ana@example.com", "2026-12-22"),)
    known = p.facts(
        1,
        series={"users": p.series({0: 90}), "calls": p.series({0: 1})},
        overrides=(PERSON,) if person else (),
        metric_overrides=words,
    )
    return evaluate(bundle, known)


@pytest.mark.parametrize(
    ("exception", "person", "tier"),
    [
        (False, False, Tier.DOING_WELL),
        (True, False, Tier.TAKE_NOTICE),
        (False, True, Tier.REQUIRES_ATTENTION),
        (True, True, Tier.REQUIRES_ATTENTION),
    ],
)
def test_a_person_goes_before_an_exception_and_an_exception_before_the_model(
    exception: bool, person: bool, tier: Tier
) -> None:
    """S2-39, D.5 30; whatever is effective, the computed score is kept."""
    found = evaluated(exception=exception, person=person)
    assert TIERS[found.scores["health"].tier[0]] is tier
    assert found.scores["health"].computed.tolist() == [90_000_000]


def test_a_word_on_the_score_goes_before_a_word_on_its_metric() -> None:
    found = evaluated(exception=False, person=True, metric=10.0)
    assert found.scores["health"].computed.tolist() == [10_000_000]
    assert evaluated(exception=False, person=False, metric=10.0).scores["health"].tier.tolist() == [0]


def decided(past: Past) -> Decision:
    bundle = p.bundle(p.catalog(p.metric("users"), p.metric("calls")), RULE, cards=[WITH_EXCEPTION])
    (decision,) = decide(bundle, evaluated(exception=True, person=True), past, AT).decisions
    return decision


KNOWN = Past(known_rules=frozenset({"low"}))


@pytest.mark.parametrize(
    ("past", "reason"),
    [
        (KNOWN, None),
        (replace(KNOWN, stopped=frozenset({100})), Reason.STOPPED),
        (replace(KNOWN, suppressed=frozenset({100})), Reason.SUPPRESSED),
    ],
)
def test_what_a_person_made_fire_starts_nothing_where_it_is_stopped_or_unlawful(
    past: Past, reason: Reason | None
) -> None:
    """D.5 30: an override never goes before an account's stop or before the law."""
    found = decided(past)
    assert (found.kind is DecisionKind.START, found.reason) == (reason is None, reason)
