"""Predictions from kept scores: told of who is there, judged on later days, refused on little, and kept."""

import numpy as np
import pytest
from sqlalchemy import select, update

from engine.definitions.bundle import Bundle, read
from engine.effect.prediction import Future
from engine.store.decision_tables import PredictionRow, ScoreRow
from engine.store.files import check
from engine.store.predictions import Predicted, newest, owned, predict, save
from engine.store.sessions import Store
from engine.store.tables import AccountRow
from tests.engine.store.futures import END, live


def told(store: Store, bundle: Bundle, day: int = END) -> Predicted:
    with store.read() as session:
        return predict(session, bundle.catalog, day)


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """The definitions that are shipped."""
    found = check(".")[0].bundle
    assert found is not None
    return found


@pytest.fixture
def lived(sqlite_store: Store) -> Store:
    with sqlite_store.begin() as session:
        live(session)
    return sqlite_store


def test_every_customer_with_a_score_has_three_chances_that_sum_to_one(lived: Store, shipped: Bundle) -> None:
    """S3-03, S3-04, S3-05: P(grow), P(renew flat), P(churn), for those who have not churned."""
    found = told(lived, shipped)
    assert found.sentence == ""
    with lived.read() as session:
        here = set(session.scalars(select(AccountRow.id).where(AccountRow.stage != "churned")))
    assert {one.account_id for one in found.chances} == here
    for one in found.chances:
        assert one.churn + one.flat + one.grow == pytest.approx(1)


def test_low_scores_are_told_to_churn_and_high_ones_to_grow(lived: Store, shipped: Bundle) -> None:
    found = told(lived, shipped)
    with lived.read() as session:
        rows = session.execute(select(ScoreRow.account_id, ScoreRow.computed).where(ScoreRow.day == END))
        scores = dict(rows.all())
    shown = np.array([scores[one.account_id] for one in found.chances], dtype=float)
    assert np.corrcoef(shown, [one.churn for one in found.chances])[0, 1] < -0.6
    assert np.corrcoef(shown, [one.grow for one in found.chances])[0, 1] > 0.6


def test_what_chances_are_worth_is_judged_beside_the_base_rate(lived: Store, shipped: Bundle) -> None:
    """S3-06: Brier beside the base rate's, and a table of what was told and what happened, on later days."""
    found = told(lived, shipped)
    for future in (Future.CHURN, Future.GROW):
        judged = found.judgement(future)
        assert judged is not None
        assert found.is_better(future)
        assert len(judged.bands) == 5
        assert [band.told for band in judged.bands] == sorted(band.told for band in judged.bands)


def test_what_happened_after_the_day_is_not_seen(lived: Store, shipped: Bundle) -> None:
    """Churning on a later day changes nothing of what is told on an earlier one."""
    before = told(lived, shipped, END - 28)
    with lived.begin() as session:
        later = update(AccountRow).where(AccountRow.stage == "churned", AccountRow.stage_since > END - 28)
        session.execute(later.values(stage="adoption", stage_since=None))
    assert told(lived, shipped, END - 28) == before


def test_a_short_history_is_refused_with_what_is_missing(sqlite_store: Store, shipped: Bundle) -> None:
    """S3-06: nothing is told below the minimum sample."""
    with sqlite_store.begin() as session:
        live(session, accounts=150)
    few = told(sqlite_store, shipped)
    assert few.chances == ()
    assert "more accounts with a known end are needed" in few.sentence
    young = told(sqlite_store, shipped, END - 300)
    assert "it takes some 135 to fit on the earlier ones and judge on later ones" in young.sentence


def test_nothing_at_all_is_refused_too(sqlite_store: Store, shipped: Bundle) -> None:
    assert told(sqlite_store, shipped).chances == ()


def test_what_was_told_is_kept_with_who_told_it(store: Store, shipped: Bundle) -> None:
    """One day's chances replace what the same day told before."""
    with store.begin() as session:
        live(session, accounts=300)
        found = predict(session, shipped.catalog, END)
        save(session, found)
        save(session, found)
    with store.read() as session:
        kept = newest(session)
        makers = set(session.scalars(select(PredictionRow.predictor)))
        assert set(owned(session, "bob@example.com")) == set(range(1, 301, 2))
    assert kept is not None
    assert kept.judged == found.judged
    assert set(kept.chances) == set(found.chances)
    assert makers == ({found.fingerprint} if found.chances else set())
    assert len(found.fingerprint) == (64 if found.chances else 0)


def test_of_very_many_accounts_a_part_is_fitted_on_and_all_are_told(lived: Store, shipped: Bundle) -> None:
    """Memory does not grow with the portfolio; the same part is taken every time."""
    whole = told(lived, shipped)
    with lived.read() as session:
        part, again = (predict(session, shipped.catalog, END, most=400) for _ in range(2))
    assert 350 < part.accounts < 430 < whole.accounts
    assert part == again
    assert {one.account_id for one in part.chances} == {one.account_id for one in whole.chances}


def test_no_rule_and_no_scorecard_can_read_a_prediction(small_bundle: Bundle) -> None:
    """D.6 42: a prediction stands beside the score and is never part of it."""
    for text, metric in (("condition: {'>': [{var: prediction.churn}, 0.5]}", "x"), ("metric: churn_chance", "y")):
        rule = RULE.replace("MEASURE", text if metric == "x" else f"{text}, threshold: {{above: 0.5}}")
        checked = read({**small_bundle.texts, "rules/r.yaml": rule})
        assert checked.bundle is None
        assert any("prediction.churn" in one.message or "churn_chance" in one.message for one in checked.problems)


RULE = """\
format: 1
rule: r
challenge: {title: T, kind: risk, why: W., owner: o, success: {metric: active_users, at_least: 60, within: 45d}}
actions: []
signals: {s: {MEASURE}}
"""
