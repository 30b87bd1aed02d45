"""The long-running processes behind ``serve``, ``api`` and ``worker``: started together, ended in order.

Apart from the commands because this imports Temporal, which is slow, and most commands do without.
"""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from api.app import create_app, utc_now
from engine.errors import Refused, Unavailable
from engine.settings import Settings
from engine.store import installation
from engine.store.sessions import Store
from workflows.channels.choosing import choose_channel
from workflows.client import connect
from workflows.embedded import EmbeddedServer
from workflows.schedules import ensure_schedule
from workflows.worker import run_worker

_log = logging.getLogger(__name__)

_STAYING = 15.0


async def serve_all(
    store: Store,
    settings: Settings,
    host: str,
    port: int,
    clock: Callable[[], datetime] = utc_now,
    beside: Callable[[asyncio.Event], Awaitable[None]] | None = None,
) -> None:
    """Serve until interrupted; the first of the parts that fails ends the others.

    ``beside`` runs beside them and may end all by setting the event it is given. Raises `Refused` for a taken port,
    `Unavailable` when Temporal does not come up.
    """
    app = create_app(store, settings, clock)
    with listening(host, port) as door:
        async with _temporal(settings) as address, _interrupted() as stop:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_web(app, door, stop))
                    group.create_task(_work(store, settings, address, stop))
                    if beside is not None:
                        group.create_task(_until(stop, beside))
            except ExceptionGroup as failed:
                raise failed.exceptions[0] from None  # the first cause; the others only followed it


async def _until(stop: asyncio.Event, beside: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run ``beside``, and end it when everything ends."""
    acting, stopping = asyncio.ensure_future(beside(stop)), asyncio.create_task(stop.wait())
    await asyncio.wait([acting, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not acting.done():
        acting.cancel()
    with suppress(asyncio.CancelledError):
        await acting


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens. Raises `Refused` when the port is taken."""
    try:
        door = socket.create_server((host, port))
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise Refused(f"Nothing can listen at {host}:{port} ({why}): choose another --port.") from error
    with door:
        yield door


@asynccontextmanager
async def _temporal(settings: Settings) -> AsyncIterator[str]:
    if settings.temporal_address:
        yield settings.temporal_address
        return
    server = EmbeddedServer(Path(settings.data))
    address = await asyncio.to_thread(server.start)
    try:
        yield address
    finally:
        await asyncio.to_thread(server.stop)


@asynccontextmanager
async def _interrupted() -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


class _Web(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to us: everything in this process ends in order."""
        yield


async def _web(app: FastAPI, door: socket.socket, stop: asyncio.Event) -> None:
    server = _Web(uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=5))
    serving = asyncio.create_task(server.serve(sockets=[door]))
    try:
        await asyncio.wait([serving, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        await serving
        stop.set()


async def _work(store: Store, settings: Settings, address: str, stop: asyncio.Event) -> None:
    client = await connect(address, settings.temporal_namespace)
    await ensure_schedule(client, settings.task_queue)
    staying = asyncio.create_task(_stay(store, settings))
    try:
        await run_worker(settings, store, choose_channel(settings), client, stop=stop)
    finally:
        staying.cancel()
        with suppress(asyncio.CancelledError):
            await staying
        await asyncio.to_thread(_say_that_it_is_here, store, settings)


async def _stay(store: Store, settings: Settings) -> None:
    """Say again and again that the database is at work here, so that an older copy of it can be told."""
    while True:
        await asyncio.sleep(_STAYING)
        await asyncio.to_thread(_say_that_it_is_here, store, settings)


def _say_that_it_is_here(store: Store, settings: Settings) -> None:
    try:
        installation.stay(store, Path(settings.data) / installation.WITNESS, utc_now())
    except (SQLAlchemyError, Unavailable, OSError) as error:  # a busy database, a full disk: the next one says it
        _log.warning("it could not be written down that the database is at work here: %s", error)


async def serve_web(app: FastAPI, host: str, port: int) -> None:
    """Serve pages and API until interrupted. Raises `Refused` for a taken port."""
    with listening(host, port) as door:
        async with _interrupted() as stop:
            await _web(app, door, stop)


async def serve_worker(store: Store, settings: Settings) -> None:
    """Work until interrupted. Raises `Unavailable` when Temporal does not answer."""
    async with _temporal(settings) as address, _interrupted() as stop:
        await _work(store, settings, address, stop)
