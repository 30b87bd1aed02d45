"""The serving commands: links lead to the port in use, a taken port is a sentence, refusals are never tracebacks."""

import socket
import subprocess
import sys

import pytest

from api.cli import build
from api.cli.processes import listening
from api.cli.serve import reached_at
from engine.errors import Refused
from engine.settings import Settings


def test_links_lead_to_the_port_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKCAST_BASE_URL", raising=False)
    assert reached_at(Settings(), "127.0.0.1", 9000).base_url == "http://127.0.0.1:9000"
    assert reached_at(Settings(), "0.0.0.0", 9000).base_url == "http://127.0.0.1:9000"  # noqa: S104 # not bound


def test_an_address_somebody_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKCAST_BASE_URL", "https://cs.example")
    assert reached_at(Settings(), "127.0.0.1", 9000).base_url == "https://cs.example"


def test_a_taken_port_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"127.0.0.1:{port}.*choose another --port"), listening("127.0.0.1", port):
            pass


def test_every_command_is_registered_once() -> None:
    names = [command.name or command.callback.__name__ for command in build().registered_commands if command.callback]
    assert {"serve", "api", "worker", "plan", "check"} <= set(names)
    assert len(names) == len(set(names))


def test_a_refusal_is_one_line_and_no_traceback() -> None:
    program = "import sys; from api.cli import main; sys.argv = ['backcast', 'nonsense']; main()"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=100)
    assert found.returncode == 2
    assert "nonsense" in found.stderr
    assert "Traceback" not in found.stderr
