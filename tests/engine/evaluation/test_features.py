"""Features by name: windows, formulas, metrics made of events, account facts, segments, ranks."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.catalog import FromEvents
from engine.definitions.condition import Arithmetic, Var
from engine.evaluation.columns import Numbers, Texts
from engine.evaluation.facts import Facts, Series
from engine.evaluation.features import Features, OwnNames, feature_named, ranks
from tests.engine.evaluation import portfolio as p

RATIO = p.condition(Arithmetic("/", (Var("active", p.NUMBER), Var("sold", p.NUMBER)), p.SHARE), "active", "sold")
CATALOG = p.catalog(
    p.metric("active", decimals=0),
    p.metric("sold", decimals=0),
    p.metric("use", type=p.SHARE, formula=RATIO),
    p.metric("fresh", stale_after=14),
    p.metric("visits", from_events=FromEvents(("visit",))),
    p.metric("recent", from_events=FromEvents(("visit",), over=30)),
    p.metric("people", from_events=FromEvents(("visit",), count="distinct contacts")),
    p.metric("quiet", from_events=FromEvents(("visit", "call"), silence=True), better="lower"),
    p.metric("logins", of="contact", from_events=FromEvents(("visit",))),
    p.metric("weekly", of="contact", from_events=FromEvents(("visit",), over=7)),
    p.metric("response.seat-activation"),
    events={"visit": p.event("visit"), "call": p.event("call")},
    segments={
        "large": p.compare("account.arr", ">=", 100),
        "small": p.compare("account.arr", "<", 100),
    },
)


def values(known: Facts, name: str, **more: Any) -> list[float]:
    column = Features(CATALOG, known, **more)[name]
    assert isinstance(column, Numbers)
    found: list[float] = column.values.tolist()
    return found


def series(**points: Any) -> Facts:
    size = max(len(rows) for rows in points.values())
    return p.facts(size, series={name: p.series(*rows) for name, rows in points.items()})


def same(found: list[float], expected: list[float]) -> bool:
    return bool(np.array_equal(np.array(found), np.array(expected), equal_nan=True))


def test_a_formula_is_unknown_where_a_part_of_it_is_or_its_divisor_is_zero() -> None:
    """S0-33: 30 of 50 seats are 60 %; no seats sold is no data, never a division error."""
    known = series(active=[{0: 30}, {0: 30}, {0: 30}, {}], sold=[{0: 50}, {0: 0}, {}, {0: 50}])
    assert same(values(known, "use"), [0.6, np.nan, np.nan, np.nan])


def test_windows_of_a_metric_look_at_the_days_they_name() -> None:
    known = series(active=[{age: 10.0 if age < 7 else 20.0 for age in range(14)}])
    assert values(known, "active") == [10]
    assert values(known, "active.mean_7d") == [10]
    assert values(known, "active.previous_7d") == [20]
    assert values(known, "active.mean_14d") == [15]
    assert values(known, "active.sum_7d") == [70]
    assert values(known, "active.change_7d") == [-0.5]
    assert values(known, "active.slope_7d") == [0]
    assert values(known, "active.days_since") == [0]


def test_a_mean_is_of_the_days_that_are_known() -> None:
    assert values(series(active=[{0: 10, 6: 30}]), "active.mean_7d") == [20]
    assert same(values(series(active=[{7: 10}]), "active.mean_7d"), [np.nan])
    assert same(values(series(active=[{7: 10}]), "active.sum_7d"), [np.nan])


def test_a_window_of_a_formula_is_over_its_value_on_each_day() -> None:
    known = series(active=[{0: 30, 1: 50, 2: 10}], sold=[{5: 100}])
    assert values(known, "use.mean_3d") == [0.3]
    assert values(known, "use.change_1d") == [-0.4]


def test_a_stale_value_is_unknown() -> None:
    assert same(values(series(fresh=[{14: 5}, {15: 5}]), "fresh"), [5, np.nan])


def test_the_same_features_as_of_an_earlier_day() -> None:
    known = series(active=[{0: 30, 10: 50}], sold=[{20: 100}])
    features = Features(CATALOG, known)
    assert values(known, "use") == [0.3]
    earlier = features.as_of(p.AT - 3)["use"]
    assert isinstance(earlier, Numbers)
    assert earlier.values.tolist() == [0.5]
    assert features.as_of(p.AT) is features


VISITS = {
    "visit": p.happenings((0, 0, 40), (0, 0, 3), (0, 1, 3), (0, 1, 0), (1, 2, 29)),
    "call": p.happenings((2, 3, 5)),
}
EVENTFUL = p.facts(4, people=((0, {"user"}), (0, {"user"}), (1, {"champion"}), (2, {"user"})), events=VISITS)


def test_a_count_of_events_is_a_true_zero_where_nothing_happened() -> None:
    """S0-53, S4-45."""
    assert values(EVENTFUL, "visits") == [1, 0, 0, 0]
    assert values(EVENTFUL, "visits.sum_7d") == [3, 0, 0, 0]
    assert values(EVENTFUL, "visits.mean_30d") == [0.1, pytest.approx(1 / 30), 0, 0]
    assert values(EVENTFUL, "recent") == [3, 1, 0, 0]
    assert values(EVENTFUL, "recent.mean_2d") == [2.5, 1.0, 0, 0]


def test_distinct_contacts_are_counted_once_a_day() -> None:
    """S0-20, S3-24."""
    known = p.facts(1, people=((0, set()), (0, set())), events={"visit": p.happenings((0, 0, 0), (0, 0, 0), (0, 1, 0))})
    assert values(known, "people") == [2]
    assert values(known, "visits") == [3]


def test_silence_counts_from_the_last_of_its_events_and_never_any_is_unknown() -> None:
    """S4-44."""
    assert same(values(EVENTFUL, "quiet"), [0, 29, 5, np.nan])


def test_counts_handed_in_by_the_store_are_taken_as_they_are() -> None:
    known = p.facts(2, series={"recent": p.series({0: 2, 40: 9}, {})})
    assert values(known, "recent") == [2, 0]


def test_a_metric_of_contacts_is_seen_per_contact_and_summed_for_its_account() -> None:
    assert values(EVENTFUL, "contact.logins.sum_7d", contacts=True) == [1, 2, 0, 0]
    assert values(EVENTFUL, "contact.weekly.mean_2d", contacts=True) == [1, 1.5, 0, 0]
    logged = p.facts(
        2, people=((0, set()), (0, set()), (1, set())), contact_series={"logins": p.series({0: 2}, {0: 3}, {1: 1})}
    )
    assert values(logged, "logins.sum_7d") == [5, 1]


def test_over_contacts_every_other_name_is_the_account_s() -> None:
    known = p.facts(
        2, people=((1, set()), (0, set())), fields={"arr": p.numbers(10, 200)}, series={"active": p.series({0: 3}, {})}
    )
    assert values(known, "account.arr", contacts=True) == [200, 10]
    assert values(known, "in_segment.large", contacts=True) == [1, 0]
    assert same(values(known, "active", contacts=True), [np.nan, 3])


def test_account_facts_are_counted_in_days_from_the_day_of_the_evaluation() -> None:
    fields = {"renewal_on": p.numbers(p.AT + 90, np.nan), "stage_since": p.numbers(p.AT - 10, np.nan)}
    known = p.facts(2, fields=fields)
    assert same(values(known, "account.renewal_in_days"), [90, np.nan])
    assert same(values(known, "account.days_in_stage"), [10, np.nan])


def test_the_first_segment_that_holds_is_the_account_s() -> None:
    features = Features(CATALOG, p.facts(3, fields={"arr": p.numbers(100, 50, np.nan)}))
    column = features["account.segment"]
    assert isinstance(column, Texts)
    assert [column.words[code] if code >= 0 else None for code in column.codes] == ["large", "small", None]
    inside = features["in_segment.large"]
    assert isinstance(inside, Numbers)
    assert same(inside.values.tolist(), [1, 0, np.nan])


def test_of_ten_accounts_the_lowest_is_marked_10() -> None:
    """S0-18, S0-19."""
    assert ranks(np.arange(10.0)).tolist() == [10.0 * place for place in range(1, 11)]


def test_of_a_hundred_accounts_exactly_the_lowest_ten_are_marked_at_most_10() -> None:
    """S0-19."""
    marks = ranks(np.random.default_rng(1).permutation(100).astype(float))
    assert (marks <= 10).sum() == 10


def test_ranks_share_ties_leave_out_unknowns_and_turn_round_where_lower_is_better() -> None:
    """S0-18."""
    known = np.array([1.0, 2.0, 2.0, 3.0, np.nan])
    assert same(ranks(known).tolist(), [25, 75, 75, 100, np.nan])
    assert same(ranks(known, lower_is_better=True).tolist(), [100, 75, 75, 25, np.nan])
    assert values(series(active=[{0: 1}, {0: 2}] * 10), "active.rank") == [50, 100] * 10


def test_a_metric_s_own_name_may_hold_dots() -> None:
    feature = feature_named(CATALOG, "response.seat-activation.mean_90d")
    assert feature is not None
    assert (feature.metric, feature.days) == ("response.seat-activation", 90)
    assert feature_named(CATALOG, "nothing.mean_7d") is None


def test_a_name_that_means_nothing_is_a_key_error() -> None:
    features = Features(CATALOG, p.facts(1))
    for name in ("nothing", "account.nothing", "in_segment.nothing", "score.health"):
        with pytest.raises(KeyError):
            features[name]
    assert "nothing" not in features


def test_a_rule_sees_its_own_signals_without_its_name() -> None:
    column = p.numbers(1.0)
    names = OwnNames("low", {"signal.low.it": column, "signal.other.it": column, "active": column})
    assert names["signal.it"] is names["signal.other.it"] is names["active"] is column


POINTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 40), st.floats(0, 1e6)), max_size=60, unique_by=lambda point: point[:2]
)
NAMES = ("active.mean_7d", "active.sum_30d", "active.change_10d", "active.slope_30d", "active", "use.mean_3d")


@settings(max_examples=40, deadline=None)
@given(POINTS, st.sampled_from(NAMES), st.integers(0, 10), st.integers(1, 3))
def test_a_part_of_the_accounts_gives_the_same_bits_as_all_of_them(
    points: list[tuple[int, int, float]], name: str, ago: int, parts: int
) -> None:
    """Incremental equals full: whatever else is in the series, an account's features are bit for bit the same."""
    points = sorted((row, p.AT - age, value) for row, age, value in points)
    table = np.array(points, dtype=np.float64).reshape(-1, 3)
    whole = Series(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2])
    known = p.facts(4, series={"active": whole, "sold": p.series({0: 3}, {20: 7}, {0: 11}, {})})
    column = Features(CATALOG, known, day=p.AT - ago)[name]
    assert isinstance(column, Numbers)
    kept = whole.rows < parts
    few = Series(whole.rows[kept], whole.days[kept], whole.values[kept])
    sold = known.series["sold"]
    assert isinstance(sold, Series)
    less = p.facts(parts, series={"active": few, "sold": p.series({0: 3}, {20: 7}, {0: 11})})
    again = Features(CATALOG, less, day=p.AT - ago)[name]
    assert isinstance(again, Numbers)
    assert len(sold.rows) == 3
    np.testing.assert_array_equal(again.values, column.values[:parts])
