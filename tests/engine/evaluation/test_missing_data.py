"""What a score does with what is not known: policies per metric, coverage, fading, metrics that are only shown."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.catalog import FromEvents, Metric
from engine.definitions.scorecard import (
    Bounded,
    Carry,
    Fades,
    Missing,
    Scorecard,
    ScoredMetric,
    Shown,
)
from engine.evaluation.columns import Numbers
from engine.evaluation.evaluation import evaluate
from engine.evaluation.explaining import account_score, explain
from engine.evaluation.facts import Facts
from engine.evaluation.scoring import Scored
from engine.evaluation.weighing import contribute, shares_of
from engine.terms import MICRO
from tests.engine.evaluation import portfolio as p

METRICS = ("a", "b", "c")


def card(*metrics: ScoredMetric, **more: Any) -> Scorecard:
    """One dimension in which every scored metric weighs the same."""
    scored = sum(metric.is_scored for metric in metrics)
    equal = [replace(metric, weight=1 / scored) if metric.is_scored else metric for metric in metrics]
    return p.scorecard(p.dimension("all", 1.0, *equal), **({"min_coverage": 0.0} | more))


def of(model: Scorecard, known: Facts) -> Scored:
    metrics = [p.metric(name, stale_after=7 if name == "c" else 0) for name in METRICS]
    return evaluate(p.bundle(p.catalog(*metrics), cards=[model]), known).scores["health"]


def ages(**points: Mapping[int, float]) -> Facts:
    """One account; each metric's points by age in days."""
    return p.facts(1, series={name: p.series(row) for name, row in points.items()})


def score_of(model: Scorecard, **points: Mapping[int, float]) -> float | None:
    micro = int(of(model, ages(**points)).computed[0])
    return None if micro < 0 else micro / MICRO


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("exclude", 80.0), ("neutral", 65.0), ("worst", 40.0), ("fail", None)],
)
def test_a_metric_may_have_its_own_answer_to_missing_data(missing: Missing, expected: float | None) -> None:
    """D.6 35: a = 80 and b unknown: 80 alone, (80 + 50) / 2, (80 + 0) / 2, or no score."""
    own = card(p.scored("a"), p.scored("b", missing=missing))
    assert score_of(own, a={0: 80}) == expected
    whole = card(p.scored("a"), p.scored("b"), missing=missing)
    assert score_of(whole, a={0: 80}) == expected
    assert score_of(whole, a={0: 80}, b={0: 40}) == 60.0


def test_the_metric_s_answer_goes_before_the_scorecard_s() -> None:
    assert score_of(card(p.scored("a"), p.scored("b", missing="worst"), missing="neutral"), a={0: 80}) == 40.0


def test_a_last_known_value_counts_up_to_its_age() -> None:
    """C is stale after 7 days: 20 days old it is carried on for 30 days and not for 10."""
    carried = card(p.scored("a"), p.scored("c", missing=Carry(30)))
    points: dict[str, Mapping[int, float]] = {"a": {0: 80}, "c": {20: 40}}
    assert score_of(carried, **points) == 60.0
    assert score_of(card(p.scored("a"), p.scored("c", missing=Carry(10))), **points) == 80.0
    assert of(carried, ages(**points)).coverage.tolist() == [1.0]


def test_what_must_be_known_is_named_where_it_is_not() -> None:
    model = card(p.scored("a"), p.scored("b", missing="fail"))
    found = of(model, ages(a={0: 80}))
    said = explain(p.catalog(*(p.metric(name) for name in METRICS)), model, account_score(found, 0))
    assert "B must be known for a score" in said.reasons
    assert said.lines[1].sentence == "B is not known, and without it there is no score"


def test_neutral_and_worst_do_not_count_as_known() -> None:
    """S1-61: the coverage says how little the score rests on."""
    for missing in ("neutral", "worst", "exclude"):
        assert of(card(p.scored("a"), p.scored("b"), missing=missing), ages(a={0: 80})).coverage.tolist() == [0.5]


def test_nothing_known_is_no_score_whatever_stands_for_it() -> None:
    """S1-62: never a zero, never a fifty."""
    for missing in ("neutral", "worst", "exclude", "fail"):
        assert score_of(card(p.scored("a"), p.scored("b"), missing=missing)) is None


