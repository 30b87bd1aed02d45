"""``segments``: the portfolio from above, in groups whose numbers are the sums of what is below them."""

import json
from typing import Annotated, Any

import typer

from api.cli.workspace import AtOption, DataOption, JsonOption, day_of, open_workspace, out
from engine.evaluation.rollups import HUNDREDTHS
from engine.store.from_above import Branch, families, segments as read_segments


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(segments)


def segments(
    by: Annotated[
        list[str] | None, typer.Option(help="segment, stage, owner, sign_up or a pushed text; several nest.")
    ] = None,
    owner: Annotated[str, typer.Option(help="Only this owner's accounts.")] = "",
    accounts: Annotated[bool, typer.Option("--accounts", help="Show each account as well.")] = False,
    family: Annotated[
        bool, typer.Option("--families", help="Accounts with those that belong to them instead.")
    ] = False,
    at: AtOption = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Show customers from above, one line each: how many, score, trend, who needs attention, the commonest cause."""
    workspace = open_workspace(data)
    with workspace.store.read() as session:
        if family:
            found = families(session, workspace.bundle, owner or None)
        else:
            found = (read_segments(session, workspace.bundle, day_of(at), by or ["segment"], owner or None),)
    workspace.store.close()
    if as_json:
        print(json.dumps([values_of(branch) for branch in found]))
        return
    if not found:
        out.print("No account belongs to another one; `parent` in the accounts says which does.")
    for branch in found:
        _print(branch, accounts or family)


def _print(branch: Branch, accounts: bool, depth: int = 0) -> None:
    out.print(f"{'  ' * depth}{branch.line}")
    for child in branch.children:
        if child.children or accounts:
            _print(child, accounts, depth + 1)


def values_of(branch: Branch) -> dict[str, Any]:
    """A branch as plain values; money in the currency of the ARR, scores in points, null unknown."""
    total = branch.total
    return {
        "name": branch.name,
        "line": branch.line,
        "accounts": total.accounts,
        "arr": total.arr / HUNDREDTHS,
        "arr_known": total.arr_known,
        "scored": total.scored,
        "mean_score": total.mean_score,
        "arr_weighted_score": total.weighted_score,
        "tiers": {tier.value: count for tier, count in total.tiers.items()},
        "arr_by_tier": {tier.value: arr / HUNDREDTHS for tier, arr in total.arr_by_tier.items()},
        "children": [values_of(child) for child in branch.children],
    }
