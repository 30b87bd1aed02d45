"""``digest`` and ``effort``: what changed and what to do next; and where effort and need part."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from api.cli.backtest import whole_days
from api.cli.workspace import AtOption, DataOption, JsonOption, day_of, open_workspace, out
from engine.evaluation.care import Care
from engine.store.digests import digest as read_digest
from engine.store.effort import LOOKED_AT, looked_after

OwnerOption = Annotated[str, typer.Option(help="Only this owner's accounts.")]
_TITLES = {
    Care.OVER_SERVED: "More effort than there is to save",
    Care.NEGLECTED_SAVEABLE: "Could be saved, and nobody is at it",
    Care.NEGLECTED_GROWABLE: "Could grow, and nobody is at it",
}


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(digest)
    app.command()(effort)


def digest(
    owner: OwnerOption = "",
    since: Annotated[str, typer.Option(help="How far back changes are told.")] = "1d",
    at: AtOption = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Tell what changed, why, and the next step, account by account in the order in which they deserve attention."""
    workspace = open_workspace(data)
    days = whole_days(since, "--since")
    with workspace.store.read() as session:
        found = read_digest(session, workspace.bundle, day_of(at), owner or None, days)
    workspace.store.close()
    if as_json:
        print(json.dumps([asdict(entry) for entry in found]))
        return
    if not found:
        out.print("Nothing changed and nothing waits.")
    for entry in found:
        out.print(f"{entry.place}. {entry.name}: {'; '.join(entry.changed) or 'no change'}")
        for line in entry.why:
            out.print(f"   why: {line}")
        out.print(f"   next: {entry.next}")


def effort(
    untouched: Annotated[str, typer.Option(help="From when on nobody has looked after an account.")] = "30d",
    owner: OwnerOption = "",
    at: AtOption = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Show accounts that get more effort than there is to save, and neglected ones that could be saved or grown."""
    workspace = open_workspace(data)
    with workspace.store.read() as session:
        found = looked_after(session, day_of(at), whole_days(untouched, "--untouched"), owner or None)
    workspace.store.close()
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
        return
    for kind, title in _TITLES.items():
        table = Table(
            "account", "owner", f"touches, {LOOKED_AT} days", "last", "open", "at risk", "to gain", title=title
        )
        for one in (each for each in found if each.care is kind):
            last = "" if one.untouched is None else f"{one.untouched} d ago"
            figures = (f"{one.turn.risk:,.0f}", f"{one.turn.gain:,.0f}")
            table.add_row(one.turn.name, one.turn.owner, str(one.touches), last, str(one.open), *figures)
        out.print(table if table.row_count else f"{title}: nobody")
