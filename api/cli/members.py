"""``member leave``, ``member away``, ``member back`` and ``member set``: who is there, who stands in, who has left."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from api.cli.apply import YesOption
from api.cli.workspace import DataOption, JsonOption, err, now, open_store, out, settings_for
from engine.errors import Refused
from engine.store import absences, leaving_members, members
from engine.store.leaving_members import KINDS, Leaving

ToOption = Annotated[str, typer.Option("--to", help="Who gets everything that is not named with --give.")]
GiveOption = Annotated[
    list[str] | None, typer.Option("--give", metavar="KIND=ADDRESS", help=f"Who gets one kind: {', '.join(KINDS)}.")
]


def add_to(member: typer.Typer) -> None:
    """Add this module's commands to ``member``."""
    member.command(name="leave")(leave)
    member.command(name="away")(away)
    member.command(name="back")(back)
    member.command(name="set")(change)


def leave(
    email: str,
    to: ToOption = "",
    give: GiveOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Hand over everything that points at a colleague, then disable them. Without --yes it is only shown."""
    store, at, targets = open_store(settings_for(data)), now(), _targets(give or [])
    with store.begin() as session:
        if yes:
            found = leaving_members.leave(session, email, targets, at, usual=to)
        else:
            found = leaving_members.preview(session, email, at)
    store.close()
    if as_json:
        print(json.dumps({"left": yes, **asdict(found)}))
        return
    _show(found)
    if yes:
        out.print(f"{found.member} has left: nothing points at them any more.")
        return
    out.print(f"Nothing was changed. `backcast member leave {found.member} --to ADDRESS --yes` hands it over.")


def away(
    email: str,
    delegate: Annotated[str, typer.Option("--delegate", help="The colleague who stands in.")],
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day away.")],
    start: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="The first day (default: today).")] = "",
    data: DataOption = "",
) -> None:
    """Say that a colleague is out of office: work and approvals go to who stands in."""
    store, at = open_store(settings_for(data)), now()
    begins = _moment(start, "--from") if start else at
    ends = _moment(until, "--until") + timedelta(days=1)
    with store.begin() as session:
        member = members.find(session, email).email
        absences.add(session, member, delegate, starts_at=begins, ends_at=ends, at=at)
    store.close()
    out.print(f"{member} is away until {until}; {delegate.strip().lower()} stands in.")


def back(email: str, data: DataOption = "") -> None:
    """Say that a colleague is back earlier than planned."""
    store, at = open_store(settings_for(data)), now()
    with store.begin() as session:
        member = members.find(session, email).email
        found = absences.now_absent(session, member, at)
        if found is None:
            raise Refused(f"{member} is not away.")
        absences.end(session, found.id, member, at)
    store.close()
    out.print(f"{member} is back.")


def change(
    email: str,
    manager: Annotated[str | None, typer.Option(help='Whom things go to that stay undone ("" for nobody).')] = None,
    calendar: Annotated[str | None, typer.Option(help="By which calendar their hours count.")] = None,
    data: DataOption = "",
) -> None:
    """Say who a colleague's manager is, and by which calendar they work."""
    store = open_store(settings_for(data))
    with store.begin() as session:
        found = members.change(session, email, manager=manager, calendar=calendar)
    store.close()
    out.print(f"{found} is changed.")


def _targets(give: list[str]) -> dict[str, str]:
    wrong = [one for one in give if "=" not in one]
    if wrong:
        err.print(f'--give wants KIND=ADDRESS, not "{wrong[0]}"; kinds: {", ".join(KINDS)}')
        raise typer.Exit(2)
    return {kind.strip(): address.strip() for kind, _, address in (one.partition("=") for one in give)}


def _show(found: Leaving) -> None:
    for one in found.pointing:
        out.print(f"{one.count:>6}  {one.what} ({one.kind})")
    if found.is_nothing:
        out.print(f"Nothing points at {found.member}.")
    if found.runs:
        out.print(f"{found.runs:>6}  open runs write in their name; they go on in the new owner's")
    for place in found.files:
        out.print(f"{place} names them: what goes there goes to the next in line until the file says somebody else")


def _moment(day: str, option: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time(), tzinfo=UTC)
    except ValueError:
        err.print(f'{option} wants a day like 2026-09-01, not "{day}"')
        raise typer.Exit(2) from None
