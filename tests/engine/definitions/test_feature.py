"""Names of features, taken apart and put together."""

import pytest
from hypothesis import given, strategies as st

from engine.definitions.feature import Feature, ValueType, Window, feature_type, parse_feature

SPANNED = (Window.MEAN, Window.SUM, Window.CHANGE, Window.PREVIOUS, Window.SLOPE)


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("active_users", Feature("active_users")),
        ("active_users.mean_30d", Feature("active_users", Window.MEAN, 30)),
        ("orders.days_since", Feature("orders", Window.DAYS_SINCE)),
        ("orders.rank", Feature("orders", Window.RANK)),
        ("response.seat-activation", Feature("response.seat-activation")),
        ("response.seat-activation.mean_90d", Feature("response.seat-activation", Window.MEAN, 90)),
        ("contact.logins.sum_7d", Feature("contact.logins", Window.SUM, 7)),
        ("active_users.mean_0d", Feature("active_users.mean_0d")),
        ("active_users.median_7d", Feature("active_users.median_7d")),
        ("active_users.mean_9999d", None),
        ("Active Users", None),
        ("a..b", None),
        ("__class__", None),
        ("", None),
    ],
)
def test_a_name_is_a_metric_seen_through_a_window(text: str, feature: Feature | None) -> None:
    assert parse_feature(text) == feature


@given(
    st.from_regex(r"[a-z][a-z0-9_]{0,8}(-[a-z]{1,4})?", fullmatch=True),
    st.sampled_from(SPANNED),
    st.integers(1, 3650),
)
def test_taking_apart_undoes_putting_together(metric: str, window: Window, days: int) -> None:
    feature = Feature(metric, window, days)
    assert parse_feature(feature.name) == feature


def test_a_window_gives_a_type_of_its_own() -> None:
    number, share, boolean, text = ValueType.NUMBER, ValueType.SHARE, ValueType.BOOLEAN, ValueType.TEXT
    assert feature_type(share, Window.MEAN) is share
    assert feature_type(number, Window.CHANGE) is share
    assert feature_type(share, Window.RANK) is number
    assert feature_type(boolean, Window.MEAN) is share
    assert feature_type(boolean, Window.SUM) is number
    assert feature_type(text, Window.DAYS_SINCE) is number
    assert feature_type(text, Window.MEAN) is None
    assert feature_type(ValueType.DATE, Window.LATEST) is ValueType.DATE
