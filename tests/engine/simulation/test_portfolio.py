"""What a portfolio sends: declared, repeatable, large enough, and changed by decisions only after their day."""

from datetime import timedelta

import numpy as np
import pytest

from engine.definitions.bundle import Bundle
from engine.evaluation.deciding import Past, decide
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.facts import Before
from engine.simulation.batches import Batch
from engine.simulation.history import EPOCH, responses, with_hold_out
from engine.simulation.measuring import METRICS, ROLES
from engine.simulation.memory import facts_of, remembered
from engine.simulation.portfolio import Portfolio, Response, make_portfolio
from engine.terms import Arm, DecisionKind, Mode

FIRST = 20_600


@pytest.fixture(scope="module")
def portfolio() -> Portfolio:
    """Read only: tests that respond make their own."""
    return make_portfolio(3, 2000, first_day=FIRST)


@pytest.fixture(scope="module")
def whole(portfolio: Portfolio) -> Batch:
    return portfolio.batch(portfolio.first_day, portfolio.last_day)


def listed(batch: Batch) -> list[tuple[int, int, int, float]]:
    columns = batch.points
    rows = zip(columns.accounts, columns.metrics, columns.days, columns.values, strict=True)
    return sorted((int(account), int(metric), int(day), float(value)) for account, metric, day, value in rows)


def test_only_declared_metrics_and_events_are_sent(shipped: Bundle, whole: Batch) -> None:
    assert set(METRICS) <= set(shipped.catalog.metrics)
    for kind, fields in {(event.name, event.fields) for event in whole.events}:
        assert {name for name, _ in fields} <= set(shipped.catalog.events[kind].fields)


def test_every_source_of_metrics_is_there(shipped: Bundle) -> None:
    from_events = {name for name, metric in shipped.catalog.metrics.items() if metric.from_events}
    sources = {shipped.catalog.metrics[name].source for name in {*METRICS, *from_events}}
    assert sources == {"outcomes", "adoption", "delivery", "feedback", "relationship", "commercial"}


def test_the_demo_has_the_size_it_promises(whole: Batch) -> None:
    assert 600_000 <= len(whole.points.days) <= 1_000_000


def test_a_metric_has_one_finite_point_a_day_at_most(whole: Batch) -> None:
    columns = whole.points
    keys = (columns.accounts * len(METRICS) + columns.metrics) * 100_000 + columns.days
    assert len(np.unique(keys)) == len(keys)
    assert np.isfinite(columns.values).all()


def test_accounts_and_contacts_are_valid_records(shipped: Bundle, portfolio: Portfolio) -> None:
    accounts, contacts = portfolio.accounts(portfolio.last_day), portfolio.contacts(portfolio.last_day)
    assert tuple(account.key for account in accounts) == portfolio.keys
    assert len(set(portfolio.keys)) == 2000
    assert {account.stage for account in accounts} <= set(shipped.catalog.stages)
    assert all(account.stage_since <= portfolio.last_day for account in accounts)
    assert {role for contact in contacts for role in contact.roles} <= set(shipped.catalog.roles)
    assert len({contact.key for contact in contacts}) == len(contacts) == 2000 * len(ROLES)


def test_no_mail_to_a_simulated_person_can_arrive(portfolio: Portfolio) -> None:
    contacts = portfolio.contacts(portfolio.first_day)
    assert all(contact.email.endswith(".example") and contact.email.isascii() for contact in contacts)
    assert len({contact.email for contact in contacts}) == len(contacts)


def test_the_same_seed_gives_the_same_portfolio_and_another_seed_another() -> None:
    one, again, other = (make_portfolio(seed, 60, first_day=FIRST) for seed in (1, 1, 2))
    assert one.contacts(FIRST) == again.contacts(FIRST)
    assert listed(one.batch(FIRST, FIRST + 90)) == listed(again.batch(FIRST, FIRST + 90))
    assert one.keys != other.keys


def test_the_data_does_not_depend_on_how_the_days_are_cut() -> None:
    portfolio = make_portfolio(1, 60, first_day=FIRST)
    halves = [portfolio.batch(FIRST, FIRST + 150), portfolio.batch(FIRST + 151, FIRST + 179)]
    whole = portfolio.batch(FIRST, FIRST + 179)
    assert sorted(listed(halves[0]) + listed(halves[1])) == listed(whole)
    assert sorted(map(repr, halves[0].events + halves[1].events)) == sorted(map(repr, whole.events))


def entered(portfolio: Portfolio, day: int) -> list[Response]:
    """A decision about each account whose challenge shows by ``day``, arms in turn."""
    traits, arms = portfolio.view.traits, (Arm.TREATED, Arm.HELD_OUT)
    rules = ("seats-unused", "usage-falling", "behind-on-goal", "champion-left", "gone-quiet", "ready-to-expand")
    rows = np.flatnonzero((traits.kind >= 0) & (traits.shows <= day - FIRST))
    return [Response(portfolio.keys[row], rules[traits.kind[row]], arms[turn % 2]) for turn, row in enumerate(rows)]


