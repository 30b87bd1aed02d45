"""``scores``: everybody's score by one scorecard, of accounts, contacts or products, and what the scorecard is."""

import csv
import json
import sys
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.workspace import AtOption, DataOption, Workspace, day_of, err, open_workspace, out
from engine.definitions.scorecard import Scorecard
from engine.errors import NotFound
from engine.evaluation.describing import describe
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.explaining import account_score, explain
from engine.evaluation.facts import Facts
from engine.evaluation.groups import groups
from engine.evaluation.rolling_up import by_priority, leading
from engine.evaluation.scoring import TIERS, Scored
from engine.evaluation.wording import points
from engine.store.facts import load_facts
from engine.store.glances import id_of


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(scores)


def scores(
    at: AtOption = "",
    form: Annotated[str, typer.Option("--format", help="table, csv or json")] = "table",
    scorecard: Annotated[str, typer.Option(help="Which one (default: the one that leads each account).")] = "",
    account: Annotated[str, typer.Option(help="Explain the score of this account instead.")] = "",
    about: Annotated[bool, typer.Option("--about", help="Say what the scorecard is instead.")] = False,
    data: DataOption = "",
) -> None:
    """Score everybody: account (contact, product), score, tier, coverage."""
    workspace = open_workspace(data)
    if form not in {"table", "csv", "json"}:
        err.print(f'--format is table, csv or json, not "{form}"')
        raise typer.Exit(2)
    if about:
        _about(workspace, _named(workspace, scorecard) if scorecard else None)
        return
    day = day_of(at)
    if account:
        _explain(workspace, day, account, scorecard)
        return
    with workspace.store.read() as session:
        facts = load_facts(session, workspace.bundle, day)
    _print(score_rows(workspace, evaluate(workspace.bundle, facts), scorecard), form)


def score_rows(workspace: Workspace, evaluation: Evaluation, scorecard: str = "") -> list[dict[str, Any]]:
    """One row per account, contact or product a scorecard applies to: the score to one decimal, rounded half to even
    (None: insufficient data). Without a name, the score that leads each account."""
    cards = workspace.bundle.scorecards
    if scorecard:
        card = _named(workspace, scorecard)
        found = evaluation.every_score[card.name]
        return [_row(evaluation.facts, card, found, row) for row in range(len(found.applies)) if found.applies[row]]
    order = by_priority(cards)
    first = leading(cards, evaluation.scores, len(evaluation.facts.accounts)).tolist()
    rows = []
    for row, at in enumerate(first):
        if at >= 0:
            card = cards[order[at]]
            own = {"scorecard": card.name} if len(order) > 1 else {}
            rows.append(_row(evaluation.facts, card, evaluation.scores[card.name], row) | own)
    return rows


def _row(facts: Facts, card: Scorecard, scored: Scored, row: int) -> dict[str, Any]:
    who: dict[str, Any] = {}
    account = row
    if card.of == "contact":
        account, who = int(facts.contacts.account_rows[row]), {"contact": facts.contacts.keys[row]}
    elif card.of == "product":
        account, who = int(facts.products.account_rows[row]), {"product": facts.products.names[row]}
    micro = int(scored.effective[row])
    return {
        "account": facts.accounts.keys[account],
        **who,
        "score": None if micro < 0 else float(points(micro)),
        "tier": None if scored.tier[row] < 0 else TIERS[scored.tier[row]].value,
        "coverage": round(float(scored.coverage[row]), 3),
    }


def _print(rows: list[dict[str, Any]], form: str) -> None:
    names = list(rows[0]) if rows else ["account", "score", "tier", "coverage"]
    if form == "json":
        print(json.dumps(rows))
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        table = Table(*names)
        for row in rows:
            table.add_row(*(str("" if value is None else value) for value in row.values()))
        out.print(table)


def _explain(workspace: Workspace, day: int, account: str, scorecard: str) -> None:
    """Print why an account's score is what it is: tier, limits that are missed, groups, every metric."""
    bundle = workspace.bundle
    with workspace.store.read() as session:
        try:
            facts = load_facts(session, bundle, day, [id_of(session, account)])
        except NotFound:
            err.print(f'no account "{account}"; `backcast scores` lists all of them')
            raise typer.Exit(2) from None
    evaluation = evaluate(bundle, facts)
    name = _named(workspace, scorecard).name if scorecard else ""
    first = int(leading(bundle.scorecards, evaluation.scores, 1)[0])
    if not name and first >= 0:
        name = by_priority(bundle.scorecards)[first]
    if name not in evaluation.scores or not evaluation.scores[name].applies[0]:
        out.print(f"{account}: {f'the scorecard {name} does not apply' if name else 'no scorecard applies'}")
        return
    card, score = bundle.scorecards[name], account_score(evaluation.scores[name], 0)
    override = next((each for each in facts.overrides if each.scorecard == name), None)
    said = explain(bundle.catalog, card, score, override)
    parts = [group.sentence for group in groups(card, score)]
    for line in (said.headline, *said.reasons, said.coverage, *parts, *(line.sentence for line in said.lines)):
        out.print(line, highlight=False)


def _about(workspace: Workspace, card: Scorecard | None) -> None:
    bundle = workspace.bundle
    for one in (card,) if card else bundle.scorecards.values():
        for line in describe(bundle.catalog, one):
            out.print(line, highlight=False)


def _named(workspace: Workspace, scorecard: str) -> Scorecard:
    cards = workspace.bundle.scorecards
    if scorecard not in cards:
        err.print(f'no scorecard "{scorecard}"; there are: {", ".join(sorted(cards))}')
        raise typer.Exit(2)
    return cards[scorecard]
