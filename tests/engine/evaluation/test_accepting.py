"""Accepting points: what is stored, and a sentence with a place for every row that is not."""

import math
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.catalog import FromEvents
from engine.definitions.feature import ValueType
from engine.evaluation.accepting import RawPoint, accept_columns, accept_points
from engine.evaluation.point_values import combine
from tests.engine.evaluation import portfolio as p

TODAY = (date(2026, 11, 22) - date(1970, 1, 1)).days
CATALOG = p.catalog(
    p.metric("active_users"),
    p.metric("tickets", combine="sum"),
    p.metric("peak", combine="max"),
    p.metric("load", combine="mean"),
    p.metric("use", type=ValueType.SHARE),
    p.metric("paid", type=ValueType.BOOLEAN),
    p.metric("signed", type=ValueType.DATE),
    p.metric("note", type=ValueType.TEXT),
    p.metric("ratio", formula=p.compare("active_users", "/", 2)),
    p.metric("escalations", from_events=FromEvents(("escalation",))),
    p.metric("visits", of="contact"),
)
ACCOUNTS = {"acme": 7, "globex": 9}


def point(account: str = "acme", metric: str = "active_users", day: str = "2026-11-20", value: object = 30) -> RawPoint:
    return RawPoint(account, metric, day, value)


def accept(*rows: RawPoint) -> Any:
    return accept_points(CATALOG, ACCOUNTS, rows, TODAY)


def fault(**row: Any) -> str:
    found = accept(point(), point(**row))
    assert (found.total, len(found.bad), len(found.values)) == (1, 1, 0)
    (field,) = row.keys() & {"account", "metric", "day", "value"} if len(row) == 1 else {"value"}
    assert found.bad[0].pointer == f"/points/1/{field}"
    return str(found.bad[0].message)


def test_good_rows_become_columns() -> None:
    found = accept(point(), point(account="globex", metric="use", value="40%"))
    assert (found.subjects.tolist(), found.values.tolist()) == ([7, 9], [30.0, 0.4])
    assert [found.names[code] for code in found.metrics] == ["active_users", "use"]
    assert found.days.tolist() == [TODAY - 2, TODAY - 2]
    assert (found.bad, found.total, found.rows) == ((), 0, 2)


def test_an_empty_batch_is_nothing() -> None:
    found = accept()
    assert (len(found.values), found.total, found.rows) == (0, 0, 0)


def test_an_unknown_metric_or_account_is_named_with_what_was_meant() -> None:
    assert fault(metric="activ_users") == (
        'there is no metric "activ_users" in the catalog; did you mean "active_users"?'
    )
    assert fault(account="acmee") == 'there is no account "acmee"; did you mean "acme"?'


def test_what_is_derived_cannot_be_pushed() -> None:
    assert fault(metric="ratio") == '"ratio" is computed by its formula; push the metrics it is made of'
    assert fault(metric="escalations") == ('"escalations" is counted from events; push the events instead (escalation)')
    assert "only numbers" in fault(metric="note")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "NaN", "inf", "-Infinity"])
def test_what_is_not_a_number_is_never_stored(value: object) -> None:
    assert "stands where a number belongs" in fault(value=value)


def test_text_nothing_and_yes_are_no_numbers() -> None:
    assert fault(value="abc") == '"abc" stands where a number belongs'
    assert fault(value="1_000") == '"1_000" stands where a number belongs'
    assert fault(value=None) == "nothing stands where a number belongs; leave the row out where nothing was measured"
    assert fault(value=True) == '"true" stands where a number belongs'
    assert fault(value=[1]) == '"[1]" stands where a number belongs'
    assert "further from zero" in fault(value=1.1e15)
    assert "further from zero" in fault(value=10**400) or "belongs" in fault(value=10**400)


def test_values_fit_the_type_of_their_metric() -> None:
    assert fault(metric="use", value=40) == '"40" is no share between 0 and 10; 40 % is written 0.4 or "40%"'
    assert fault(metric="use", value=-0.1).startswith('"-0.1" is no share')
    assert fault(metric="paid", value="maybe") == '"maybe" stands where true or false belongs'
    assert fault(metric="signed", value="22.11.2026") == '"22.11.2026" stands where a day such as 2026-11-22 belongs'
    found = accept(point(metric="paid", value=True), point(metric="signed", value="2026-11-22"))
    assert found.values.tolist() == [1.0, TODAY]


