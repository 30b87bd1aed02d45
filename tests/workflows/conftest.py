"""One Temporal dev server for all workflow tests of a process, with its own time skipping.

Time skipping on the dev server is experimental, so it is hidden behind the fixtures here: if it goes, only they change.
"""

from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.workflows.server import start_server
from tests.workflows.stage import OnStage, open_stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """The dev server."""
    environment = await start_server()
    yield environment
    await environment.shutdown()


@pytest_asyncio.fixture(loop_scope="session")
async def own_server() -> AsyncIterator[WorkflowEnvironment]:
    """A server that no other test sees: it starts no second run of a number, and every database counts from one."""
    environment = await start_server()
    yield environment
    await environment.shutdown()


@pytest.fixture
def on_stage(temporal: WorkflowEnvironment) -> OnStage:
    """Opens a stage for a list of lines."""
    return partial(open_stage, temporal)
