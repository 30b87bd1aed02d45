"""``why ACCOUNT``: why a score is what it is, why it moved, what is behind it and what answers it."""

from datetime import timedelta

import pytest

from tests.api.cli.conftest import TODAY
from tests.api.cli.desk import Desk

LAST_WEEK = (TODAY - timedelta(days=8)).isoformat()


@pytest.fixture
def fallen(desk: Desk) -> Desk:
    """`full` had 85 active users and now has 40; enough is known for a score."""
    health = desk.folder / "rules" / "scorecards" / "health.yaml"
    health.write_text(health.read_text().replace("min_coverage: 60%", "min_coverage: 10%"))
    rows = [f"full,active_users,{(TODAY - timedelta(days=age)).isoformat()},40" for age in range(6)]
    sent = desk.run("ingest", "points", desk.write("later.csv", ["account,metric,day,value", *rows]))
    assert sent.exit_code == 0, sent.output
    return desk


def test_a_score_is_explained_the_same_way_twice(fallen: Desk) -> None:
    """S0-50, S0-63: every figure that is used is said; saying it again gives the same text."""
    said = fallen.run("why", "empty").stdout
    assert "Licence utilisation is 30 % (0 at 0 %, 100 at 80 %): 37.5 of 100" in said
    assert fallen.run("why", "empty").stdout == said
    told = fallen.json("why", "empty", "--json")
    assert told["text"] == said.splitlines()
    assert told["text"][0].startswith(f"health: {told['micro_points'] / 1_000_000:.1f} of 100")


def test_a_fall_is_told_down_to_what_is_behind_it_and_what_answers_it(fallen: Desk) -> None:
    """S0-03, S0-58, S2-48: the parts sum to the change; utilisation fell because active users fell."""
    told = fallen.json("why", "full", "--since", LAST_WEEK, "--json")
    moved = told["after"]["micro_points"] - told["before"]["micro_points"]
    assert sum(part["micro"] for part in told["change"]["parts"]) == told["change"]["micro"] == moved < 0
    assert [one["name"] for one in told["cause"]["inputs"]] == ["active_users", "seats_sold"]
    assert told["answers"][0]["rule"] == "seats-unused"
    said = fallen.run("why", "full", "--since", LAST_WEEK).stdout
    assert f"fell by {-moved / 1_000_000:.1f} points; the cause is Licence utilisation" in said
    assert "because Weekly active users went from 85 to 40, Seats sold stayed 100" in said
    assert "what answers it: seat-activation of the rule seats-unused" in said


def test_the_records_behind_a_metric_are_listed_with_what_they_replaced(fallen: Desk) -> None:
    """S0-59, S1-34: a formula leads to what it is made of."""
    said = fallen.run("why", "full", "--records", "license_utilization").stdout.splitlines()
    assert f"{TODAY} point: active_users 40, recorded {TODAY}" in said[0]
    assert any("correction: active_users 85" in line and "replaced" in line for line in said)
    assert any("seats_sold 100" in line for line in said)
    found = fallen.json("why", "full", "--records", "active_users", "--since", TODAY.isoformat(), "--json")
    assert [(one["kind"], one["value"]) for one in found] == [("point", 40.0), ("correction", 85.0)]
    assert "nothing was recorded of nps" in fallen.run("why", "full", "--records", "nps").stdout


def test_where_no_rule_reads_what_fell_that_is_said(fallen: Desk) -> None:
    """S0-03, S0-41: an unmapped metric is a gap."""
    for rule in (fallen.folder / "rules").rglob("*.yaml"):
        text = rule.read_text()
        if "\nsignals:" in text and ("license_utilization" in text or "active_users" in text):
            rule.unlink()
    done = fallen.run("why", "full", "--since", LAST_WEEK)
    assert "what answers it: nothing; no rule has a signal that reads it" in done.stdout, done.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("why", "nobody"), 'no account "nobody"'),
        (("why", "empty", "--scorecard", "wealth"), 'no scorecard "wealth"'),
        (("why", "empty", "--records", "wealth"), 'There is no metric "wealth"'),
        (("why", "nobody", "--records", "nps"), 'no account "nobody"'),
        (("why", "empty", "--since", "soon"), '--since wants a day like 2026-09-01, not "soon"'),
        (("why", "empty", "--since", "2199-01-01"), "--since is a day before"),
        (
            ("why", "empty", "seats-unused", "--since", "2026-01-01"),
            "--since, --scorecard and --records are about scores",
        ),
    ],
)
def test_what_cannot_be_explained_is_said_in_a_sentence(desk: Desk, arguments: tuple[str, ...], told: str) -> None:
    done = desk.run(*arguments)
    assert done.exit_code == 2
    assert told in done.stderr
