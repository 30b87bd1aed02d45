"""A workspace with three accounts behind the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import build
from tests.api.cli.desk import Desk
from tests.api.cli.truth import SMALL, live_through

TODAY = datetime.now(UTC).date()


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The shipped definitions; `empty` uses 30 of 100 seats, `full` 85; of `silent` nothing is known."""
    folder = tmp_path / "work"
    assert CliRunner().invoke(build(), ["init", str(folder)]).exit_code == 0
    rule = folder / "rules/adoption/seats-unused.yaml"
    rule.write_text(rule.read_text().replace("existing: ask", "existing: enrol"), encoding="utf-8")
    return stocked(folder, sqlite_template, monkeypatch)


@pytest.fixture
def small(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The same three accounts, and one rule: reading the shipped definitions again and again takes its time."""
    folder = tmp_path / "work"
    for name, text in SMALL.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return stocked(folder, sqlite_template, monkeypatch)


@pytest.fixture
def told(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """One rule, one scorecard and a history of half a year of which everything is known."""
    return live_through(emptied(tmp_path / "work", sqlite_template, monkeypatch))


def emptied(folder: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Somebody in a folder with a migrated database, and nothing in it."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "backcast.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.chdir(folder)
    return Desk(folder)


def stocked(folder: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The same with three accounts."""
    found = emptied(folder, sqlite_template, monkeypatch)
    days = [(TODAY - timedelta(days=age)).isoformat() for age in range(12)]
    used = {"empty": 30, "full": 85}
    points = [f"{key},active_users,{day},{users}" for key, users in used.items() for day in days]
    points += [f"{key},seats_sold,{days[-1]},100" for key in used]
    accounts = found.write("accounts.csv", ["key,name", "empty,Empty", "full,Full", "silent,Silent"])
    assert found.run("ingest", "accounts", accounts).exit_code == 0
    sent = found.run("ingest", "points", found.write("points.csv", ["account,metric,day,value", *points]))
    assert sent.exit_code == 0, sent.output
    return found