def test_removing_any_input_leaves_a_score_with_less_coverage() -> None:
    """S1-09, S1-47."""
    model = card(p.scored("a"), p.scored("b"), p.scored("c"))
    points: dict[str, Mapping[int, float]] = {"a": {0: 30}, "b": {0: 60}, "c": {0: 90}}
    assert score_of(model, **points) == 60.0
    for name in METRICS:
        rest = {other: row for other, row in points.items() if other != name}
        found = of(model, ages(**rest))
        assert found.coverage[0] == pytest.approx(2 / 3)
        assert found.computed[0] == round(MICRO * sum(row[0] for row in rest.values()) / 2)


def test_outside_its_bounds_a_metric_is_known_and_weighs_nothing() -> None:
    """D.6 32: b is judged from 10 to 20 only; 40 is no gap in the data and moves nothing."""
    model = card(p.scored("a"), p.scored("b", normaliser=Bounded(10, 20)), min_coverage=0.9)
    assert score_of(model, a={0: 80}, b={0: 15}) == 65.0
    outside = of(model, ages(a={0: 80}, b={0: 40}))
    assert outside.computed.tolist() == [80 * MICRO]
    assert outside.coverage.tolist() == [1.0]
    assert outside.shares.tolist() == [[1.0, 0.0]]
    assert score_of(model, a={0: 80}) is None  # half is unknown: too little
    stood_in = card(p.scored("a"), p.scored("b", normaliser=Bounded(10, 20), missing="worst"))
    assert score_of(stood_in, a={0: 80}, b={0: 40}) == 80.0
    assert score_of(stood_in, a={0: 80}) == 40.0


def test_a_metric_that_is_not_scored_is_shown_and_adds_nothing() -> None:
    """S1-23: on the account, with zero contribution, no part of the coverage."""
    shown = p.scored("b", normaliser=Shown(), weight=0.0)
    with_b, without = (
        of(card(p.scored("a"), shown), ages(a={0: 80}, b={0: 7})),
        of(card(p.scored("a")), ages(a={0: 80})),
    )
    assert with_b.computed.tolist() == without.computed.tolist() == [80 * MICRO]
    assert with_b.contributions.tolist() == [[80 * MICRO, 0]]
    assert with_b.values.tolist() == [[80, 7]]
    assert of(card(p.scored("a"), shown), ages(a={0: 80})).coverage.tolist() == [1.0]
    catalog = p.catalog(*(p.metric(name) for name in METRICS))
    said = explain(catalog, card(p.scored("a"), shown), account_score(with_b, 0))
    assert said.lines[1].sentence == "B is 7; it is only shown and has no say"
    assert said.missing == ()


def test_what_people_said_loses_its_weight_when_it_is_old() -> None:
    """D.5 31: older than 90 days it has none, and its siblings take it over."""
    model = card(p.scored("a"), p.scored("b", fades=Fades(90, 90)))
    assert score_of(model, a={0: 80}, b={90: 20}) == 50.0
    old = of(model, ages(a={0: 80}, b={91: 20}))
    assert old.computed.tolist() == [80 * MICRO]
    assert old.contributions.tolist() == [[80 * MICRO, 0]]
    assert old.coverage.tolist() == [0.5]


def test_a_weight_may_fade_bit_by_bit() -> None:
    """From day 30 to day 90, a third of the way at day 50: 2/3 of its weight beside a whole one.

    Shares 3/5 and 2/5: 0.6 x 80 + 0.4 x 20 = 56.
    """
    model = card(p.scored("a"), p.scored("b", fades=Fades(30, 90)))
    assert score_of(model, a={0: 80}, b={30: 20}) == 50.0
    assert score_of(model, a={0: 80}, b={50: 20}) == 56.0
    assert score_of(model, a={0: 80}, b={90: 20}) == 80.0


def test_a_dimension_weighs_as_much_as_its_freshest_metric() -> None:
    """Two dimensions of 50 %: one fades to half, so it weighs 1/3 of the whole: 2/3 x 80 + 1/3 x 20 = 60."""
    fading = p.scored("b", fades=Fades(0, 100))
    model = p.scorecard(p.dimension("one", 0.5, p.scored("a")), p.dimension("two", 0.5, fading), min_coverage=0.0)
    assert score_of(model, a={0: 80}, b={50: 20}) == 60.0


WEIGHTS = st.lists(st.floats(0.001, 10), min_size=1, max_size=5)


