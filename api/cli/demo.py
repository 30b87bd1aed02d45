"""``demo``: a simulated portfolio through the whole loop, from a metric that falls to a measured effect."""

import asyncio
import gc
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from api.cli.workspace import JsonOption, err, now, out, settings_for
from api.demo import summary
from api.demo.stage import AFTER, CSM, YESTERDAY, Stage, set_up
from engine.settings import Settings
from engine.store import members, overview
from engine.store.columns import columns_in
from engine.store.overview import Overview

FAST, SLOW = 1.5, 180.0
"""Seconds a day takes: for a machine that only runs the demo, and for a person who looks around in it."""

OnceOption = Annotated[bool, typer.Option("--once", help="A simulated CSM answers; ends by itself.")]
DaySecondsOption = Annotated[
    float | None, typer.Option("--day-seconds", help="Seconds a day of a run takes (180; with --once 1.5).", min=0.1)
]


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(demo)


def demo(
    once: OnceOption = False,
    as_json: JsonOption = False,
    accounts: Annotated[int, typer.Option(help="Accounts in the portfolio.", min=200, max=20_000)] = 2_000,
    port: Annotated[int, typer.Option(help="Port to listen at.", min=1, max=65_535)] = 8700,
    day_seconds: DaySecondsOption = None,
    data: Annotated[str, typer.Option(help="Folder of the demo; an earlier demo in it is replaced.")] = "",
) -> None:
    """Show everything on a simulated portfolio with known truth: half a year of history, then a real day."""
    from api.cli.processes import listening, serve_all
    from api.demo.live import play

    settings = _settings(data, port, day_seconds or (FAST if once else SLOW))
    err.print("A simulated portfolio with known truth. Nothing leaves this machine; e-mails become files.")
    with listening("127.0.0.1", port):  # a taken port is said now, not in a minute
        stage = set_up(settings, accounts, AFTER if once else YESTERDAY)
    skips = _history(stage)
    if not as_json:
        out.print(summary.tables(_look(stage)))
    err.print(f"\nThe last day is real: its runs are on Temporal now; a day takes {settings.day_seconds:g} seconds.")
    err.print(f"Look around: {_link(stage)}" + ("\n" if once else "   (Ctrl-C ends it)\n"))

    async def live(stop: asyncio.Event) -> None:
        with _bar() as bar:
            task = bar.add_task("days go by", total=AFTER)
            await play(stage, skips, once=once, progress=lambda day: bar.update(task, completed=day))
        _conclude(stage, as_json=as_json)
        if once:
            stop.set()

    asyncio.run(serve_all(stage.store, settings, "127.0.0.1", port, beside=live))


def _settings(data: str, port: int, day_seconds: float) -> Settings:
    """A demo's settings: nothing of a real installation is used, whatever the environment says."""
    folder = data or str(Path(settings_for().data) / "demo")
    own = {"files": str(Path(folder) / "workspace"), "base_url": f"http://127.0.0.1:{port}", "day_seconds": day_seconds}
    return settings_for(folder).model_copy(
        update={"database_url": "", "columns": "", "temporal_address": "", "channel": "file", **own}
    )


def _history(stage: Stage) -> tuple[tuple[str, str], ...]:
    from api.demo import history

    days = history.cycle_days(stage.portfolio)
    gc.set_threshold(100_000, 50, 100)  # half a year at once is millions of short-lived rows and hardly a cycle
    with _bar() as bar:
        task = bar.add_task("half a year of history", total=len(days) + 1)

        def progress(day: int, points: int) -> None:
            reached = day - stage.portfolio.first_day + 1
            bar.update(task, advance=1, description=f"history: day {reached}, {points:,} points in, decided")

        with columns_in(stage.store, stage.settings.columns_folder) as columns:
            history.live_through(stage.store, stage.bundle, stage.portfolio, columns, progress)
            skips = history.last_day(stage.store, stage.bundle, stage.portfolio, columns, stage.settings.day_seconds)
        bar.update(task, advance=1, description="history: the last day is decided")
    return skips


def _conclude(stage: Stage, *, as_json: bool) -> None:
    from api.demo.story import story

    seen, address = _look(stage), stage.settings.base_url
    if as_json:
        print(json.dumps(summary.as_json(seen, address)))
        return
    out.print(summary.tables(seen))
    out.print("\nOne account, followed:")
    for line in story(stage):
        out.print(line)
    out.print(f"\nPages: {address}   Letters: {Path(stage.settings.data) / 'outgoing'}")


def _look(stage: Stage) -> Overview:
    with stage.store.read() as session:
        return overview.read(session)


def _link(stage: Stage) -> str:
    with stage.store.begin() as session:
        token = members.sign_in_link(session, members.find(session, CSM).id, now())
    return f"{stage.settings.base_url}/sign-in/{token}"


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=err, transient=True)
