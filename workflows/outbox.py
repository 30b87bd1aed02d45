"""Carries the outbox to Temporal: starts, people's acts, wakes. Everything in it may be carried twice and is harmless.

While Temporal is down the rows stay; when it is back they go. Messages of one run go one after another, runs beside
each other.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from engine.errors import Unavailable
from engine.store import acts, outbox, runs
from engine.store.outbox import Message
from engine.store.sessions import Store
from engine.terms import ActState, OutboxKind
from workflows.payloads import Act, ActResult, RunInput, Wake
from workflows.playbook_run import PlaybookRun

_log = logging.getLogger(__name__)

_BATCH = 50
"""Small, because what is urgent is only seen when the batch before it is through: about two seconds."""
_BESIDE = 16
_IDLE = 0.2
_DOWN = 1.0
_LONGEST_PAUSE = 30.0
_RPC = timedelta(seconds=10)
_CLOSED = "the run has already ended"


def run_key(run_id: int) -> str:
    """The workflow id of a run."""
    return f"run:{run_id}"


class Drainer:
    """One per installation is enough; two do no harm. ``client`` should be the worker's own, for eager starts."""

    def __init__(self, store: Store, client: Client, task_queue: str) -> None:
        self._store = store
        self._client = client
        self._task_queue = task_queue
        self._slots = asyncio.Semaphore(_BESIDE)
        self._hurry = asyncio.Event()
        self._down = False

    def nudge(self) -> None:
        """Look at once instead of at the next beat; from the drainer's own event loop."""
        self._hurry.set()

    async def run(self) -> None:
        """Drain for ever; ends only by being cancelled."""
        while True:
            carried = await self._drain_patiently()
            if carried and not self._down:
                continue
            self._hurry.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), _DOWN if self._down else _IDLE)

    async def _drain_patiently(self) -> int:
        try:
            return await self.drain()
        except (SQLAlchemyError, Unavailable) as error:  # a busy or restarting database: the rows are there afterwards
            _log.warning("the outbox could not be read or marked, trying again: %s", error)
            return 0

    async def drain(self) -> int:
        """Carry what is due now. Returns how many messages were tried."""
        if self._down and not await self._is_back():
            return 0
        messages = await asyncio.to_thread(self._due)
        groups: dict[int, list[Message]] = {}  # in the order of their most urgent messages
        for message in messages:
            groups.setdefault(message.run_id, []).append(message)
        await asyncio.gather(*(self._carry_in_order(group) for group in groups.values()))
        return len(messages)

    def _due(self) -> tuple[Message, ...]:
        with self._store.read() as session:
            return outbox.due(session, _now(), _BATCH)

    async def _is_back(self) -> bool:
        try:
            await self._client.service_client.check_health(timeout=timedelta(seconds=2))
        except RPCError:
            return False
        await self._write(outbox.retry_now, _now())
        self._down = False
        return True

    async def _carry_in_order(self, messages: Iterable[Message]) -> None:
        for message in messages:
            async with self._slots:
                if self._down or not await self._carried(message):
                    return

    async def _carried(self, message: Message) -> bool:
        """Carry one message; False when it has to be tried again."""
        try:
            note = await self._carry(message)
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as error:
            self._down = self._down or _is_unreachable(error)
            await self._write(outbox.failed, message.id, _sentence(error), _now() + _backoff(message.attempts))
            return False
        await self._write(outbox.done, message.id, _now(), note)
        return True

    async def _carry(self, message: Message) -> str:
        """Carry one message. Returns why it could not take effect; empty when it did."""
        if message.kind is OutboxKind.START:
            return await self._start(message)
        if message.kind is OutboxKind.UPDATE:
            return await self._update(message)
        return await self._wake(message)

    async def _start(self, message: Message) -> str:
        run = await asyncio.to_thread(self._run, message.run_id)
        if not run.state.is_open:
            return _CLOSED
        with suppress(WorkflowAlreadyStartedError):
            await self._client.start_workflow(
                PlaybookRun.run,
                RunInput(run.id, list(run.lines), run.day_seconds, message.priority),
                id=run_key(run.id),
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                request_eager_start=True,
                rpc_timeout=_RPC,
                priority=Priority(priority_key=message.priority, fairness_key=run.playbook[:64]),
            )
        return ""

    def _run(self, run_id: int) -> runs.Run:
        with self._store.read() as session:
            return runs.find(session, run_id)

    async def _update(self, message: Message) -> str:
        act = Act(**message.payload)
        handle = self._client.get_workflow_handle(run_key(message.run_id))
        try:
            await asyncio.wait_for(
                handle.execute_update("act", act, id=f"act-{act.act_id}", result_type=ActResult, rpc_timeout=_RPC),
                _RPC.total_seconds(),
            )
        except WorkflowUpdateFailedError as error:
            refused = error.cause.message if isinstance(error.cause, ApplicationError) else str(error.cause)
            return await self._not_applied(act, refused)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return await self._not_applied(act, _CLOSED)
        return ""

    async def _not_applied(self, act: Act, reason: str) -> str:
        await self._write(acts.mark, act.act_id, ActState.NOT_APPLIED, reason, _now())
        return reason

    async def _wake(self, message: Message) -> str:
        handle = self._client.get_workflow_handle(run_key(message.run_id))
        try:
            await handle.signal("wake", Wake(**message.payload), rpc_timeout=_RPC)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return _CLOSED
        return ""

    async def _write(self, function: Callable[..., None], *values: Any) -> None:
        def write() -> None:
            with self._store.begin() as session:
                function(session, *values)

        await asyncio.to_thread(write)


def _is_unreachable(error: Exception) -> bool:
    return isinstance(error, RPCError) and error.status in {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
    }


def _backoff(attempts: int) -> timedelta:
    """Half a second, doubled each time, at most half a minute; spread, so that not all come back together."""
    return timedelta(seconds=min(0.5 * 2.0 ** min(attempts, 10), _LONGEST_PAUSE) * random.uniform(0.8, 1.2))  # noqa: S311 # a spread, not a secret


def _sentence(error: Exception) -> str:
    return f"Temporal did not take it: {error or type(error).__name__}"


def _now() -> datetime:
    return datetime.now(UTC)
