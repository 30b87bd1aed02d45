"""Histories of earlier runs replay, for a changed workflow must not lose open runs; and mistakes in it are noticed."""

from functools import cache
from typing import Final

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from tests.workflows.mutants import MUTANTS, Mutant, fails_a_test, living
from tests.workflows.plays import PLAYS
from tests.workflows.record_histories import HISTORIES
from workflows.playbook_run import PlaybookRun

pytestmark = pytest.mark.temporal

NAMES: Final = sorted(path.stem for path in HISTORIES.glob("*.json"))


@cache
def history(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
async def test_every_recorded_history_replays(name: str) -> None:
    """S2-39, S2-52: whatever a person or the time did to a run, a later version goes on from there."""
    await Replayer(workflows=[PlaybookRun], build_id="tests").replay_workflow(history(name))


def test_every_play_has_been_recorded() -> None:
    assert set(PLAYS) == set(NAMES)
    assert len(NAMES) >= 30


async def test_the_code_as_it_is_passes_what_the_mutants_have_to_fail() -> None:
    with living(None) as (module, tests):
        assert not fails_a_test(tests)
        assert await first_failure(module.PlaybookRun) == ""


@pytest.mark.filterwarnings("ignore:.*TMPRL1102")  # a mutant may end while it is being told something
@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
async def test_a_mistake_in_the_workflow_is_noticed(mutant: Mutant) -> None:
    with living(mutant) as (module, tests):
        assert fails_a_test(tests) or await first_failure(module.PlaybookRun)


async def first_failure(workflow: type) -> str:
    """The first history that does not replay; empty when all do."""
    replayer = Replayer(workflows=[workflow], build_id="tests", workflow_runner=UnsandboxedWorkflowRunner())
    for name in NAMES:
        done = await replayer.replay_workflow(history(name), raise_on_replay_failure=False)
        if done.replay_failure is not None:
            return name
    return ""
