"""``columns``: compare the packed columns with the database, or make them anew."""

import json
from typing import Annotated

import typer

from api.cli.workspace import DataOption, JsonOption, err, open_store, out, settings_for
from engine.errors import Refused
from engine.store.columns import columns_in


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(columns)


def columns(
    anew: Annotated[bool, typer.Option("--anew", help="Make them anew from the points before comparing.")] = False,
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Compare the packed columns a worker reads with the points in the database, every one; mend what differs."""
    settings = settings_for(data)
    store = open_store(settings)
    with columns_in(store, settings.columns_folder) as packed, store.read() as session:
        if packed is None:
            raise Refused(
                f"the columns in {settings.columns_folder} are a running worker's, or cannot be written to: "
                "stop it first, or name another folder with BACKCAST_COLUMNS"
            )
        caught = packed.rebuild(session) if anew else packed.catch_up(session)
        differing = sum(packed.differing(session, day) for day in packed.days(session))
        if differing:
            packed.rebuild(session)
        points = sum(packed.count(day) for day in packed.days(session))
    if as_json:
        print(json.dumps({"points": points, "read": caught.points, "differing": differing}))
        return
    out.print(f"{points} points in the columns, {caught.points} of them read from the database just now")
    if differing:
        err.print(
            f"{differing} points differed: the columns were made anew. If that happens again, the disk may be bad."
        )
        raise typer.Exit(1)
    out.print("columns and database say the same")
