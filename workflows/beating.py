"""Beats for activities in threads, so that a killed worker is noticed within seconds and not at the time-out."""

import asyncio
from contextlib import suppress
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from workflows.crash_points import pass_by

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
        beat = asyncio.create_task(_beat(timeout.total_seconds() / _BEATS_PER_TIMEOUT))
        try:
            result = await super().execute_activity(input)
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat
        pass_by("before_result")
        return result


async def _beat(seconds: float) -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(seconds)
