"""``patterns`` and ``focus``: what history teaches, and whose it is to do something about it."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.backtest import (
    EveryOption,
    FromOption,
    OutcomeOption,
    TodaysOption,
    ToOption,
    WithinOption,
    asked_of,
    whole_days,
)
from api.cli.workspace import DataOption, JsonOption, open_workspace, out
from engine.effect.clusters import Share
from engine.effect.patterns import Pattern, Suggested
from engine.effect.ranked import Bearing
from engine.store.learned import Learned, focus as read_focus, learn

LISTED = 20


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(patterns)
    app.command()(focus)


def patterns(
    since: FromOption = "",
    until: ToOption = "",
    outcome: OutcomeOption = "churned",
    within: WithinOption = "90d",
    every: EveryOption = "7d",
    todays_fields: TodaysOption = False,
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Say what came before an outcome more often than elsewhere, which metrics tell it, and goals history suggests."""
    workspace = open_workspace(data)
    days = whole_days(within, "--within"), whole_days(every, "--every")
    asked = asked_of(workspace, workspace.bundle, (None, None), (since, until), outcome, days, (todays_fields, False))
    with workspace.store.read() as session:
        found = learn(session, workspace.bundle, asked)
    workspace.store.close()
    if as_json:
        print(json.dumps(values_of(found)))
    else:
        _show(found)


def values_of(found: Learned) -> dict[str, Any]:
    """All figures as plain values; unknown is null."""
    return {
        "outcome": found.outcome,
        "cutoffs": found.cutoffs,
        "customers": found.customers,
        "happened": found.happened,
        "patterns": [_plain(asdict(one) | {"times": one.times}) for one in found.patterns],
        "metrics": [_plain({"metric": name, "verdict": one.verdict} | asdict(one)) for name, one in found.metrics],
        "suggested_goals": [_plain(asdict(one) | {"confident": one.is_confident}) for one in found.goals],
        "not_tested": list(found.untested),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _show(found: Learned) -> None:
    out.print(
        f"{found.customers} customers on {found.cutoffs} cutoffs; it happened to {found.happened}: {found.outcome}"
    )
    _patterns(found.patterns[:LISTED])
    _metrics(found.metrics[:LISTED])
    _goals(found.goals[:LISTED])
    if found.untested:
        out.print(f"Not tested, because they read what only today is known of: {', '.join(found.untested)}")


def _patterns(found: Sequence[Pattern]) -> None:
    table = Table("signal", "before it", "elsewhere", "times as often", "accounts", title="What comes before it")
    for one in found:
        table.add_row(one.signal, _share(one.before), _share(one.otherwise), f"{one.times:.1f}", str(one.accounts))
    out.print(table if table.row_count else "No signal stands out before it.")


def _metrics(found: Sequence[tuple[str, Bearing]]) -> None:
    table = Table(
        "metric", "AUC", "95 %", "cells", "ARR kept, worst third", "best third", "verdict", title="What tells it"
    )
    for name, one in found:
        told = one.ranked
        figures = (f"{told.auc:.2f}", f"{told.low:.2f} to {told.high:.2f}", str(told.cells))
        table.add_row(name, *figures, f"{one.kept_low:.0%}", f"{one.kept_high:.0%}", one.verdict)
    out.print(table)


def _goals(found: Sequence[Suggested]) -> None:
    table = Table(
        "metric", "goal", "kept, reached", "kept, missed", "accounts", "", title="Goals that history suggests"
    )
    for one in found:
        goal = f"at {'least' if one.at_least else 'most'} {one.cut:,.4g}"
        trust = "confident" if one.is_confident else "not confident"
        table.add_row(one.metric, goal, _share(one.reached), _share(one.missed), str(one.accounts), trust)
    out.print(table if table.row_count else "No goal can be suggested from so little history.")
    out.print("Nothing is applied: a goal that is wanted is written into rules/ by hand.")


def _share(found: Share) -> str:
    return f"{found.rate:.0%} ({found.low:.0%} to {found.high:.0%}) of {found.known}"


def focus(
    owner: Annotated[str, typer.Option(help="Only this owner's accounts.")] = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Say where product and where CS should look: the metrics behind falling scores, by side and revenue."""
    workspace = open_workspace(data)
    with workspace.store.read() as session:
        found = read_focus(session, workspace.bundle, owner or None)
    workspace.store.close()
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
        return
    for side, title in (("product", "For product"), ("cs", "For CS")):
        table = Table("metric", "accounts", "their ARR", title=title)
        for one in (each for each in found if each.side == side):
            table.add_row(one.title, str(one.accounts), f"{one.arr:,.0f}")
        out.print(table if table.row_count else f"{title}: nothing falls")
