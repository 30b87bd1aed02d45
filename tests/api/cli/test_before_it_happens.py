"""What stands before anything happens: how far a plan reaches, and a stop where it would reach too far."""

import pytest

from engine.store.run_tables import DeliveryRow, OutboxRow, RunRow
from tests.api.cli.desk import Desk

BY = ("--author", "aino@example.com")
MANY = 70


def _crowd(desk: Desk) -> None:
    """Seventy more accounts, all of which use 30 of 100 seats, each with a champion."""
    keys = [f"more{number:02}" for number in range(MANY)]
    accounts = desk.write("more.csv", ["key,name", *(f"{key},{key}" for key in keys)])
    assert desk.run("ingest", "accounts", accounts).exit_code == 0
    rows = ["key,account,name,email,roles"]
    rows += [f"c-{key},{key},Champion {key},c@{key}.example,champion" for key in keys]
    assert desk.run("ingest", "contacts", desk.write("contacts.csv", rows)).exit_code == 0
    days = sorted({row.split(",")[2] for row in (desk.folder / "points.csv").read_text().splitlines()[1:]})
    points = [f"{key},active_users,{day},30" for key in keys for day in days]
    points += [f"{key},seats_sold,{days[0]},100" for key in keys]
    sent = desk.run("ingest", "points", desk.write("many.csv", ["account,metric,day,value", *points]))
    assert sent.exit_code == 0, sent.output


def test_a_good_looking_rule_that_matches_everybody_sends_nothing(small: Desk) -> None:
    """P6, F22: above its limit a rule starts nothing at all; a member is asked, and sees what a yes would send."""
    _crowd(small)
    plan = small.json("plan", "--json")
    starts = [one for one in plan["decisions"] if one["kind"] == "start"]
    assert starts == []
    assert "wants" in plan["asks"]["seats-unused"]
    counts = small.json("evaluate", "--json")
    assert (counts["starts"], counts["hold_outs"]) == (0, 0)
    assert [small.count(table) for table in (RunRow, OutboxRow, DeliveryRow)] == [0, 0, 0]
    assert small.run("plan").stdout.count("its limit is 50") <= 1, "it has been asked; the question stands in the inbox"


def test_definitions_that_would_start_that_much_are_not_applied_in_passing(small: Desk) -> None:
    """P6: `apply` stops above the limit, says for how many, and what to say to go on."""
    _crowd(small)
    done = small.run("apply", "--yes", *BY)
    assert done.exit_code == 1
    assert "rule seats-unused would go beyond its limit" in done.stderr
    assert "--accept-blast" in done.stderr
    assert small.json("bundles", "--json")["acts"] == []


def test_a_plan_says_how_many_messages_and_people_its_first_days_reach(desk: Desk) -> None:
    """P6: the blast radius in what customers and colleagues would notice of it."""
    rows = ["key,account,name,email,roles", "e1,empty,Eva Lund,eva@empty.example,champion"]
    assert desk.run("ingest", "contacts", desk.write("contacts.csv", rows)).exit_code == 0
    reach = desk.json("plan", "--json")["first_days"]
    assert (reach["days"], reach["messages"], reach["people"]) == (7, 1, 1)
    assert reach["tasks"] >= 1
    assert "In the first 7 days: messages 1, people written to 1" in desk.run("plan").stdout


@pytest.mark.parametrize("released", [False, True])
def test_a_simulation_shows_what_a_yes_would_do(small: Desk, *, released: bool) -> None:
    """F22: how far the rule would reach if somebody let it pass, before anybody does."""
    _crowd(small)
    found = small.json("simulate", "--days", "14", "--json", *(["--released"] if released else []))
    assert (found["starts"] > 50) is released
    assert bool(found["asks"]) is not released


def test_response_times_say_when_nothing_was_decided_yet(small: Desk) -> None:
    assert "No decision of the last 30 days started a run" in small.run("response-times").stdout
    assert small.json("evaluate", "--json")["starts"] == 1
    found = small.json("response-times", "--json")
    assert found["all"]["begun"] == {"runs": 0, "not_yet": 1, "seconds": {}}
    assert "nothing yet: run 1 of seat-activation for empty" in small.run("response-times").stdout
