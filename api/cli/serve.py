"""``serve``: pages, API, worker and Temporal in one process. ``api`` and ``worker``: the same apart, for production."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from api.cli.workspace import DataOption, err, now, open_in_force, open_store, settings_for
from engine.settings import Settings
from engine.store import installation
from engine.store.sessions import Store

HostOption = Annotated[str, typer.Option(help="Address to listen at.")]
PortOption = Annotated[int, typer.Option(help="Port to listen at.", min=1, max=65_535)]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(serve)
    app.command(name="api")(api_only)
    app.command(name="worker")(worker_only)


def serve(host: HostOption = "127.0.0.1", port: PortOption = 8700, data: DataOption = "") -> None:
    """Run everything in one process: pages and API, the worker, and an embedded Temporal."""
    from api.cli.processes import serve_all

    workspace = open_in_force(data)
    arrive(workspace.store, workspace.settings)
    settings = reached_at(workspace.settings, host, port)
    err.print(f"Backcast at {settings.base_url}; `backcast member link EMAIL` signs in. Ctrl-C ends it.")
    asyncio.run(serve_all(workspace.store, settings, host, port))


def api_only(host: HostOption = "127.0.0.1", port: PortOption = 8700, data: DataOption = "") -> None:
    """Run the pages and the API alone; what is decided waits in the outbox for a worker."""
    from api.app import create_app
    from api.cli.processes import serve_web

    settings = reached_at(settings_for(data), host, port)
    store = open_store(settings)
    arrive(store, settings)
    asyncio.run(serve_web(create_app(store, settings), host, port))


def worker_only(data: DataOption = "") -> None:
    """Run the worker alone: cycles, runs, deliveries and the outbox, by the definitions in force."""
    from api.cli.processes import serve_worker

    workspace = open_in_force(data)
    arrive(workspace.store, workspace.settings)
    asyncio.run(serve_worker(workspace.store, workspace.settings))


def arrive(store: Store, settings: Settings) -> None:
    """Put everything on hold where the database is a copy or was restored, and say what it would send."""
    found = installation.arrive(store, Path(settings.data) / installation.WITNESS, now())
    if found is not None:
        err.print(f"Everything is on hold: {found.reason}. Without the hold it would send: {found.overdue}.")
        err.print("`backcast release` lists it and lets it go; nothing leaves before that.")


def reached_at(settings: Settings, host: str, port: int) -> Settings:
    """The settings with the address people reach, where nobody set one: links must lead to the port in use."""
    if "base_url" in settings.model_fields_set:
        return settings
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 # compared, not bound
    return settings.model_copy(update={"base_url": f"http://{shown}:{port}"})
