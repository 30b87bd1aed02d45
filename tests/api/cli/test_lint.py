"""``lint`` finds what `check` lets pass, and counts what became of each rule."""

from typer.testing import CliRunner

from api.cli import build
from tests.api.cli.desk import Desk


def test_a_rule_nobody_looks_at_again_and_a_model_without_a_goal_are_found(told: Desk) -> None:
    """S1-08: lint fails on a scorecard that does not say whether customers reach their goals."""
    done = told.run("lint", "--days", "0")
    assert done.exit_code == 1
    assert 'H001 nothing in the scorecard "health"' in done.stdout
    assert 'H006 nobody said when "seats-unused" is looked at again' in done.stdout
    card = told.folder / "rules/scorecards/health.yaml"
    card.write_text("# waived H001: there are no goals yet\n" + card.read_text(encoding="utf-8"), encoding="utf-8")
    rule = told.folder / "rules/seats-unused.yaml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("  owner:", "  review_by: 2199-01-01\n  owner:"), "utf-8")
    clean = told.run("lint")
    assert (clean.exit_code, clean.stdout.splitlines()[-1]) == (0, "Nothing to find fault with.")


def test_a_rule_that_never_fires_is_found_in_the_history(told: Desk) -> None:
    rule = told.folder / "rules/seats-unused.yaml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("below: 40", "below: 4"), encoding="utf-8")
    found = told.run("lint", "--json")
    assert found.exit_code == 1
    assert "H020" in found.stdout


def test_what_became_of_each_rule_is_counted(desk: Desk) -> None:
    """S2-41: how often a rule fired, acted and was told to be wrong."""
    desk.run("evaluate")
    found = desk.run("lint", "--days", "0").stdout
    assert "false: a person rejected what was to be sent, or cancelled the run." in found
    assert "seats-unused" in found


def test_check_shows_the_same_as_notes_and_passes(told: Desk) -> None:
    done = CliRunner().invoke(build(), ["check", str(told.folder)])
    assert done.exit_code == 0
    assert "note: rules/scorecards/health.yaml:2:1: H001" in done.stdout
