"""From noticing to acting: what counts as begun, what as acted, and the percentiles."""

from datetime import timedelta

import pytest

from engine.store import tasks
from engine.store.response_times import PERCENTILES, Response, by_rule, responses, times
from engine.store.sessions import Store
from engine.terms import Mode
from tests.workflows.activities.scenery import AT, OWNER, Stage, playbook_file, read, stage

STEPS = """
- wait: {at_most: 2d}
- task: {title: "Call {{ account.name }}", to: owner, due: 2 working days}
"""


@pytest.fixture
def here(sqlite_store: Store) -> Stage:
    return stage(sqlite_store, read(playbook_file("try-it", STEPS)))


def _found(here: Stage) -> list[Response]:
    with here.store.read() as session:
        return responses(session, AT - timedelta(days=1))


def test_a_run_is_begun_with_its_first_task_and_acted_when_somebody_has_done_it(store: Store) -> None:
    """S0-65: detection to first action, of each run; a wait alone is no action."""
    here = stage(store, read(playbook_file("try-it", STEPS)))
    run_id = here.begin("try-it", rule="seats-unused")
    here.go(run_id)
    (waiting,) = _found(here)
    assert (waiting.begun, waiting.acted, waiting.account, waiting.rule) == (None, None, "acme", "seats-unused")
    here.later(2).go(run_id, "elapsed")
    here.later(1)
    with here.store.begin() as session:
        task = tasks.of_step(session, run_id, "task")
        assert task is not None
        tasks.finish(session, task.id, version=task.version, member=OWNER, answers={}, note="", at=here.at)
    (done,) = _found(here)
    assert (done.begun, done.acted) == (AT + timedelta(days=2), AT + timedelta(days=3))


def test_runs_that_a_member_started_and_runs_on_a_scaled_clock_were_not_detected(here: Stage) -> None:
    here.begin("try-it", Mode.AUTOMATIC)
    assert _found(here) == []


def test_percentiles_count_what_has_happened_and_name_what_has_not() -> None:
    """S0-65: their percentiles."""

    def run(number: int, seconds: float | None) -> Response:
        begun = None if seconds is None else AT + timedelta(seconds=seconds)
        return Response(number, "acme", "a" if number % 2 else "b", "try-it", "automatic", AT, begun, None)

    found = [*(run(number, float(number)) for number in range(101)), run(101, None)]
    told = times(found)
    assert (told.count, told.open) == (101, 1)
    assert told.seconds == tuple(float(each) for each in PERCENTILES)
    assert times(found, acted=True).seconds == ()
    assert {name: len(runs) for name, runs in by_rule(found).items()} == {"a": 51, "b": 51}
