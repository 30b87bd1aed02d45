"""Scores of contacts and products, and of several scorecards, as they are kept day after day and read again."""

from datetime import UTC, datetime
from typing import Final

import numpy as np
import pytest
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.errors import NotFound
from engine.evaluation.evaluation import evaluate
from engine.store import points
from engine.store.evaluations import save_evaluation
from engine.store.facts import load_facts
from engine.store.glances import latest_scores
from engine.store.sessions import Store
from engine.store.subject_scores import account_scores, subject_scores
from engine.store.tables import AccountRow, ContactRow, ProductRow, SubjectRow
from engine.terms import MICRO, Tier
from tests.bad_files.workspace import bundle_of

AT: Final = datetime(2026, 9, 1, 20, tzinfo=UTC)
TODAY: Final = (AT - datetime(1970, 1, 1, tzinfo=UTC)).days
FACTS: Final = "source: adoption, evidence: do, type: number, better: higher, bears_on_value: They stay"
TIERS: Final = """
tiers:
  requires_attention: {from: 0, customer_wording: a}
  take_notice: {from: 50, customer_wording: b}
  doing_well: {from: 75, customer_wording: c}
"""


def card(name: str, metric: str, more: str) -> str:
    """A scorecard file of one metric that runs from 0 to 100."""
    return (
        f"format: 1\nscorecard: {name}\ndesired_outcome: They renew.\n{more}\n"
        f"dimensions: {{all: {{weight: 100%, metrics: {{{metric}: {{linear: [0, 100]}}}}}}}}{TIERS}"
    )


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return bundle_of(
        {
            "rules/catalog.yaml": (
                f"format: 1\nnorth_star: x\nmetrics:\n  use: {{title: Use, {FACTS}}}\n"
                f"  visits: {{title: Visits, of: contact, {FACTS}}}\n"
                f"  load: {{title: Load, of: product, {FACTS}}}\n  seats: {{title: Seats, of: product, {FACTS}}}\n"
                "stages: [onboarding, adoption]\nroles: [user]\n"
            ),
            "rules/scorecards/early.yaml": card(
                "early", "use", "priority: 1\napplies_to: {'==': [{var: account.stage}, onboarding]}"
            ),
            "rules/scorecards/health.yaml": card("health", "score.parts", "priority: 2"),
            "rules/scorecards/people.yaml": card("people", "visits", "of: contact\nroll_up: mean"),
            "rules/scorecards/parts.yaml": card("parts", "load", "of: product\nroll_up: {weighted_by: seats}"),
        }
    )


@pytest.fixture
def two(store: Store) -> Store:
    """Account 1 in onboarding with contacts 3 and 4 and products 5 and 6; account 2 in adoption with contact 7."""
    with store.begin() as session:
        for number, kind in ((1, "account"), (2, "account"), (3, "contact"), (4, "contact"), (7, "contact")):
            session.add(SubjectRow(id=number, kind=kind))
        session.add_all(SubjectRow(id=number, kind="product") for number in (5, 6))
        session.flush()
        for number, stage in ((1, "onboarding"), (2, "adoption")):
            session.add(
                AccountRow(id=number, key=f"a{number}", name="A", owner=f"o{number}", stage=stage, recorded_at=AT)
            )
        session.flush()
        for number, account in ((3, 1), (4, 1), (7, 2)):
            session.add(
                ContactRow(id=number, key=f"c{number}", account_id=account, name="C", roles=["user"], recorded_at=AT)
            )
        for number in (5, 6):
            session.add(ProductRow(id=number, account_id=1, name=f"part {number}", recorded_at=AT))
    return store


def on(store: Store, bundle: Bundle, day: int, values: dict[tuple[str, int], float]) -> None:
    """A day's points, evaluated and kept."""
    with store.begin() as session:
        for (metric, subject), value in values.items():
            points.record(session, subject, metric, day, value, AT)
    with store.begin() as session:
        save_evaluation(session, bundle, evaluate(bundle, load_facts(session, bundle, day)))


FIRST: Final[dict[tuple[str, int], float]] = {
    ("use", 1): 80,
    ("use", 2): 80,
    ("visits", 3): 90,
    ("visits", 4): 30,
    ("load", 5): 90,
    ("load", 6): 30,
    ("seats", 5): 30,
    ("seats", 6): 10,
}


