"""What the demo is played on: a folder of its own with a workspace, a database, a member and a portfolio."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.definitions.bundle import Bundle
from engine.errors import Refused
from engine.settings import Settings
from engine.simulation.portfolio import Portfolio, make_portfolio
from engine.store import bundles, members
from engine.store.files import check, write_workspace
from engine.store.migrating import migrate
from engine.store.sessions import Store, connect
from engine.terms import Role

SEED = 11
HISTORY = 180
AFTER = 46
"""Days behind the history: as many as the slowest outcome needs to be judged."""
YESTERDAY = 1
"""Days ago that the history ends for somebody who looks around: its last evening has to be over."""
CSM = "csm@backcast.example"
_MARK = "made-by-backcast-demo"


@dataclass(frozen=True, slots=True)
class Stage:
    """One demo: where it is kept, the rules it goes by, and the accounts it is about."""

    settings: Settings
    store: Store
    bundle: Bundle
    portfolio: Portfolio


def set_up(settings: Settings, accounts: int, days_ago: int) -> Stage:
    """Lay down a fresh demo in the folder ``settings.data``, in place of an earlier one.

    The history ends ``days_ago``: `AFTER` where the days that follow fly by and shall end today, `YESTERDAY` where
    somebody looks around. The rules are the shipped ones with a hold-out of 30 %, so that effects show after half a
    year, and they ignore who was inside from the start: nobody is there to be asked. Raises `Refused` where the folder
    holds something that is not a demo.
    """
    folder = Path(settings.data)
    _clear(folder)
    workspace = folder / "workspace"
    write_workspace(str(workspace))
    for path in workspace.glob("rules/**/*.yaml"):
        text = path.read_text(encoding="utf-8").replace("share: 10%", "share: 30%")
        path.write_text(text.replace("existing: ask", "existing: ignore"), encoding="utf-8")
    checked, _ = check(str(workspace))
    if checked.bundle is None:
        raise Refused("the shipped rules do not check: install Backcast again")
    store = connect(settings.database)
    migrate(store)
    now = datetime.now(UTC)
    with store.begin() as session:
        bundles.publish(session, checked.bundle, author=CSM, at=now)
        members.add(session, CSM, "Casey Morgan", [Role.CSM, Role.AUTHOR])
    today = (now - datetime(1970, 1, 1, tzinfo=UTC)).days
    first_day = today - days_ago - HISTORY + 1
    portfolio = make_portfolio(SEED, accounts, first_day=first_day, days=HISTORY, after=AFTER, owner=CSM)
    return Stage(settings, store, checked.bundle, portfolio)


def _clear(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise Refused(f'"{folder}" holds something that is not a demo: choose another folder with --data')
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
