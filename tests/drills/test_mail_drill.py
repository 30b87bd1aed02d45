"""Real workers, really killed around the send: no letter twice, none lost, the doubtful ones listed."""

import json

import pytest
from typer.testing import CliRunner

from api.cli import build

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(240)]


def test_workers_killed_around_a_send_lose_nothing_and_repeat_nothing() -> None:
    """F02 and F13: on the wire, and after the verdict."""
    places = ["after_dot", "before_result"]
    options = [part for place in places for part in ("--place", place)]
    result = CliRunner().invoke(build(), ["drill", "mail", "--runs", "1", "--json", *options])
    assert result.exit_code == 0, result.output
    report = json.loads(result.output)
    assert report["holds"]
    found = {one["place"]: one for one in report["places"]}
    assert set(found) == set(places)
    for one in found.values():
        assert (one["letters"], one["twice"], one["lost"], one["not_sent"]) == (4, 0, 0, 0)
        assert one["broken"] == []
    assert (found["after_dot"]["sent"], found["after_dot"]["ambiguous"]) == (3, 1)
    assert (found["before_result"]["sent"], found["before_result"]["delivered"]) == (4, 4)


def test_a_place_that_does_not_exist_is_named_with_those_that_do() -> None:
    result = CliRunner().invoke(build(), ["drill", "mail", "--place", "after_lunch"])
    assert result.exit_code == 2
    assert "after_lunch" in result.output
    assert "before_dot" in result.output.replace("\n", " ")
