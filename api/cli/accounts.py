"""``accounts``: all customers in the order in which they deserve attention, or by score, ARR or renewal."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.workspace import AtOption, DataOption, JsonOption, day_of, err, open_workspace, out
from engine.store.attention import Turn, queue
from engine.store.book import Book, read_book
from engine.terms import MICRO

LISTED = 50
OwnerOption = Annotated[str, typer.Option(help="Only this owner's accounts.")]


class By(StrEnum):
    """What to sort by."""

    PRIORITY = "priority"
    SCORE = "score"
    ARR = "arr"
    RENEWAL = "renewal"


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(accounts)


def accounts(
    by: Annotated[
        By, typer.Option(help="priority, score (lowest first), arr (largest first) or renewal.")
    ] = By.PRIORITY,
    account: Annotated[str, typer.Option(help="Work out the priority of this account instead.")] = "",
    owner: OwnerOption = "",
    most: Annotated[int, typer.Option(help="So many are listed; --json has all.", min=1)] = LISTED,
    at: AtOption = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """List customers, those that deserve attention first, with the parts of what orders them."""
    workspace = open_workspace(data)
    with workspace.store.read() as session:
        turns, book = queue(session, day_of(at), owner or None), read_book(session)
    workspace.store.close()
    if account:
        _work_out(turns, account)
        return
    scores = {key: (book.micro[row], book.tier_of(row)) for row, key in enumerate(book.keys)}
    turns = tuple(sorted(turns, key=_order(by, book)))
    if as_json:
        print(json.dumps([asdict(turn) | _scored(scores[turn.key]) for turn in turns]))
        return
    table = Table("#", "account", "score", "priority", "ARR", "loss", "save", "urgency", "renewal", "waits")
    table.columns[1].no_wrap = True
    for turn in turns[:most]:
        table.add_row(*_cells(turn, scores[turn.key][0]))
    out.print(table)
    out.print("* not known: what is written down for that case stands in. --account KEY works one out.")


def _order(by: By, book: Book) -> Callable[[Turn], tuple[float, int]]:
    micro, arr = dict(zip(book.keys, book.micro, strict=True)), dict(zip(book.keys, book.arr.tolist(), strict=True))

    def number(turn: Turn) -> float | None:
        match by:
            case By.SCORE:
                return micro[turn.key]
            case By.ARR:
                return None if math.isnan(arr[turn.key]) else -arr[turn.key]
            case By.RENEWAL:
                return turn.renewal
            case By.PRIORITY:
                return turn.place

    def key(turn: Turn) -> tuple[float, int]:
        found = number(turn)
        return (math.inf if found is None else found, turn.place)

    return key


def _scored(found: tuple[int | None, Any]) -> dict[str, Any]:
    micro, tier = found
    return {"score": None if micro is None else micro / MICRO, "tier": None if tier is None else tier.value}


def _cells(turn: Turn, micro: int | None) -> tuple[str, ...]:
    star = {name: "*" if name in turn.assumed else "" for name in ("arr", "loss", "save", "renewal")}
    return (
        str(turn.place),
        turn.name,
        "" if micro is None else f"{micro / MICRO:.1f}",
        f"{turn.priority:,.0f}",
        f"{turn.arr:,.0f}{star['arr']}",
        f"{turn.loss:.0%}{star['loss']}",
        f"{turn.save:.0%}{star['save']}",
        f"{turn.urgency:.2f}{star['renewal']}",
        "" if turn.renewal is None else f"{turn.renewal} d",
        f"{turn.waiting} d",
    )


def _work_out(turns: tuple[Turn, ...], account: str) -> None:
    found = next((turn for turn in turns if turn.key == account), None)
    if found is None:
        err.print(f'no customer "{account}"; `backcast accounts` lists all of them')
        raise typer.Exit(2)
    out.print(f"{found.name}: place {found.place}. {found.sentence}")
