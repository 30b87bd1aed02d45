"""The Temporal dev server with its own time skipping, as the workflow tests and the recording of histories use it."""

from temporalio.testing import WorkflowEnvironment

from workflows.embedded import find_server


async def start_server() -> WorkflowEnvironment:
    """Start it. A run's clock jumps over its waits; a shift of 5 ms keeps each jump far below a second."""
    return await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=find_server(),
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            "--dynamic-config-value",
            'history.timerProcessorMaxTimeShift="5ms"',
        ],
    )
