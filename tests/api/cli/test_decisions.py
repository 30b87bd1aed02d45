"""``plan``, ``why``, ``scores`` and ``evaluate`` in a fresh workspace with three accounts."""

import csv

import pytest

from engine.store.decision_tables import DecisionRow
from engine.store.run_tables import OutboxRow, RunRow
from engine.store.tables import BundleRow
from tests.api.cli.desk import Desk


def test_plan_says_what_would_happen_and_nothing_happens(desk: Desk) -> None:
    done = desk.run("plan")
    assert done.exit_code == 0
    assert "empty" in done.stdout
    assert "Nothing has happened yet." in done.stdout
    assert (desk.count(DecisionRow), desk.count(RunRow), desk.count(BundleRow)) == (0, 0, 0)


def test_evaluate_does_what_plan_said(desk: Desk) -> None:
    """One function decides; the plan of a moment is the decisions of the cycle at that moment."""
    planned = desk.json("plan", "--json")
    kinds = [each["kind"] for each in planned["decisions"]]
    counts = desk.json("evaluate", "--json")
    assert (counts["starts"], counts["hold_outs"]) == (kinds.count("start"), kinds.count("hold_out"))
    assert desk.count(DecisionRow) == len(kinds) >= 1
    assert desk.count(RunRow) == desk.count(OutboxRow) == counts["starts"]
    assert desk.json("plan", "--json")["decisions"] == []


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
    assert (traced["account"], traced["rule"], traced["decision"]) == ("empty", "seats-unused", None)


def test_scores_as_csv_have_one_row_for_each_account(desk: Desk) -> None:
    done = desk.run("scores", "--format", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["account"] for row in rows] == ["empty", "full", "silent"]
    assert set(rows[0]) == {"account", "score", "tier", "coverage"}
    assert rows[2]["score"] == "", "what is not known is not a zero"
    assert desk.json("scores", "--format", "json")[2]["score"] is None


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
