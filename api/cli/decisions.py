"""``plan``, ``why``, ``scores`` and ``evaluate``: what the engine would say, why, and saying it."""

import csv
import json
import sys
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.workspace import (
    AtOption,
    DataOption,
    JsonOption,
    Workspace,
    day_of,
    err,
    moment_of,
    open_workspace,
    out,
    put_in_force,
)
from engine.evaluation.deciding import Decision, Plan, decide
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.explaining import why_rule
from engine.evaluation.scoring import TIERS
from engine.store.decisions import newest
from engine.store.facts import load_facts
from engine.store.past import load_past
from engine.terms import MICRO, DecisionKind
from workflows.activities.cycle import run_cycle

WORDS = {DecisionKind.START: "start", DecisionKind.REFUSE: "refuse", DecisionKind.HOLD_OUT: "hold"}


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(plan)
    app.command()(why)
    app.command()(scores)
    app.command(name="evaluate")(evaluate_now)


def plan(at: AtOption = "", as_json: JsonOption = False, data: DataOption = "") -> None:
    """Show what a cycle would start, refuse and hold out, each with its reason. Nothing happens."""
    workspace = open_workspace(data)
    proposed = _plan(workspace, day_of(at))
    if as_json:
        print(json.dumps(_plan_json(proposed)))
        return
    for decision in proposed.decisions:
        out.print(_line(decision))
    kinds = [decision.kind for decision in proposed.decisions]
    counted = ", ".join(f"{kinds.count(kind)} {word}" for kind, word in WORDS.items())
    out.print(f"{counted}; {len(proposed.closed)} episodes would end. Nothing has happened yet.")
    for rule, ask in proposed.asks.items():
        out.print(f"asks   {rule}: {ask}")
    for rule, count in proposed.unknown.items():
        if count:
            out.print(f"unknown {rule}: data is missing for {count} account{'' if count == 1 else 's'}")


def why(account: str, rule: str, at: AtOption = "", as_json: JsonOption = False, data: DataOption = "") -> None:
    """Trace one rule for one account: the condition with its values, the window, the guard, the arm, the file."""
    workspace = open_workspace(data)
    _require_rule(workspace, rule)
    day = day_of(at)
    evaluation = _evaluate(workspace, day)
    keys = evaluation.facts.accounts.keys
    if account not in keys:
        listed = f"`backcast scores` lists all {len(keys)}" if keys else "`backcast ingest accounts` brings the first"
        err.print(f'no account "{account}"; {listed}')
        raise typer.Exit(2)
    with workspace.store.read() as session:
        past = load_past(session, workspace.bundle, moment_of(day))
        row = keys.index(account)
        trace = why_rule(workspace.bundle, evaluation, past, row, rule)
        decided = newest(session, int(evaluation.facts.accounts.ids[row]), rule)
    if as_json:
        print(json.dumps({"account": account, "rule": rule, "trace": list(trace), "decision": decided}))
        return
    for line in trace:
        out.print(line)
    if decided:
        out.print(f"last decision, {decided['decided_at'][:10]}: {decided['kind']}: {decided['sentence']}")


def scores(
    at: AtOption = "",
    form: Annotated[str, typer.Option("--format", help="table, csv or json")] = "table",
    scorecard: Annotated[str, typer.Option(help="Which scorecard (default: the first).")] = "",
    data: DataOption = "",
) -> None:
    """Score every account: account, score, tier, coverage."""
    workspace = open_workspace(data)
    rows = score_rows(workspace, _evaluate(workspace, day_of(at)), scorecard)
    if form == "json":
        print(json.dumps(rows))
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, ["account", "score", "tier", "coverage"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif form == "table":
        table = Table("account", "score", "tier", "coverage")
        for row in rows:
            table.add_row(*(str("" if value is None else value) for value in row.values()))
        out.print(table)
    else:
        err.print(f'--format is table, csv or json, not "{form}"')
        raise typer.Exit(2)


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
    workspace = open_workspace(data)
    for rule in release or ():
        _require_rule(workspace, rule)
    put_in_force(workspace)
    result = run_cycle(
        workspace.store,
        workspace.bundle,
        moment_of(day),
        day_seconds=workspace.settings.day_seconds if runs else None,
        released=frozenset(release or ()),
    )
    counts = {name: getattr(result, name) for name in result.__dataclass_fields__}
    if as_json:
        print(json.dumps(counts))
        return
    out.print(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))


def score_rows(workspace: Workspace, evaluation: Evaluation, scorecard: str = "") -> list[dict[str, Any]]:
    """One row per account the scorecard applies to: score to one decimal (None: insufficient data)."""
    cards = workspace.bundle.scorecards
    if scorecard and scorecard not in cards:
        err.print(f'no scorecard "{scorecard}"; there are: {", ".join(sorted(cards))}')
        raise typer.Exit(2)
    scored = evaluation.scores[scorecard or next(iter(cards))]
    return [
        {
            "account": key,
            "score": None if scored.effective[row] < 0 else round(int(scored.effective[row]) / MICRO, 1),
            "tier": None if scored.tier[row] < 0 else TIERS[scored.tier[row]].value,
            "coverage": round(float(scored.coverage[row]), 3),
        }
        for row, key in enumerate(evaluation.facts.accounts.keys)
        if scored.applies[row]
    ]


def _require_rule(workspace: Workspace, rule: str) -> None:
    if rule not in workspace.bundle.rules:
        err.print(f'no rule "{rule}"; there are: {", ".join(sorted(workspace.bundle.rules))}')
        raise typer.Exit(2)


def _evaluate(workspace: Workspace, day: int) -> Evaluation:
    with workspace.store.read() as session:
        facts = load_facts(session, workspace.bundle, day)
    return evaluate(workspace.bundle, facts)


def _plan(workspace: Workspace, day: int) -> Plan:
    at = moment_of(day)
    evaluation = _evaluate(workspace, day)
    with workspace.store.read() as session:
        past = load_past(session, workspace.bundle, at)
    return decide(workspace.bundle, evaluation, past, at)


def _line(decision: Decision) -> str:
    return f"{WORDS[decision.kind]:<6} {decision.account_key:<24} {decision.playbook:<18} {decision.sentence}"


def _plan_json(proposed: Plan) -> dict[str, Any]:
    return {
        "at": proposed.at.isoformat(),
        "decisions": [
            {
                "account": decision.account_key,
                "rule": decision.rule,
                "playbook": decision.playbook,
                "kind": decision.kind.value,
                "reason": decision.reason.value if decision.reason else None,
                "arm": decision.arm.value if decision.arm else None,
                "mode": decision.mode.value if decision.mode else None,
                "sentence": decision.sentence,
                "evidence": [evidence.sentence for evidence in decision.evidence],
            }
            for decision in proposed.decisions
        ],
        "closed": len(proposed.closed),
        "unknown": dict(proposed.unknown),
        "asks": dict(proposed.asks),
    }
