"""Histories of earlier runs replay: a changed workflow must not lose the runs that are open."""

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.workflows.record_histories import HISTORIES, PLAYS
from workflows.activity_options import DATABASE_ONLY, RUN_STRETCH
from workflows.payloads import RunInput, StretchInput, StretchResult
from workflows.playbook_run import PlaybookRun

pytestmark = pytest.mark.temporal


def history(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(path.stem for path in HISTORIES.glob("*.json")))
async def test_every_recorded_history_replays(name: str) -> None:
    await Replayer(workflows=[PlaybookRun], build_id="tests").replay_workflow(history(name))


def test_every_play_has_been_recorded() -> None:
    assert set(PLAYS) <= {path.stem for path in HISTORIES.glob("*.json")}


@workflow.defn(name="PlaybookRun", sandboxed=False)
class WithoutWaiting:
    """A mutant that does not wait at its stops."""

    @workflow.run
    async def run(self, wanted: RunInput) -> int:
        """Do one stretch after another."""
        cursor, outcome = wanted.cursor, "begin"
        while True:
            result: StretchResult = await workflow.execute_local_activity(
                RUN_STRETCH,
                StretchInput(wanted.run_id, cursor, outcome, workflow.now().isoformat()),  # type: ignore[arg-type]  # a plain word
                result_type=StretchResult,
                **DATABASE_ONLY,
            )
            if result.stop == "end":
                return result.cursor
            cursor, outcome = result.cursor, "elapsed"


@workflow.defn(name="PlaybookRun", sandboxed=False)
class AskingFirst(PlaybookRun):
    """A mutant with one timer too many at its beginning."""

    @workflow.init
    def __init__(self, wanted: RunInput) -> None:
        super().__init__(wanted)

    @workflow.run
    async def run(self, wanted: RunInput) -> int:
        """Wait a moment, then run."""
        await workflow.sleep(1)
        return await super().run(wanted)


@pytest.mark.parametrize("mutant", [WithoutWaiting, AskingFirst])
async def test_a_changed_order_of_commands_does_not_replay(mutant: type) -> None:
    with pytest.raises(workflow.NondeterminismError):
        await Replayer(workflows=[mutant], build_id="tests").replay_workflow(history("by-itself"))