@settings(max_examples=100, deadline=None)
@given(WEIGHTS, st.data())
def test_shares_sum_to_one_and_contributions_to_the_score_however_much_has_faded(
    weights: list[float], data: st.DataObject
) -> None:
    size = len(weights)
    fresh = np.array([data.draw(st.lists(st.integers(0, 365), min_size=size, max_size=size)) for _ in range(3)])
    fresh = fresh / 365
    marks = np.array([data.draw(st.lists(st.floats(0, 100), min_size=size, max_size=size)) for _ in range(3)])
    half = size // 2 or 1
    scored = [p.scored(f"m{at}", weight=weight) for at, weight in enumerate(weights)]
    dimensions = [p.dimension("x", 0.4, *scored[:half]), p.dimension("y", 0.6, *scored[half:])]
    model = p.scorecard(*[each for each in dimensions if each.metrics])
    shares = shares_of(model, np.ones((3, size), dtype=np.bool_), fresh)
    some = np.asarray((fresh > 0).any(axis=1))
    assert shares.sum(axis=1) == pytest.approx(some.astype(float))
    found = contribute(shares, marks, some)
    assert (np.abs(found.sum(axis=1) - (shares * marks).sum(axis=1) * MICRO) <= 0.51).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 14), st.integers(0, 2**32 - 1))
def test_shares_looked_up_by_pattern_equal_those_worked_out_row_by_row(count: int, seed: int) -> None:
    """Many accounts share what is known; the short way must say the same, bit for bit."""
    drawn = np.random.default_rng(seed)
    known = drawn.random((50, count)) < 0.7
    model = card(*(p.scored(f"m{at}") for at in range(count)))
    whole = shares_of(model, known)
    for row in range(50):
        assert whole[row].tolist() == shares_of(model, known[row : row + 1])[0].tolist()


LOGINS = p.metric("logins", from_events=FromEvents(("login",), over=7), stale_after=3)


def logins(newest: Mapping[str, int] | None, *days: Mapping[int, float], metric: Metric = LOGINS) -> list[float]:
    """Logins of a week; ``newest``: when anybody at all has logged in last."""
    known = p.facts(len(days), series={"logins": p.series(*days)}, newest_events=newest)
    evaluation = evaluate(p.bundle(p.catalog(metric, events={"login": p.event("login")})), known)
    column = evaluation.columns["logins"]
    assert isinstance(column, Numbers)
    found: list[float] = column.values.tolist()
    return found


def test_who_does_nothing_while_others_do_has_a_true_zero() -> None:
    """D.6 35: the source is alive, so an account without a login has not logged in."""
    assert logins({"login": p.AT - 3}, {3: 5}, {}) == [5, 0]
    assert logins(None, {3: 5}, {}) == [5, 0]


def test_a_source_that_is_silent_for_everybody_says_nothing_about_anybody() -> None:
    """D.6 35: four days without a login of anybody at all is a connector that is down, not a portfolio that left."""
    assert np.isnan(logins({"login": p.AT - 4}, {4: 5}, {})).all()
    assert np.isnan(logins({}, {}, {})).all()


def test_what_nobody_ever_sent_is_unknown_and_what_somebody_once_sent_is_not() -> None:
    """S1-09: without ``stale_after`` too a source that was never connected says nothing; silence has no limit there."""
    unlimited = replace(LOGINS, stale_after=0)
    assert np.isnan(logins({}, {}, {}, metric=unlimited)).all()
    assert logins({"login": p.AT - 900}, {}, {}, metric=unlimited) == [0, 0]


def test_a_source_that_is_down_lowers_the_coverage_and_not_the_score() -> None:
    model = p.scorecard(p.dimension("all", 1.0, p.scored("a", weight=0.5), p.scored("logins", 0, 10, weight=0.5)))
    catalog = p.catalog(p.metric("a"), LOGINS, events={"login": p.event("login")})
    points = {"a": p.series({0: 80}), "logins": p.series({5: 5})}
    for newest, expected, coverage in ((p.AT - 1, 65.0, 1.0), (p.AT - 5, 80.0, 0.5)):
        known = p.facts(1, series=points, newest_events={"login": newest})
        found = evaluate(p.bundle(catalog, cards=[replace(model, min_coverage=0.0)]), known).scores["health"]
        assert (found.computed[0] / MICRO, found.coverage[0]) == (expected, coverage)
