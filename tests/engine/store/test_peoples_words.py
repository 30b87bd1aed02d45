"""What people say: what a metric really is, a sentiment, that a score looks wrong. All of it kept, with reason."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.errors import NotFound, Refused
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.store import answers, bundles, changed, metric_overrides, points, score_feedback, score_overrides
from engine.store.evaluations import save_evaluation
from engine.store.facts import load_facts
from engine.store.override_accuracy import overridden, override_accuracy
from engine.store.records import records
from engine.store.score_reasons import why_moved, why_score
from engine.store.sessions import Store
from engine.store.tables import AccountRow, SubjectRow
from engine.terms import MICRO, Tier
from tests.bad_files.workspace import bundle_of

AT: Final = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY: Final = (AT - datetime(1970, 1, 1, tzinfo=UTC)).days
ACME, BLUE = 1, 2
MEMBER: Final = "mia@vendor.example"
FACTS: Final = "source: adoption, evidence: do, better: higher, bears_on_value: They stay"
CATALOG: Final = f"""
format: 1
north_star: x
stages: [adoption]
roles: [user]
metrics:
  users: {{title: Users, type: number, {FACTS}}}
  seats: {{title: Seats, type: number, {FACTS}}}
  use: {{title: Use, type: share, formula: {{"/": [{{var: users}}, {{var: seats}}]}}, {FACTS}}}
  plan: {{title: Plan, type: text, {FACTS}}}
questions:
  sentiment: {{ask: How do they feel?, scale: 1-5, evidence: observe}}
"""
CARD: Final = """
format: 1
scorecard: health
desired_outcome: They renew.
min_coverage: 0%
dimensions:
  use: {weight: 80%, metrics: {use: {linear: [0, 1]}}}
  talk: {weight: 20%, metrics: {sentiment: {linear: [1, 5]}}}
tiers:
  forced: [{when: {"<": [{var: users}, 10]}, tier: requires_attention}]
  requires_attention: {from: 0, customer_wording: a}
  take_notice: {from: 50, customer_wording: b}
  doing_well: {from: 75, customer_wording: c}
