"""Why a stored score moved: by the models that made it, to the micro-point, down to the cause and what answers it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.errors import NotFound
from engine.evaluation.changes import Moved
from engine.evaluation.evaluation import evaluate
from engine.store import bundles, points
from engine.store.decision_tables import EffectRow
from engine.store.evaluations import save_evaluation
from engine.store.facts import load_facts
from engine.store.score_reasons import WhyMoved, why_moved, why_score
from engine.store.sessions import Store
from engine.store.tables import AccountRow, SubjectRow
from engine.terms import MICRO
from tests.bad_files.workspace import bundle_of

AT: Final = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY: Final = (AT - datetime(1970, 1, 1, tzinfo=UTC)).days
FACTS: Final = "type: number, source: adoption, evidence: do, better: higher, bears_on_value: They stay"
CATALOG: Final = f"""
format: 1
north_star: x
stages: [adoption]
roles: [user]
metrics:
  users: {{title: Users, {FACTS}}}
  calls: {{title: Calls, {FACTS}}}
"""
TIERS: Final = """
tiers:
  requires_attention: {from: 0, customer_wording: a}
  take_notice: {from: 50, customer_wording: b}
  doing_well: {from: 75, customer_wording: c}
"""


def of_weights(users: int, normaliser: str = "linear: [0, 100]") -> Bundle:
    dimensions = (
        f"  use: {{weight: {users}%, metrics: {{users: {{{normaliser}}}}}}}\n"
        f"  talk: {{weight: {100 - users}%, metrics: {{calls: {{linear: [0, 100]}}}}}}"
    )
    card = f"format: 1\nscorecard: health\ndesired_outcome: They renew.\ndimensions:\n{dimensions}{TIERS}"
    return bundle_of({"rules/catalog.yaml": CATALOG, "rules/scorecards/health.yaml": card})


@pytest.fixture
def session(sqlite_store: Store) -> Iterator[Session]:
    with sqlite_store.begin() as session:
        people = range(1, 26)
        session.add_all([SubjectRow(id=number, kind="account") for number in people])
        session.flush()
        session.add_all([AccountRow(id=one, key=f"a{one}", name=f"A{one}", recorded_at=AT) for one in people])
        session.flush()
        yield session


def cycle(session: Session, bundle: Bundle, day: int, users: dict[int, float], calls: float = 50.0) -> None:
    """A day's points and what a cycle by that bundle keeps of it."""
    bundles.publish(session, bundle, author="", at=AT + timedelta(days=day - DAY))
    for account, value in users.items():
        points.record(session, account, "users", day, value, AT)
        points.record(session, account, "calls", day, calls, AT)
    save_evaluation(session, bundle, evaluate(bundle, load_facts(session, bundle, day)))


def moved(session: Session, bundle: Bundle) -> WhyMoved:
    found = why_moved(session, bundle, "a1", None, DAY - 7, DAY)
    assert found is not None
    assert found.before.kept
    assert found.after.kept
    return found


def parts(found: WhyMoved) -> list[tuple[str, Moved, int]]:
    return sorted((part.metric, part.moved, part.micro) for part in found.change.parts)


def test_between_two_versions_both_days_are_scored_by_both(session: Session) -> None:
    """S0-58, S1-38: every score keeps the version that made it, and the model's part of a change is exact."""
    old, new = of_weights(50), of_weights(80)
    cycle(session, old, DAY - 7, {1: 90})
    cycle(session, new, DAY, {1: 40})
    found = moved(session, new)
    assert (found.before.bundle.fingerprint, found.after.bundle.fingerprint) == (old.fingerprint, new.fingerprint)
    assert found.change.micro == 42 * MICRO - 70 * MICRO
    # users by the old model 45 → 20, by the new one 72 → 32; calls 25 by the old, 10 by the new.
    assert parts(found) == [
        ("calls", Moved.MODEL, -15_000_000),
        ("users", Moved.MODEL, 19_500_000),
        ("users", Moved.VALUE, -32_500_000),
    ]


def test_a_version_that_changed_nothing_of_the_score_has_no_part(session: Session) -> None:
    old = of_weights(50)
    other = bundle_of(
        {**old.texts, "rules/catalog.yaml": f"{CATALOG}segments: {{big: {{'>': [{{var: users}}, 9]}}}}\n"}
    )
    cycle(session, old, DAY - 7, {1: 90})
    cycle(session, other, DAY, {1: 40})
    assert parts(moved(session, other)) == [("users", Moved.VALUE, -25_000_000)]


