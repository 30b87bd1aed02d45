"""``scores``: who leads, contacts beside accounts, one decimal, and what a scorecard is."""

import csv

import pytest

from tests.api.cli.desk import Desk


def card(desk: Desk, name: str, text: str) -> None:
    (desk.folder / "rules" / "scorecards" / f"{name}.yaml").write_text(text, encoding="utf-8")


TIERS = """
tiers:
  requires_attention: {from: 0, customer_wording: a}
  take_notice: {from: 50, customer_wording: b}
  doing_well: {from: 75, customer_wording: c}
"""


def test_a_scorecard_says_what_it_is_in_percentages_that_sum_to_100(desk: Desk) -> None:
    """S1-18, S1-36: weights as shares of the whole, the outcome it is for and the North Star it bears on."""
    said = desk.run("scores", "--about", "--scorecard", "health").stdout
    assert "The customer reaches the goal it bought us for" in said
    assert "North Star: " in said
    lines = [line for line in said.splitlines() if line.startswith("  ") and "%" in line.split("(")[0][:12]]
    shares = [float(line.split("%")[0]) for line in lines]
    assert sum(shares) == pytest.approx(100, abs=0.05)
    assert "Doing Well from 75; a customer reads: Going well" in said


def test_of_several_scorecards_the_one_that_leads_is_listed(desk: Desk) -> None:
    """S0-24, D.6 40."""
    health = desk.folder / "rules" / "scorecards" / "health.yaml"
    health.write_text(health.read_text().replace("format: 1\n", "format: 1\npriority: 2\n", 1))
    card(
        desk,
        "first",
        "format: 1\nscorecard: first\npriority: 1\ndesired_outcome: They start.\n"
        "applies_to: {'<': [{var: active_users}, 50]}\n"
        f"dimensions: {{all: {{weight: 100%, metrics: {{active_users: {{linear: [0, 80]}}}}}}}}{TIERS}",
    )
    rows = {row["account"]: row for row in desk.json("scores", "--format", "json")}
    assert {key: row["scorecard"] for key, row in rows.items()} == {
        "empty": "first",
        "full": "health",
        "silent": "health",
    }
    assert rows["empty"]["score"] == 37.5
    other = {row["account"] for row in desk.json("scores", "--format", "json", "--scorecard", "health")}
    assert other == {"empty", "full", "silent"}


def test_contacts_are_listed_with_their_account(desk: Desk) -> None:
    """S3-11."""
    card(
        desk,
        "people",
        "format: 1\nscorecard: people\nof: contact\nroll_up: worst\ndesired_outcome: They use it.\n"
        f"dimensions: {{all: {{weight: 100%, metrics: {{logins.sum_30d: {{linear: [0, 20]}}}}}}}}{TIERS}",
    )
    done = desk.run("scores", "--format", "csv", "--scorecard", "people")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert all(set(row) == {"account", "contact", "score", "tier", "coverage"} for row in rows)
    about = desk.run("scores", "--about", "--scorecard", "people").stdout
    assert "The worst of an account's contacts is its score.people" in about


def test_a_score_is_explained_by_group_and_metric(desk: Desk) -> None:
    """S0-50, S0-63, S4-12: every figure is said, and said the same way twice."""
    health = desk.folder / "rules" / "scorecards" / "health.yaml"
    assert "health: Insufficient data" in desk.run("scores", "--account", "empty").stdout
    told = desk.write("events.csv", ["account,event,at", "full,escalation,2026-01-05T10:00:00Z"])
    assert desk.run("ingest", "events", told).exit_code == 0  # whoever has none while somebody had one has a true zero
    health.write_text(health.read_text().replace("min_coverage: 60%", "min_coverage: 10%"))
    said = desk.run("scores", "--account", "empty").stdout
    assert "health: 62.5 of 100, Take Notice" in said
    assert "Usage: 37.5 of 100 x 60 % = 22.5 points" in said
    assert "Relationship: 100.0 of 100 x 40 % = 40.0 points" in said
    assert "Licence utilisation is 30 % (0 at 0 %, 100 at 80 %): 37.5 of 100" in said.replace("\n", " ")
    assert desk.run("scores", "--account", "empty").stdout == said


def test_an_account_that_is_not_there_is_told_with_what_to_do(desk: Desk) -> None:
    done = desk.run("scores", "--account", "emty")
    assert done.exit_code == 2
    assert 'no account "emty"' in done.output
