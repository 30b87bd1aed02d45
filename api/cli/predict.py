"""``predict``: the chances that accounts churn, stay as they are or grow, and how far such chances can be trusted."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.backtest import whole_days
from api.cli.workspace import AtOption, DataOption, JsonOption, day_of, open_workspace, out
from engine.effect.prediction import Future, Judged
from engine.store.glances import Glance, glances
from engine.store.predictions import Chances, Predicted, predict, save

LISTED = 50


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command(name="predict")(predict_now)


def predict_now(
    at: AtOption = "",
    within: Annotated[str, typer.Option(help="Within which time.")] = "90d",
    most: Annotated[int, typer.Option(help="So many accounts are listed; --json has all.", min=1)] = LISTED,
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Tell each account's chances to churn, stay flat and grow, from past scores; refuse where too little is known.

    What is told is kept for the day. It stands beside the score and is never part of it.
    """
    workspace = open_workspace(data)
    day, horizon = day_of(at), whole_days(within, "--within")
    with workspace.store.read() as session:
        found = predict(session, workspace.bundle.catalog, day, horizon)
    with workspace.store.begin() as session:
        save(session, found)
    listed = found.chances if as_json else found.chances[:most]
    with workspace.store.read() as session:
        names = glances(session, [one.account_id for one in listed])
    workspace.store.close()
    if as_json:
        print(json.dumps(values_of(found, names)))
    elif found.sentence:
        out.print(f"Nothing is predicted: {found.sentence}.")
    else:
        _show(found, listed, names)


def values_of(found: Predicted, names: dict[int, Glance]) -> dict[str, Any]:
    """All figures as plain values."""
    told = [
        {"account": names[one.account_id].key, "churn": one.churn, "flat": one.flat, "grow": one.grow}
        for one in found.chances
    ]
    judged = [asdict(one) | {"future": one.future.name.lower()} for one in found.judged]
    head = {"day": found.day, "within_days": found.within, "predictor": found.fingerprint, "accounts": found.accounts}
    return head | {"refused": found.sentence, "judged": judged, "chances": told}


def _show(found: Predicted, listed: tuple[Chances, ...], names: dict[int, Glance]) -> None:
    out.print(f"Within {found.within} days; fitted on {found.accounts} accounts, judged on later days than fitted on.")
    for judged in found.judged:
        _calibration(judged)
    table = Table("account", "churn", "stay flat", "grow", "of those told so churned")
    churn = found.judgement(Future.CHURN)
    for one in listed:
        band = churn.like(one.churn) if churn else None
        interval = f"{band.low:.0%} to {band.high:.0%}" if band else ""
        chances = (f"{chance:.0%}" for chance in (one.churn, one.flat, one.grow))
        table.add_row(names[one.account_id].name, *chances, interval)
    out.print(table)
    if len(found.chances) > len(listed):
        out.print(f"… and {len(found.chances) - len(listed)} accounts more; --json has all of them.")


def _calibration(judged: Judged) -> None:
    what = {Future.CHURN: "churn", Future.GROW: "grow"}[judged.future]
    worth = "better than" if judged.better_than_base_rate else "NO better than"
    out.print(
        f"{what}: Brier {judged.brier:.4f}, {worth} {judged.brier_of_base_rate:.4f} of always telling the base rate of "
        f"{judged.base_rate:.1%}"
    )
    table = Table("told", "happened", "95 %", "accounts and days")
    for band in judged.bands:
        table.add_row(
            f"{band.told:.1%}", f"{band.happened:.1%}", f"{band.low:.1%} to {band.high:.1%}", str(band.accounts)
        )
    out.print(table)
