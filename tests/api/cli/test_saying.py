"""``override``, ``answer`` and ``feedback``: what people know better, at the command line."""

import pytest

from tests.api.cli.desk import Desk

WHO = ("--author", "mia@vendor.example")


def test_a_metric_is_overridden_and_the_explanation_shows_both(desk: Desk) -> None:
    """D.5 29: what is measured stays, and stands beside the word."""
    said = desk.run("override", "empty", "--metric", "active_users", "--value", "70", "--reason", "they told me", *WHO)
    assert said.exit_code == 0, said.output
    assert "active_users of empty goes by your word until" in said.stdout
    told = desk.run("why", "empty").stdout
    assert "Licence utilisation is 70 %" in told
    assert "by the word of mia@vendor.example until" in told
    assert "they told me; measured: 30" in told


def test_a_score_is_overridden_beside_the_computed_one(desk: Desk) -> None:
    """S2-39."""
    done = desk.run("override", "full", "--score", "12", "--reason", "they are leaving", *WHO)
    assert done.exit_code == 0, done.output
    assert "mia@vendor.example changed it until" in desk.run("why", "full").stdout


def test_a_sentiment_is_set_from_the_command_line(desk: Desk) -> None:
    """S4-27."""
    done = desk.run("answer", "full", "sentiment", "2", "--reason", "a tense call", *WHO)
    assert (done.exit_code, done.stdout.strip()) == (0, "sentiment of full is 2"), done.output


def test_a_score_that_looks_wrong_is_kept_and_listed_by_version(desk: Desk) -> None:
    """S1-33."""
    assert desk.run("evaluate", "--no-runs").exit_code == 0
    done = desk.run("feedback", "full", "--wrong", "--reason", "they are angry", *WHO)
    assert done.exit_code == 0, done.output
    found = desk.json("feedback", "--json")
    assert [(one["right"], one["wrong"]) for one in found["versions"]] == [(0, 1)]
    assert found["said"] == [{"account": "full", "looks": "wrong", "reason": "they are angry"}]
    said = desk.run("feedback").stdout
    assert "looks wrong: they are angry" in said
    assert "0 overridden scores are old enough to be judged; 20 are needed" in said


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("override", "full", "--reason", "so"), 2, "say --score or --tier, or --metric with its --value"),
        (("override", "full", "--metric", "active_users", "--reason", "so"), 2, "--metric with its --value"),
        (("override", "full", "--score", "5", "--value", "5", "--reason", "so"), 2, "--metric with its --value"),
        (("override", "nobody", "--score", "5", "--reason", "so"), 2, 'no account "nobody"'),
        (("override", "full", "--score", "5", "--scorecard", "wealth", "--reason", "so"), 2, 'no scorecard "wealth"'),
        (("answer", "nobody", "sentiment", "5"), 2, 'no account "nobody"'),
        (("feedback", "nobody", "--reason", "so"), 2, 'no account "nobody"'),
    ],
)
def test_a_command_used_wrongly_says_how_to_use_it(
    desk: Desk, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = desk.run(*arguments, *WHO)
    assert (done.exit_code, told in done.stderr) == (code, True), done.output
