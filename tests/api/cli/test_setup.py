"""``migrate``, ``member`` and ``key``: what an operator types first."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import build
from engine.errors import NotFound, Refused
from engine.store import members
from engine.store.sessions import connect


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(build(), [*arguments, "--data", str(folder)])


def test_migrating_says_what_it_did_and_can_be_repeated(tmp_path: Path) -> None:
    assert re.search(r"at version \w+\.$", run(tmp_path, "migrate").output.strip())
    assert "already" in run(tmp_path, "migrate").output


def test_a_member_is_added_with_a_link_that_signs_in(tmp_path: Path) -> None:
    done = run(tmp_path, "member", "add", "jo@example.com", "--role", "csm", "--role", "author", "--name", "Jo")
    assert done.exit_code == 0
    again = run(tmp_path, "member", "link", "jo@example.com", "--json")
    links = [done.output.strip(), json.loads(again.output)["link"]]
    store = connect(f"sqlite:///{tmp_path}/backcast.db")
    for link in links:
        address, _, token = link.rpartition("/")
        assert address == "http://127.0.0.1:8700/sign-in"
        with store.begin() as session:
            signed_in = members.sign_in(session, token, datetime.now(UTC))
            member = members.by_session(session, signed_in.token, datetime.now(UTC))
        assert member is not None
        assert (member.name, sorted(member.roles)) == ("Jo", ["author", "csm"])
    store.close()


def test_an_ingest_key_is_shown_once_and_can_be_revoked(tmp_path: Path) -> None:
    secret = run(tmp_path, "key", "add", "warehouse").output.strip()
    store = connect(f"sqlite:///{tmp_path}/backcast.db")
    with store.read() as session:
        assert members.key_name(session, secret) == "warehouse"
    assert run(tmp_path, "key", "revoke", "warehouse").exit_code == 0
    with store.read() as session:
        assert members.key_name(session, secret) is None
    store.close()


def test_what_cannot_be_done_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="backcast member add"):
        CliRunner().invoke(
            build(), ["member", "link", "jo@example.com", "--data", str(tmp_path)], catch_exceptions=False
        )
    with pytest.raises(Refused, match="is not an e-mail address"):
        CliRunner().invoke(
            build(), ["member", "add", "jo", "--role", "csm", "--data", str(tmp_path)], catch_exceptions=False
        )
    assert run(tmp_path, "member", "add", "jo@example.com", "--role", "boss").exit_code == 2
