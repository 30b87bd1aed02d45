"""Setting up: ``migrate``, ``member add``, ``link`` and ``mails``, ``key add`` and ``revoke``."""

import json
from typing import Annotated

import typer

from api.cli import members as member_commands
from api.cli.workspace import DataOption, JsonOption, now, open_store, out, settings_for
from engine.store import members, notices
from engine.store.migrating import HEAD, migrate as bring_up_to_date
from engine.store.sessions import connect
from engine.terms import Frequency, Role

RoleOption = Annotated[list[Role], typer.Option("--role", help="What the member may do; can be said several times.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(migrate)
    member = typer.Typer(help="Colleagues who sign in.", no_args_is_help=True)
    member.command(name="add")(add_member)
    member.command(name="link")(link_member)
    member.command(name="mails")(mails_of_member)
    member_commands.add_to(member)
    app.add_typer(member, name="member")
    key = typer.Typer(help="Keys that programs push data with.", no_args_is_help=True)
    key.command(name="add")(add_key)
    key.command(name="revoke")(revoke_key)
    app.add_typer(key, name="key")


def migrate(data: DataOption = "") -> None:
    """Bring the database to the tables of this version; harmless to repeat."""
    store = connect(settings_for(data).database)
    changed = bring_up_to_date(store)
    store.close()
    out.print(f"The database is at version {HEAD}" + ("." if changed else " already."))


def add_member(
    email: str,
    role: RoleOption,
    name: Annotated[str, typer.Option(help="Name people read.")] = "",
    data: DataOption = "",
) -> None:
    """Add a colleague and print a link that signs in once, within 15 minutes."""
    settings = settings_for(data)
    store, at = open_store(settings), now()
    with store.begin() as session:
        member = members.add(session, email, name, role)
        token = members.sign_in_link(session, member.id, at)
    store.close()
    out.print(f"{settings.base_url}/sign-in/{token}")


def link_member(email: str, data: DataOption = "", as_json: JsonOption = False) -> None:
    """Print a link that signs the colleague in once, within 15 minutes."""
    settings = settings_for(data)
    store, at = open_store(settings), now()
    with store.begin() as session:
        token = members.sign_in_link(session, members.find(session, email).id, at)
    store.close()
    link = f"{settings.base_url}/sign-in/{token}"
    print(json.dumps({"link": link}) if as_json else link)


def mails_of_member(
    email: str,
    how_often: Annotated[Frequency, typer.Argument(help="How often they are mailed what they are to hear of.")],
    data: DataOption = "",
) -> None:
    """Choose how often a colleague is mailed: at once, a daily or weekly digest, or never."""
    store = open_store(settings_for(data))
    with store.begin() as session:
        notices.set_frequency(session, email, how_often.value)
    store.close()
    out.print(f"{email} is mailed: {how_often.value}.")


def add_key(name: str, data: DataOption = "", as_json: JsonOption = False) -> None:
    """Make an ingest key and print its secret, which is shown this once only."""
    store = open_store(settings_for(data))
    with store.begin() as session:
        secret = members.new_key(session, name, now())
    store.close()
    print(json.dumps({"name": name, "key": secret}) if as_json else secret)


def revoke_key(name: str, data: DataOption = "") -> None:
    """Make an ingest key worthless from now on."""
    store = open_store(settings_for(data))
    with store.begin() as session:
        members.revoke_key(session, name, now())
    store.close()
    out.print(f'The key "{name}" is refused from now on.')
