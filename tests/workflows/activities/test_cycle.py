"""A cycle, on both databases, with the shipped starter pack: decided once, judged when due, fed back."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.errors import Refused
from engine.evaluation.past import Past
from engine.store import bundles, points, runs, score_overrides, standing
from engine.store.decision_tables import (
    CycleRow,
    DecisionRow,
    EffectRow,
    EpisodeRow,
    OutcomeRow,
    ScoreRow,
)
from engine.store.files import check
from engine.store.past import load_past
from engine.store.run_tables import OutboxRow, RunRow
from engine.store.sessions import Store
from engine.store.states import State, of_accounts
from engine.store.tables import AccountRow, MetricRow, PointRow, SubjectRow
from workflows.activities import cycle
from workflows.activities.cycle import EPOCH, run_cycle
from workflows.payloads import CycleResult

AT = datetime(2026, 9, 1, 20, tzinfo=UTC)
TODAY = (AT - EPOCH).days
ACCOUNTS = 40


@cache
def shipped() -> Bundle:
    """The starter pack, with every account of `seats-unused` inside enrolled and half of them held out."""
    checked, _ = check(str(Path(__file__).parents[3]))
    assert checked.bundle is not None
    return checked.bundle


@pytest.fixture
def portfolio(store: Store) -> Store:
    """Forty accounts that use 80 of 100 seats until the day before `AT`."""
    with store.begin() as session:
        bundles.publish(session, shipped(), author="test", at=AT)
        for number in range(1, ACCOUNTS + 1):
            session.add(SubjectRow(id=number, kind="account"))
            session.flush()
            session.add(AccountRow(id=number, key=f"a{number}", name=f"Account {number}", arr=20_000.0, recorded_at=AT))
        session.flush()
        push(session, "seats_sold", range(1, ACCOUNTS + 1), [TODAY - 80], 100)
        push(session, "active_users", range(1, ACCOUNTS + 1), range(TODAY - 60, TODAY - 9), 80)
    return store


def push(session: Session, metric: str, accounts: Iterable[int], days: Iterable[int], value: float) -> None:
    """Add the same value of a metric for accounts and days."""
    pairs = [(account, day) for account in accounts for day in days]
    number = points.metric_ids(session, {metric})[metric]
    points.add(
        session,
        points.PointColumns(
            subject_ids=np.array([account for account, _ in pairs], dtype=np.int64),
            metric_ids=np.full(len(pairs), number, dtype=np.int32),
            days=np.array([day for _, day in pairs], dtype=np.int32),
            values=np.full(len(pairs), value, dtype=np.float64),
        ),
        AT,
    )


def empty_the_seats(store: Store, accounts: Iterable[int]) -> None:
    """From nine days before `AT` on, only 30 of the 100 seats are used."""
    with store.begin() as session:
        push(session, "active_users", accounts, range(TODAY - 9, TODAY + 1), 30)


def seats_unused(session: Session) -> list[State]:
    """The signal of that name for every account."""
    return [one for one in of_accounts(session, range(1, ACCOUNTS + 1)) if one.signal == "seats_unused"]


def first_then_fall(store: Store) -> None:
    """One cycle while all is well, then 30 accounts fall, the others go on."""
    with store.begin() as session:
        push(session, "active_users", range(1, ACCOUNTS + 1), range(TODAY - 9, TODAY - 7), 80)
    run_cycle(store, shipped(), AT - timedelta(days=8), day_seconds=1.0)
    empty_the_seats(store, range(1, 31))
    with store.begin() as session:
        push(session, "active_users", range(31, ACCOUNTS + 1), range(TODAY - 7, TODAY + 1), 80)


def test_a_fall_below_forty_per_cent_starts_runs_and_holds_some_accounts_out(portfolio: Store) -> None:
    """S0-64, S1-59: the transition starts the run, in one transaction with its outcome and its outbox row."""
    first_then_fall(portfolio)
    result = run_cycle(portfolio, shipped(), AT, day_seconds=1.0)
    with portfolio.read() as session:
        seats = session.scalars(select(DecisionRow).where(DecisionRow.rule == "seats-unused")).all()
        kinds = [row.kind for row in seats]
        assert len(seats) == 30
        assert kinds.count("start") + kinds.count("hold_out") == 30
        assert kinds.count("hold_out") >= 1
        started = [row.id for row in session.scalars(select(DecisionRow)) if row.kind == "start"]
        assert set(session.scalars(select(RunRow.decision_id))) == set(started)
        assert session.scalar(select(func.count()).select_from(OutboxRow)) == len(started)
        due = session.scalars(select(OutcomeRow).where(OutcomeRow.rule == "seats-unused")).all()
        assert {row.arm for row in due} == {"treated", "held_out"}
        assert {row.due_on for row in due} == {TODAY + 45}
    assert result.starts == len(started)
    assert result.accounts == ACCOUNTS


def test_the_evidence_of_a_decision_can_be_read_aloud(portfolio: Store) -> None:
    """S0-02, S2-17: the failing metric, its value and its limit."""
    first_then_fall(portfolio)
    run_cycle(portfolio, shipped(), AT, day_seconds=1.0)
    with portfolio.read() as session:
        row = session.scalars(select(DecisionRow).where(DecisionRow.rule == "seats-unused")).first()
    assert row is not None
    text = " ".join(evidence["sentence"] for evidence in row.evidence)
    assert "30 %" in text
    assert "40 %" in text


def test_the_same_state_again_decides_nothing_again(portfolio: Store) -> None:
    """Edge, not level: one episode, one decision."""
    first_then_fall(portfolio)
    run_cycle(portfolio, shipped(), AT, day_seconds=1.0)
    again = run_cycle(portfolio, shipped(), AT + timedelta(hours=1), day_seconds=1.0)
    assert (again.starts, again.refusals, again.hold_outs) == (0, 0, 0)
    with portfolio.read() as session:
        opened = session.scalars(select(EpisodeRow.account_id).where(EpisodeRow.rule == "seats-unused")).all()
    assert len(opened) == len(set(opened)) == 30


def test_an_account_that_recovers_leaves_its_episode(portfolio: Store) -> None:
    first_then_fall(portfolio)
    run_cycle(portfolio, shipped(), AT, day_seconds=None)
    with portfolio.begin() as session:
        push(session, "active_users", [1], [TODAY + 1], 70)
    run_cycle(portfolio, shipped(), AT + timedelta(days=1), day_seconds=None)
    with portfolio.read() as session:
        closed = session.scalars(select(EpisodeRow.account_id).where(EpisodeRow.closed_on == TODAY + 1)).all()
    assert 1 in closed


def test_outcomes_of_both_arms_are_judged_when_due_and_only_treated_ones_become_points(portfolio: Store) -> None:
    """S2-51: each decision ends in an outcome; the difference between the arms is the effect."""
    first_then_fall(portfolio)
    run_cycle(portfolio, shipped(), AT, day_seconds=None)
    with portfolio.begin() as session:
        push(session, "active_users", range(1, 21), range(TODAY + 30, TODAY + 46), 75)
        push(session, "active_users", range(21, 31), range(TODAY + 30, TODAY + 46), 30)
    run_cycle(portfolio, shipped(), AT + timedelta(days=45), day_seconds=None)
    with portfolio.read() as session:
        outcomes = session.scalars(select(OutcomeRow).where(OutcomeRow.rule == "seats-unused")).all()
        states = {row.account_id: row.state for row in outcomes}
        assert all(states[account] == "met" for account in range(1, 21))
        assert all(states[account] == "not_met" for account in range(21, 31))
        treated = {row.account_id for row in outcomes if row.arm == "treated"}
        metric = session.scalar(select(MetricRow.id).where(MetricRow.name == "response.seat-activation"))
        told = session.scalars(select(PointRow.subject_id).where(PointRow.metric_id == metric)).all()
        assert set(told) == treated
        effect = session.get(EffectRow, ("seats-unused", "seat-activation"))
        assert effect is not None
        assert effect.treated + effect.held_out == 30


def test_scores_and_signal_states_of_a_day_are_written_once(portfolio: Store) -> None:
    """S4-15: one snapshot a day, idempotent on re-run."""
    first_then_fall(portfolio)
    for hour in (0, 1):
        run_cycle(portfolio, shipped(), AT + timedelta(hours=hour), day_seconds=None)
    with portfolio.read() as session:
        today = session.scalar(select(func.count()).select_from(ScoreRow).where(ScoreRow.day == TODAY))
        states = [one.since for one in seats_unused(session)]
    assert today == ACCOUNTS
    assert len(states) == ACCOUNTS


def test_accounts_inside_at_first_publication_start_once_a_member_releases_the_rule(portfolio: Store) -> None:
    """P6: `existing: ask` starts nothing until somebody says so; then each account is decided on once."""
    empty_the_seats(portfolio, range(1, 31))
    first = run_cycle(portfolio, shipped(), AT, day_seconds=1.0)
    assert first.starts == 0
    assert first.refusals >= 30
    again = run_cycle(portfolio, shipped(), AT, day_seconds=1.0, released=frozenset({"seats-unused"}))
    assert again.starts + again.hold_outs == 30
    with portfolio.read() as session:
        opened = session.scalars(select(EpisodeRow.account_id).where(EpisodeRow.rule == "seats-unused")).all()
    assert len(opened) == len(set(opened)) == 30


def test_a_rule_released_twice_decides_once_on_each_account(portfolio: Store) -> None:
    """What a member let pass is decided; only what still waits for a word is decided on again."""
    empty_the_seats(portfolio, range(1, 31))
    run_cycle(portfolio, shipped(), AT, day_seconds=None)
    released = frozenset({"seats-unused"})
    first = run_cycle(portfolio, shipped(), AT, day_seconds=None, released=released)
    assert first.starts + first.hold_outs == 30
    again = run_cycle(portfolio, shipped(), AT, day_seconds=None, released=released)
    assert (again.starts, again.refusals, again.hold_outs) == (0, 0, 0)


def test_what_a_member_is_asked_stays_asked_until_it_is_answered(portfolio: Store) -> None:
    """P6: the next cycle finds nothing new, and the question is still there."""
    empty_the_seats(portfolio, range(1, 31))
    for hour in range(3):
        run_cycle(portfolio, shipped(), AT + timedelta(hours=hour), day_seconds=1.0)
        with portfolio.read() as session:
            assert "seats-unused" in standing.asks(session)
    run_cycle(portfolio, shipped(), AT + timedelta(hours=3), day_seconds=1.0, released=frozenset({"seats-unused"}))
    with portfolio.read() as session:
        assert "seats-unused" not in standing.asks(session)


def test_cycles_at_once_decide_once(portfolio: Store) -> None:
    """F: a schedule and a person ask at the same moment; each account starts once, and neither cycle fails."""
    first_then_fall(portfolio)
    ready = threading.Barrier(3)

    def one_of_three(_: int) -> CycleResult:
        ready.wait()
        return run_cycle(portfolio, shipped(), AT, day_seconds=1.0)

    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(one_of_three, range(3)))
    assert sorted(one.starts + one.hold_outs > 0 for one in results) == [False, False, True]
    with portfolio.read() as session:
        opened = session.scalars(select(EpisodeRow.account_id).where(EpisodeRow.rule == "seats-unused")).all()
        started = session.scalars(select(RunRow.account_id).where(RunRow.playbook == "seat-activation")).all()
        states = [one.since for one in seats_unused(session)]
    assert len(opened) == len(set(opened)) == 30
    assert len(started) == len(set(started))
    assert len(states) == ACCOUNTS


def test_a_day_before_the_last_cycle_is_not_decided_any_more(portfolio: Store) -> None:
    """What was decided later cannot be taken back, so the past is only looked at (`plan --at`)."""
    first_then_fall(portfolio)
    run_cycle(portfolio, shipped(), AT, day_seconds=None)
    with pytest.raises(Refused, match=r"2026-09-01.*2026-08-22"):
        run_cycle(portfolio, shipped(), AT - timedelta(days=10), day_seconds=None)
    with portfolio.read() as session:
        states = [one.known for one in seats_unused(session)]
        assert states.count(1) == 30
        assert session.scalar(select(func.count()).select_from(CycleRow)) == 2


def test_a_plan_for_a_past_day_knows_nothing_of_what_came_later(portfolio: Store) -> None:
    """No look-ahead: neither an episode that opened later, nor a cooldown, nor a run that had not been requested."""
    first_then_fall(portfolio)
    before = load_at(portfolio, AT - timedelta(hours=1))
    run_cycle(portfolio, shipped(), AT, day_seconds=1.0)
    with portfolio.begin() as session:
        push(session, "active_users", range(1, 31), [TODAY + 1], 70)
    run_cycle(portfolio, shipped(), AT + timedelta(days=1), day_seconds=1.0)
    yesterday = load_at(portfolio, AT - timedelta(days=1))
    assert yesterday == before
    on_the_day = load_at(portfolio, AT + timedelta(minutes=1))
    assert on_the_day.inside["seats-unused"] == set(range(1, 31))
    assert on_the_day.episode_ended == {}


def load_at(store: Store, at: datetime) -> Past:
    """The past as deciding at a moment would have read it."""
    with store.read() as session:
        return load_past(session, shipped(), at)


def test_a_rule_that_is_gone_from_the_files_holds_nobody_out(portfolio: Store) -> None:
    """Its outcomes cannot be judged any more, so nothing is left to protect; its episodes wait for its return."""
    first_then_fall(portfolio)
    run_cycle(portfolio, shipped(), AT, day_seconds=None)
    without = replace(shipped(), rules={k: v for k, v in shipped().rules.items() if k != "seats-unused"})
    with portfolio.read() as session:
        assert load_past(session, shipped(), AT).held_out["seat-activation"]
        assert load_past(session, without, AT).held_out == {}
    run_cycle(portfolio, without, AT + timedelta(days=1), day_seconds=None)
    run_cycle(portfolio, shipped(), AT + timedelta(days=2), day_seconds=None)
    with portfolio.read() as session:
        decided = session.scalars(select(DecisionRow.account_id).where(DecisionRow.rule == "seats-unused")).all()
    assert sorted(decided) == list(range(1, 31))


def test_a_rule_is_first_applied_when_it_first_says_something(portfolio: Store) -> None:
    """A cycle over no data must not make a whole portfolio look as if it had entered the rule the day data came."""
    run_cycle(portfolio, shipped(), AT - timedelta(days=100), day_seconds=1.0)
    empty_the_seats(portfolio, range(1, 31))
    run_cycle(portfolio, shipped(), AT, day_seconds=1.0)
    with portfolio.read() as session:
        reasons = session.scalars(select(DecisionRow.reason).where(DecisionRow.rule == "seats-unused")).all()
    assert reasons == ["existing_ignored"] * 30


def test_a_run_started_by_hand_while_a_cycle_decides_is_seen_by_it(portfolio: Store) -> None:
    """No second run, and the cycle does not fail because somebody was a moment earlier."""
    first_then_fall(portfolio)
    found: list[CycleResult] = []
    deciding = threading.Thread(target=lambda: found.append(run_cycle(portfolio, shipped(), AT, day_seconds=1.0)))
    with portfolio.begin() as session:
        treated = 1
        runs.start_by_hand(session, shipped(), treated, "seat-activation", "m@example.org", "a hunch", AT, 1.0)
        deciding.start()
        deciding.join(1.5)  # evaluated by now, and waiting for us
    deciding.join(30)
    assert [one.accounts for one in found] == [ACCOUNTS]
    with portfolio.read() as session:
        of_playbook = select(RunRow.account_id).where(RunRow.playbook == "seat-activation")
        assert session.scalars(of_playbook).all().count(treated) == 1
        [reason] = session.scalars(
            select(DecisionRow.reason).where(DecisionRow.rule == "seats-unused", DecisionRow.account_id == treated)
        ).all()
    assert reason == "open_run"


def test_an_override_counts_until_the_moment_it_ends_and_the_computed_score_stays(portfolio: Store) -> None:
    """S4-34: it ends at the time of day it was given, not on the midnight before."""
    first_then_fall(portfolio)
    with portfolio.begin() as session:
        score_overrides.override(
            session,
            1,
            "health",
            score=12.0,
            tier=None,
            reason="they told me so",
            member="m@example.org",
            expires_at=AT + timedelta(hours=2),
            at=AT - timedelta(hours=1),
        )
    seen = []
    for hours in (0, 3):
        run_cycle(portfolio, shipped(), AT + timedelta(hours=hours), day_seconds=None)
        with portfolio.read() as session:
            row = session.get_one(ScoreRow, (TODAY, "health", 1))
            seen.append((row.effective, row.computed))
    (during, computed), (after, same) = seen
    assert during == 12_000_000
    assert computed == same == after
    assert computed != during


def test_a_cycle_that_comes_months_late_judges_as_one_in_time_would_have(portfolio: Store) -> None:
    """After a long outage the data of the due day still decides, and not its absence since."""
    first_then_fall(portfolio)
    run_cycle(portfolio, shipped(), AT, day_seconds=None)
    with portfolio.begin() as session:
        push(session, "active_users", range(1, 21), range(TODAY + 30, TODAY + 46), 75)
        push(session, "active_users", range(21, 31), range(TODAY + 30, TODAY + 46), 30)
    run_cycle(portfolio, shipped(), AT + timedelta(days=45 + 300), day_seconds=None)
    with portfolio.read() as session:
        outcomes = session.scalars(select(OutcomeRow).where(OutcomeRow.rule == "seats-unused")).all()
    states = {row.account_id: row.state for row in outcomes}
    assert states == {account: "met" if account <= 20 else "not_met" for account in range(1, 31)}


def test_a_cycle_that_dies_before_it_has_decided_is_made_up_for(
    portfolio: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signals were written as firing already; the open episodes, not they, say what has been decided."""
    first_then_fall(portfolio)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(cycle, "save_cycle", dies)
        with pytest.raises(KeyboardInterrupt):
            run_cycle(portfolio, shipped(), AT, day_seconds=1.0)
    with portfolio.read() as session:
        assert session.scalar(select(func.count()).select_from(RunRow)) == 0
    run_cycle(portfolio, shipped(), AT, day_seconds=1.0)
    with portfolio.read() as session:
        decided = session.scalars(select(DecisionRow.account_id).where(DecisionRow.rule == "seats-unused")).all()
    assert sorted(decided) == list(range(1, 31))