"""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return bundle_of({"rules/catalog.yaml": CATALOG, "rules/scorecards/health.yaml": CARD})


@pytest.fixture
def session(store: Store, bundle: Bundle) -> Iterator[Session]:
    """Two accounts with 20 of 100 seats in use, and a sentiment of 3."""
    with store.begin() as session:
        session.add_all([SubjectRow(id=number, kind="account") for number in (ACME, BLUE)])
        session.flush()
        session.add(AccountRow(id=ACME, key="acme", name="Acme", recorded_at=AT))
        session.add(AccountRow(id=BLUE, key="blue", name="Blue", recorded_at=AT))
        session.flush()
        for number in (ACME, BLUE):
            for metric, value in (("users", 20.0), ("seats", 100.0), ("sentiment", 3.0)):
                points.record(session, number, metric, DAY - 1, value, AT - timedelta(days=1))
        bundles.publish(session, bundle, author="", at=AT - timedelta(days=9))
        changed.forget(session, changed.read(session))
        yield session


def evaluated(session: Session, bundle: Bundle, at: datetime = AT) -> Evaluation:
    return evaluate(bundle, load_facts(session, bundle, (at - datetime(1970, 1, 1, tzinfo=UTC)).days, moment=at))


def said(session: Session, bundle: Bundle, **more: Any) -> int:
    given: dict[str, Any] = {"value": 90.0, "reason": "they told me", "member": MEMBER, "at": AT}
    given |= {"expires_at": AT + timedelta(days=30)}
    name = more.pop("name", "users")
    return metric_overrides.override(session, bundle.catalog, ACME, name, **(given | more))


def test_a_word_on_a_metric_counts_in_what_is_made_of_it_and_the_point_stays(session: Session, bundle: Bundle) -> None:
    """D.5 29: the effective value is 90 of 100; the computed one is kept."""
    said(session, bundle)
    found = evaluated(session, bundle)
    assert found.scores["health"].values[:, 0].tolist() == [0.9, 0.2]
    assert found.scores["health"].computed.tolist() == [82 * MICRO, 26 * MICRO]
    kept = records(session, bundle.catalog, "acme", None, "users", DAY - 9, DAY)
    assert [(one.kind, one.value) for one in kept] == [("point", 20.0)]
    assert changed.read(session).accounts == (ACME,)


def test_a_word_on_a_metric_ends_by_itself_and_by_hand(session: Session, bundle: Bundle) -> None:
    one = said(session, bundle)
    later = AT + timedelta(days=30)
    assert metric_overrides.in_force(session, ACME, later) == ()
    assert evaluated(session, bundle, AT + timedelta(days=29)).scores["health"].values[0, 0] == 0.9
    assert evaluated(session, bundle, later).scores["health"].values[0, 0] == 0.2
    metric_overrides.end(session, one, "bo@vendor.example", AT + timedelta(days=1))
    assert evaluated(session, bundle, AT + timedelta(days=2)).scores["health"].values[0, 0] == 0.2
    with pytest.raises(Refused, match="not in force any more"):
        metric_overrides.end(session, one, "bo@vendor.example", AT + timedelta(days=2))
    assert [each.value for each in metric_overrides.history(session, ACME)] == [90.0]


def test_a_newer_word_ends_the_one_before(session: Session, bundle: Bundle) -> None:
    said(session, bundle, value=50.0)
    said(session, bundle, value=60.0, at=AT + timedelta(hours=1))
    found = metric_overrides.in_force(session, ACME, AT + timedelta(hours=2))
    assert [one.value for one in found] == [60.0]
    assert len(metric_overrides.history(session, ACME)) == 2


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"reason": " "}, "Say why: the reason stands beside the value"),
        ({"expires_at": AT}, "ends on a day between tomorrow and 2026-11-30"),
        ({"expires_at": AT + timedelta(days=91)}, "ends on a day between tomorrow and 2026-11-30"),
        ({"name": "userz"}, 'There is no metric "userz"'),
        ({"name": "plan"}, "Plan is a text: only numbers are overridden"),
        ({"value": float("nan")}, "Users cannot be nan"),
    ],
)
def test_a_word_that_cannot_be_kept_is_refused_in_a_sentence(
    session: Session, bundle: Bundle, wrong: dict[str, Any], told: str
) -> None:
    with pytest.raises(Refused, match=told):
        said(session, bundle, **wrong)


def test_the_explanation_shows_the_word_and_what_was_measured(session: Session, bundle: Bundle) -> None:
    """D.5 29: computed and effective stand side by side, with who said so, until when and why."""
    said(session, bundle, name="use", value=0.9)
    found = why_score(session, bundle, "acme", None, DAY)
    assert found is not None
    assert f"Use is 90 % by the word of {MEMBER} until 2026-10-01: they told me; measured: 20 %" in found.said
    later = why_score(session, bundle, "acme", None, DAY + 35)
    assert later is not None
    assert f"The word of {MEMBER} on Use (90 %) ended on 2026-10-01: what is measured counts again" in later.said


def test_a_word_that_begins_moves_the_score_by_a_value(session: Session, bundle: Bundle) -> None:
    said(session, bundle)
    moved = why_moved(session, bundle, "acme", None, DAY - 1, DAY)
    assert moved is not None
    assert moved.change.micro == 56 * MICRO


def test_safety_and_stops_go_before_people_and_people_before_exceptions_and_the_model(
    session: Session, bundle: Bundle
) -> None:
    """D.5 30: override > exception > model; what goes before them is tested with deciding."""
    said(session, bundle, name="users", value=5.0)
    by_exception = evaluated(session, bundle).scores["health"]
    assert (by_exception.forced[0], by_exception.tier[0]) == (0, 0)
    score_overrides.override(
        session,
        ACME,
        "health",
        score=None,
        tier=Tier.DOING_WELL,
        reason="they signed",
        member=MEMBER,
        expires_at=AT + timedelta(days=3),
        at=AT,
    )
    by_person = evaluated(session, bundle).scores["health"]
    assert (by_person.computed_tier[0], by_person.tier[0]) == (0, 2)


def tell(session: Session, bundle: Bundle, value: float, at: datetime = AT, reason: str = "after the call") -> None:
    answers.say(session, bundle.catalog, ACME, "sentiment", value=value, reason=reason, member=MEMBER, at=at)


def test_a_sentiment_is_kept_with_who_when_and_why_and_counts_at_once(session: Session, bundle: Bundle) -> None:
    """S4-27, S4-28, S4-34: it is the point of its day, the account is marked, and the score follows."""
    tell(session, bundle, 5)
    assert [(one.author, one.at, one.reason) for one in answers.history(session, ACME, "sentiment")] == [
        (MEMBER, AT, "after the call")
    ]
    assert changed.read(session).accounts == (ACME,)
    assert evaluated(session, bundle).scores["health"].computed.tolist() == [36 * MICRO, 26 * MICRO]


def test_a_sentiment_may_change_every_day_and_within_one(session: Session, bundle: Bundle) -> None:
    """S4-28, S4-29: two on consecutive days are both effective, and one of the same day keeps the one before it."""
    tell(session, bundle, 5)
    tell(session, bundle, 2, AT + timedelta(hours=3), "and then they saw the bill")
    tell(session, bundle, 4, AT + timedelta(days=1), "we spoke")
    assert [one.value for one in answers.history(session, ACME, "sentiment")] == [4, 2, 5]
    marks = [evaluated(session, bundle, AT + timedelta(days=day)).scores["health"].values[0, 1] for day in (0, 1)]
    assert marks == [2, 4]


@pytest.mark.parametrize(("value", "reason", "told"), [(6, "so", "its scale is 1 to 5"), (3, "", "Say why")])
def test_an_answer_off_its_scale_or_without_a_reason_is_refused(
    session: Session, bundle: Bundle, value: float, reason: str, told: str
) -> None:
    with pytest.raises(Refused, match=told):
        tell(session, bundle, value, reason=reason)


def test_a_question_that_is_not_asked_is_not_found(session: Session, bundle: Bundle) -> None:
    with pytest.raises(NotFound, match="there are: sentiment"):
        answers.say(session, bundle.catalog, ACME, "mood", value=3, reason="so", member=MEMBER, at=AT)


def looks(session: Session, bundle: Bundle, account: int | None, word: score_feedback.Looks, reason: str = "") -> None:
    score_feedback.say(session, bundle, "health", looks=word, reason=reason, member=MEMBER, at=AT, account_id=account)


def test_a_score_that_looks_wrong_is_counted_for_its_version_and_listed(session: Session, bundle: Bundle) -> None:
    """S1-33, S1-37: of an account's score, or of the scorecard as such."""
    with pytest.raises(Refused, match="has not scored this account yet"):
        looks(session, bundle, ACME, "wrong", "they love it")
    save_evaluation(session, bundle, evaluated(session, bundle))
    looks(session, bundle, ACME, "wrong", "they love it")
    looks(session, bundle, BLUE, "right")
    looks(session, bundle, None, "wrong", "calls weigh too little")
    with pytest.raises(Refused, match="Say what is wrong"):
        looks(session, bundle, ACME, "wrong")
    assert [(one.bundle, one.right, one.wrong) for one in score_feedback.versions(session, "health")] == [
        (bundle.fingerprint, 1, 2)
    ]
    assert [(one.account, one.looks, one.score) for one in score_feedback.listed(session, "health")] == [
        ("", "wrong", None),
        ("blue", "right", 26.0),
        ("acme", "wrong", 26.0),
    ]


def test_old_overrides_of_a_score_are_judged_by_who_left(session: Session, bundle: Bundle) -> None:
    """D.5 29: what was computed is 26 for both; of Acme 90 was said and it left, of Blue 80 and it stayed."""
    save_evaluation(session, bundle, evaluated(session, bundle))
    for account, score in ((ACME, 90.0), (BLUE, 80.0)):
        score_overrides.override(
            session,
            account,
            "health",
            score=score,
            tier=None,
            reason="so",
            member=MEMBER,
            expires_at=AT + timedelta(days=9),
            at=AT,
        )
    left = session.get_one(AccountRow, ACME)
    left.stage, left.stage_since = "churned", DAY + 40
    session.flush()
    assert override_accuracy(session, "health", AT + timedelta(days=89)).count == 0
    later = AT + timedelta(days=90)
    assert override_accuracy(session, "health", later).count == 2
    found = [(one.computed, one.said, one.stayed) for one in overridden(session, "health", later)]
    assert found == [(26 * MICRO, 90 * MICRO, False), (26 * MICRO, 80 * MICRO, True)]
    left.stage_since = DAY - 1
    session.flush()
    assert [one.stayed for one in overridden(session, "health", later)] == [True], "who had left is left out"
