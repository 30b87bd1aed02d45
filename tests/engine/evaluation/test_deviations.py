"""How far a subject is from its own baseline: hand-computed, exact, unknown where nothing can be said."""

import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from engine.definitions.catalog import FromEvents
from engine.definitions.measure import DeviationMeasure, Limit
from engine.evaluation.deviations import deviation, moments
from engine.evaluation.evaluation import evaluate
from engine.evaluation.features import Features
from tests.engine.evaluation import portfolio as p

USERS = p.metric("users", decimals=0)
HOLDS, FAILS, UNKNOWN = 1, -1, 0


def measure(limit: Limit, baseline: int = 20, **more: Any) -> DeviationMeasure:
    return DeviationMeasure("users", limit, baseline, **{"least": 4, **more})


def verdicts(asked: DeviationMeasure, *rows: dict[int, float]) -> list[int]:
    known = p.facts(len(rows), series={"users": p.series(*rows)})
    found: list[int] = (
        evaluate(p.bundle(p.catalog(USERS), p.rule("r", {"it": asked})), known).signals["r.it"].verdicts.tolist()
    )
    return found


# 8, 12, 8, 12 … twenty days before today: mean 10, sample standard deviation sqrt(20 * 4 / 19).
WAVE = {age: 8.0 if age % 2 else 12.0 for age in range(1, 21)}
SPREAD = (80 / 19) ** 0.5


def test_the_distance_is_counted_in_sample_standard_deviations_of_the_days_before() -> None:
    found = deviation(
        measure(Limit("below", -3)),
        Features(p.catalog(USERS), p.facts(1, series={"users": p.series({**WAVE, 0: 4.0})})),
    )
    assert found.mean.tolist() == [10]
    assert found.points.tolist() == [20]
    assert found.spread[0] == pytest.approx(SPREAD)
    assert found.distance[0] == round((4 - 10) / SPREAD, 9)


def test_the_limit_is_strict_or_not_as_its_word_says() -> None:
    """One and two is a spread of exactly 1 with five of each and two of the mean: the distance is a whole number."""
    even = {age: 1.0 if age % 2 else 3.0 for age in range(1, 5)} | {5: 2.0}
    # Mean 2, squares 4, divisor 4: the spread is exactly 1.
    rows = [{**even, 0: -1.0}, {**even, 0: -2.0}, {**even, 0: 0.0}]
    assert verdicts(measure(Limit("below", -3), 10), *rows) == [FAILS, HOLDS, FAILS]
    assert verdicts(measure(Limit("at_most", -3), 10), *rows) == [HOLDS, HOLDS, FAILS]
    up = [{**even, 0: 5.0}, {**even, 0: 6.0}]
    assert verdicts(measure(Limit("above", 3), 10), *up) == [FAILS, HOLDS]
    assert verdicts(measure(Limit("at_least", 3), 10), *up) == [HOLDS, HOLDS]


def test_what_is_compared_is_never_part_of_the_baseline() -> None:
    """The latest value is three days old: the baseline has the points before it, and not itself."""
    wave = {age + 3: value for age, value in WAVE.items() if age <= 17}
    found = deviation(
        measure(Limit("below", -3)),
        Features(p.catalog(USERS), p.facts(1, series={"users": p.series({**wave, 3: 100.0})})),
    )
    assert (found.recent[0], found.points[0]) == (100, 17)
    assert found.mean[0] < 13


def test_the_mean_of_recent_days_stands_against_the_days_before_them() -> None:
    history = {age + 6: value for age, value in WAVE.items()} | dict.fromkeys(range(7), 2.0)
    found = deviation(
        measure(Limit("below", -3), recent=7),
        Features(p.catalog(USERS), p.facts(1, series={"users": p.series(history)})),
    )
    assert (found.recent[0], found.mean[0], found.points[0]) == (2, 10, 20)


def test_too_few_points_no_spread_and_no_value_are_unknown() -> None:
    few = {1: 8.0, 2: 12.0, 3: 8.0}
    same = dict.fromkeys(range(1, 21), 10.0)
    known = {**few, 4: 12.0}
    asked = measure(Limit("below", -1))
    assert verdicts(asked, {**few, 0: 0.0}, {**known, 0: 0.0}, {**same, 0: 0.0}, {}) == [
        UNKNOWN,
        HOLDS,
        UNKNOWN,
        UNKNOWN,
    ]


def test_a_day_without_an_event_counts_as_zero_in_a_baseline_of_events() -> None:
    calls = p.metric("users", decimals=0, from_events=FromEvents(("call",)))
    happened = {"call": p.happenings(*((0, -1, age) for age in range(20, 0, -1) if age % 2))}
    features = Features(p.catalog(calls, events={"call": p.event("call")}), p.facts(1, events=happened))
    found = deviation(measure(Limit("below", -3)), features)
    assert (found.recent[0], found.mean[0], found.points[0]) == (0, 0.5, 20)


@given(st.lists(st.integers(-(10**12), 10**12), min_size=2, max_size=60))
def test_moments_are_those_of_the_statistics_module(values: list[int]) -> None:
    mean, spread, points = moments(np.array(values, dtype=np.float64)[:, None], 2)
    assert points[0] == len(values)
    assert mean[0] == pytest.approx(statistics.fmean(values), rel=1e-12, abs=1e-9)
    assert spread[0] == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-9)


def test_a_small_spread_around_a_large_mean_is_not_lost() -> None:
    """Squares of these sums would not fit into 64 bits, nor their difference into a double."""
    values = np.array([1e13 + step for step in (-1, 0, 1, 0)])[:, None]
    assert moments(values, 2)[1][0] == pytest.approx((2 / 3) ** 0.5, rel=1e-12)


def test_order_and_blocks_do_not_matter() -> None:
    draw = np.random.default_rng(5)
    table = draw.normal(1e6, 1e5, size=(60, 40_000)).round(2)
    table[draw.random(table.shape) < 0.1] = np.nan
    whole, part = moments(table, 2), moments(table[::-1, 20_000:20_010], 2)
    assert all(np.array_equal(one[20_000:20_010], other) for one, other in zip(whole, part, strict=True))
