"""What is known about a letter after every way in which a relay can fail."""

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from engine.terms import DeliveryState
from tests.workflows.channels.faulty_relay import FaultyRelay
from workflows.channels.letter import Letter
from workflows.channels.smtp import TURNED_AWAY, SmtpChannel

LETTER = Letter(
    message_id="<1f2e@example.com>",
    sender="success@example.com",
    to_name="Ann Zoë",
    to_address="ann@customer.example",
    subject="Your seats – a plan",
    text="Hello Ann\n.\n.. and a line that begins with dots\n",
    html="<p>Hello Ann</p>",
    unsubscribe_url="https://cs.example.com/u/token",
)
SENT, NOT_SENT, AMBIGUOUS = DeliveryState.SENT, DeliveryState.NOT_SENT, DeliveryState.AMBIGUOUS


@pytest.mark.parametrize(
    ("fault", "state", "permanent"),
    [
        ("", SENT, False),
        ("refuse", NOT_SENT, False),
        ("banner:drop", NOT_SENT, False),
        ("banner:silent", NOT_SENT, False),
        ("banner:421", NOT_SENT, False),
        ("ehlo:drop", NOT_SENT, False),
        ("mail:451", NOT_SENT, False),
        ("mail:550", NOT_SENT, True),
        ("mail:drop", NOT_SENT, False),
        ("rcpt:450", NOT_SENT, False),
        ("rcpt:421", NOT_SENT, False),
        ("rcpt:550", NOT_SENT, True),
        ("rcpt:silent", NOT_SENT, False),
        ("data:452", NOT_SENT, False),
        ("data:554", NOT_SENT, True),
        ("data:250", NOT_SENT, False),
        ("data:drop", NOT_SENT, False),
        ("body:drop", AMBIGUOUS, False),
        ("dot:451", NOT_SENT, False),
        ("dot:554", NOT_SENT, True),
        ("dot:drop", AMBIGUOUS, False),
        ("dot:silent", AMBIGUOUS, False),
        ("dot:nonsense", AMBIGUOUS, False),
        ("quit:drop", SENT, False),
        ("quit:silent", SENT, False),
        ("quit:500", SENT, False),
    ],
)
def test_the_verdict_says_what_is_certain(fault: str, state: DeliveryState, *, permanent: bool) -> None:
    with FaultyRelay(fault) as relay:
        verdict = SmtpChannel("127.0.0.1", relay.port, seconds=0.3).send(LETTER)
    assert (verdict.state, verdict.permanent) == (state, permanent), verdict.reason
    assert verdict.reason
    if state is SENT:
        assert len(relay.taken) == 1
    if state is NOT_SENT:
        assert relay.taken == []


class Collector:
    """The handler of a real SMTP server: keeps what it is given."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 # its name
        """Take one message."""
        self.envelopes.append(envelope)
        return "250 taken"


def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"backcast", b"right"), handled=False)


@pytest.fixture
def relay() -> Iterator[tuple[Collector, int]]:
    collector = Collector()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    controller = Controller(
        collector,
        hostname="127.0.0.1",
        port=port,
        authenticator=authenticate,
        auth_require_tls=False,
    )
    controller.start()
    yield collector, port
    controller.stop()


def test_a_real_server_receives_the_letter_as_it_was_written(relay: tuple[Collector, int]) -> None:
    """The body keeps its leading dots, and one click can unsubscribe (RFC 8058)."""
    collector, port = relay
    verdict = SmtpChannel("127.0.0.1", port, user="backcast", password="right").send(LETTER)
    assert verdict.state is SENT
    [envelope] = collector.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("success@example.com", ["ann@customer.example"])
    assert isinstance(envelope.content, bytes)
    read: EmailMessage = message_from_bytes(envelope.content, policy=policy.default)
    assert str(read["Subject"]) == "Your seats – a plan"
    assert str(read["To"]) == "Ann Zoë <ann@customer.example>"
    assert read["Message-ID"] == "<1f2e@example.com>"
    assert read["List-Unsubscribe"] == "<https://cs.example.com/u/token>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = read.get_body(("plain",)), read.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines()[:3] == ["Hello Ann", ".", ".. and a line that begins with dots"]
    assert "https://cs.example.com/u/token" in text.get_content()
    assert "https://cs.example.com/u/token" in html.get_content()


def test_a_wrong_password_sends_nothing_and_says_so(relay: tuple[Collector, int]) -> None:
    collector, port = relay
    verdict = SmtpChannel("127.0.0.1", port, user="backcast", password="wrong").send(LETTER)
    assert verdict.state is NOT_SENT
    assert "535" in verdict.reason
    assert collector.envelopes == []


def test_an_address_that_a_relay_does_not_know_is_told_from_other_refusals() -> None:
    for fault, is_address in (("rcpt:550", True), ("mail:550", False), ("data:550", False)):
        with FaultyRelay(fault) as relay:
            verdict = SmtpChannel("127.0.0.1", relay.port).send(LETTER)
        assert verdict.reason.startswith(TURNED_AWAY) == is_address, verdict.reason
