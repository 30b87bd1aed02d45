"""When the engine evaluates: a Temporal Schedule, once a day, and at once when somebody asks."""

from contextlib import suppress
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.service import RPCError, RPCStatusCode

from workflows.evaluation_cycle import EvaluationCycle
from workflows.payloads import CycleInput, CycleResult

CYCLE_ID = "evaluation-cycle"
_DAY = timedelta(days=1)
_NIGHT = timedelta(hours=3)


async def ensure_schedule(client: Client, task_queue: str, every: timedelta = _DAY) -> None:
    """Make the schedule when it is not there yet; one that is there stays as an operator has set it.

    A cycle still at work lets the next one go by; after an outage one that was missed is made up for.
    """
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            EvaluationCycle.run,
            CycleInput(),
            id=CYCLE_ID,
            task_queue=task_queue,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every, offset=min(_NIGHT, every / 2))]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_DAY),
    )
    with suppress(ScheduleAlreadyRunningError):
        await client.create_schedule(CYCLE_ID, schedule)


async def trigger(client: Client) -> None:
    """Evaluate now, whatever the time; does nothing while a cycle is at work, or where an operator has taken the
    schedule away."""
    try:
        await client.get_schedule_handle(CYCLE_ID).trigger(overlap=ScheduleOverlapPolicy.SKIP)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def evaluate_once(client: Client, task_queue: str, wanted: CycleInput, number: str) -> CycleResult:
    """Run one cycle and wait for its counts. The same ``number`` is the same cycle. Raises what the cycle raises."""
    return await client.execute_workflow(
        EvaluationCycle.run,
        wanted,
        id=f"{CYCLE_ID}:{number}",
        task_queue=task_queue,
    )
