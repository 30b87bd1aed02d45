"""What a cycle tells runs that stand still: what they wait for has come, or what they are for has come about."""

import numpy as np
import pytest
from sqlalchemy import update

from engine.evaluation.facts import Peers
from engine.store import acts, bundles, peer_values
from engine.store.decision_tables import EpisodeRow
from engine.store.run_tables import RunRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow
from engine.store.waking import wake
from engine.terms import RunAct, RunState
from tests.workflows.activities.scenery import AT, OWNER, TODAY, Stage, playbook_file, read, stage

ENOUGH = """
- wait: {until: {">=": [{var: license_utilization}, 50%]}, at_most: 7d}
- email: {to: champion, message: hello}
"""
BUNDLE = read(
    playbook_file("waits", ENOUGH),
    playbook_file("goal", "- wait: {at_most: 30d}\n- email: {to: champion, message: hello}", "exit: [goal_met]"),
    playbook_file("cleared", "- wait: {at_most: 30d}", "exit: [signal_cleared]"),
    playbook_file(
        "gate",
        "- approve: {by: owner, expires: 9d, on_expiry: skip, steps: [{email: {to: champion, message: hello}}]}",
        "exit: [goal_met]",
    ),
    playbook_file("ranked", '- wait: {until: {">=": [{var: active_users.rank}, 90]}, at_most: 7d}'),
)


@pytest.fixture
def scene(store: Store) -> Stage:
    return stage(store, BUNDLE)


def standing(scene: Stage, playbook: str, rule: str = "") -> int:
    """A run of a playbook that has come to its first stop."""
    run = scene.begin(playbook, rule=rule)
    assert scene.go(run).stop != "end"
    return run


def use(scene: Stage, seats: int) -> None:
    """So many of a hundred seats are in use."""
    scene.point("seats_sold", 100)
    scene.point("active_users", seats)


def look(scene: Stage) -> int:
    """What a cycle does for waiting runs."""
    return wake(scene.store, TODAY, AT)


def test_a_run_is_woken_once_when_what_it_waits_for_has_come(scene: Stage) -> None:
    standing(scene, "waits")
    use(scene, 40)
    assert look(scene) == 0
    use(scene, 55)
    assert look(scene) == 1
    assert look(scene) == 0
    assert scene.outbox("wake") == [{"outcome": "satisfied", "step": "wait"}]


@pytest.mark.parametrize("playbook", ["goal", "gate"])
def test_a_run_that_stands_still_is_told_once_that_its_goal_is_met(scene: Stage, playbook: str) -> None:
    """A wait of thirty days, or an approval nobody has looked at yet, ends with what the run was for."""
    run = standing(scene, playbook, rule="seats-unused")
    use(scene, 59)
    assert look(scene) == 0
    use(scene, 60)
    assert look(scene) == 1
    assert look(scene) == 0
    assert scene.outbox("wake") == [{"outcome": "exit"}]
    scene.go(run, "exit")
    assert scene.run(run).state is RunState.DONE
    assert "the goal is met" in scene.run(run).sentence
    assert scene.post.letters == []


def test_a_run_that_stands_still_is_told_that_its_signal_has_cleared(scene: Stage) -> None:
    run = standing(scene, "cleared", rule="seats-unused")
    assert look(scene) == 0
    with scene.store.begin() as session:
        session.execute(update(EpisodeRow).values(closed_on=TODAY))
    assert look(scene) == 1
    scene.go(run, "exit")
    assert scene.run(run).sentence.startswith("Ended early: the signal that started it has cleared; nothing had been")


def test_a_run_without_that_exit_is_left_alone(scene: Stage) -> None:
    standing(scene, "waits", rule="seats-unused")
    with scene.store.begin() as session:
        session.execute(update(EpisodeRow).values(closed_on=TODAY))
    assert look(scene) == 0


def test_missing_data_ends_nothing(scene: Stage) -> None:
    standing(scene, "goal", rule="seats-unused")
    assert look(scene) == 0


@pytest.mark.parametrize(
    ("field", "value"), [("stopped_reason", "in a lawsuit"), ("stage", "churned"), ("suppressed", True)]
)
def test_a_run_of_an_account_that_was_stopped_or_left_does_not_wait_for_its_time(
    scene: Stage, field: str, value: object
) -> None:
    run = standing(scene, "goal")
    with scene.store.begin() as session:
        setattr(session.get_one(AccountRow, 1), field, value)
    assert look(scene) == 1
    scene.go(run, "exit")
    assert scene.run(run).state is RunState.CANCELLED


def test_a_paused_run_hears_of_it_when_it_goes_on(scene: Stage) -> None:
    run = standing(scene, "goal", rule="seats-unused")
    use(scene, 80)
    with scene.store.begin() as session:
        acts.request(session, run, RunAct.PAUSE, member=OWNER, reason="", at=AT)
        session.execute(update(RunRow).values(state="paused"))
    assert look(scene) == 0
    with scene.store.begin() as session:
        session.execute(update(RunRow).values(state="waiting"))
    assert look(scene) == 1


def test_a_wait_that_compares_accounts_compares_with_those_of_the_last_cycle(scene: Stage) -> None:
    """Alone an account is always the first of one; of twenty that use it more it is the last."""
    standing(scene, "ranked")
    with scene.store.begin() as session:
        peer_values.save(session, Peers({("active_users", "all"): {"": np.full(20, 90.0)}}, TODAY))
    scene.point("active_users", 10)
    assert look(scene) == 0
    scene.point("active_users", 100)
    assert look(scene) == 1


def test_a_run_whose_definitions_are_gone_does_not_keep_the_others_asleep(scene: Stage) -> None:
    lost = standing(scene, "waits")
    with scene.store.begin() as session:
        session.execute(update(RunRow).where(RunRow.id == lost).values(bundle="gone"))
        peer_values.save(session, Peers({("active_users", "all"): {"": np.full(20, 1.0)}}, TODAY))
    standing(scene, "ranked")
    use(scene, 55)
    assert look(scene) == 1


def test_a_waiting_run_keeps_its_condition_when_the_playbook_is_gone_from_the_files(scene: Stage) -> None:
    """P4: what is published later changes nothing about an open run."""
    run = standing(scene, "waits")
    with scene.store.begin() as session:
        bundles.publish(session, read(), author="test", at=AT)
    use(scene, 55)
    assert look(scene) == 1
    assert scene.go(run, "satisfied").stop == "end"
    assert scene.post.to == ["ana@acme.example"]
