"""A workspace with three accounts behind the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import build
from tests.api.cli.desk import Desk
from tests.api.cli.truth import live_through

TODAY = datetime.now(UTC).date()


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """`empty` uses 30 of 100 seats, `full` 85; of `silent` nothing is known."""
    assert CliRunner().invoke(build(), ["init", str(tmp_path / "work")]).exit_code == 0
    folder = tmp_path / "work"
    rule = folder / "rules/adoption/seats-unused.yaml"
    rule.write_text(rule.read_text().replace("existing: ask", "existing: enrol"), encoding="utf-8")
    (folder / "data").mkdir()
    (folder / "data" / "backcast.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.chdir(folder)
    found = Desk(folder)
    days = [(TODAY - timedelta(days=age)).isoformat() for age in range(12)]
    used = {"empty": 30, "full": 85}
    points = [f"{key},active_users,{day},{users}" for key, users in used.items() for day in days]
    points += [f"{key},seats_sold,{days[-1]},100" for key in used]
    accounts = found.write("accounts.csv", ["key,name", "empty,Empty", "full,Full", "silent,Silent"])
    assert found.run("ingest", "accounts", accounts).exit_code == 0
    sent = found.run("ingest", "points", found.write("points.csv", ["account,metric,day,value", *points]))
    assert sent.exit_code == 0, sent.output
    return found


@pytest.fixture
def told(desk: Desk) -> Desk:
    """The same folder with definitions and a history of its own, of which everything is known."""
    return live_through(desk)
