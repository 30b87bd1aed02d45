"""Whole runs: outbox, workflow, stretches and ledger together, on a real Temporal server whose clock skips."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

import pytest
from sqlalchemy import update
from temporalio.testing import WorkflowEnvironment

from engine.store import acts, approvals, awaited
from engine.store.awaited import Happened
from engine.store.run_tables import RunRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow
from engine.store.waking import wake
from engine.terms import ActState, DeliveryState, RunAct, RunState
from tests.workflows.activities.scenery import AT, OWNER, TODAY, Stage, playbook_file, read, stage
from workflows.channels.letter import Verdict
from workflows.worker import work

pytestmark = [pytest.mark.temporal, pytest.mark.asyncio(loop_scope="session")]

BUNDLE = read(
    playbook_file(
        "course",
        """
- task: {title: "Call {{ account.name }}", to: owner}
- campaign: {to: {role: user}, every: 5d, lessons: [first, second, third]}
- wait: {at_most: 5d}
- email: {to: champion, message: hello}
""",
    ),
    playbook_file(
        "asked",
        """
- approve: {by: owner, expires: 2d, on_expiry: skip, steps: [{email: {to: champion, message: hello}}]}
- wait: {at_most: 30d}
- email: {to: user, message: first}
""",
    ),
    playbook_file(
        "patient",
        """
- {id: said, wait: {event: survey_answered, at_most: 30d}}
- {id: near, wait: {until_date: account.renewal_on, before: 10d, at_most: 300d}}
- id: window
  approve: {by: owner, expires: 30d, on_expiry: go, steps: [{email: {to: champion, message: hello}}]}
