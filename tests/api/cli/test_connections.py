"""``connections``: what is in the way of a connection is said before a playbook meets it."""

import base64

import pytest

from tests.api.cli.desk import Desk
from tests.workflows.channels.faulty_receiver import FaultyReceiver

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
FILE = """format: 1
connections:
  crm: {{kind: crm, url: "{url}", secret: "env:CRM_SECRET", internal: true}}
  out: {{kind: webhook, url: "https://xn--80ak6aa92e.example.com/x", secret: "env:CRM_SECRET"}}
  team: {{kind: chat, url: "env:TEAM_URL"}}
"""


def lay(desk: Desk, url: str) -> None:
    (desk.folder / "rules" / "connections.yaml").write_text(FILE.format(url=url), encoding="utf-8")


def test_the_list_says_what_is_in_the_way_and_shows_no_secret(small: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(small, "http://crm.internal:9000/hooks")
    before = small.json("connections", "list", "--json")
    empty = "the variable CRM_SECRET is empty: it has to hold the secret of {}"
    looks = "xn--80ak6aa92e.example.com (reads аррӏе.example.com)"
    assert before == [
        {"name": "crm", "kind": "crm", "host": "crm.internal", "problem": empty.format("crm")},
        {"name": "out", "kind": "webhook", "host": looks, "problem": empty.format("out")},
        {
            "name": "team",
            "kind": "chat",
            "host": "",
            "problem": "the variable TEAM_URL is empty: it has to hold the URL of team",
        },
    ]
    monkeypatch.setenv("CRM_SECRET", SECRET)
    monkeypatch.setenv("TEAM_URL", "https://chat.example.com/services/T0/B0/very-secret")
    [crm, out, team] = small.json("connections", "list", "--json")
    assert crm["problem"] == (
        "the operator has not allowed this URL: BACKCAST_ALLOW_EGRESS has to hold it, word for word"
    )
    assert (out["problem"], team["problem"], team["host"]) == ("", "", "chat.example.com")
    monkeypatch.setenv("BACKCAST_ALLOW_EGRESS", "http://crm.internal:9000/hooks")
    shown = small.run("connections", "list").output
    assert shown.count("nothing") == 3
    assert "very-secret" not in shown
    assert "whsec_" not in shown


def test_a_test_calls_once_and_says_what_came_back(small: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SECRET", SECRET)
    with FaultyReceiver() as receiver:
        lay(small, receiver.url)
        monkeypatch.setenv("BACKCAST_ALLOW_EGRESS", receiver.url)
        done = small.run("connections", "test", "crm")
        assert (done.exit_code, done.output) == (0, "crm answered 200.\n")
        receiver.mode = "503"
        done = small.run("connections", "test", "crm")
        assert (done.exit_code, done.output) == (1, "It did not work: crm answered 503.\n")
        assert [call.headers["webhook-id"][:9] for call in receiver.calls] == ["msg_test_"] * 2
        assert small.run("hold", "--reason", "wait", "--author", "a@b.example").exit_code == 0
        held = small.run("connections", "test", "crm")
        assert held.exit_code == 1
        assert str(held.exception).startswith("Nothing was called: a@b.example put everything on hold")
        assert len(receiver.calls) == 2
    unknown = small.run("connections", "test", "crn")
    assert str(unknown.exception) == (
        'There is no connection "crn" in rules/connections.yaml; connections: crm, out, team.'
    )


def test_nobody_is_turned_on_who_was_not_off(small: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SECRET", SECRET)
    url = "http://crm.internal:9000/hooks"
    lay(small, url)
    monkeypatch.setenv("BACKCAST_ALLOW_EGRESS", url)
    assert small.run("connections", "enable", "crm", "--author", "a@b.example").output == "crm was not turned off.\n"


def test_a_member_is_mailed_as_often_as_said(small: Desk) -> None:
    """S2-56."""
    assert small.run("member", "add", "jo@example.com", "--role", "csm").exit_code == 0
    done = small.run("member", "mails", "jo@example.com", "daily")
    assert (done.exit_code, done.output) == (0, "jo@example.com is mailed: daily.\n")
    assert small.run("member", "mails", "jo@example.com", "hourly").exit_code == 2
    assert "no member has the address" in str(small.run("member", "mails", "no@example.com", "daily").exception)
