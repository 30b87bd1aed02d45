"""Marks among peers: the bottom tenth, cohorts that are large enough, the floor that shows a fall of everybody."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.bundle import Bundle
from engine.definitions.feature import Feature, Window
from engine.definitions.measure import Bound, ConditionMeasure, Limit, RankMeasure, ThresholdMeasure
from engine.definitions.scorecard import Rank
from engine.evaluation.columns import Texts
from engine.evaluation.evaluation import Observed, evaluate
from engine.evaluation.evidence import evidence_of
from engine.evaluation.facts import Facts, Peers
from engine.evaluation.features import Features
from engine.evaluation.peers import gather
from engine.evaluation.reading import ranked
from tests.engine.evaluation import portfolio as p

HOLDS, FAILS, UNKNOWN = 1, -1, 0
USERS, IDLE = p.metric("users", decimals=0), p.metric("idle", better="lower")
BOTTOM = RankMeasure(Feature("users"), Limit("at_most", 10))


def known(values: list[float], metric: str = "users", **more: Any) -> Facts:
    rows = [{} if np.isnan(value) else {0: value} for value in values]
    return p.facts(len(values), series={metric: p.series(*rows)}, **more)


def observe(measure: Any, facts: Facts) -> Observed:
    return evaluate(p.bundle(p.catalog(USERS, IDLE), p.rule("r", {"it": measure})), facts).signals["r.it"]


def test_a_mark_of_ten_is_the_bottom_tenth() -> None:
    """S0-19: of a hundred accounts exactly the lowest ten; of twenty the lowest two."""
    draw = np.random.default_rng(3).permutation(100).astype(float)
    found = observe(BOTTOM, known(draw.tolist()))
    assert set(draw[found.verdicts == HOLDS]) == set(range(10))
    assert sorted(found.values.tolist()) == [float(mark) for mark in range(1, 101)]
    assert observe(BOTTOM, known([float(value) for value in range(20)])).verdicts.tolist() == [HOLDS] * 2 + [FAILS] * 18


def test_the_limit_of_a_mark_is_strict_or_not_as_its_word_says() -> None:
    hundred = known([float(value) for value in range(100)])
    counts: dict[Bound, int] = {"at_most": 10, "below": 9, "above": 90, "at_least": 91}
    for bound, count in counts.items():
        verdicts = observe(RankMeasure(Feature("users"), Limit(bound, 10)), hundred).verdicts
        assert int((verdicts == HOLDS).sum()) == count, bound


def test_fewer_than_twenty_peers_say_nothing_and_the_reason_is_given() -> None:
    few = known([float(value) for value in range(19)] + [np.nan])
    found = observe(BOTTOM, few)
    assert set(found.verdicts.tolist()) == {UNKNOWN}
    bundle = p.bundle(p.catalog(USERS), p.rule("r", {"it": BOTTOM}))
    (evidence,) = evidence_of(bundle.rules["r"], bundle.catalog, evaluate(bundle, few), 0)
    assert evidence.sentence == (
        "Users is 0: the mark among all accounts is not known, as fewer than 20 can be compared; needed: at most 10"
    )


def test_where_lower_is_better_the_most_idle_are_at_the_bottom() -> None:
    found = observe(
        RankMeasure(Feature("idle"), Limit("at_most", 10)), known([float(day) for day in range(20)], "idle")
    )
    assert np.flatnonzero(found.verdicts == HOLDS).tolist() == [18, 19]


def test_cohorts_are_ranked_each_for_itself_and_an_unknown_one_not_at_all() -> None:
    stages = p.texts(*["adoption"] * 20, *["churned"] * 20, None, *["value"] * 3)
    values = [float(value) for value in [*range(20), *range(100, 120), 5, 1, 2, 3]]
    found = observe(
        RankMeasure(Feature("users"), Limit("at_most", 10), "stage"), known(values, fields={"stage": stages})
    )
    assert np.flatnonzero(found.verdicts == HOLDS).tolist() == [0, 1, 20, 21]
    assert np.flatnonzero(found.verdicts == UNKNOWN).tolist() == [40, 41, 42, 43]


def test_when_everybody_loses_half_the_floor_shows_it_and_the_marks_do_not() -> None:
    """Trap 2: a fall of everybody leaves every rank as it was."""
    before = [float(value) for value in range(10, 110)]
    after = [value / 2 for value in before]
    plain, floored = BOTTOM, replace(BOTTOM, floor=20.0)
    assert observe(plain, known(before)).verdicts.tolist() == observe(plain, known(after)).verdicts.tolist()
    assert int((observe(floored, known(before)).verdicts == HOLDS).sum()) == 10
    found = observe(floored, known(after))
    assert int((found.verdicts == HOLDS).sum()) == 30
    assert found.values[29] == 0


def test_the_floor_is_known_where_the_mark_is_not_and_stands_above_where_lower_is_better() -> None:
    floored = replace(BOTTOM, floor=2.0)
    assert observe(floored, known([1.0, 2.0])).verdicts.tolist() == [HOLDS, UNKNOWN]
    idle = RankMeasure(Feature("idle"), Limit("at_most", 10), floor=30.0)
    assert observe(idle, known([30.0, 31.0], "idle")).verdicts.tolist() == [UNKNOWN, HOLDS]


def test_the_rank_of_a_metric_needs_twenty_accounts_too() -> None:
    measure = ThresholdMeasure(Feature("users", Window.RANK), Limit("at_most", 10))
    assert set(observe(measure, known([1.0] * 19)).verdicts.tolist()) == {UNKNOWN}
    twenty = known([float(value) for value in range(20)])
    assert np.flatnonzero(observe(measure, twenty).verdicts == HOLDS).tolist() == [0, 1]


@pytest.mark.parametrize("among", ["all", "stage"])
@settings(max_examples=25)
@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), min_size=40, max_size=60), st.integers(1, 39))
def test_a_part_of_the_accounts_is_marked_as_among_all(among: Any, drawn: list[int | None], cut: int) -> None:
    """S0-18: compared with the peers of all, a part comes to the same as the whole, ties and unknowns included."""
    values = [np.nan if value is None else float(value) for value in drawn]
    stages = p.texts(*(["adoption", "churned"][at % 2] for at in range(len(values))))
    measure = RankMeasure(Feature("users"), Limit("at_most", 10), among)
    whole = known(values, fields={"stage": stages})
    catalog = p.catalog(USERS)
    wanted = ("users", among)
    peers = Peers({wanted: gather(Feature("users"), among, Features(catalog, whole))})
    assert isinstance(stages, Texts)
    part = known(values[:cut], fields={"stage": Texts(stages.codes[:cut], stages.words)}, peers=peers)
    alone, among_all = observe(measure, part), observe(measure, whole)
    assert np.array_equal(alone.values, among_all.values[:cut], equal_nan=True)
    assert alone.verdicts.tolist() == among_all.verdicts[:cut].tolist()


def compares() -> Bundle:
    card = p.scorecard(p.dimension("use", 1.0, p.scored("users", normaliser=Rank("stage", None))))
    seen = {
        "lowest": BOTTOM,
        "segment": replace(BOTTOM, among="segment"),
        "rank": ThresholdMeasure(Feature("idle", Window.RANK), Limit("below", 20)),
        "both": ConditionMeasure(p.compare("users.mean_7d", "<", 5)),
        "mark": ConditionMeasure(p.compare("idle.rank", "<", 5)),
    }
    return p.bundle(p.catalog(USERS, IDLE), p.rule("r", seen), cards=[card])


def test_what_is_compared_is_known_before_anything_is_evaluated() -> None:
    assert ranked(compares()) == {
        (Feature("users"), "all"),
        (Feature("users"), "segment"),
        (Feature("users"), "stage"),
        (Feature("idle"), "all"),
    }
