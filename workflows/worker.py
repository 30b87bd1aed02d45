"""The worker: carries runs out, delivers, evaluates, and drains the outbox. One process, one event loop, one client.

Runs and what only touches the database are on the task queue itself, what leaves the building on the one that ends in
``-delivery``, so that a slow relay does not hold up anything else.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner

from engine.errors import Unavailable
from engine.running.working_time import DAY_SECONDS
from engine.settings import Settings
from engine.store import bundles, deliveries, followups
from engine.store.columns import columns_in
from engine.store.sessions import Store
from workflows.activities.cycle import Cycles
from workflows.activities.stretch import Stretches
from workflows.activity_options import DELIVERY_SUFFIX
from workflows.at_once import AtOnce
from workflows.beating import Beating
from workflows.channels.choosing import choose_caller
from workflows.channels.letter import Channel
from workflows.channels.webhook import Caller
from workflows.evaluation_cycle import EvaluationCycle
from workflows.noticing import Noticing
from workflows.outbox import Drainer
from workflows.playbook_run import PlaybookRun
from workflows.resending import Resending
from workflows.schedules import trigger

_log = logging.getLogger(__name__)

# More at once is slower on two cores, measured; one process is about one core.
_WORKFLOW_TASKS = 20
_LOCAL_ACTIVITIES = 20
_ACTIVITIES = 50
_GRACE = timedelta(seconds=10)
_BUILD = "backcast"
"""Given, because the default is a hash over every loaded module: seconds of start-up where none is compiled yet."""
_LOOK_AFTER = 15.0
_STALE = timedelta(seconds=45)
"""A send whose process is alive ends within its time-outs; what is older was interrupted."""


async def run_worker(
    settings: Settings,
    store: Store,
    channel: Channel,
    client: Client,
    *,
    stop: asyncio.Event | None = None,
) -> None:
    """Work until ``stop`` is set (or this is cancelled), then finish what is at work and come back."""
    caller = choose_caller(settings, os.environ)
    _warn_of_connections(store, caller)
    stretches = Stretches(store, channel, settings.base_url, settings.sender, settings.reply_address, caller)
    with columns_in(store, settings.columns_folder) as columns:
        if columns is None:
            _log.warning(
                "the columns in %s are another process's, or cannot be written to; this one reads points from the "
                "database, which takes longer: give it a folder of its own with BACKCAST_COLUMNS",
                settings.columns_folder,
            )
        cycles = Cycles(store, settings.day_seconds, columns)
        # Where days are shorter, whoever makes them so says when to evaluate.
        fresh = cycles if settings.day_seconds == DAY_SECONDS else None
        await work(
            client,
            settings.task_queue,
            store,
            here=[stretches.run_stretch, stretches.record_act, cycles.evaluate],
            outward=[stretches.run_stretch],
            stop=stop or asyncio.Event(),
            fresh=fresh,
            beside=[
                Noticing(store, channel, settings.base_url, settings.sender).run,
                Resending(store, channel, caller).run,
            ],
        )


async def work(
    client: Client,
    task_queue: str,
    store: Store,
    *,
    here: Sequence[Callable[..., Any]],
    outward: Sequence[Callable[..., Any]],
    stop: asyncio.Event,
    runner: WorkflowRunner | None = None,
    fresh: Cycles | None = None,
    beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
) -> None:
    """`run_worker` with the activities given: those of the task queue itself, and those of its delivery queue.

    ``fresh``: evaluate with it at once what changed. ``beside``: what else runs as long as the worker does.
    """
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(_LOCAL_ACTIVITIES, thread_name_prefix="activity"))
        senders = stack.enter_context(ThreadPoolExecutor(_ACTIVITIES, thread_name_prefix="delivery"))
        runs, sending = _workers(client, task_queue, here, outward, threads, senders, runner)
        async with runs, sending:
            drainer = Drainer(store, client, task_queue)
            loops = [drainer.run(), _look_after(store), *(loop() for loop in beside)]
            if fresh is not None:
                loops.append(AtOnce(fresh, partial(trigger, client), drainer.nudge).run())
            await _beside(stop, loops)


def _workers(
    client: Client,
    task_queue: str,
    here: Sequence[Callable[..., Any]],
    outward: Sequence[Callable[..., Any]],
    threads: ThreadPoolExecutor,
    senders: ThreadPoolExecutor,
    runner: WorkflowRunner | None,
) -> tuple[Worker, Worker]:
    """The worker of the task queue itself, and that of its delivery queue."""
    runs = Worker(
        client,
        task_queue=task_queue,
        build_id=_BUILD,
        workflows=[PlaybookRun, EvaluationCycle],
        activities=here,
        activity_executor=threads,
        workflow_runner=runner or UnsandboxedWorkflowRunner(),
        max_concurrent_workflow_tasks=_WORKFLOW_TASKS,
        max_concurrent_local_activities=_LOCAL_ACTIVITIES,
        max_concurrent_activities=_LOCAL_ACTIVITIES,
        interceptors=[Beating()],
        graceful_shutdown_timeout=_GRACE,
    )
    sending = Worker(
        client,
        task_queue=task_queue + DELIVERY_SUFFIX,
        build_id=_BUILD,
        activities=outward,
        activity_executor=senders,
        max_concurrent_activities=_ACTIVITIES,
        interceptors=[Beating()],
        graceful_shutdown_timeout=_GRACE,
    )
    return runs, sending


async def _beside(stop: asyncio.Event, loops: Sequence[Coroutine[Any, Any, None]]) -> None:
    """What runs beside the workers, ended and awaited before they are: a call in flight at exit can hang."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop) for loop in loops]
        await stop.wait()
        for task in tasks:
            task.cancel()


def _warn_of_connections(store: Store, caller: Caller) -> None:
    """Say at once what a playbook would otherwise meet in the middle of a run."""
    with store.read() as session:
        bundle = bundles.in_force(session)
    for connection in bundle.connections.values() if bundle else ():
        if why := caller.problem(connection):
            _log.warning("the connection %s cannot be called: %s", connection.name, why)


async def _look_after(store: Store) -> None:
    """Show interrupted sends to people, and remind them of what waits for them, soon after it is time."""
    while True:
        await asyncio.to_thread(_resolve_stale, store)
        await asyncio.to_thread(_follow_up, store)
        await asyncio.sleep(_LOOK_AFTER)


def _follow_up(store: Store) -> None:
    try:
        while True:
            with store.begin() as session:
                if followups.follow_up(session, datetime.now(UTC)) < followups.AT_ONCE:
                    return
    except (SQLAlchemyError, Unavailable) as error:
        _log.warning("nobody could be reminded of what waits: %s", error)


def _resolve_stale(store: Store) -> None:
    at = datetime.now(UTC)
    try:
        with store.begin() as session:
            found = deliveries.resolve_stale(session, at - _STALE, at)
    except (SQLAlchemyError, Unavailable) as error:
        _log.warning("interrupted sends could not be looked for: %s", error)
        return
    if found:
        _log.warning("%d interrupted sends may or may not have arrived: a person has to look", found)
