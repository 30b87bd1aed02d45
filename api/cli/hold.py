"""``hold`` and ``release``: stop everything that goes out, of all accounts or of one, and let it go again."""

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from api.cli.apply import AuthorOption, YesOption, acting
from api.cli.workspace import DataOption, JsonOption, account_id, now, open_store, out, settings_for
from engine.errors import NotFound, Refused
from engine.store import holds, releasing
from engine.store.holds import Hold
from engine.store.releasing import Overdue
from engine.store.sessions import Store

AccountOption = Annotated[str, typer.Option("--account", help="Only this account (default: everything).")]
SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(hold)
    app.command()(release)


def hold(
    reason: Annotated[str, typer.Option(help="Why; whoever releases it has to know.")] = "",
    account: AccountOption = "",
    author: AuthorOption = "",
    data: DataOption = "",
) -> None:
    """Stop everything that goes out, within two seconds. Runs go on and wait where they would send."""
    who, store, at = acting(author), open_store(settings_for(data)), now()
    with store.begin() as session:
        number = account_id(session, account) if account else None
        holds.hold(session, account_id=number, cause=holds.MEMBER, reason=reason, author=who, at=at)
    store.close()
    what = f"what goes to {account}" if account else "everything"
    out.print(f"On hold: {what}. `backcast release{f' --account {account}' if account else ''}` lets it go.")


def release(
    account: AccountOption = "",
    author: AuthorOption = "",
    yes: YesOption = False,
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Say what would go out, ask, and let go what is on hold."""
    store, at = open_store(settings_for(data)), now()
    with store.read() as session:
        found = _found(store, account)
        due = releasing.would_send(session, found.id, at)
    if not as_json:
        _show(found, due)
    if not yes and not _agreed():
        raise Refused("Nothing was released: `backcast release --yes` lets it go.")
    with store.begin() as session:
        releasing.release(session, found.id, acting(author), at)
    store.close()
    if as_json:
        print(json.dumps({"released": found.id, **asdict(due)}, default=str))
    else:
        out.print("Released.")


def _found(store: Store, account: str) -> Hold:
    with store.read() as session:
        wanted = account_id(session, account) if account else None
        found = holds.of_account(session, wanted) if wanted is not None else holds.everything(session)
        others = holds.listed(session)
    if found is not None:
        return found
    what = f'The account "{account}" by itself is not on hold' if account else "Not everything is on hold"
    listed = (
        f": that is {', '.join(one.account or 'everything' for one in others)}" if others else ", nor anything else"
    )
    raise NotFound(f"{what}{listed}.")


def _show(found: Hold, due: Overdue) -> None:
    sentence = found.sentence
    out.print(f"{sentence[:1].upper() if not found.author else sentence[:1]}{sentence[1:]}.")
    out.print(f"A release sends what is due: {due.sentence}.")
    if due.due:
        table = Table("account", "run", "playbook", "step", "to", "due since")
        for one in due.due[:SHOWN]:
            since = f"{one.since:%Y-%m-%d %H:%M}"
            table.add_row(one.account, str(one.run_id), one.playbook, one.step, one.to, since)
        out.print(table)
    if due.messages > SHOWN:
        out.print(f"and {due.messages - SHOWN} more; --json lists {releasing.LISTED}")


def _agreed() -> bool:
    return sys.stdin.isatty() and typer.confirm("Let it go?")
