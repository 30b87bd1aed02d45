"""``simulate`` in a fresh workspace: what a run would do, in the terminal, as JSON and as a page."""

from engine.store.run_tables import DeliveryRow, RunRow, StepRow, TaskRow
from tests.api.cli.desk import Desk

_WRITTEN = (RunRow, StepRow, TaskRow, DeliveryRow)


def _peopled(desk: Desk) -> Desk:
    rows = ["key,account,name,email,roles", "e1,empty,Eva Lund,eva@empty.example,champion"]
    done = desk.run("ingest", "contacts", desk.write("contacts.csv", rows))
    assert done.exit_code == 0, done.output
    return desk


def test_a_run_is_shown_from_its_first_step_to_its_end(desk: Desk) -> None:
    done = _peopled(desk).run("simulate", "seat-activation", "--account", "empty")
    assert done.exit_code == 0, done.output
    for text in ("as rule seats-unused would start it now", "Subject:", "to Eva Lund", "if the condition held", "due "):
        assert text in done.stdout
    assert "Nothing was written, nothing was sent." in done.stdout
    assert [desk.count(table) for table in _WRITTEN] == [0, 0, 0, 0]


def test_without_an_account_one_is_chosen_that_has_the_people_it_writes_to(desk: Desk) -> None:
    found = _peopled(desk).json("simulate", "seat-activation", "--json")
    assert (found["account"], found["mode"]) == ("empty", "automatic")
    assert found["counts"]["messages"] >= 1


def test_the_page_shows_the_messages_as_they_would_look(desk: Desk) -> None:
    page = _peopled(desk).run("simulate", "seat-activation", "--account", "empty", "--html", "-").stdout
    assert page.startswith("<!doctype html>")
    assert "Eva" in page
    assert "eva@empty.example" not in page
    assert "<script" not in page


def test_a_mode_can_be_asked_for(desk: Desk) -> None:
    found = desk.json("simulate", "check-in", "--account", "full", "--mode", "approve", "--json")
    assert found["entries"][0]["kind"] == "gate"
    assert found["rule"] == ""


def test_a_playbook_or_an_account_that_is_not_there_is_named(desk: Desk) -> None:
    for arguments, told in (
        (("simulate", "seat-activatoin"), "seat-activation"),
        (("simulate", "seat-activation", "--account", "nobody"), 'no account "nobody"'),
    ):
        done = desk.run(*arguments)
        assert done.exit_code == 1
        assert told in str(done.exception)


def test_the_portfolio_is_told_with_what_is_assumed(desk: Desk) -> None:
    done = _peopled(desk).run("simulate", "--days", "30")
    assert done.exit_code == 0, done.output
    for text in ("1 start now", "seat-activation", "messages", "tasks for", "assumed: Data and signals stay"):
        assert text in done.stdout
    assert [desk.count(table) for table in _WRITTEN] == [0, 0, 0, 0]


def test_the_portfolio_as_json_and_as_a_page(desk: Desk) -> None:
    found = _peopled(desk).json("simulate", "--json")
    assert (found["accounts"], found["starts"], found["days"]) == (3, 1, 90)
    assert sum(found["mails"]["per_day"]) == found["mails"]["planned"] >= 1
    page = desk.run("simulate", "--html", "-").stdout
    assert "<svg" in page
    assert "<script" not in page


def test_an_account_without_a_playbook_is_a_question_nobody_asked(desk: Desk) -> None:
    done = desk.run("simulate", "--account", "empty")
    assert done.exit_code == 2
    assert "name its PLAYBOOK" in done.stderr


def test_what_is_left_of_an_open_run_is_asked_for_by_its_number(desk: Desk) -> None:
    assert _peopled(desk).run("evaluate").exit_code == 0
    done = desk.run("simulate", "--run", "1")
    assert done.exit_code == 0, done.output
    assert "what is left of run 1" in done.stdout
    assert desk.run("simulate", "check-in", "--run", "1").exit_code == 2
    assert "There is no run 99" in str(desk.run("simulate", "--run", "99").exception)
