"""Moves of a run that are no steps, on a real database: what a run's state decides, its stretches carry out."""

from dataclasses import dataclass
from functools import cache

import pytest
from sqlalchemy import select

from engine.definitions.bundle import Bundle
from engine.store import acts, tasks
from engine.store.run_tables import DeliveryRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow
from engine.terms import RunAct, RunState
from tests.workflows.activities.scenery import AT, BO, OWNER, Stage, playbook_file, read, stage
from tests.workflows.standings import Played
from workflows.acting import jump_of
from workflows.payloads import Act, RecordActInput, RunInput, StretchInput, StretchResult, Wake
from workflows.standing import Move, Standing


@cache
def bundle() -> Bundle:
    return read(
        playbook_file(
            "rows",
            """
- task: {title: "Before", to: owner}
- parallel:
    - - email: {to: champion, message: hello}
      - wait: {at_most: 2d}
    - - id: call
        task: {title: "Call", to: owner, wait_for_done: 5d}
- id: behind
  task: {title: "Behind", to: owner}
- id: rest
  wait: {at_most: 9d}
""",
        ),
        playbook_file(
            "row",
            """
- id: call
  task: {title: "Call", to: owner}
- id: mail
  email: {to: user, message: first}
- id: rest
  wait: {at_most: 9d}
- id: last
  email: {to: champion, message: hello}
""",
            "max_duration: 30d",
        ),
        playbook_file(
            "asked",
            """
- id: ok
  approve: {by: owner, expires: 3d, on_expiry: skip, steps: [{id: mail, email: {to: user, message: first}}]}
- id: rest
  wait: {at_most: 9d}
""",
        ),
    )


@dataclass
class Lived(Played):
    """A run whose stretches are the real ones, one after another, without a Temporal server between."""

    scene: Stage | None = None
    run_id: int = 0

    @classmethod
    def start(cls, scene: Stage, playbook: str) -> "Lived":
        """Begin a run of a playbook, up to its first stop."""
        run_id = scene.begin(playbook)
        lived = cls(Standing.of(RunInput(run_id, list(scene.run(run_id).lines)), AT), scene=scene, run_id=run_id)
        lived.now = AT
        lived.go()
        return lived

    @property
    def stage(self) -> Stage:
        """What the run is on."""
        assert self.scene is not None
        return self.scene

    def stretch(self, move: Move) -> StretchResult:
        """The activity itself."""
        state, strand = self.state, move.strand
        return self.stage.stretches.run_stretch(
            StretchInput(
                self.run_id,
                strand.cursor,
                move.outcome,
                self.now.isoformat(),
                list(state.skips),
                strand.deadline,
                state.open_fork if strand is not state.trunk else -1,
            )
        )

    def person(self, kind: RunAct, step: str = "", **more: bool) -> str:
        """A member's act: its row, the record that it takes effect, the effect."""
        with self.stage.store.begin() as session:
            number = acts.request(
                session, self.run_id, kind, member=OWNER, reason="so it is", at=self.now, step=step, **more
            )
        act = Act(number, kind.value, step, **more)
        jumps = [*self.state.jumps, jump_of(self.state, act)] if kind is RunAct.JUMP else []
        self.stage.stretches.record_act(
            RecordActInput(self.run_id, number, kind.value, self.state.cursor, self.now.isoformat(), jumps)
        )
        return self.tell(act)

    @property
    def titles(self) -> list[tuple[str, str, str]]:
        """The tasks there are: step, title, state."""
        return [(task.step, task.title, task.state) for task in self.stage.tasks()]


@pytest.fixture
def scene(store: Store) -> Stage:
    return stage(store, bundle())


def test_rows_go_on_beside_each_other_and_the_run_when_all_are_through(scene: Stage) -> None:
    run = Lived.start(scene, "rows")
    assert scene.post.to == ["ana@acme.example"]
    assert sorted(wait.step for wait in scene.waits()) == ["call/wait", "wait"]
    assert (scene.run(run.run_id).lines[scene.run(run.run_id).cursor].kind, len(run.titles)) == ("fork", 2)
    run.later(2)
    assert [wait.step for wait in scene.waits()] == ["call/wait"]
    assert scene.run(run.run_id).state is RunState.WAITING
    run.tell(Wake("satisfied", "call/wait"))
    assert [wait.step for wait in scene.waits()] == ["rest"]
    assert [step for step, _, _ in run.titles] == ["task", "call", "behind"]
    assert scene.steps(run.run_id)["parallel"] == ("done", "All 2 rows are through.")
    run.later(9)
    assert scene.run(run.run_id).state is RunState.DONE


def test_cancelling_ends_every_row(scene: Stage) -> None:
    run = Lived.start(scene, "rows")
    assert run.person(RunAct.CANCEL) == ""
    assert scene.run(run.run_id).state is RunState.CANCELLED
    assert scene.waits() == []
    assert {state for state, _ in scene.steps(run.run_id).values()} <= {"done", "skipped"}


