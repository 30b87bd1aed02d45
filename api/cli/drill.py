"""``drill``: make a fault on purpose, on real processes, and check what must hold afterwards."""

import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from api.drills.mail import Tally

_COLUMNS = ("letters", "delivered", "twice", "lost", "sent", "not_sent", "ambiguous")


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    drills = typer.Typer(no_args_is_help=True, help="Make a fault on purpose and check what must hold afterwards.")
    drills.command()(mail)
    drills.callback()(_drills)
    app.add_typer(drills, name="drill")


def _drills() -> None:
    """Make a fault on purpose and check what must hold afterwards."""


def mail(
    runs: Annotated[int, typer.Option(help="Runs for each place, of four letters each.", min=1, max=1000)] = 3,
    place: Annotated[list[str] | None, typer.Option(help="Only this place around the send; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Kill workers around the send of letters, start them again, and account for every letter."""
    from api.drills.mail import run_mail_drill
    from workflows.crash_points import PLACES

    unknown = set(place or ()) - set(PLACES)
    if unknown:
        raise typer.BadParameter(f"there is no place {min(unknown)!r}; there are {', '.join(PLACES)}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="backcast-drill-") as folder:
        found = run_mail_drill(Path(folder), [one for one in PLACES if not place or one in place], runs)
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        holds = not any(tally.broken for tally in found)
        print(
            json.dumps({"drill": "mail", "seconds": seconds, "holds": holds, "places": [asdict(one) for one in found]})
        )
    else:
        _show(found, seconds)
    raise typer.Exit(int(any(tally.broken for tally in found)))


def _show(found: "tuple[Tally, ...]", seconds: float) -> None:
    table = Table("killed at", *(name.replace("_", " ") for name in _COLUMNS), "holds")
    for tally in found:
        figures = [str(getattr(tally, name)) for name in _COLUMNS]
        table.add_row(tally.place.replace("_", " "), *figures, "no" if tally.broken else "yes")
    console = Console()
    console.print(table)
    for tally in found:
        for sentence in tally.broken:
            console.print(f"killed at {tally.place}: {sentence}", markup=False)
    console.print(f"{seconds} s; ambiguous letters may or may not have arrived and wait for a person.")
