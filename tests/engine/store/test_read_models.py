"""What pages read, on both databases: values out, the same figures as were stored, foreign and missing alike."""

import dataclasses
from datetime import timedelta

import pytest

from engine.errors import NotFound
from engine.store import standing
from engine.store.account_page import account_page
from engine.store.decision_tables import EpisodeRow
from engine.store.effects_page import effects_page
from engine.store.glances import glances, id_of, open_runs, top_cause
from engine.store.inbox import approval, inbox, task
from engine.store.outbox import add
from engine.store.portfolio import PAGE, Course, Portfolio, Wanted, portfolio
from engine.store.run_page import run_page
from engine.store.sessions import Store
from engine.store.sources import sources
from engine.terms import MICRO, OutboxKind, Tier, Verdict
from tests.seeding import DAY, NOW, OTHER, OWNER, Seeded, seed


def test_every_page_of_a_seeded_installation_can_be_read(store: Store) -> None:
    """One seeding per database, read by every model."""
    seeded = seed(store)
    the_inbox_is_the_members_own(store, seeded)
    the_list_begins_with_those_that_need_attention(store)
    an_account_explains_its_score_exactly(store, seeded)
    a_run_shows_done_current_and_ahead(store, seeded)
    effects_keep_their_arms_apart(store)
    a_metric_leads_to_its_points(store, seeded)
    what_waits_too_long_is_counted(store, seeded)
    foreign_and_missing_are_alike(store, seeded)
    a_signal_of_an_open_challenge_comes_first(store, seeded)


def the_inbox_is_the_members_own(store: Store, seeded: Seeded) -> None:
    with store.read() as session:
        mine, theirs = inbox(session, OWNER), inbox(session, OTHER)
    assert ([one.id for one in mine.approvals], [one.id for one in theirs.approvals]) == (
        [seeded.approval],
        [seeded.foreign_approval],
    )
    assert [one.id for one in mine.tasks] == [seeded.task]
    assert (mine.count, len(mine.doubtful), len(theirs.doubtful)) == (3, 1, 0)
    shown = mine.approvals[0]
    assert (shown.items[0].to, shown.why.facts[0].verdict) == ("Maria Lindqvist", 1)
    assert shown.is_pending


def the_list_begins_with_those_that_need_attention(store: Store) -> None:
    with store.read() as session:
        everybody = portfolio(session, Wanted(), None)
        well = portfolio(session, Wanted(tier=Tier.DOING_WELL, search="FJORD"), OWNER)
    names = [row.account.name for row in everybody.rows]
    assert (names[0], names[-1], everybody.total) == ("Northwind Health", "Cedar Schools", 7)
    assert everybody.tiers[Tier.REQUIRES_ATTENTION] == 2
    assert everybody.tiers[None] == 1
    assert everybody.owners == (OWNER, OTHER)
    assert [row.account.name for row in well.rows] == ["Fjord Travel"]
    assert everybody.rows[0].open_runs == 1


def an_account_explains_its_score_exactly(store: Store, seeded: Seeded) -> None:
    """S0-58: the changes of the parts sum to the change of the score."""
    with store.read() as session:
        page = account_page(session, seeded.accounts["Northwind Health"], OWNER, NOW)
    assert page.score is not None
    assert sum(line.contribution for line in page.score.lines) == page.score.computed
    assert sum(line.change for line in page.score.lines) + page.score.gone == page.score.change
    assert page.signals[0].verdict is Verdict.HOLDS
    assert not page.signals[0].holds
    assert page.contacts[0].name == "Maria Lindqvist"
    assert page.goals[0].target == 2_000
    assert [entry.at for entry in page.timeline] == sorted((entry.at for entry in page.timeline), reverse=True)
    assert dataclasses.is_dataclass(page.timeline[0])


def a_signal_of_an_open_challenge_comes_first(store: Store, seeded: Seeded) -> None:
    account = seeded.accounts["Northwind Health"]
    with store.begin() as session:
        session.add(EpisodeRow(account_id=account, rule="seats-unused", opened_on=DAY, closed_on=None))
    with store.read() as session:
        signals = account_page(session, account, OWNER, NOW).signals
    assert [(one.rule, one.holds) for one in signals[:2]] == [("seats-unused", True), ("usage-falling", False)]


def a_run_shows_done_current_and_ahead(store: Store, seeded: Seeded) -> None:
    with store.read() as session:
        page = run_page(session, seeded.waiting_run, OWNER)
    assert [line.step for line in page.lines if line.current] == ["wait-1"]
    assert [line.state is not None for line in page.lines] == [True, True, True, False, False]
    assert page.lines[2].deliveries[0].to == "Maria Lindqvist"
    assert page.lines[3].until == NOW + timedelta(days=5)


def effects_keep_their_arms_apart(store: Store) -> None:
    with store.read() as session:
        found = effects_page(session)
    assert [one.rule for one in found] == ["seats-unused", "usage-falling", "gone-quiet"]
    assert found[0].treated.share == pytest.approx(86 / 142)
    assert found[2].low is None


def a_metric_leads_to_its_points(store: Store, seeded: Seeded) -> None:
    """S0-59."""
    with store.read() as session:
        found = sources(session, seeded.accounts["Northwind Health"], OWNER, "active_users", ("login",))
    assert (found.points[0].day, found.points[0].value) == (DAY, 40)
    assert found.happened == ()


def what_waits_too_long_is_counted(store: Store, seeded: Seeded) -> None:
    with store.begin() as session:
        add(session, OutboxKind.START, seeded.run, {}, NOW)
    with store.read() as session:
        assert standing.read(session, NOW + timedelta(seconds=20)) == standing.CALM
        late = standing.read(session, NOW + timedelta(minutes=2))
    assert (late.waiting, late.since) == (1, NOW)


def foreign_and_missing_are_alike(store: Store, seeded: Seeded) -> None:
    foreign = seeded.accounts["Delta Foundry"]
    with store.read() as session:
        for reading in (
            lambda: account_page(session, foreign, OWNER, NOW),
            lambda: account_page(session, 999_999, OWNER, NOW),
            lambda: sources(session, foreign, OWNER, "active_users"),
            lambda: approval(session, seeded.foreign_approval, OWNER, OWNER),
            lambda: approval(session, 999_999, OWNER, None),
            lambda: task(session, seeded.foreign_task, OWNER, OWNER),
            lambda: run_page(session, 999_999, None),
            lambda: id_of(session, "nobody"),
        ):
            with pytest.raises(NotFound):
                reading()
        assert glances(session, [999_999]) == {}
        assert open_runs(session, []) == {}


def test_the_cause_is_the_known_metric_that_costs_most() -> None:
    lines = [["a", 1.0, 50.0, 0.5, 25 * MICRO], ["b", None, None, 0.4, 0], ["c", 1.0, 90.0, 0.1, 9 * MICRO]]
    assert top_cause(lines) == "a"
    assert top_cause([["c", 1.0, 100.0, 1.0, 100 * MICRO]]) == ""
    assert top_cause([]) == ""


def test_a_course_changes_between_its_known_ends() -> None:
    assert Course((1, 2, 3), (10, None, 30)).change == 20
    assert Course((1, 2), (None, 30)).change is None


def test_there_is_always_a_page() -> None:
    assert Portfolio((), 0, 1, {}, ()).pages == 1
    assert Portfolio((), PAGE + 1, 1, {}, ()).pages == 2
