"""``simulate``: what a run, or the whole portfolio, would do, before anything happens."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from api.cli.timeline_lines import lines_of
from api.cli.workspace import DataOption, JsonOption, Workspace, err, now, open_workspace, out
from api.pages import simulation
from engine.running.timeline import Timeline, values_of
from engine.store import casting
from engine.terms import Mode
from workflows.rehearsing import Setting, rehearse

AccountOption = Annotated[str, typer.Option(help="For this account (default: one that fits).")]
ModeOption = Annotated[Mode | None, typer.Option(help="In this mode (default: as the rule says).")]
HtmlOption = Annotated[str, typer.Option(help="Write a page to this file (- for standard output).")]


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(simulate)


def simulate(
    playbook: Annotated[str, typer.Argument(help="One run of this playbook.")],
    account: AccountOption = "",
    mode: ModeOption = None,
    html: HtmlOption = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Show what a run of PLAYBOOK would do, every message as it would look. Nothing is written, nothing is sent."""
    workspace = open_workspace(data)
    found = _rehearsed(workspace, playbook, account, mode)
    workspace.store.close()
    if html:
        _write(html, simulation.timeline_page(found))
        if html == "-":
            return
    if as_json:
        print(json.dumps(values_of(found)))
        return
    for line in lines_of(found):
        out.print(line)
    if html:
        out.print(f'The page is "{html}".')


def _rehearsed(workspace: Workspace, playbook: str, account: str, mode: Mode | None) -> Timeline:
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


def _write(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        err.print(f'the page cannot be written to "{path}": {error.strerror}')
        raise typer.Exit(2) from None
