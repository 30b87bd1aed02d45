"""Drills in their short form: real processes, really killed, and everything accounted for afterwards."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import build
from api.drills import registry
from api.drills.page import write_page
from api.drills.result import Found, Report, spread

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(240)]


def small(number: str) -> Report:
    """The short form of one drill on SQLite."""
    report = registry.run(number, 1, "sqlite", small=True)
    assert report.holds, report.found.broken
    return report


def test_workers_killed_at_named_places_lose_nothing_and_repeat_nothing() -> None:
    """F02: on the wire, and before the result of an activity; a letter and a task."""
    report = small("F02")
    found = {(row["killed_at"], row["step"]): row for row in report.found.rows}
    assert set(found) == {("after_dot", "mail"), ("before_result", "mail"), ("before_result", "task")}
    assert {(row["twice"], row["lost"], row["not_sent"]) for row in found.values()} == {(0, 0, 0)}
    assert (found["after_dot", "mail"]["done"], found["after_dot", "mail"]["ambiguous"]) == (3, 1)
    assert (found["before_result", "mail"]["done"], found["before_result", "task"]["done"]) == (4, 1)


@pytest.mark.parametrize("number", ["F06", "F11", "F13", "F20", "F24", "F28", "F34"])
def test_the_short_form_of_a_drill_holds(number: str) -> None:
    """F06, F11, F13, F20, F24, F28, F34: every requirement of the drill, on few runs."""
    report = small(number)
    assert report.found.counts
    assert report.as_json()["verdict"] == "holds"


def test_a_drill_that_does_not_exist_is_named_with_where_the_others_are() -> None:
    result = CliRunner().invoke(build(), ["drill", "F99"])
    assert result.exit_code == 2
    assert "F99" in result.output
    assert "drill list" in result.output
    assert "F02" in CliRunner().invoke(build(), ["drill", "list"]).output


def test_what_does_not_hold_makes_the_command_fail_and_stands_in_the_result_and_on_the_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(_ground: object) -> Found:
        return Found(counts={"deliveries": 2, "lost": 1}, broken=["I2: one is lost"])

    monkeypatch.setattr(registry, "DRILLS", {"F00": registry.Drill("nothing at all", broken)})
    options = ["--results", str(tmp_path), "--page", str(tmp_path / "page.md"), "--seed", "7"]
    result = CliRunner().invoke(build(), ["drill", "all", *options])
    assert result.exit_code == 1
    written = json.loads((tmp_path / "F00.json").read_text())
    assert (written["verdict"], written["seed"], written["broken"]) == ("broken", 7, ["I2: one is lost"])
    page = (tmp_path / "page.md").read_text()
    assert "0 of 1 results of 1 drills hold" in page
    assert "- not held: I2: one is lost" in page


def test_what_ran_on_another_database_stands_beside_the_first_on_the_page(tmp_path: Path) -> None:
    for database in ("sqlite", "postgres"):
        Report("F00", "nothing", 1, database, small=True, scale=1.0, wall=0.1, found=Found()).write(tmp_path)
    write_page(tmp_path, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert "2 of 2 results of 1 drills hold" in page
    assert "## F00: nothing, on postgres\n" in page
    assert "## F00: nothing\n" in page


def test_the_spread_of_times_is_nearest_rank() -> None:
    found = spread([5.0, 1.0, 2.0, 3.0, 4.0])
    assert (found.of, found.p50, found.p95, found.max) == (5, 3.0, 5.0, 5.0)
