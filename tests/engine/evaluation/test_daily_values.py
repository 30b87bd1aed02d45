"""Points kept one by one and day by day are the same table, and every measure says the same of both."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.feature import Feature
from engine.definitions.measure import (
    ContactsMeasure,
    DeviationMeasure,
    Limit,
    RankMeasure,
    RhythmMeasure,
    SlipMeasure,
    TrendMeasure,
)
from engine.evaluation.columns import Floats
from engine.evaluation.daily_values import table_of
from engine.evaluation.evaluation import Observed, evaluate
from engine.evaluation.facts import Contacts, Facts, Grid, Series
from tests.engine.evaluation import portfolio as p

DAYS, ACCOUNTS, EACH = 70, 24, 3


def as_series(table: Floats) -> Series:
    rows, days = np.nonzero(~np.isnan(table.T))
    return Series(rows, days + (p.AT - len(table) + 1), table[days, rows])


def as_grid(table: Floats, cut: int = 0) -> Grid:
    unknown = np.full(table.shape[1], np.nan)
    return Grid(p.AT - len(table) + 1 + cut, table[cut:], unknown, unknown)


@given(st.integers(1, 40), st.integers(-5, 30), st.integers(0, 2**32 - 1))
def test_a_window_is_cut_out_of_both_alike(days: int, back: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    table = draw.integers(0, 9, (20, 4)).astype(np.float64)
    table[draw.random(table.shape) < 0.4] = np.nan
    one, other = (table_of(points, 4, p.AT - back, days) for points in (as_series(table), as_grid(table)))
    assert one.shape == (days, 4)
    assert np.array_equal(one, other, equal_nan=True)


def facts(draw: np.random.Generator, kind: Any) -> Facts:
    users = draw.integers(0, 40, (DAYS, ACCOUNTS)).astype(np.float64)
    logins = (draw.random((DAYS, ACCOUNTS * EACH)) < 0.4).astype(np.float64)
    for table in (users, logins):
        table[draw.random(table.shape) < 0.1] = np.nan
    owners = tuple((row // EACH, {("key_user", "user", "sponsor")[row % EACH]}) for row in range(ACCOUNTS * EACH))
    return p.facts(ACCOUNTS, people=owners, series={"users": kind(users)}, contact_series={"logins": kind(logins)})


MEASURES = {
    "deviation": DeviationMeasure("users", Limit("below", -1), 40),
    "recent": DeviationMeasure("users", Limit("below", -0.2), 40, 7),
    "rhythm": RhythmMeasure("logins", 1.5, 60),
    "rank": RankMeasure(Feature("users"), Limit("at_most", 30)),
    "contacts": ContactsMeasure(TrendMeasure("logins", -0.1, 30, 0), ("key_user",)),
    "share": ContactsMeasure(RhythmMeasure("logins", 2, 60), share=0.5),
    "slip": SlipMeasure("logins", "mixed", roles=("sponsor",)),
}
BUNDLE = p.bundle(
    p.catalog(
        p.metric("users", decimals=0),
        p.metric("logins", of="contact", decimals=0),
        roles=("key_user", "user", "sponsor"),
    ),
    p.rule("r", MEASURES),
)


def same(one: Observed, other: Observed) -> bool:
    parts = one.parts.keys() == other.parts.keys() and all(
        np.array_equal(part, other.parts[name], equal_nan=True) for name, part in one.parts.items()
    )
    values = np.array_equal(one.values, other.values, equal_nan=True)
    return parts and values and one.verdicts.tolist() == other.verdicts.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_every_measure_is_the_same_bit_for_bit_however_its_points_are_kept(seed: int) -> None:
    one, other = (evaluate(BUNDLE, facts(np.random.default_rng(seed), kind)) for kind in (as_series, as_grid))
    for name in MEASURES:
        assert same(one.signals[f"r.{name}"], other.signals[f"r.{name}"]), name
    assert any((one.signals[f"r.{name}"].verdicts > 0).any() for name in MEASURES)


def part(whole: Facts, first: int, last: int) -> Facts:
    """The accounts from ``first`` to ``last`` with their people, as a shard of a cycle reads them."""
    mine = slice(first * EACH, last * EACH)
    people = whole.contacts
    users, logins = whole.series["users"], whole.contact_series["logins"]
    assert isinstance(users, Grid)
    assert isinstance(logins, Grid)
    return replace(
        whole,
        accounts=type(whole.accounts)(whole.accounts.ids[first:last], whole.accounts.keys[first:last]),
        contacts=Contacts(
            people.ids[mine],
            people.keys[mine],
            people.account_rows[mine] - first,
            people.roles[mine],
            people.departed[mine],
        ),
        series={"users": as_grid(users.values[:, first:last])},
        contact_series={"logins": as_grid(logins.values[:, mine])},
    )


@settings(max_examples=15)
@given(st.integers(1, ACCOUNTS - 1))
def test_a_shard_says_of_its_accounts_what_the_whole_says(cut: int) -> None:
    """All but ranks, which compare with the peers of all (see test_peers)."""
    whole = facts(np.random.default_rng(9), as_grid)
    expected = evaluate(BUNDLE, whole)
    for first, last in ((0, cut), (cut, ACCOUNTS)):
        found = evaluate(BUNDLE, part(whole, first, last))
        for name in set(MEASURES) - {"rank"}:
            one, other = found.signals[f"r.{name}"], expected.signals[f"r.{name}"]
            assert np.array_equal(one.values, other.values[first:last], equal_nan=True), name
            assert one.verdicts.tolist() == other.verdicts[first:last].tolist(), name


@pytest.mark.parametrize("kind", [as_series, as_grid])
def test_where_there_is_nobody_there_is_nothing_to_say(kind: Any) -> None:
    nobody = p.facts(
        0, series={"users": kind(np.zeros((DAYS, 0)))}, contact_series={"logins": kind(np.zeros((DAYS, 0)))}
    )
    alone = p.facts(
        1, series={"users": kind(np.zeros((DAYS, 1)))}, contact_series={"logins": kind(np.zeros((DAYS, 0)))}
    )
    for name in MEASURES:
        assert len(evaluate(BUNDLE, nobody).signals[f"r.{name}"].verdicts) == 0
    seen = {name: int(evaluate(BUNDLE, alone).signals[f"r.{name}"].verdicts[0]) for name in MEASURES}
    assert seen == {
        "deviation": 0,
        "recent": 0,
        "rhythm": 0,
        "rank": 0,
        "contacts": -1,
        "share": -1,
        "slip": 0,
    }
