"""One Temporal dev server for all workflow tests of a process, with its own time skipping.

Time skipping on the dev server is experimental, so it is hidden behind the fixture here: if it goes, only that changes.
"""

from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.workflows.stage import OnStage, open_stage
from workflows.embedded import find_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """The dev server. A run's clock jumps over its waits; a shift of 5 ms keeps each jump far below a second."""
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=find_server(),
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            "--dynamic-config-value",
            'history.timerProcessorMaxTimeShift="5ms"',
        ],
    )
    yield environment
    await environment.shutdown()


@pytest.fixture
def on_stage(temporal: WorkflowEnvironment) -> OnStage:
    """Opens a stage for a list of lines."""
    return partial(open_stage, temporal)
