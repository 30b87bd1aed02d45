"""``connections list``, ``connections test`` and ``connections enable``: where playbooks call, and whether they can."""

import json
import os
import secrets
from typing import Annotated

import typer
from rich.table import Table

from api.cli.apply import AuthorOption, acting
from api.cli.workspace import DataOption, JsonOption, Workspace, now, open_workspace, out
from engine.definitions.addresses import read_target, reads_as
from engine.definitions.connection import Connection
from engine.errors import NotFound, Refused
from engine.store import calls, holds
from engine.terms import DeliveryState
from workflows.channels.choosing import choose_caller
from workflows.channels.webhook import Caller

NameArgument = Annotated[str, typer.Argument(help="A name of rules/connections.yaml.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    connections = typer.Typer(help="Systems that playbooks call.", no_args_is_help=True)
    connections.command(name="list")(show)
    connections.command(name="test")(try_out)
    connections.command(name="enable")(enable)
    app.add_typer(connections, name="connections")


def show(as_json: JsonOption = False, data: DataOption = "") -> None:
    """Show every connection: its kind, where it leads, and what is in its way, in this process's environment."""
    workspace = open_workspace(data)
    caller = choose_caller(workspace.settings, os.environ)
    found = [_said(workspace, caller, one) for one in workspace.bundle.connections.values()]
    workspace.store.close()
    if as_json:
        print(json.dumps(found))
        return
    table = Table("connection", "kind", "host", "in its way")
    for one in found:
        table.add_row(one["name"], one["kind"], one["host"], one["problem"] or "nothing")
    out.print(table if found else "There are no connections: rules/connections.yaml names them.")


def try_out(name: NameArgument, as_json: JsonOption = False, data: DataOption = "") -> None:
    """Call a connection once with a harmless message, signed as usual, and say what it answered."""
    workspace = open_workspace(data)
    connection = _named(workspace, name)
    caller = choose_caller(workspace.settings, os.environ)
    with workspace.store.read() as session:
        hold = holds.everything(session)
    workspace.store.close()
    if hold is not None:
        raise Refused(f"Nothing was called: {hold.sentence}.")
    at, words = now(), f'A test of the connection "{name}".'
    data_of_it = {"text": words}
    body = (
        {"text": words}
        if connection.kind == "chat"
        else {"type": "backcast.test", "timestamp": at.isoformat(), "data": data_of_it}
    )
    told = caller.call(connection, f"msg_test_{secrets.token_hex(8)}", json.dumps(body), at)
    if as_json:
        print(json.dumps({"state": told.state.value, "reason": told.reason}))
    else:
        out.print(f"{told.reason}." if told.state is DeliveryState.SENT else f"It did not work: {told.reason}.")
    if told.state is not DeliveryState.SENT:
        raise typer.Exit(1)


def enable(name: NameArgument, author: AuthorOption = "", data: DataOption = "") -> None:
    """Call a connection again that had answered 410 Gone."""
    who, workspace = acting(author), open_workspace(data)
    caller = choose_caller(workspace.settings, os.environ)
    with workspace.store.begin() as session:
        done = calls.enable(session, calls.endpoint(caller.url(_named(workspace, name))), who)
    workspace.store.close()
    out.print(f"{name} is called again." if done else f"{name} was not turned off.")


def _said(workspace: Workspace, caller: Caller, one: Connection) -> dict[str, str]:
    problem = caller.problem(one)
    host = ""
    try:
        url = caller.url(one)
        host = read_target(url).host
        with workspace.store.read() as session:
            problem = problem or calls.why_gone(session, calls.endpoint(url))
        if looks := reads_as(url):
            host = f"{host} (reads {looks})"
    except Refused as refused:
        problem = problem or str(refused)
    return {"name": one.name, "kind": one.kind, "host": host, "problem": problem}


def _named(workspace: Workspace, name: str) -> Connection:
    found = workspace.bundle.connections.get(name)
    if found is None:
        known = ", ".join(sorted(workspace.bundle.connections)) or "there are none"
        raise NotFound(f'There is no connection "{name}" in rules/connections.yaml; connections: {known}.')
    return found
