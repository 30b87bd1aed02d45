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
        self._at_work: set[int] = set()
        """The runs that are being told something just now."""
        self._hurry = asyncio.Event()
        self._room = asyncio.Event()
        self._down = False

    def nudge(self) -> None:
        """Look at once instead of at the next beat; from the drainer's own event loop."""
        self._hurry.set()

    async def run(self) -> None:
        """Drain for ever; ends only by being cancelled. It looks again as soon as half of its hands are free, so that
        nothing urgent waits for what takes long."""
        async with asyncio.TaskGroup() as hands:
            while True:
                began = await self._look_patiently(hands)
                if began and not self._down:
                    await self._half_free()
                    continue
                self._hurry.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), _DOWN if self._down else _IDLE)

    async def drain(self) -> int:
        """Carry what is due now, as much as fits into its hands, to the end. Returns how many messages were tried."""
        async with asyncio.TaskGroup() as hands:
            return await self._look(hands)

    async def _look_patiently(self, hands: asyncio.TaskGroup) -> int:
        try:
            return await self._look(hands)
        except (SQLAlchemyError, Unavailable) as error:  # a busy or restarting database: the rows are there afterwards
            _log.warning("the outbox could not be read, trying again: %s", error)
            return 0

    async def _look(self, hands: asyncio.TaskGroup) -> int:
        """Begin to carry what is due, the most urgent first."""
        if self._down and not await self._is_back():
            return 0
        groups: dict[int, list[Message]] = {}
        for message in await asyncio.to_thread(self._due):
            groups.setdefault(message.run_id, []).append(message)
        free = [run for run in groups if run not in self._at_work][: _BESIDE - len(self._at_work)]
        for run in free:
            self._at_work.add(run)
            hands.create_task(self._carry_in_order(run, groups[run]))
        return sum(len(groups[run]) for run in free)

    async def _half_free(self) -> None:
        while len(self._at_work) > _BESIDE // 2:
            self._room.clear()
            await self._room.wait()

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

    async def _carry_in_order(self, run: int, messages: Iterable[Message]) -> None:
        try:
            for message in messages:
                if self._down or not await self._carried(message):
                    return
        except (SQLAlchemyError, Unavailable) as error:  # it has been told, or will be once more: both are harmless
            _log.warning("the outbox could not be marked, trying again: %s", error)
        finally:
            self._at_work.discard(run)
            self._room.set()

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
