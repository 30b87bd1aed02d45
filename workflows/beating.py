"""Beats for activities in threads, so that a killed worker is noticed within seconds and not at the time-out."""

import asyncio
import inspect
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

_BEATS_PER_TIMEOUT = 5


class Beating(Interceptor):
    """Beats for every activity that has a heartbeat time-out, for as long as it works."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 # Temporal's name
        """Wrap one activity."""
        return _Beat(super().intercept_activity(next))


class _Beat(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 # Temporal's name
        """Do it, beating meanwhile."""
        timeout = activity.info().heartbeat_timeout
        if timeout is None:
            return await super().execute_activity(input)
        in_thread = not inspect.iscoroutinefunction(input.fn)
        beat = asyncio.create_task(_beat(timeout.total_seconds() / _BEATS_PER_TIMEOUT, in_thread=in_thread))
        try:
            result = await super().execute_activity(input)
        finally:
            beat.cancel()
            await asyncio.wait([beat])
        return result


async def _beat(seconds: float, *, in_thread: bool) -> None:
    while True:
        await asyncio.sleep(seconds)
        if in_thread:
            # The beat of an activity in a thread waits for the event loop, so called here it would wait for itself.
            await asyncio.to_thread(activity.heartbeat)
        else:
            activity.heartbeat()
