"""``why`` and ``evaluate``: what the engine says, why, and saying it."""

import json
from typing import Annotated

import typer

from api.cli.reasons import RECORD_DAYS, print_moved, print_records, print_score
from api.cli.workspace import (
    AtOption,
    DataOption,
    JsonOption,
    Workspace,
    day_of,
    err,
    moment_of,
    open_in_force,
    open_workspace,
    out,
)
from engine.definitions.reading import suggest
from engine.store.accounts import count
from engine.store.columns import columns_in
from engine.store.why import why as reasons
from workflows.activities.cycle import run_cycle


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(why)
    app.command(name="evaluate")(evaluate_now)


def why(
    account: str,
    rule: Annotated[str, typer.Argument(help="Why this rule says what it says (default: why this score).")] = "",
    since: Annotated[str, typer.Option(help="Why the score moved since this day, YYYY-MM-DD.")] = "",
    scorecard: Annotated[str, typer.Option(help="Which score (default: the one that leads the account).")] = "",
    records: Annotated[str, typer.Option(help="The points and events behind this metric, 90 days or --since.")] = "",
    at: AtOption = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Explain an account's score, or with --since its change; or trace RULE: values, window, guard, arm, file."""
    workspace = open_workspace(data)
    day = day_of(at)
    if rule:
        if since or scorecard or records:
            err.print("--since, --scorecard and --records are about scores: leave the rule away, or leave them away")
            raise typer.Exit(2)
        _trace(workspace, account, rule, day, as_json=as_json)
    elif records:
        days = day_of(since, "--since") if since else day - RECORD_DAYS, day
        print_records(workspace, account, records, days, as_json=as_json)
    elif since:
        print_moved(workspace, account, (day_of(since, "--since"), day), scorecard, as_json=as_json)
    else:
        print_score(workspace, account, day, scorecard, as_json=as_json)


def _trace(workspace: Workspace, account: str, rule: str, day: int, *, as_json: bool) -> None:
    _require_rule(workspace, rule)
    with workspace.store.read() as session:
        found = reasons(session, workspace.bundle, account, rule, day, moment_of(day))
        known = count(session)
    if found is None:
        listed = f"`backcast scores` lists all {known}" if known else "`backcast ingest accounts` brings the first"
        err.print(f'no account "{account}"; {listed}')
        raise typer.Exit(2)
    if as_json:
        print(json.dumps({"account": account, "rule": rule, "trace": list(found.trace), "decision": found.decision}))
        return
    for line in found.trace:
        out.print(line)
    if decided := found.decision:
        out.print(f"last decision, {decided['decided_at'][:10]}: {decided['kind']}: {decided['sentence']}")


def evaluate_now(
    at: AtOption = "",
    release: Annotated[list[str] | None, typer.Option(help="Let this rule pass its blast radius this time.")] = None,
    runs: Annotated[bool, typer.Option(help="Request runs; --no-runs replays history: decisions and outcomes.")] = True,
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Run one cycle: score, decide, request runs, judge what is due. A worker carries the runs out."""
    day = day_of(at)
    if day > day_of(""):
        err.print(f"{at} has not come yet; a cycle for it would keep the cycles before it from deciding")
        raise typer.Exit(2)
    workspace = open_in_force(data)
    for rule in release or ():
        _require_rule(workspace, rule)
    # A running worker has the columns; then points are read from the database.
    with columns_in(workspace.store, workspace.settings.columns_folder) as columns:
        result = run_cycle(
            workspace.store,
            workspace.bundle,
            moment_of(day),
            day_seconds=workspace.settings.day_seconds if runs else None,
            released=frozenset(release or ()),
            columns=columns,
        )
    counts = {name: getattr(result, name) for name in result.__dataclass_fields__}
    if as_json:
        print(json.dumps(counts))
        return
    out.print(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))


def _require_rule(workspace: Workspace, rule: str) -> None:
    if rule not in workspace.bundle.rules:
        hint = suggest(rule, workspace.bundle.rules) or f"there are: {', '.join(sorted(workspace.bundle.rules))}"
        err.print(f'no rule "{rule}"; {hint}')
        raise typer.Exit(2)
