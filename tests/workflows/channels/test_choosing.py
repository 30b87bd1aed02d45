"""What an installation calls and sends by follows from its settings, and a setting that cannot be used is named."""

from pathlib import Path

import pytest

from engine.definitions.connection import Connection
from engine.definitions.problem import Place
from engine.errors import Refused
from engine.settings import Settings
from workflows.channels.choosing import choose_caller, choose_channel
from workflows.channels.file import FileChannel
from workflows.channels.smtp import SmtpChannel


def problem(settings: Settings, url: str, *, internal: bool = False) -> str:
    connection = Connection("team", "chat", Place("rules/connections.yaml"), url=url, internal=internal)
    return choose_caller(settings, {}).problem(connection)


def test_letters_become_files_or_go_to_a_relay(tmp_path: Path) -> None:
    assert isinstance(choose_channel(Settings(data=str(tmp_path))), FileChannel)
    assert isinstance(choose_channel(Settings(channel="smtp")), SmtpChannel)


def test_what_the_operator_allows_can_be_called() -> None:
    """P8."""
    url = "http://10.0.0.7:9000/hooks"
    assert problem(Settings(allow_egress=f"https://a.internal/x {url}"), url, internal=True) == ""
    assert problem(Settings(), url, internal=True).startswith("the operator has not allowed this URL")


def test_an_installation_does_not_call_itself() -> None:
    settings = Settings(base_url="https://cs.example.com")
    assert problem(settings, "https://cs.example.com/v1/points") == "the URL leads back to this installation"
    assert problem(settings, "https://hooks.example.com/") == ""


@pytest.mark.parametrize("base_url", ["", "http://[", "nonsense", "http://127.0.0.1:8700"])
def test_an_address_of_our_own_that_nobody_could_call_forbids_nothing(base_url: str) -> None:
    assert problem(Settings(base_url=base_url), "https://hooks.example.com/") == ""


def test_an_allowed_url_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(Refused, match=r"^BACKCAST_ALLOW_EGRESS is not usable: the URL does not begin with https://"):
        choose_caller(Settings(allow_egress="10.0.0.7:9000"), {})