def test_a_decision_changes_nothing_before_it() -> None:
    portfolio, day = make_portfolio(4, 300, first_day=FIRST), FIRST + 80
    before, after = portfolio.batch(FIRST, day), portfolio.batch(day + 1, FIRST + 179)
    portfolio.respond(day, entered(portfolio, day))
    assert listed(portfolio.batch(FIRST, day)) == listed(before)
    assert portfolio.batch(FIRST, day).events == before.events
    assert listed(portfolio.batch(day + 1, FIRST + 179)) != listed(after)


def test_an_account_that_is_not_in_the_challenge_is_a_stray_and_nothing_follows() -> None:
    portfolio = make_portfolio(4, 300, first_day=FIRST)
    before = portfolio.batch(FIRST, FIRST + 179)
    healthy = portfolio.keys[int(np.flatnonzero(portfolio.view.traits.kind < 0)[0])]
    answers = portfolio.respond(
        FIRST + 80, [Response(healthy, "gone-quiet", Arm.TREATED), Response(healthy, "x", Arm.TREATED)]
    )
    assert answers.strays == ((healthy, "gone-quiet"), (healthy, "x"))
    assert listed(portfolio.batch(FIRST, FIRST + 179)) == listed(before)


def test_a_person_skips_some_starts_and_never_a_hold_out() -> None:
    portfolio, day = make_portfolio(4, 1500, first_day=FIRST), FIRST + 80
    asked = entered(portfolio, day)
    skipped = set(portfolio.respond(day, asked).skipped)
    started = {(each.account_key, each.rule) for each in asked if each.arm is Arm.TREATED}
    assert skipped < started
    assert 0.05 < len(skipped) / len(started) < 0.15


@pytest.fixture(scope="module")
def last_days(portfolio: Portfolio, shipped: Bundle) -> tuple[Bundle, Evaluation, Evaluation]:
    """The evaluations of the last day but one and of the last."""
    bundle = with_hold_out(shipped, 0.3)
    memory, last = remembered(bundle, portfolio.view, portfolio.keys), portfolio.last_day - portfolio.first_day
    yesterday = evaluate(bundle, facts_of(memory, last - 1, Before()))
    return bundle, yesterday, evaluate(bundle, facts_of(memory, last, Before()))


def test_the_last_day_brings_enough_fresh_starts(
    portfolio: Portfolio, last_days: tuple[Bundle, Evaluation, Evaluation]
) -> None:
    bundle, yesterday, today = last_days
    inside = {name: set(np.flatnonzero(verdicts == 1).tolist()) for name, verdicts in yesterday.rules.items()}
    past = Past(inside=inside, known_rules=frozenset(bundle.rules))
    plan = decide(bundle, today, past, EPOCH + timedelta(days=portfolio.last_day))
    starts = [decision for decision in plan.decisions if decision.kind is DecisionKind.START]
    assert len(starts) >= 40
    assert len(portfolio.respond(portfolio.last_day, responses(plan.decisions)).strays) == 0


def test_the_story_begins_on_the_last_day_and_waits_for_a_yes(
    portfolio: Portfolio, last_days: tuple[Bundle, Evaluation, Evaluation]
) -> None:
    bundle, yesterday, today = last_days
    row = portfolio.keys.index(portfolio.story_key)
    assert (yesterday.rules["seats-unused"][row], today.rules["seats-unused"][row]) == (-1, 1)
    assert {name for name, verdicts in today.rules.items() if verdicts[row] == 1} == {"seats-unused"}
    past = Past(known_rules=frozenset(bundle.rules), released=frozenset(bundle.rules))
    plan = decide(bundle, today, past, EPOCH + timedelta(days=portfolio.last_day))
    (decision,) = (each for each in plan.decisions if each.account_key == portfolio.story_key)
    assert (decision.kind, decision.mode, decision.playbook) == (DecisionKind.START, Mode.APPROVE, "seat-activation")


def test_the_story_has_somebody_to_write_to(portfolio: Portfolio, whole: Batch) -> None:
    row = portfolio.keys.index(portfolio.story_key)
    own = [each for each in portfolio.contacts(portfolio.last_day) if each.account_key == portfolio.story_key]
    assert {"champion", "sponsor"} <= {role for contact in own if contact.departed_on is None for role in contact.roles}
    users = {seat for seat, role in enumerate(ROLES) if role == "user"}
    recent = {event.seat for event in whole.events if event.name == "login" and event.account == row}
    assert len(users - recent) >= 2


def test_the_portfolio_lives_on_behind_its_history() -> None:
    portfolio = make_portfolio(1, 100, first_day=FIRST, days=120, after=20)
    assert portfolio.last_day == FIRST + 119
    batch = portfolio.batch(portfolio.last_day + 1, portfolio.last_day + 20)
    assert set(batch.points.days.tolist()) == set(range(FIRST + 120, FIRST + 140))
    assert (portfolio.view.traits.shows[portfolio.view.traits.kind >= 0] < 120).all()


def test_an_empty_story_is_possible() -> None:
    assert make_portfolio(1, 20, first_day=FIRST, story=False).story_key == ""
