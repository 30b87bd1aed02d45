"""Tiers over time: margin, dwell, exceptions, what is remembered through an outage, and where two ways disagree."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.scorecard import ForcedTier, Linear, Scorecard, Standard
from engine.evaluation.evaluation import evaluate
from engine.evaluation.explaining import account_score, explain
from engine.evaluation.facts import Before
from engine.evaluation.remembering import remember
from engine.evaluation.scoring import Scored
from engine.evaluation.tiers import settle, tier_by_score
from engine.terms import MICRO, Tier
from tests.engine.evaluation import portfolio as p

NAMES = ("attention", "notice", "well")
ONE = p.scorecard(p.dimension("all", 1.0, p.scored("a")))


def course(card: Scorecard, *scores: float | None, sponsor_gone: tuple[int, ...] = ()) -> list[str]:
    """The tier of one account, evaluation after evaluation, as each remembers the one before; ``-``: none."""
    return [
        "-" if code < 0 else NAMES[code]
        for code in (int(each.tier[0]) for each in run(card, *scores, gone=sponsor_gone))
    ]


def run(card: Scorecard, *scores: float | None, gone: tuple[int, ...] = ()) -> list[Scored]:
    bundle = p.bundle(p.catalog(p.metric("a"), p.metric("b")), cards=[card])
    found, before = [], Before()
    for day, value in enumerate(scores):
        points = {"a": p.series({} if value is None else {0: value}), "b": p.series({0: float(day in gone)})}
        evaluation = evaluate(bundle, p.facts(1, series=points, before=before))
        found.append(evaluation.scores["health"])
        before = remember(evaluation)
    return found


def test_inside_the_margin_a_tier_stays_until_it_has_dwelt_beyond_the_cut_for_three_evaluations() -> None:
    """D.6 37: 48 is within 3 points of 50."""
    assert course(ONE, 60, 48, 48, 48, 48) == ["notice", "notice", "notice", "attention", "attention"]


def test_past_the_margin_it_changes_at_once() -> None:
    assert course(ONE, 60, 46, 52, 54) == ["notice", "attention", "attention", "notice"]


def test_one_evaluation_back_inside_starts_the_count_again() -> None:
    assert course(ONE, 60, 48, 48, 51, 48, 48, 48) == [*["notice"] * 6, "attention"]


def test_a_swing_to_the_other_side_is_counted_for_itself() -> None:
    """Twice just below 75 and once just above it is not three times below."""
    assert course(ONE, 80, 74, 74, 76, 74, 74) == ["well"] * 6
    assert [int(each.pending[0]) for each in run(ONE, 80, 74, 74, 76, 74)] == [0, -1, -2, 0, -1]


def test_how_long_is_the_author_s_to_say() -> None:
    assert course(replace(ONE, dwell=1), 60, 48) == ["notice", "attention"]
    assert course(replace(ONE, dwell=5), 60, 48, 48, 48, 48, 48) == [*["notice"] * 5, "attention"]
    assert course(replace(ONE, margin=0.0), 60, 49.9) == ["notice", "attention"]


def test_the_raw_tier_is_kept_beside_the_settled_one() -> None:
    """S4-14."""
    found = run(ONE, 60, 48)[1]
    assert (found.raw_tier.tolist(), found.computed_tier.tolist(), found.tier.tolist()) == ([0], [1], [1])


def test_an_exception_bypasses_margin_and_dwell() -> None:
    forced = replace(ONE, forced=(ForcedTier(p.compare("b", ">", 0), Tier.REQUIRES_ATTENTION, p.PLACE),))
    assert course(forced, 90, 90, 90, sponsor_gone=(1,)) == ["well", "attention", "well"]


def test_an_outage_forgets_no_tier() -> None:
    """Insufficient data has no tier; the last known one is kept, shown, and settles the next."""
    found = run(ONE, 60, None, 48)
    assert [int(each.tier[0]) for each in found] == [1, -1, 1]
    assert [int(each.last_tier[0]) for each in found] == [1, 1, 1]
    said = explain(p.catalog(p.metric("a")), ONE, account_score(found[1], 0))
    assert said.headline == "health: Insufficient data"
    assert "When it was known last it was Take Notice" in said.reasons


CRITERIA = p.scorecard(
    p.dimension(
        "all",
        1.0,
        p.scored("a", weight=0.9, standard=Standard(acceptable=40, highest=80)),
        p.scored("b", weight=0.1, standard=Standard(acceptable=3, highest=0), normaliser=Linear(10, 0)),
    ),
)


def explained(card: Scorecard, a: float, b: float, **more: Any) -> tuple[str, ...]:
    catalog = p.catalog(p.metric("a"), p.metric("b", better="lower"))
    known = p.facts(1, series={"a": p.series({0: a}), "b": p.series({0: b})}, **more)
    scored = evaluate(p.bundle(catalog, cards=[card]), known).scores["health"]
    return explain(catalog, card, account_score(scored, 0)).reasons


def test_where_points_and_criteria_disagree_both_are_shown() -> None:
    """S0-14, trap 4: 94 points, and one criterion below its floor."""
    assert explained(CRITERIA, 100, 6) == (
        "By 94.0 points it is Doing Well",
        "By its criteria it would be Requires Attention: the two disagree",
        "B is 6; acceptable is at most 3",
    )
    assert explained(replace(CRITERIA, tiers_by="criteria"), 100, 6)[:2] == (
        "By its criteria it is Requires Attention",
        "By its points it would be Doing Well: the two disagree",
    )
    assert explained(CRITERIA, 100, 0) == ("By 100.0 points it is Doing Well",)


def test_what_is_below_its_limit_is_named_with_value_and_limit() -> None:
    """S0-02."""
    assert "A is 30; acceptable is at least 40" in explained(CRITERIA, 30, 0)


def test_tiers_by_criteria_follow_at_once_unless_a_dwell_is_written() -> None:
    for dwell, expected in ((1, ["well", "attention"]), (2, ["well", "well"])):
        card = replace(CRITERIA, tiers_by="criteria", dwell=dwell)
        catalog = p.catalog(p.metric("a"), p.metric("b"))
        found, before = [], Before()
        for a in (90, 30):
            known = p.facts(1, series={"a": p.series({0: a}), "b": p.series({0: 0})}, before=before)
            evaluation = evaluate(p.bundle(catalog, cards=[card]), known)
            found.append(NAMES[evaluation.scores["health"].tier[0]])
            before = remember(evaluation)
        assert found == expected


def test_the_precedence_of_criteria_is_the_written_one() -> None:
    """Trap 11: below its floor wins over the best; what is unknown is not met; nothing known is no tier."""
    catalog = p.catalog(p.metric("a"), p.metric("b"))
    card = replace(CRITERIA, tiers_by="criteria", min_coverage=0.0)
    rows: list[tuple[float | None, float | None]] = [
        (80, 0),
        (90, 4),
        (39, 0),
        (80, None),
        (None, 0),
        (39, None),
        (None, None),
    ]
    points = {
        name: p.series(*({} if (value := row[at]) is None else {0: value} for row in rows))
        for at, name in enumerate(("a", "b"))
    }
    scored = evaluate(p.bundle(catalog, cards=[card]), p.facts(len(rows), series=points)).scores["health"]
    assert scored.tier.tolist() == [2, 0, 0, 1, 1, 0, -1]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=30), st.integers(1, 6))
def test_a_settled_tier_is_the_raw_one_or_the_score_is_near_the_cut_and_not_for_long(
    scores: list[int], dwell: int
) -> None:
    card = replace(ONE, dwell=dwell)
    before, pending = None, None
    waiting = side = 0
    for score in scores:
        computed = np.array([score * MICRO], dtype=np.int64)
        raw = tier_by_score(card, computed)
        settled = settle(card, computed, raw, before, pending)
        above = int(np.sign(raw[0] - settled.tiers[0]))
        waiting = (waiting + 1 if above == side else 1) if above else 0
        side = above
        assert waiting < max(dwell, 1)
        if waiting:
            assert min(abs(score - 50), abs(score - 75)) <= card.margin
        before, pending = settled.tiers, settled.pending


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_score_that_comes_back_is_settled_from_the_tier_it_had(before: int) -> None:
    raw = tier_by_score(ONE, np.array([51 * MICRO]))
    found = settle(ONE, np.array([51 * MICRO]), raw, np.array([before], dtype=np.int8))
    assert found.tiers.tolist() == [{0: 0, 1: 1, 2: 1}[before]]
