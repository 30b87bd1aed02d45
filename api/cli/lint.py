"""``lint``: what is allowed and still deserves a second look, from the files and from the history."""

import json
from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.table import Table

from api.cli.files import problem_json
from api.cli.workspace import DataOption, JsonOption, Workspace, now, open_workspace, out
from engine.definitions.problem import Problem, render
from engine.evaluation.hygiene import hygiene
from engine.evaluation.hygiene_history import hygiene_of
from engine.store import backtests
from engine.store.rule_counts import RuleCounts, rule_counts

EVERY: Final = 7

DaysOption = Annotated[int, typer.Option(help="Days of history to look at (0: the files alone).", min=0, max=730)]


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(lint)


def lint(days: DaysOption = 90, as_json: JsonOption = False, data: DataOption = "") -> None:
    """Look for rules that never or always fire, metrics that say the same, reviews overdue; exit 1 if there are any."""
    workspace = open_workspace(data)
    findings = hygiene(workspace.bundle, now().date())
    if days:
        findings = tuple(sorted((*findings, *_history(workspace, days))))
    with workspace.store.read() as session:
        counts = rule_counts(session)
    workspace.store.close()
    if as_json:
        found = {"findings": [problem_json(one) for one in findings], "rules": [asdict(one) for one in counts.values()]}
        print(json.dumps(found))
    else:
        _show(findings, counts, workspace)
    if findings:
        raise typer.Exit(1)


def _history(workspace: Workspace, days: int) -> tuple[Problem, ...]:
    with workspace.store.read() as session:
        last, first = backtests.seen_until(session), backtests.seen_from(session)
        if last < 0:
            return ()
        span = range(max(last - days, first), last + 1)
        replayed = backtests.replayed(
            session, workspace.bundle, range(span.start + (len(span) - 1) % EVERY, span.stop, EVERY)
        )
    return hygiene_of(workspace.bundle, replayed)


def _show(findings: tuple[Problem, ...], counts: dict[str, RuleCounts], workspace: Workspace) -> None:
    for finding in findings:
        out.print(render(finding, {}))
    if counts:
        table = Table("rule", "fired", "acted", "held out", "refused", "false", "review by")
        for name, one in counts.items():
            rule = workspace.bundle.rules.get(name)
            review = rule.challenge.review_by if rule else "(gone)"
            table.add_row(name, *map(str, (one.fired, one.acted, one.held_out, one.refused, one.false)), review)
        out.print(table)
        out.print("false: a person rejected what was to be sent, or cancelled the run.")
    out.print(f"{len(findings)} findings." if findings else "Nothing to find fault with.")
