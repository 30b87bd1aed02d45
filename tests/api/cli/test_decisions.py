"""``plan``, ``why``, ``scores`` and ``evaluate`` in a fresh workspace with three accounts."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from api.cli import build
from engine.store.decision_tables import DecisionRow
from engine.store.run_tables import OutboxRow, RunRow
from engine.store.sessions import connect
from engine.store.tables import BundleRow

TODAY = datetime.now(UTC).date()


class Desk:
    """Somebody in a workspace as `init` lays it down, whose rules enrol the accounts that are inside already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(build(), [*arguments, "--data", str(self.folder / "data")])

    def json(self, *arguments: str) -> object:
        done = self.run(*arguments)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def count(self, table: type) -> int:
        store = connect(f"sqlite:///{self.folder}/data/backcast.db")
        with store.read() as session:
            found = session.scalar(select(func.count()).select_from(table)) or 0
        store.close()
        return found

    def write(self, name: str, rows: list[str]) -> str:
        path = self.folder / name
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return str(path)


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


def test_plan_says_what_would_happen_and_nothing_happens(desk: Desk) -> None:
    done = desk.run("plan")
    assert done.exit_code == 0
    assert "empty" in done.stdout
    assert "Nothing has happened yet." in done.stdout
    assert (desk.count(DecisionRow), desk.count(RunRow), desk.count(BundleRow)) == (0, 0, 0)


def test_evaluate_does_what_plan_said(desk: Desk) -> None:
    """One function decides; the plan of a moment is the decisions of the cycle at that moment."""
    planned = desk.json("plan", "--json")
    assert isinstance(planned, dict)
    kinds = [each["kind"] for each in planned["decisions"]]
    counts = desk.json("evaluate", "--json")
    assert isinstance(counts, dict)
    assert (counts["starts"], counts["hold_outs"]) == (kinds.count("start"), kinds.count("hold_out"))
    assert desk.count(DecisionRow) == len(kinds) >= 1
    assert desk.count(RunRow) == desk.count(OutboxRow) == counts["starts"]
    assert desk.json("plan", "--json")["decisions"] == []  # type: ignore[index]


def test_history_is_replayed_without_runs(desk: Desk) -> None:
    assert desk.run("evaluate", "--no-runs").exit_code == 0
    assert desk.count(DecisionRow) >= 1
    assert (desk.count(RunRow), desk.count(OutboxRow)) == (0, 0)


def test_why_traces_one_account_down_to_value_limit_and_file(desk: Desk) -> None:
    """S0-02, S0-59: the failing metric, its value, its limit, and the place of the rule."""
    done = desk.run("why", "empty", "seats-unused")
    assert done.exit_code == 0
    for text in ("30", "40", "rules/adoption/seats-unused.yaml:", "arm"):
        assert text in done.stdout
    traced = desk.json("why", "empty", "seats-unused", "--json")
    assert isinstance(traced, dict)
    assert (traced["account"], traced["rule"], traced["decision"]) == ("empty", "seats-unused", None)


def test_scores_as_csv_have_one_row_for_each_account(desk: Desk) -> None:
    done = desk.run("scores", "--format", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["account"] for row in rows] == ["empty", "full", "silent"]
    assert set(rows[0]) == {"account", "score", "tier", "coverage"}
    assert rows[2]["score"] == "", "what is not known is not a zero"
    assert desk.json("scores", "--format", "json")[2]["score"] is None  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("plan", "--at", "yesterday"), 'a day like 2026-09-01, not "yesterday"'),
        (("why", "nobody", "seats-unused"), 'no account "nobody"'),
        (("why", "empty", "seats"), 'no rule "seats"'),
        (("scores", "--format", "xml"), 'not "xml"'),
        (("evaluate", "--at", "2199-01-01"), "2199-01-01 has not come yet"),
        (("scores", "--scorecard", "wealth"), 'no scorecard "wealth"'),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(desk: Desk, arguments: tuple[str, ...], told: str) -> None:
    done = desk.run(*arguments)
    assert done.exit_code == 2
    assert told in done.stderr
    assert "Traceback" not in done.output


def test_a_rule_that_names_a_missing_playbook_stops_everything_with_its_place(desk: Desk) -> None:
    rule = desk.folder / "rules/adoption/seats-unused.yaml"
    rule.write_text(rule.read_text().replace("playbook: seat-activation", "playbook: seat-aktivation"))
    done = desk.run("evaluate")
    assert done.exit_code == 1
    assert "rules/adoption/seats-unused.yaml:11:" in done.stderr
    assert 'did you mean "seat-activation"?' in done.stderr
    assert desk.count(DecisionRow) == 0
