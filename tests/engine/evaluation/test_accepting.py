"""Accepting points: what is stored, and a sentence with a place for every row that is not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.catalog import FromEvents
from engine.definitions.feature import ValueType
from engine.errors import BadData
from engine.evaluation.accepting import Accepted, PointJudge, combined, find_metrics_of
from engine.evaluation.incoming.faults import MOST, Faults, Report
from engine.evaluation.incoming.points import PointBlock
from engine.evaluation.incoming.rows import Format
from engine.evaluation.incoming.subjects import Directory, Known, find_subjects
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
    p.metric("plan", type=ValueType.TEXT),
    p.metric("ratio", formula=p.compare("active_users", "/", 2)),
    p.metric("escalations", from_events=FromEvents(("escalation",))),
    p.metric("visits", of="contact"),
    p.metric("incidents", of="product"),
)
ACCOUNTS = {"acme": 7, "globex": 9}
DIRECTORY = Directory(
    accounts=Known(ACCOUNTS), contacts={"c1": (70, 7), "c2": (71, 7)}, products={7: {"Mail": 700, "Chat": 701}, 9: {}}
)
Row = tuple[str, str, str, object]


@dataclass(frozen=True)
class Answer:
    """What came of some rows: the points, one per subject, metric and day, and what was wrong."""

    points: Accepted
    judge: PointJudge
    faults: Faults

    @property
    def stored(self) -> list[tuple[str, int, int, float]]:
        """Metric, subject, day and value of every point, sorted."""
        names = [self.judge.names[code] for code in self.points.metrics.tolist()]
        columns = (self.points.subjects.tolist(), self.points.days.tolist(), self.points.values.tolist())
        return sorted(zip(names, *columns, strict=True))


def point(account: str = "acme", metric: str = "active_users", day: str = "2026-11-20", value: object = 30) -> Row:
    return account, metric, day, value


def block(
    rows: Sequence[Row],
    form: Format = Format.JSON,
    *,
    contacts: Sequence[str] | None = None,
    products: Sequence[str] | None = None,
) -> PointBlock:
    accounts, metrics, days, values = zip(*rows, strict=True)
    numbers = range(2, len(rows) + 2) if form is Format.CSV else range(len(rows))
    return PointBlock(form, accounts, metrics, days, values, contacts, products, numbers)


def judged(*blocks: PointBlock) -> Answer:
    faults = Faults()
    judge = PointJudge(CATALOG, TODAY)
    kept = []
    for each in blocks:
        codes = judge.codes(each)
        report = Report(each.place, faults)
        subjects = find_subjects(each, codes, find_metrics_of(CATALOG, judge.names), DIRECTORY, report)
        kept.append(judge.accept(each, codes, subjects, report))
        report.close()
    columns = (
        np.concatenate([getattr(each, name) for each in kept]) for name in ("subjects", "metrics", "days", "values")
    )
    points = Accepted(*columns)
    return Answer(points if faults.total else combined(CATALOG, judge.names, points), judge, faults)


def accept(*rows: Row, contacts: Sequence[str] | None = None, products: Sequence[str] | None = None) -> Answer:
    return judged(block(rows, contacts=contacts, products=products))


def fault(**row: Any) -> str:
    found = accept(point(), point(**row)).faults
    assert (found.total, len(found.rows)) == (1, 1)
    (field,) = row.keys() & {"account", "metric", "day", "value"} if len(row) == 1 else {"value"}
    assert found.rows[0].pointer == f"/points/1/{field}"
    return str(found.rows[0].message)


def only_fault(answer: Answer) -> str:
    (found,) = answer.faults.rows
    return f"{found.column}: {found.message}" if found.line else f"{found.pointer}: {found.message}"


def test_good_rows_become_columns() -> None:
    found = accept(point(), point(account="globex", metric="use", value="40%"))
    assert found.stored == [("active_users", 7, TODAY - 2, 30.0), ("use", 9, TODAY - 2, 0.4)]
    assert found.faults.total == 0


def test_an_unknown_metric_or_account_is_named_with_what_was_meant() -> None:
    assert fault(metric="activ_users") == (
        'there is no metric "activ_users" in the catalog; did you mean "active_users"?'
    )
    assert fault(account="acmee") == 'there is no account "acmee"; did you mean "acme"?'


def test_what_is_derived_cannot_be_pushed() -> None:
    assert fault(metric="ratio") == '"ratio" is computed by its formula; push the metrics it is made of'
    assert fault(metric="escalations") == ('"escalations" is counted from events; push the events instead (escalation)')


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "NaN", "inf", "-Infinity", "٣"])
def test_what_is_not_a_number_is_never_stored(value: object) -> None:
    assert "stands where a number belongs" in fault(value=value)


def test_text_nothing_and_yes_are_no_numbers() -> None:
    assert fault(value="abc") == '"abc" stands where a number belongs'
    assert fault(value="1_000") == '"1_000" stands where a number belongs'
    assert fault(value="7,5") == '"7,5" has a comma before its decimals; write a point'
    assert fault(value=None) == "nothing stands where a number belongs; leave the row out where nothing was measured"
    assert fault(value=True) == '"true" stands where a number belongs'
    assert fault(value=[1]) == '"[1]" stands where a number belongs'
    assert "further from zero" in fault(value=1.1e15)
    assert "further from zero" in fault(value=10**400) or "belongs" in fault(value=10**400)


def test_values_fit_the_type_of_their_metric() -> None:
    assert fault(metric="use", value=40) == '"40" is no share between 0 and 10; 40 % is written 0.4 or "40%"'
    assert fault(metric="use", value=-0.1).startswith('"-0.1" is no share')
    for value in ("maybe", 0.5, 2, "0.5"):
        assert fault(metric="paid", value=value) == f'"{value}" stands where true or false belongs'
    assert fault(metric="signed", value="22.11.2026") == '"22.11.2026" stands where a day such as 2026-11-22 belongs'
    found = accept(point(metric="paid", value=True), point(metric="signed", value="2026-11-22"))
    assert [row[3] for row in found.stored] == [1.0, TODAY]


def test_the_value_of_a_text_metric_is_a_word() -> None:
    """S0-42: categories are taken, and each word has one number however often it comes."""
    rows = [point(metric="plan", value=value) for value in ("gold", " gold ", "silver", "007")]
    found = accept(*rows[:2], point("globex", "plan", value="007"))
    assert [found.judge.words[int(row[3])] for row in found.stored] == ["gold", "007"]
    assert fault(metric="plan", value=7) == '"7" stands where a text belongs; put it in quotes'
    assert fault(metric="plan", value=" ") == (
        "nothing stands where a text belongs; leave the row out where nothing is known"
    )
    assert "longer than 200" in fault(metric="plan", value="x" * 201)
    assert "does not belong in a single line" in fault(metric="plan", value="a\nb")


def test_days_are_real_and_neither_in_the_future_nor_long_ago() -> None:
    assert fault(day="2026-02-30") == '"2026-02-30" is not a day; write it as 2026-11-22'
    assert fault(day="2026-11-24") == "2026-11-24 lies in the future; a point says what was measured"
    assert fault(day="1989-12-31") == "1989-12-31 lies before 1990-01-01; is the year right?"
    assert accept(point(day="2026-11-23"), point(day="1990-01-01")).faults.total == 0


def test_all_faults_of_a_batch_are_counted_and_the_first_fifty_shown() -> None:
    rows = [point(value="x") for _ in range(80)] + [point(metric="nope", account="nobody", day="?", value="y")]
    found = accept(*rows).faults
    assert (found.total, len(found.rows)) == (83, 50)
    assert found.rows[0].pointer == "/points/0/value"


def test_nobody_looks_on_where_everything_is_wrong() -> None:
    with pytest.raises(BadData) as caught:
        accept(*[point(value="x")] * (MOST + 5))
    assert (caught.value.total >= MOST, len(caught.value.rows)) == (True, 50)


def test_a_csv_row_is_named_by_line_and_column() -> None:
    found = judged(block([("acme", "use", "2026-11-20", "x")], Format.CSV)).faults
    assert (found.rows[0].line, found.rows[0].column) == (2, "value")
    assert found.rows[0].where == 'line 2, column "value"'


def test_a_metric_of_contacts_names_a_contact() -> None:
    visits = [point("c1", "visits"), point("c2", "visits")]
    assert [row[1] for row in accept(*visits).stored] == [70, 71]
    both = [point("acme", "visits"), point("acme")]
    assert [row[1] for row in accept(*both, contacts=["c2", ""]).stored] == [7, 71]
    assert only_fault(accept(point("c3", "visits"))).startswith('/points/0/account: there is no contact "c3"')
    assert "is not at the account" in only_fault(accept(point("globex", "visits"), contacts=["c1"]))
    assert "there is no account" in only_fault(accept(point("nobody", "visits"), contacts=["c1"]))
    assert only_fault(accept(point(), contacts=["c1"])) == (
        '/points/0/contact: "active_users" is measured of accounts; leave the contact empty'
    )


def test_a_metric_of_products_names_a_product_of_the_account() -> None:
    rows = [point("acme", "incidents"), point("acme", "incidents"), point()]
    assert [row[1] for row in accept(*rows, products=["Mail", " Chat ", ""]).stored] == [7, 700, 701]
    assert only_fault(accept(point(metric="incidents"), products=["Mial"])) == (
        '/points/0/product: the account "acme" has no product "Mial"; did you mean "Mail"?'
    )
    assert "push the account with its products first" in only_fault(
        accept(point("globex", "incidents"), products=["Mail"])
    )
    assert 'say which one in "product"' in only_fault(accept(point(metric="incidents")))
    assert "leave the product empty" in only_fault(accept(point(), products=["Mail"]))
    assert "leave the contact empty" in only_fault(accept(point(metric="incidents"), contacts=["c1"]))


def test_rows_of_one_day_are_combined_as_the_metric_says() -> None:
    rows = [
        point(metric=name, value=value) for name in ("active_users", "tickets", "peak", "load") for value in (3, 5, 1)
    ]
    found = accept(*rows, point(metric="tickets", account="globex", value=2))
    assert {row[:2]: row[3] for row in found.stored} == {
        ("active_users", 7): 1.0,
        ("tickets", 7): 9.0,
        ("tickets", 9): 2.0,
        ("peak", 7): 5.0,
        ("load", 7): 3.0,
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_what_is_combined(values: list[float], shuffle: Any) -> None:
    mixed = list(values)
    shuffle.shuffle(mixed)
    for name in ("tickets", "peak", "load"):
        assert combine(CATALOG.metrics[name], values) == combine(CATALOG.metrics[name], mixed)


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
@given(ROWS, st.randoms(use_true_random=False), st.integers(1, 25))
def test_neither_the_order_of_points_nor_the_blocks_they_come_in_matter(
    rows: list[Row], shuffle: Any, size: int
) -> None:
    mixed = list(rows)
    shuffle.shuffle(mixed)
    parts = [block(mixed[start : start + size]) for start in range(0, len(mixed), size)]
    assert accept(*rows).stored == judged(*parts).stored
