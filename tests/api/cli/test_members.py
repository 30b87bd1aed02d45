"""Colleagues at the command line: away, back, gone."""

from datetime import UTC, datetime, timedelta

from tests.api.cli.desk import Desk


def test_at_the_command_line_it_is_shown_before_it_is_done(small: Desk) -> None:
    for name in ("dana", "omar"):
        assert small.run("member", "add", f"{name}@b.example", "--role", "admin").exit_code == 0
    lines = ["key,owner", "empty,dana@b.example"]
    assert small.run("ingest", "accounts", small.write("owners.csv", lines)).exit_code == 0
    shown = small.run("member", "leave", "dana@b.example")
    assert (shown.exit_code, "1  accounts they own (accounts)" in shown.output) == (0, True)
    assert "Nothing was changed." in shown.output
    wrong = small.run("member", "leave", "dana@b.example", "--yes")
    assert wrong.exit_code == 1
    assert "Say who gets what points at dana@b.example: accounts." in str(wrong.exception)
    assert small.run("member", "leave", "dana@b.example", "--give", "accounts").exit_code == 2
    done = small.json("member", "leave", "dana@b.example", "--to", "omar@b.example", "--yes", "--json")
    assert (done["left"], done["pointing"][0]["count"]) == (True, 1)
    assert small.run("member", "link", "dana@b.example").exit_code == 1


def test_at_the_command_line_a_colleague_is_away_and_back(small: Desk) -> None:
    for name in ("dana", "omar"):
        assert small.run("member", "add", f"{name}@b.example", "--role", "csm").exit_code == 0
    away = ("member", "away", "dana@b.example", "--delegate", "omar@b.example", "--until", "2099-01-01")
    assert "at most a year" in str(small.run(*away).exception)
    until = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    done = small.run(*away[:-1], until)
    assert (done.exit_code, done.output) == (0, f"dana@b.example is away until {until}; omar@b.example stands in.\n")
    assert small.run("member", "back", "dana@b.example").output == "dana@b.example is back.\n"
    assert "is not away" in str(small.run("member", "back", "dana@b.example").exception)
    assert small.run("member", "set", "dana@b.example", "--manager", "omar@b.example").exit_code == 0
    itself = small.run("member", "set", "dana@b.example", "--manager", "dana@b.example")
    assert "cannot be their own manager" in str(itself.exception)