def test_a_rank_that_others_moved_is_told_apart(session: Session) -> None:
    """S0-58: nothing about the account changed; twenty others rose."""
    ranked = of_weights(50, "rank: {among: all, floor: 1}")
    cycle(session, ranked, DAY - 7, {one: float(one + 20 if one == 1 else one) for one in range(1, 26)})
    cycle(session, ranked, DAY, {one: 21.0 if one == 1 else 50.0 + one for one in range(1, 26)})
    found = moved(session, ranked)
    assert [(metric, kind) for metric, kind, _ in parts(found)] == [("users", Moved.PEERS)]
    assert sum(part.micro for part in found.change.parts) == found.change.micro
    assert "did not move, but the other accounts did" in found.change.text


def test_a_day_without_a_cycle_is_worked_out_as_of_that_day(session: Session) -> None:
    bundle = of_weights(50)
    cycle(session, bundle, DAY - 7, {1: 90})
    found = why_score(session, bundle, "a1", None, DAY - 3)
    assert found is not None
    assert (found.of.kept, found.of.score.computed) == (False, 70 * MICRO)
    again = why_score(session, bundle, "a1", None, DAY - 3)
    assert again is not None
    assert again.lines == found.lines


def with_rules(base: Bundle, **playbooks_of: tuple[str, ...]) -> Bundle:
    """The bundle with one rule for each metric, that fires below 50 and is answered by these playbooks."""
    texts = dict(base.texts)
    for metric, playbooks in playbooks_of.items():
        actions = ", ".join(f"{{playbook: {name}, mode: automatic}}" for name in playbooks)
        texts[f"rules/fewer-{metric}.yaml"] = f"""
format: 1
rule: fewer-{metric}
challenge:
  title: There are fewer {metric}
  kind: risk
  why: Who gets less value from it than before does not renew.
  owner: cs-ops
  success: {{metric: {metric}, above: 50, within: 30d}}
actions: [{actions}]
signals: {{low: {{metric: {metric}, threshold: {{below: 50}}}}}}
when: {{var: signal.low}}
existing: ignore
examples: [{{name: few, given: {{{metric}: 10}}, then: fires}}, {{name: many, given: {{{metric}: 90}}, then: clear}}]
"""
        for name in playbooks:
            texts[f"playbooks/{name}.yaml"] = (
                f"format: 1\nplaybook: {name}\ntitle: Do {name}\ncategory: operational\n"
                "exit: [goal_met]\non_exit: {open_tasks: keep}\n"
                "steps: [{task: {title: Call, to: owner, due: 2 working days}}]\n"
            )
    return bundle_of(texts)


def test_a_proven_playbook_leads_with_its_figures(session: Session) -> None:
    """S2-50: the measured effect is read from what the cycles estimated."""
    bundle = with_rules(of_weights(50), users=("call", "write"))
    session.add(
        EffectRow(
            rule="fewer-users",
            playbook="write",
            treated=100,
            treated_met=60,
            treated_unknown=0,
            held_out=100,
            held_out_met=40,
            held_out_unknown=0,
            uplift=0.2,
            low=0.06,
            high=0.33,
            sentence="x",
            estimated_on=DAY,
        )
    )
    cycle(session, bundle, DAY - 7, {1: 90})
    cycle(session, bundle, DAY, {1: 40})
    found = moved(session, bundle)
    assert [(one.playbook, one.basis) for one in found.answers] == [
        ("write", "measured: 20 (6 to 33) points more reach the goal than without it"),
        ("call", "in the order of its author; its effect is not known yet"),
    ]


def test_the_recommended_move_changes_with_the_account(session: Session) -> None:
    """S1-13: replaying its history, the answer is another one from the day on which another metric is the cause."""
    bundle = with_rules(of_weights(50), users=("train",), calls=("listen",))
    for day, (users, calls) in enumerate(((90.0, 90.0), (60.0, 90.0), (60.0, 20.0))):
        cycle(session, bundle, DAY + day, {1: users}, calls)
    advised = []
    for day in (DAY + 1, DAY + 2):
        found = why_moved(session, bundle, "a1", None, DAY, day)
        assert found is not None
        advised.append((found.change.cause, [one.playbook for one in found.answers]))
    assert advised == [("users", ["train"]), ("calls", ["listen"])]


def test_who_may_not_see_an_account_is_told_that_there_is_none(session: Session) -> None:
    bundle = of_weights(50)
    for key, scope in (("a1", "mia@vendor.example"), ("nobody", None)):
        with pytest.raises(NotFound):
            why_score(session, bundle, key, scope, DAY)
        with pytest.raises(NotFound):
            why_moved(session, bundle, key, scope, DAY - 7, DAY)
    with pytest.raises(NotFound, match="there are: health"):
        why_score(session, bundle, "a1", None, DAY, "wealth")
