"""What the SDK is heard to say: nothing while a server is down, but always that a run does not fit the code."""

from pathlib import Path
from typing import Final

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from tests.workflows.record_histories import HISTORIES
from workflows.client import _runtime
from workflows.payloads import RunInput

pytestmark = pytest.mark.temporal

ANY: Final[Path] = min(HISTORIES.glob("*.json"))


@workflow.defn(name="PlaybookRun")
class Hesitant:
    """The workflow with a pause where there was none."""

    @workflow.run
    async def run(self, wanted: RunInput) -> int:
        """Pause, and be done."""
        await workflow.sleep(1)
        return 0


async def test_code_that_does_not_fit_an_open_run_is_heard(capfd: pytest.CaptureFixture[str]) -> None:
    """F26: the task fails loudly."""
    history = WorkflowHistory.from_json("any", ANY.read_text(encoding="utf-8"))
    runner = UnsandboxedWorkflowRunner()
    replayer = Replayer(workflows=[Hesitant], build_id="tests", workflow_runner=runner, runtime=_runtime())
    found = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert found.replay_failure is not None
    heard = capfd.readouterr()
    assert "TMPRL1100" in heard.out + heard.err
