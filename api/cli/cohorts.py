"""``cohorts``: a metric by segment or quarter of sign-up, and which accounts are light unlike those like them."""

import json
import math
from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.workspace import AtOption, DataOption, JsonOption, day_of, open_workspace, out
from engine.evaluation.cohorts import FEWEST, Use
from engine.store.cohort_page import Cohorts, cohorts as read_cohorts


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(cohorts)


def cohorts(
    metric: str,
    below: Annotated[float, typer.Option(help="Use is light below this value of the metric.")],
    by: Annotated[str, typer.Option(help="segment, sign_up (quarter), stage, owner or a pushed text.")] = "segment",
    at: AtOption = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Compare accounts by METRIC with those like them: light use is an outlier, or the norm of the whole cohort."""
    workspace = open_workspace(data)
    with workspace.store.read() as session:
        found = read_cohorts(session, workspace.bundle, day_of(at), metric, below, by)
    workspace.store.close()
    if as_json:
        print(json.dumps(values_of(found)))
    else:
        _show(found)


def values_of(found: Cohorts) -> dict[str, Any]:
    """All figures as plain values; unknown is null."""
    groups = [
        {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in asdict(one).items()}
        | {"is_light": one.is_light}
        for one in found.cohorts
    ]
    accounts = [asdict(one) | {"use": one.use.value} for one in found.accounts]
    head = {"metric": found.metric, "by": found.by, "light_below": found.light_below}
    return head | {"cohorts": groups, "accounts": accounts}


def _show(found: Cohorts) -> None:
    table = Table(found.by, "accounts", "known", "lowest tenth", "quarter", "median", "three quarters", "light")
    for one in found.cohorts:
        cuts = (one.lowest_tenth, one.lower, one.median, one.upper)
        figures = (f"{cut:,.3g}" if one.known else "" for cut in cuts)
        table.add_row(one.name, str(one.accounts), str(one.known), *figures, str(one.light))
    out.print(table)
    for one in found.cohorts:
        if one.known < FEWEST:
            out.print(f"{one.name}: fewer than {FEWEST} known values, so nobody in it is compared")
        elif one.is_light:
            out.print(f"{one.name}: light use is the norm")
    counts = Counter(one.use for one in found.accounts)
    out.print(", ".join(f"{counts[use]} {use.value}" for use in Use))
    for account in found.accounts:
        if account.use is Use.OUTLIER and account.value is not None:
            out.print(f"{account.key}: {account.value:,.3g}, while {account.cohort} is not light")
