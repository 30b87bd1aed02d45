"""What most commands begin with: the settings, the database, and the files of the working folder."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle, fingerprint_of
from engine.definitions.problem import render
from engine.errors import EngineError, NotFound
from engine.evaluation.examples import check_examples
from engine.settings import Settings
from engine.store.bundles import in_force, is_managed, publish
from engine.store.files import check, read_files
from engine.store.glances import id_of
from engine.store.migrating import migrate, require_current
from engine.store.sessions import Store, connect

err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
out = Console(soft_wrap=True, highlight=False, markup=False)

DataOption = Annotated[str, typer.Option("--data", help="Data folder (default: $BACKCAST_DATA, else .backcast).")]
AtOption = Annotated[str, typer.Option("--at", help="Day to look at, YYYY-MM-DD (default: today).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
KnownOption = Annotated[
    bool, typer.Option("--known", help="As it was known then: without what was recorded or corrected later.")
]
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Workspace:
    """One installation as a command sees it."""

    settings: Settings
    store: Store
    bundle: Bundle


def settings_for(data: str = "") -> Settings:
    """The settings from the environment, with the data folder of the command line if one was given."""
    return Settings(data=data) if data else Settings()


def open_workspace(data: str = "") -> Workspace:
    """Open the database (a new SQLite file is set up) and check the files; any problem ends the command.

    The files are only looked at: commands that show something must not change what a worker goes by.
    """
    settings = settings_for(data)
    bundle = load_bundle(settings)
    store = open_store(settings)
    return Workspace(settings, store, bundle)


def open_in_force(data: str = "") -> Workspace:
    """The same for commands that act: with the definitions in force.

    Until somebody has applied a bundle that is what the files say, and they are put in force by this; open runs keep
    theirs. From the first `backcast apply` on, the files are only compared, and a difference is said in a line.
    """
    settings = settings_for(data)
    store = open_store(settings)
    with store.read() as session:
        applied = in_force(session) if is_managed(session) else None
    if applied is None:
        workspace = Workspace(settings, store, load_bundle(settings))
        with store.begin() as session:
            publish(session, workspace.bundle, author="", at=now())
        return workspace
    if applied.fingerprint != _fingerprint_of(settings):
        err.print(
            f'The files in "{settings.files}" are not what is in force ({applied.fingerprint[:12]}): '
            "`backcast plan` shows the difference, `backcast apply` puts them in force."
        )
    return Workspace(settings, store, applied)


def _fingerprint_of(settings: Settings) -> str:
    """Of the files, whether they check or not; empty where there are none that can be read."""
    try:
        return fingerprint_of(read_files(settings.files))
    except EngineError:
        return ""


def open_store(settings: Settings) -> Store:
    """Open the database. The SQLite file of the data folder is brought up to date by itself; a database that an
    operator named is only opened, and refused where `backcast migrate` has not been run."""
    store = connect(settings.database)
    if settings.database_url:
        require_current(store)
    else:
        migrate(store)
    return store


def load_bundle(settings: Settings) -> Bundle:
    """Read and check ``rules/`` and ``playbooks/``; print every problem and exit with 1 if there is one."""
    checked, texts = check(settings.files)
    if checked.bundle is None:
        for problem in checked.problems:
            err.print(render(problem, texts))
        err.print(f"{len(checked.problems)} problems; nothing was done. `backcast check` shows them again.")
        raise typer.Exit(1)
    return checked.bundle


def require_examples(bundle: Bundle) -> None:
    """Run the examples of all rules; print every one that does not come out as written and exit with 1."""
    problems = check_examples(bundle)
    for problem in problems:
        err.print(render(problem, bundle.texts))
    if problems:
        err.print(f"{len(problems)} examples do not come out as written; nothing was done.")
        raise typer.Exit(1)


def account_id(session: Session, key: str) -> int:
    """The account of that key; a key that nobody has ends the command."""
    try:
        return id_of(session, key)
    except NotFound:
        err.print(f'no account "{key}"; `backcast scores` lists all of them')
        raise typer.Exit(2) from None


def now() -> datetime:
    """The clock, read at the edge."""
    return datetime.now(UTC)


def day_of(at: str, option: str = "--at") -> int:
    """A day as days since 1970-01-01; today (UTC) if none is given. ``option``: who asks for it."""
    try:
        chosen = date.fromisoformat(at) if at else now().date()
    except ValueError:
        err.print(f'{option} wants a day like 2026-09-01, not "{at}"')
        raise typer.Exit(2) from None
    return chosen.toordinal() - EPOCH


def moment_of(day: int) -> datetime:
    """The moment a plan for a day is made at: now for today, else the end of that day."""
    chosen = datetime.fromordinal(day + EPOCH).replace(tzinfo=UTC)
    return now() if chosen.date() == now().date() else chosen.replace(hour=23, minute=59, second=59)
