"""Moves of whole runs: outbox, workflow, stretches and ledger together, on a real Temporal server whose clock skips."""

from functools import cache
from itertools import count

import pytest
from sqlalchemy import select
from temporalio.testing import WorkflowEnvironment

from engine.definitions.bundle import Bundle
from engine.store import acts
from engine.store.run_tables import RunRow, TaskRow
from engine.store.sessions import Store
from engine.store.waits import task_done
from engine.terms import ActState, RunAct, RunState
from tests.workflows.activities.scenery import AT, OWNER, Stage, playbook_file, read, stage
from tests.workflows.test_whole_runs import at_work, stands_at, until

pytestmark = [pytest.mark.temporal, pytest.mark.asyncio(loop_scope="session")]

# A workflow's id is its run's, and the server of all these tests never takes one twice.
NUMBERS = count(7_000_000, 100)


@cache
def bundle() -> Bundle:
    return read(
        playbook_file(
            "ready",
            """
- wait: {until: {">=": [{var: active_users}, 1]}, at_most: 9d}
- email: {to: champion, message: hello}
""",
        ),
        playbook_file(
            "rows",
            """
- parallel:
    - - email: {to: champion, message: hello}
      - wait: {at_most: 2d}
      - email: {to: user, message: first}
    - - id: call
        task: {title: "Call", to: owner, wait_for_done: 5d}
- id: rest
  wait: {at_most: 9d}
""",
        ),
    )


@pytest.fixture
def scene(sqlite_store: Store) -> Stage:
    scene = stage(sqlite_store, bundle())
    with sqlite_store.begin() as session:
        before = {"account_id": 1, "rule": "", "playbook": "", "mode": "automatic", "state": "done", "bundle": ""}
        session.add(RunRow(id=next(NUMBERS), frozen={"lines": []}, day_seconds=1, requested_at=AT, **before))
    return scene


def subjects(scene: Stage) -> list[str]:
    return sorted(letter.subject for letter in scene.post.letters)


async def test_what_is_to_be_sent_behind_a_wait_that_is_over_at_once_is_sent(
    temporal: WorkflowEnvironment, scene: Stage
) -> None:
    """A stretch that has no time to send hands the message back, and the run comes for it at once."""
    scene.point("active_users", 5)
    run = scene.begin("ready")
    async with at_work(temporal, scene):
        await until(stands_at(scene, run, RunState.DONE))
    assert subjects(scene) == ["Seats at Acme"]
    assert scene.steps(run)["wait"][0] == "done"


async def test_rows_run_beside_each_other_and_each_message_goes_once(
    temporal: WorkflowEnvironment, scene: Stage
) -> None:
    run = scene.begin("rows")
    async with at_work(temporal, scene):
        await until(stands_at(scene, run, RunState.DONE))
    assert subjects(scene) == ["Lesson one", "Lesson one", "Seats at Acme"]
    assert {state for state, _ in scene.steps(run).values()} == {"done"}


async def test_a_member_goes_back_in_one_row_and_finishes_the_task_that_comes_of_it(
    temporal: WorkflowEnvironment, scene: Stage
) -> None:
    """S2-39."""
    with temporal.with_time_skipping_disabled():
        run = scene.begin("rows")
        async with at_work(temporal, scene):
            await until(lambda: len(scene.waits()) == 2)
            with scene.store.begin() as session:
                acts.request(session, run, RunAct.JUMP, member=OWNER, reason="wrong number", at=AT, step="call")
            await until(lambda: "call/wait#2" in {wait.step for wait in scene.waits()})
            with scene.store.begin() as session:
                assert task_done(session, run, "call#2", AT)
                acts.request(session, run, RunAct.SKIP, member=OWNER, reason="no need", at=AT, step="wait")
            await until(lambda: {wait.step for wait in scene.waits()} == {"rest"})
            with scene.store.begin() as session:
                acts.request(session, run, RunAct.CANCEL, member=OWNER, reason="enough", at=AT)
            await until(stands_at(scene, run, RunState.CANCELLED))
    assert subjects(scene) == ["Lesson one", "Lesson one", "Seats at Acme"]
    with scene.store.read() as session:
        assert {act.state for act in acts.of_run(session, run)} == {ActState.APPLIED}
        steps = session.scalars(select(TaskRow.step).where(TaskRow.run_id == run).order_by(TaskRow.id)).all()
    assert steps == ["call", "call#2"]
