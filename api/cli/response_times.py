"""``response-times``: how long it takes from a decision to the first thing that is done about it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.workspace import DataOption, JsonOption, now, open_store, out, settings_for
from engine.store.response_times import PERCENTILES, Response, Times, by_rule, responses, times

_SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command(name="response-times")(response_times)


def response_times(
    days: Annotated[int, typer.Option(help="Of the decisions of so many days.", min=1, max=3_650)] = 30,
    rule: Annotated[str, typer.Option(help="Of this rule only.")] = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Tell how long it took from noticing to acting, per rule and for the slowest runs."""
    store = open_store(settings_for(data))
    with store.read() as session:
        found = responses(session, now() - timedelta(days=days), rule)
    store.close()
    if as_json:
        print(json.dumps(_values(found)))
        return
    if not found:
        out.print(f"No decision of the last {days} days started a run on the clock of the wall.")
        return
    out.print(_table(found))
    waiting = [one for one in found if one.begun is None]
    for one in sorted(waiting, key=lambda each: each.noticed)[:_SHOWN]:
        since = f"{one.noticed:%Y-%m-%d %H:%M}"
        out.print(f"nothing yet: run {one.run_id} of {one.playbook} for {one.account}, since {since}")
    out.print("begun: the first message, task or call of the run; acted: the first message sent or task done.")


def _table(found: Sequence[Response]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("rule", "until", "runs", "not yet", *(f"{each} %" for each in PERCENTILES)):
        table.add_column(name, justify="left" if name in {"rule", "until"} else "right")
    groups = {"all rules": list(found), **by_rule(found)}
    for name, runs in groups.items():
        for word, counted in (("begun", times(runs)), ("acted", times(runs, acted=True))):
            shown = [_length(each) for each in counted.seconds] or ["–"] * len(PERCENTILES)
            table.add_row(name if word == "begun" else "", word, str(counted.count), str(counted.open), *shown)
    return table


def _length(seconds: float) -> str:
    """A length of time in the unit people would say it in."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _values(found: Sequence[Response]) -> dict[str, Any]:
    return {
        "all": _both(found),
        "rules": {name: _both(runs) for name, runs in by_rule(found).items()},
        "runs": [_plain(one) for one in found],
    }


def _both(runs: Sequence[Response]) -> dict[str, Any]:
    return {"begun": _shares(times(runs)), "acted": _shares(times(runs, acted=True))}


def _plain(one: Response) -> dict[str, Any]:
    return {key: each.isoformat() if isinstance(each, datetime) else each for key, each in asdict(one).items()}


def _shares(counted: Times) -> dict[str, Any]:
    percentiles = dict(zip((f"p{each}" for each in PERCENTILES), counted.seconds, strict=False))
    return {"runs": counted.count, "not_yet": counted.open, "seconds": percentiles}