def test_two_products_have_two_scores_and_their_account_the_mean_by_seats(two: Store, bundle: Bundle) -> None:
    """S1-02."""
    on(two, bundle, TODAY, FIRST)
    with two.read() as session:
        parts = subject_scores(session, "a1", None, "parts")
        health = [score for score in account_scores(session, "a1", None) if score.scorecard == "health"]
    assert [(score.subject, score.computed, score.tier) for score in parts] == [
        ("part 6", 30 * MICRO, Tier.REQUIRES_ATTENTION),
        ("part 5", 90 * MICRO, Tier.DOING_WELL),
    ]
    assert parts[0].lines == (("load", 30.0, 30.0, 1.0, 30 * MICRO),)
    assert health[0].computed == 75 * MICRO


def test_a_contact_has_a_history_of_scores(two: Store, bundle: Bundle) -> None:
    """S3-11: day after day, with the tier it had when it was known last."""
    on(two, bundle, TODAY - 1, FIRST)
    on(two, bundle, TODAY, {("visits", 3): 74})
    with two.read() as session:
        assert [(each.subject, each.computed) for each in subject_scores(session, "a1", None, "people")] == [
            ("c4", 30 * MICRO),
            ("c3", 74 * MICRO),
        ]
        history = subject_scores(session, "a1", None, "people", "c3")
        nothing = subject_scores(session, "a2", None, "people")
    assert [(each.day, each.computed, each.tier) for each in history] == [
        (TODAY, 74 * MICRO, Tier.DOING_WELL),  # within the margin
        (TODAY - 1, 90 * MICRO, Tier.DOING_WELL),
    ]
    assert [(each.subject, each.computed, each.tier) for each in nothing] == [("c7", None, None)]


def test_the_scorecard_that_comes_first_leads_and_the_other_stays_readable(two: Store, bundle: Bundle) -> None:
    """S0-24, S3-12: the account in onboarding has its own model; every score has its history."""
    on(two, bundle, TODAY - 1, FIRST)
    on(two, bundle, TODAY, {("use", 1): 60})
    with two.read() as session:
        both = account_scores(session, "a1", None)
        latest = latest_scores(session, [1, 2])
        history = account_scores(session, "a1", None, "early")
    assert [(score.scorecard, score.leads, score.computed) for score in both] == [
        ("early", True, 60 * MICRO),
        ("health", False, 75 * MICRO),
    ]
    assert {number: row.scorecard for number, row in latest.items()} == {1: "early", 2: "health"}
    assert [(score.day, score.computed) for score in history] == [(TODAY, 60 * MICRO), (TODAY - 1, 80 * MICRO)]


def test_a_tier_dwells_over_days_that_are_kept(two: Store, bundle: Bundle) -> None:
    """D.6 37: 48 is within the margin of 50 and counts from the third day; a day evaluated twice counts once."""
    on(two, bundle, TODAY - 4, {("use", 1): 60})
    tiers = []
    for age in (3, 2, 2, 1):
        on(two, bundle, TODAY - age, {("use", 1): 48})
        with two.read() as session:
            tiers.append(account_scores(session, "a1", None, "early")[0].tier)
    assert tiers == [Tier.TAKE_NOTICE, Tier.TAKE_NOTICE, Tier.TAKE_NOTICE, Tier.REQUIRES_ATTENTION]


def test_the_last_tier_is_kept_while_nothing_is_known(two: Store, bundle: Bundle) -> None:
    on(two, bundle, TODAY - 1, FIRST)
    with two.begin() as session:
        forget_use(session)
    on(two, bundle, TODAY, {})
    with two.read() as session:
        found = account_scores(session, "a1", None, "early")[0]
    assert (found.computed, found.tier, found.last_tier) == (None, None, Tier.DOING_WELL)


def forget_use(session: Session) -> None:
    """Take the only point of ``use`` of account 1 away."""
    metric = points.metric_ids(session, ["use"])["use"]
    subjects, metrics, days = np.array([[1], [metric], [TODAY - 1]], dtype=np.int64)
    points.remove(session, points.PointColumns(subjects, metrics, days, np.array([80.0])), AT)


def test_a_foreign_account_s_scores_are_as_missing_as_no_account(two: Store, bundle: Bundle) -> None:
    on(two, bundle, TODAY, FIRST)
    with two.read() as session:
        assert account_scores(session, "a1", "o1")
        for key, scope in (("a1", "o2"), ("a9", None)):
            with pytest.raises(NotFound):
                account_scores(session, key, scope)
            with pytest.raises(NotFound):
                subject_scores(session, key, scope, "people")
