"""``simulate``: what a run, or the whole portfolio, would do, before anything happens."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from api.cli.forecast_lines import parts_of
from api.cli.timeline_lines import lines_of
from api.cli.workspace import DataOption, JsonOption, Workspace, err, now, open_workspace, out
from api.pages import simulation
from engine.errors import Refused
from engine.running import timeline
from engine.running.forecast import values_of
from engine.store import bundles, casting, runs
from engine.store.forecasting import forecast
from engine.terms import Mode
from workflows.rehearsing import Setting, rehearse

AccountOption = Annotated[str, typer.Option(help="For this account (default: one that fits).")]
ModeOption = Annotated[Mode | None, typer.Option(help="In this mode (default: as the rule says).")]
RunOption = Annotated[int | None, typer.Option(help="What is left of this open run.", min=1)]
DaysOption = Annotated[int, typer.Option(help="How many days ahead.", min=1, max=730)]
ReleasedOption = Annotated[bool, typer.Option("--released", help="As if members let every rule pass that asks.")]
HtmlOption = Annotated[str, typer.Option(help="Write a page to this file (- for standard output).")]


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(simulate)


def simulate(
    playbook: Annotated[str, typer.Argument(help="One run of this playbook (default: the whole portfolio).")] = "",
    account: AccountOption = "",
    mode: ModeOption = None,
    run: RunOption = None,
    days: DaysOption = 90,
    released: ReleasedOption = False,
    html: HtmlOption = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Show what a run of PLAYBOOK would do, every message as it would look; or what is left of an open run; or what all
    of the portfolio has ahead.

    Nothing is written, nothing is sent.
    """
    if run and (playbook or account or mode):
        err.print("--run is about one run as it is: leave PLAYBOOK, --account and --mode away")
        raise typer.Exit(2)
    if not playbook and (account or mode):
        err.print("--account and --mode are about one run: name its PLAYBOOK")
        raise typer.Exit(2)
    workspace = open_workspace(data)
    if playbook or run:
        shown = _one(_rest(workspace, run) if run else _rehearsed(workspace, playbook, account, mode))
    else:
        shown = _portfolio(workspace, days, released=released)
    workspace.store.close()
    if html:
        _write(html, shown.page)
        if html == "-":
            return
    if as_json:
        print(json.dumps(shown.values))
        return
    for part in shown.parts:
        out.print(part)
    if html:
        out.print(f'The page is "{html}".')


@dataclass(frozen=True, slots=True)
class _Shown:
    """The same, three ways."""

    parts: Iterable[RenderableType]
    values: dict[str, Any]
    page: str


def _one(found: timeline.Timeline) -> _Shown:
    return _Shown(lines_of(found), timeline.values_of(found), simulation.timeline_page(found))


def _portfolio(workspace: Workspace, days: int, *, released: bool) -> _Shown:
    bundles.keep(workspace.bundle)
    with workspace.store.read() as session:
        found = forecast(session, workspace.bundle, now().replace(microsecond=0), days, released=released)
    return _Shown(parts_of(found), values_of(found), simulation.forecast_page(found))


def _rehearsed(workspace: Workspace, playbook: str, account: str, mode: Mode | None) -> timeline.Timeline:
    at, settings, bundle = now().replace(microsecond=0), workspace.settings, workspace.bundle
    with workspace.store.read() as session:
        found = casting.cast(session, bundle, playbook, account, at)
    setting = Setting(
        bundle,
        found.account_id,
        playbook,
        mode or found.mode,
        at,
        rule=found.rule,
        base_url=settings.base_url,
        sender=settings.sender,
    )
    return rehearse(workspace.store, setting)


def _rest(workspace: Workspace, number: int) -> timeline.Timeline:
    """What is left of an open run, by the definitions it began with."""
    settings = workspace.settings
    with workspace.store.read() as session:
        run = runs.find(session, number)
        bundle = bundles.by_fingerprint(session, run.bundle)
    if not run.state.is_open:
        raise Refused(f"Run {number} is over ({run.state.value}): {run.sentence}")
    setting = Setting(
        bundle,
        run.account_id,
        run.playbook,
        run.mode,
        now().replace(microsecond=0),
        rule=run.rule,
        run=number,
        base_url=settings.base_url,
        sender=settings.sender,
    )
    return rehearse(workspace.store, setting)


def _write(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        err.print(f'the page cannot be written to "{path}": {error.strerror}')
        raise typer.Exit(2) from None
