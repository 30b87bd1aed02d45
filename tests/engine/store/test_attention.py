"""The order of attention over a stored portfolio: by the formula, whole, whoever shouts."""

from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import update

from engine.definitions.bundle import Bundle
from engine.evaluation.priority import LOSS_BY_TIER
from engine.store import bundles
from engine.store.attention import Turn, queue
from engine.store.decision_tables import EffectRow, EpisodeRow
from engine.store.files import check
from engine.store.predictions import predict, save
from engine.store.sessions import Store
from engine.store.tables import AccountRow, EventRow
from engine.terms import Tier
from tests.engine.store.futures import END, live

WHEN = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def hundred(sqlite_store: Store) -> Store:
    """A hundred accounts and some that have churned."""
    with sqlite_store.begin() as session:
        live(session, accounts=160)
    return sqlite_store


def turns(store: Store, owner: str | None = None) -> tuple[Turn, ...]:
    with store.read() as session:
        return queue(session, END, owner)


def test_the_order_equals_the_formula_written_down(hundred: Store) -> None:
    """S0-05: risk = ARR x loss x save x urgency, growth = ARR x 20 % x chance; the larger, plus waiting."""
    found = turns(hundred)
    assert len(found) > 60
    for turn in found:
        risk = turn.arr * turn.loss * turn.save * turn.urgency
        assert turn.priority == pytest.approx(max(risk, turn.arr * 0.2 * turn.grow) + turn.ageing)
        days = turn.renewal or 0
        assert turn.urgency == pytest.approx(1 - 0.7 * (min(max(days, 60), 180) - 60) / 120)
    assert [turn.priority for turn in found] == sorted((turn.priority for turn in found), reverse=True)
    assert [turn.place for turn in found] == list(range(1, len(found) + 1))


def test_without_a_prediction_the_tier_says_how_likely_loss_is_and_that_is_said(hundred: Store) -> None:
    """Unknown parts are never zero: a written-down number stands in, and its name is told."""
    found = turns(hundred)
    assert {turn.loss for turn in found} <= set(LOSS_BY_TIER.values())
    assert LOSS_BY_TIER[Tier.REQUIRES_ATTENTION] in {turn.loss for turn in found}
    assert all({"loss", "save", "grow"} <= set(turn.assumed) for turn in found)
    assert "chance of loss" in found[0].sentence
    assert "(assumed)" in found[0].sentence


def test_an_unknown_arr_counts_as_the_middle_one(hundred: Store) -> None:
    with hundred.begin() as session:
        first = queue(session, END)[0].account_id
        session.execute(update(AccountRow).where(AccountRow.id == first).values(arr=None))
    found = turns(hundred)
    unknown = next(turn for turn in found if turn.account_id == first)
    assert unknown.arr == np.median([turn.arr for turn in found if turn is not unknown])
    assert "arr" in unknown.assumed


def test_what_comes_in_from_customers_moves_nobody(hundred: Store) -> None:
    """S3-07: the loudest voice is not served first."""
    before = turns(hundred)
    loud = before[-1].account_id
    with hundred.begin() as session:
        for number in range(200):
            session.add(EventRow(key=f"t{number}", name="ticket", account_id=loud, day=END, at=WHEN, recorded_at=WHEN))
    assert turns(hundred) == before


def test_a_prediction_goes_before_the_tier(sqlite_store: Store) -> None:
    checked = check(".")[0].bundle
    assert checked is not None
    with sqlite_store.begin() as session:
        live(session)
        told = predict(session, checked.catalog, END)
        save(session, told)
    chances = {one.account_id: one for one in told.chances}
    for turn in turns(sqlite_store):
        assert turn.loss == chances[turn.account_id].churn
        assert turn.grow == chances[turn.account_id].grow
        assert "loss" not in turn.assumed


def shipped() -> Bundle:
    found = check(".")[0].bundle
    assert found is not None
    return found


def test_the_measured_effect_of_what_answers_is_the_chance_to_save(hundred: Store) -> None:
    """Where a playbook is measured its effect counts; elsewhere the middle of those that are."""
    answered, other = (turn.account_id for turn in turns(hundred)[:2])
    with hundred.begin() as session:
        bundles.publish(session, shipped(), author="", at=WHEN)
        session.add(EpisodeRow(account_id=answered, rule="seats-unused", opened_on=END - 40, closed_on=None))
        session.add(effect("seats-unused", 0.3))
    found = {turn.account_id: turn for turn in turns(hundred)}
    assert found[answered].save == 0.3
    assert "save" not in found[answered].assumed
    assert found[other].save == 0.3
    assert "save" in found[other].assumed


def effect(rule: str, uplift: float) -> EffectRow:
    return EffectRow(
        rule=rule, playbook="p", treated=100, treated_met=50, treated_unknown=0, held_out=100, held_out_met=20,
        held_out_unknown=0, uplift=uplift, low=0.1, high=0.5, sentence="", estimated_on=END,
    )  # fmt: skip


def test_who_waits_rises_a_little_every_day_so_that_nobody_waits_for_ever(hundred: Store) -> None:
    last = turns(hundred)[-1]
    with hundred.begin() as session:
        session.add(EpisodeRow(account_id=last.account_id, rule="seats-unused", opened_on=END - 400, closed_on=None))
    later = next(turn for turn in turns(hundred) if turn.account_id == last.account_id)
    assert later.waiting == 400
    assert later.ageing == pytest.approx(0.4 * np.median([turn.arr for turn in turns(hundred)]))
    assert later.place < last.place


def test_an_owner_sees_their_own_in_the_order_of_all(hundred: Store) -> None:
    mine = turns(hundred, "ann@example.com")
    everybody = {turn.key: turn for turn in turns(hundred)}
    assert {turn.owner for turn in mine} == {"ann@example.com"}
    assert all(turn == everybody[turn.key] for turn in mine)
    assert 0 < len(mine) < len(everybody)