def test_days_are_real_and_neither_in_the_future_nor_long_ago() -> None:
    assert fault(day="2026-02-30") == '"2026-02-30" is not a day; write it as 2026-11-22'
    assert fault(day="2026-11-24") == "2026-11-24 lies in the future; a point says what was measured"
    assert fault(day="1989-12-31") == "1989-12-31 lies before 1990-01-01; is the year right?"
    assert accept(point(day="2026-11-23"), point(day="1990-01-01")).total == 0


def test_all_faults_of_a_batch_are_counted_and_the_first_fifty_shown() -> None:
    rows = [point(value="x") for _ in range(80)] + [point(metric="nope", account="nobody", day="?", value="y")]
    found = accept(*rows)
    assert (found.total, len(found.bad), len(found.values)) == (83, 50, 0)
    assert found.bad[0].pointer == "/points/0/value"


def test_a_csv_row_is_named_by_line_and_column() -> None:
    found = accept_columns(
        CATALOG, ACCOUNTS, ["acme"], ["use"], ["2026-11-20"], ["x"], TODAY, where=lambda row, _: ("", row + 2)
    )
    assert (found.bad[0].line, found.bad[0].column) == (2, "value")
    assert found.bad[0].where == 'line 2, column "value"'


def test_a_metric_of_contacts_names_a_contact() -> None:
    rows = (["c1", "c2"], ["visits", "visits"], ["2026-11-20"] * 2, ["1", "2"], TODAY)
    found = accept_columns(CATALOG, ACCOUNTS, *rows, where=lambda row, _: ("", row), contacts={"c1": 70, "c2": 71})
    assert found.subjects.tolist() == [70, 71]
    wrong = accept_columns(CATALOG, ACCOUNTS, *rows, where=lambda row, _: ("", row), contacts={"c1": 70})
    assert wrong.bad[0].message == 'there is no contact "c2"'


def test_rows_of_one_day_are_combined_as_the_metric_says() -> None:
    rows = [
        point(metric=name, value=value) for name in ("active_users", "tickets", "peak", "load") for value in (3, 5, 1)
    ]
    found = accept(*rows, point(metric="tickets", account="globex", value=2))
    stored = dict(
        zip(zip(found.metrics.tolist(), found.subjects.tolist(), strict=True), found.values.tolist(), strict=True)
    )
    assert stored == {(0, 7): 1.0, (1, 7): 9.0, (1, 9): 2.0, (2, 7): 5.0, (3, 7): 3.0}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_what_is_combined(values: list[float], shuffle: Any) -> None:
    mixed = list(values)
    shuffle.shuffle(mixed)
    for name in ("tickets", "peak", "load"):
        assert combine(CATALOG.metrics[name], values) == combine(CATALOG.metrics[name], mixed)


def test_points_come_sorted_by_metric_subject_and_day() -> None:
    rows = [
        point(account, metric, day)
        for day in ("2026-11-20", "2026-11-19")
        for account in ACCOUNTS
        for metric in ("peak", "load")
    ]
    found = accept(*rows)
    keys = np.stack([found.metrics, found.subjects, found.days], axis=1).tolist()
    assert keys == sorted(keys)


ROWS = st.lists(
    st.builds(
        point,
        st.sampled_from(list(ACCOUNTS)),
        st.sampled_from(["tickets", "peak", "load"]),
        st.sampled_from(["2026-11-19", "2026-11-20"]),
        st.floats(-1e6, 1e6),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_points_does_not_matter(rows: list[RawPoint], shuffle: Any) -> None:
    mixed = list(rows)
    shuffle.shuffle(mixed)
    told = []
    for found in (accept(*rows), accept(*mixed)):
        names = [found.names[code] for code in found.metrics.tolist()]
        stored = zip(names, found.subjects.tolist(), found.days.tolist(), found.values.tolist(), strict=True)
        told.append(sorted(stored))
    assert told[0] == told[1]
