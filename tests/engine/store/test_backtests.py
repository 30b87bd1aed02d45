"""A backtest against the store, on both databases: the facts of each cutoff, and what happened afterwards."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.errors import Refused
from engine.store import backtests, bundles, points
from engine.store.backtests import Asked
from engine.store.proposals import propose
from engine.store.rule_counts import rule_counts
from engine.store.sessions import Store
from engine.store.tables import AccountRow, EventRow, SubjectRow
from tests.api.cli.truth import CARD, CATALOG, PLAYBOOK, RULE

DAY_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = 20_000
LEAVES = FIRST + 60


def at(day: int) -> datetime:
    return DAY_ZERO + timedelta(days=day, hours=8)


@pytest.fixture
def bundle() -> Bundle:
    texts = {"rules/catalog.yaml": CATALOG, "rules/seats-unused.yaml": RULE, "playbooks/seat-activation.yaml": PLAYBOOK}
    found = reading.read({**texts, "rules/scorecards/health.yaml": CARD}).bundle
    assert found is not None
    return found


@pytest.fixture
def told(store: Store) -> Store:
    """Account 1 falls to 20 users on day 40 and leaves on day 60; account 2 stays at 80 users and escalates."""
    with store.begin() as session:
        for number, stage, since in ((1, "churned", LEAVES), (2, "adoption", FIRST - 400)):
            session.add(SubjectRow(id=number, kind="account"))
            session.flush()
            session.add(
                AccountRow(
                    id=number,
                    key=f"a{number}",
                    name=f"A{number}",
                    arr=1000.0,
                    stage=stage,
                    stage_since=since,
                    recorded_at=at(FIRST),
                )
            )
        session.flush()
        for day in range(FIRST, FIRST + 100, 5):
            for number in (1, 2):
                low = number == 1 and day >= FIRST + 40
                points.record(session, number, "active_users", day, 20.0 if low else 80.0, at(day))
        session.add(
            EventRow(key="e", name="escalation", account_id=2, day=FIRST + 70, at=at(FIRST + 70), recorded_at=at(FIRST))
        )
    return store


def asked(**more: object) -> Asked:
    given: dict[str, object] = {"first": FIRST + 10, "last": FIRST + 55, "every": 5, "within": 30, "outcome": "churned"}
    return Asked(("seats-unused",), ("health",), **(given | more))  # type: ignore[arg-type]  # named by the tests


def test_what_was_said_is_held_against_what_happened(told: Store, bundle: Bundle) -> None:
    """S0-07."""
    days: list[int] = []
    with told.read() as session:
        found = backtests.run(session, bundle, asked(), days.append)
    assert days == list(range(FIRST + 10, FIRST + 56, 5))
    warned = found.rules["seats-unused"]
    assert (warned.alerts, warned.leads.tolist(), warned.missed.tolist()) == (1, [20], [])
    assert (found.outcomes, found.customers, found.until) == (1, 2, FIRST + 95)
    assert found.cards["health"].attention.leads.tolist() == [20]


def test_an_event_can_be_what_happened(told: Store, bundle: Bundle) -> None:
    """S3-14: the escalation came to an account that nothing had flagged."""
    with told.read() as session:
        found = backtests.run(session, bundle, asked(outcome="escalation"))
    assert (found.outcomes, found.rules["seats-unused"].missed.tolist()) == (1, [1])


def test_a_fall_of_the_tier_can_be_what_happened(told: Store, bundle: Bundle) -> None:
    """S1-46: the rule fires on the cutoff on which the tier falls: no lead, and it is not counted as one."""
    with told.read() as session:
        found = backtests.run(session, bundle, asked(outcome="tier.health"))
    warned = found.rules["seats-unused"]
    assert (found.outcomes, warned.leads.tolist(), warned.late.tolist()) == (1, [], [0])


def test_what_was_corrected_later_is_seen_or_not_as_asked(told: Store, bundle: Bundle) -> None:
    with told.begin() as session:
        for day in range(FIRST + 20, FIRST + 60, 5):
            points.record(session, 2, "active_users", day, 10.0, at(FIRST + 99))
    with told.read() as session:
        seen = backtests.run(session, bundle, asked())
        then = backtests.run(session, bundle, asked(as_known=True))
    assert (seen.frame.corrected, seen.rules["seats-unused"].alerts) == (8, 2)
    assert (then.frame.corrected, then.rules["seats-unused"].alerts) == (0, 1)


def test_nothing_left_to_test_is_refused_with_what_reads_only_today(told: Store, bundle: Bundle) -> None:
    large = RULE.replace(
        "few_users: {metric: active_users, threshold: {below: 40}}",
        "large: {condition: {'>': [{var: account.arr}, 1]}}",
    )
    other = reading.read({**bundle.texts, "rules/seats-unused.yaml": large}).bundle
    assert other is not None
    with told.read() as session, pytest.raises(Refused, match=r"seats-unused reads account\.arr"):
        backtests.run(session, other, Asked(("seats-unused",), (), FIRST, FIRST + 50, "churned"))


def test_a_proposal_compares_over_one_moment_and_only_reads(told: Store, bundle: Bundle) -> None:
    wider = reading.read({**bundle.texts, "rules/seats-unused.yaml": RULE.replace("below: 40", "below: 90")}).bundle
    assert wider is not None
    with told.begin() as session:
        bundles.publish(session, bundle, "tests", at(FIRST))
    with told.read() as session:
        found = propose(session, wider, bundles.in_force(session), at(FIRST + 50))
        assert rule_counts(session) == {}
        assert bundles.fingerprint_in_force(session) == bundle.fingerprint
    assert found.is_change
    assert found.effect.rules["seats-unused"].fires == ("a2",)
    assert (found.changes["files"], found.names) == (1, {"a1": "A1", "a2": "A2"})
