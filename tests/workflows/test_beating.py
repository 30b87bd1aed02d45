"""Activities in threads beat by themselves."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from workflows.beating import Beating

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.temporal]

_go_on = threading.Event()
_attempts: list[int] = []


@activity.defn
def slow_in_a_thread() -> str:
    _attempts.append(activity.info().attempt)
    _go_on.wait(2.5)
    return "done"


@workflow.defn
class Patient:
    """Calls one slow activity with a short heartbeat time-out."""

    @workflow.run
    async def run(self) -> str:
        """Wait for it."""
        return await workflow.execute_activity(
            slow_in_a_thread,
            start_to_close_timeout=timedelta(seconds=20),
            heartbeat_timeout=timedelta(seconds=1),
        )


async def test_a_slow_activity_outlives_its_heartbeat_timeout(temporal: WorkflowEnvironment) -> None:
    queue = f"test-{uuid4()}"
    with ThreadPoolExecutor(2) as threads:
        async with Worker(
            temporal.client,
            task_queue=queue,
            build_id="tests",
            workflows=[Patient],
            activities=[slow_in_a_thread],
            activity_executor=threads,
            workflow_runner=UnsandboxedWorkflowRunner(),
            interceptors=[Beating()],
        ):
            run = temporal.client.execute_workflow(Patient.run, id=queue, task_queue=queue)
            async with asyncio.timeout(60):
                assert await run == "done"
    assert _attempts == [1]
