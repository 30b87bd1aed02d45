"""Explanations: every figure used is said, can be recomputed, and is said the same way each time."""

from dataclasses import replace
from typing import Any

import numpy as np

from engine.definitions.scorecard import ForcedTier, GoalLine, Scorecard, Threshold
from engine.evaluation.evaluation import evaluate
from engine.evaluation.explaining import AccountScore, Explanation, account_score, explain
from engine.evaluation.facts import Before, ScoreOverride
from engine.terms import MICRO, Tier
from tests.engine.evaluation import portfolio as p

CATALOG = p.catalog(
    p.metric("use", title="Licence utilisation", type=p.SHARE),
    p.metric("calls", title="Escalations", unit="escalations", better="lower"),
    p.metric("tickets", title="Tickets deflected"),
    goals={"tickets": p.goal("tickets", "tickets")},
)
CARD = p.scorecard(
    p.dimension(
        "usage",
        0.5,
        p.scored("use", 0.0, 0.8, weight=0.6),
        p.scored("calls", weight=0.4, normaliser=Threshold(good=0, poor=3)),
    ),
    p.dimension("outcomes", 0.5, p.scored("tickets", normaliser=GoalLine("tickets"))),
)


def account(card: Scorecard = CARD, **values: Any) -> AccountScore:
    goals = {"tickets": p.agreed(100, 0, 45, 45)}
    more = {key: values.pop(key) for key in ("before", "overrides") if key in values}
    known = p.facts(1, series={name: p.series({0: value}) for name, value in values.items()}, goals=goals, **more)
    return account_score(evaluate(p.bundle(CATALOG, cards=[card]), known).scores["health"], 0)


def told(card: Scorecard = CARD, override: ScoreOverride | None = None, **values: Any) -> Explanation:
    return explain(CATALOG, card, account(card, **values), override)


def test_a_score_is_explained_metric_by_metric_with_every_figure() -> None:
    """S0-50, S0-63: 37.5 x 30 % + 60 x 20 % + 90 x 50 %."""
    assert told(use=0.3, calls=1, tickets=45).text.splitlines() == [
        "health: 68.2 of 100, Take Notice",
        "By 68.2 points it is Take Notice",
        "100 % of the weight is known",
        "Licence utilisation is 30 % (0 at 0 %, 100 at 80 %): 37.5 of 100 x 30 % = 11.2 points",
        "Escalations is 1 (100 at 0, 0 at 3, 60 between): 60 of 100 x 20 % = 12.0 points",
        "Tickets deflected is 90 % of the goal's line: 90 of 100 x 50 % = 45.0 points",
    ]


def test_the_lines_sum_to_the_score() -> None:
    score = account(use=0.31, calls=2, tickets=17)
    assert score.computed == sum(line.contribution for line in score.lines)


def test_missing_metrics_are_named_and_have_no_say() -> None:
    found = told(use=0.3, tickets=45)
    assert found.coverage == "80 % of the weight is known; not known: Escalations"
    assert found.missing == ("Escalations",)
    assert found.lines[1].sentence == "Escalations is not known and has no say"


def test_insufficient_data_is_said_instead_of_a_number() -> None:
    found = told(use=0.3)
    assert found.headline == "health: Insufficient data"
    assert found.reasons == ("At least 60 % of the weight must be known for a score",)
    assert "points" not in found.lines[0].sentence


def test_a_missing_metric_that_counts_as_neutral_says_so() -> None:
    found = told(replace(CARD, missing="neutral"), use=0.3, tickets=45)
    assert found.lines[1].sentence == "Escalations is not known and stands for 50 of 100 x 20 % = 10.0 points"


def test_an_exception_is_named_as_the_reason_of_the_tier() -> None:
    card = replace(CARD, forced=(ForcedTier(p.compare("calls", ">=", 1), Tier.REQUIRES_ATTENTION, p.PLACE),))
    found = told(card, use=0.8, calls=1, tickets=50)
    assert found.headline == "health: 92.0 of 100, Requires Attention"
    assert found.reasons == (
        "By 92.0 points it is Doing Well",
        "It is Requires Attention by the exception: Escalations is at least 1",
    )


def test_a_margin_is_named_as_the_reason_of_the_tier() -> None:
    before = Before(tiers={"health": np.array([2], dtype=np.int8)})
    found = told(use=0.6, calls=1, tickets=39, before=before)
    assert found.headline == "health: 73.5 of 100, Doing Well"
    assert found.reasons[1].startswith("It is Doing Well: the score is within 3 points of the cut")


def test_an_override_is_shown_with_author_reason_and_expiry() -> None:
    """S2-39."""
    change = ScoreOverride(0, "health", "they told me", "ana@example.com", "2026-12-22", micro=20 * MICRO)
    found = told(override=change, use=0.8, calls=0, tickets=50, overrides=(change,))
    assert found.headline == "health: 20.0 of 100, Requires Attention"
    assert found.reasons == (
        "By 100.0 points it is Doing Well",
        "ana@example.com changed it until 2026-12-22: they told me",
    )


def test_explaining_again_gives_the_same_text() -> None:
    """S0-63."""
    assert told(use=0.3, calls=1, tickets=45).text == told(use=0.3, calls=1, tickets=45).text