""",
    ),
    playbook_file("goal", "- wait: {at_most: 30d}\n- email: {to: user, message: first}", "exit: [goal_met]"),
)


# A workflow's id is its run's, and the server of all these tests never takes one twice.
NUMBERS = count(70_000, 100)


@pytest.fixture
def scene(sqlite_store: Store) -> Stage:
    scene = stage(sqlite_store, BUNDLE)
    with sqlite_store.begin() as session:
        before = {"account_id": 1, "rule": "", "playbook": "", "mode": "automatic", "state": "done", "bundle": ""}
        session.add(RunRow(id=next(NUMBERS), frozen={"lines": []}, day_seconds=1, requested_at=AT, **before))
    return scene


@asynccontextmanager
async def at_work(environment: WorkflowEnvironment, scene: Stage) -> AsyncIterator[None]:
    """A worker with its outbox drainer on a task queue of its own."""
    stop, stretches = asyncio.Event(), scene.stretches
    here: list[Callable[..., object]] = [stretches.run_stretch, stretches.record_act]
    queue = f"test-{uuid4()}"
    working = work(environment.client, queue, scene.store, here=here, outward=[stretches.run_stretch], stop=stop)
    task = asyncio.create_task(working)
    try:
        yield
    finally:
        stop.set()
        await task


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 # the database has nothing to wait on
            await asyncio.sleep(0.05)


def stands_at(scene: Stage, run: int, state: RunState, kind: str = "") -> Callable[[], bool]:
    def look() -> bool:
        found = scene.run(run)
        return found.state is state and (not kind or found.lines[found.cursor].kind == kind)

    return look


async def test_a_fifteen_day_course_runs_by_itself_and_sends_every_lesson_once(
    temporal: WorkflowEnvironment, scene: Stage
) -> None:
    """S2-12."""
    run = scene.begin("course")
    async with at_work(temporal, scene):
        await until(stands_at(scene, run, RunState.DONE))
    assert sorted(letter.subject for letter in scene.post.letters) == [
        *["Lesson one"] * 2,
        *["Lesson three"] * 2,
        *["Lesson two"] * 2,
        "Seats at Acme",
    ]
    assert scene.run(run).ended_at is not None
    assert [row.state for row in scene.tasks()] == ["open"]


async def test_an_edited_and_approved_message_goes_out_and_the_act_is_marked_applied(
    temporal: WorkflowEnvironment, scene: Stage
) -> None:
    with temporal.with_time_skipping_disabled():
        run = scene.begin("asked")
        async with at_work(temporal, scene):
            await until(stands_at(scene, run, RunState.WAITING, "gate"))
            asked = scene.approval()
            with scene.store.begin() as session:
                text = {"subject": "Your seats", "text": "As we said."}
                approvals.edit(session, asked.id, version=1, item=0, member=OWNER, at=asked.requested_at, **text)
                approvals.decide(
                    session, asked.id, version=2, approve=True, member=OWNER, reason="", at=asked.requested_at
                )
            await until(stands_at(scene, run, RunState.WAITING, "wait"))
            for kind, state in ((RunAct.PAUSE, RunState.PAUSED), (RunAct.RESUME, RunState.WAITING)):
                with scene.store.begin() as session:
                    acts.request(session, run, kind, member=OWNER, reason="", at=AT)
                await until(stands_at(scene, run, state))
            with scene.store.begin() as session:
                acts.request(session, run, RunAct.SKIP, member=OWNER, reason="no need to wait", at=AT)
            await until(stands_at(scene, run, RunState.DONE))
    assert [letter.subject for letter in scene.post.letters] == ["Your seats", "Lesson one", "Lesson one"]
    with scene.store.read() as session:
        assert {act.state for act in acts.of_run(session, run)} == {ActState.APPLIED}


async def test_a_yes_on_facts_that_have_changed_is_asked_for_again(temporal: WorkflowEnvironment, scene: Stage) -> None:
    def approve() -> None:
        asked = scene.approval()
        with scene.store.begin() as session:
            at = asked.requested_at
            approvals.decide(session, asked.id, version=asked.version, approve=True, member=OWNER, reason="", at=at)
            session.execute(update(AccountRow).values(stage="value"))

    with temporal.with_time_skipping_disabled():
        run = scene.begin("asked")
        async with at_work(temporal, scene):
            await until(stands_at(scene, run, RunState.WAITING, "gate"))
            await asyncio.to_thread(approve)
            await until(lambda: scene.approval().version == 2)
            assert scene.post.letters == []
            await asyncio.to_thread(approve)
            await until(stands_at(scene, run, RunState.WAITING, "wait"))
    assert len(scene.post.letters) == 1


async def test_a_run_waits_for_an_event_then_for_a_date_that_moves_then_for_nobodys_no(
    temporal: WorkflowEnvironment, scene: Stage
) -> None:
    def renews_in(days: int) -> None:
        with scene.store.begin() as session:
            session.execute(update(AccountRow).values(renewal_on=today + days))
        wake(scene.store, today, datetime.now(UTC))

    today = (datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
    with temporal.with_time_skipping_disabled():
        run = scene.begin("patient")
        async with at_work(temporal, scene):
            await until(stands_at(scene, run, RunState.WAITING, "wait"))
            with scene.store.begin() as session:
                happened = Happened("survey_answered", 1, today + 1, {})
                assert awaited.arrived(session, [happened], datetime.now(UTC)) == 1
            await until(lambda: "renewal_on (not known yet)" in scene.run(run).sentence)
            await asyncio.to_thread(renews_in, 100)
            await until(lambda: "renewal_on (not known yet)" not in scene.run(run).sentence)
            await asyncio.to_thread(renews_in, 5)
            await until(stands_at(scene, run, RunState.WAITING, "gate"))
            assert scene.post.letters == []


async def test_a_run_whose_relay_is_down_can_be_cancelled_meanwhile(
    temporal: WorkflowEnvironment, scene: Stage
) -> None:
    scene.post.verdicts = {
        f"{name}@acme.example": Verdict(DeliveryState.NOT_SENT, "the relay is down") for name in ("bo", "cy")
    }
    with temporal.with_time_skipping_disabled():
        run = scene.begin("course")
        async with at_work(temporal, scene):
            await until(lambda: "the relay is down" in scene.run(run).sentence)
            with scene.store.begin() as session:
                acts.request(session, run, RunAct.CANCEL, member=OWNER, reason="wrong people", at=AT)
            await until(stands_at(scene, run, RunState.CANCELLED))
    assert scene.run(run).sentence == f"{OWNER} cancelled the run: wrong people"
    assert scene.post.letters == []


async def test_a_run_that_waits_for_a_month_ends_when_a_cycle_sees_that_its_goal_is_met(
    temporal: WorkflowEnvironment, scene: Stage
) -> None:
    with temporal.with_time_skipping_disabled():
        run = scene.begin("goal", rule="seats-unused")
        async with at_work(temporal, scene):
            await until(stands_at(scene, run, RunState.WAITING, "wait"))
            scene.point("seats_sold", 100)
            scene.point("active_users", 80)
            assert await asyncio.to_thread(wake, scene.store, TODAY, AT) == 1
            await until(stands_at(scene, run, RunState.DONE))
    assert scene.post.letters == []
    assert "come about" in scene.run(run).sentence or "goal is met" in scene.run(run).sentence