def test_going_back_does_again_what_lies_between_but_sends_nothing_twice(scene: Stage) -> None:
    """S2-39."""
    run = Lived.start(scene, "row")
    assert len(scene.post.letters) == 2
    assert run.person(RunAct.JUMP, "call") == ""
    assert len(scene.post.letters) == 2
    assert [(step, state) for step, _, state in run.titles] == [("call", "cancelled"), ("call#2", "open")]
    assert [wait.step for wait in scene.waits()] == ["rest#2"]
    run.later(9)
    assert scene.run(run.run_id).state is RunState.DONE
    assert len(scene.post.letters) == 3


def test_going_back_sends_again_when_that_is_what_was_wanted(scene: Stage) -> None:
    run = Lived.start(scene, "row")
    assert run.person(RunAct.JUMP, "call", sends=True) == ""
    assert sorted(scene.post.to) == ["bo@acme.example"] * 2 + ["cy@acme.example"] * 2
    with scene.store.read() as session:
        ids = session.scalars(select(DeliveryRow.message_id)).all()
    assert len(set(ids)) == 4


def test_going_back_tries_again_what_could_not_be_sent_for_those_who_have_not_had_it(scene: Stage) -> None:
    with scene.store.begin() as session:
        for contact in session.scalars(select(ContactRow)):
            contact.departed_on = 1
    run = Lived.start(scene, "row")
    assert scene.steps(run.run_id)["mail"][0] == "skipped"
    with scene.store.begin() as session:
        session.get_one(ContactRow, BO).departed_on = None
    run.person(RunAct.JUMP, "call")
    assert scene.post.to == ["bo@acme.example"]


def test_going_back_to_an_approval_asks_again(scene: Stage) -> None:
    run = Lived.start(scene, "asked")
    first = scene.approval()
    run.person(RunAct.JUMP, "ok")
    second = scene.approval()
    assert (second.step, second.state) == ("ok#2", "pending")
    with scene.store.read() as session:
        assert session.get_one(type(first), first.id).state == "withdrawn"
    assert scene.post.letters == []


def test_a_pause_that_ends_looks_at_the_stop_again_and_keeps_its_time(scene: Stage) -> None:
    run = Lived.start(scene, "row")
    until = scene.waits()[0].until
    run.person(RunAct.PAUSE)
    assert scene.run(run.run_id).state is RunState.PAUSED
    run.later(4)
    run.person(RunAct.RESUME)
    assert scene.run(run.run_id).state is RunState.WAITING
    assert scene.waits()[0].until == until
    run.person(RunAct.PAUSE)
    run.later(3)
    run.person(RunAct.RESUME, stretch=True)
    assert (scene.waits()[0].until - until).days == 3


def test_a_run_whose_account_churned_while_it_was_paused_ends_when_it_goes_on(scene: Stage) -> None:
    run = Lived.start(scene, "row")
    run.person(RunAct.PAUSE)
    with scene.store.begin() as session:
        session.get_one(AccountRow, 1).stage = "churned"
    run.person(RunAct.RESUME)
    assert scene.run(run.run_id).state is RunState.CANCELLED


def test_a_run_that_is_stuck_says_so_and_goes_on_when_somebody_tries_again(scene: Stage) -> None:
    run_id = scene.begin("row")
    result = scene.go(run_id, "stuck")
    assert (result.stop, result.cursor) == ("stuck", 0)
    found = scene.run(run_id)
    assert found.state is RunState.WAITING
    assert found.sentence.startswith("It could not go on: ")
    assert [task.step for task in scene.tasks()] == ["call/stuck/look"]
    scene.go(run_id, "begin", cursor=0)
    assert [wait.step for wait in scene.waits()] == ["rest"]


def test_a_run_that_is_stuck_once_more_tells_the_owner_once_more(scene: Stage) -> None:
    """What they finished to look at the first time would say nothing of the second."""
    run_id = scene.begin("row")
    scene.go(run_id, "stuck")
    scene.go(run_id, "stuck")
    assert [task.step for task in scene.tasks()] == ["call/stuck/look"], "they have it before them still"
    with scene.store.begin() as session:
        tasks.finish(session, scene.tasks()[0].id, version=1, member=OWNER, answers={}, note="", at=scene.at)
    scene.go(run_id, "stuck")
    assert [task.step for task in scene.tasks()] == ["call/stuck/look", "call/stuck-2/look"]


def test_a_run_whose_longest_time_is_over_ends(scene: Stage) -> None:
    run = Lived.start(scene, "row")
    run.state.strands[0].deadline = ""
    run.later(30)
    assert run.outcomes[-1] == "overdue"
    assert scene.run(run.run_id).sentence == "Ended after 30 days, the longest time this playbook may take."
