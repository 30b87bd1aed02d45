"""What is known about a call after every way in which a receiver can fail, and what a receiver can rely on."""

import base64
import hashlib
import hmac
import json
import resource
from datetime import UTC, datetime
from email.utils import format_datetime
from time import monotonic

import pytest

from engine.definitions.connection import Connection
from engine.definitions.problem import Place
from engine.terms import DeliveryState
from tests.workflows.channels.faulty_receiver import FaultyReceiver
from workflows.channels.egress import Answer, Egress, allowed_urls
from workflows.channels.webhook import Caller, Told, signature, told

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = json.dumps({"type": "backcast.note", "data": {"text": "Zoë"}}, ensure_ascii=False)
SENT, NOT_SENT, AMBIGUOUS = DeliveryState.SENT, DeliveryState.NOT_SENT, DeliveryState.AMBIGUOUS


def connection(url: str, **more: object) -> Connection:
    return Connection("crm", "crm", Place("rules/connections.yaml"), url=url, secret="CRM_SECRET", **more)  # type: ignore[arg-type]  # any field


def call(receiver: FaultyReceiver, *, seconds: float = 5.0, **environment: str) -> Told:
    egress = Egress(allowed=allowed_urls(receiver.url), seconds=seconds)
    caller = Caller(egress, {"CRM_SECRET": SECRET, **environment})
    return caller.call(connection(receiver.url, internal=True), "msg_1", BODY, AT)


@pytest.mark.parametrize(
    ("mode", "state", "permanent", "wait"),
    [
        ("200", SENT, False, None),
        ("204", SENT, False, None),
        ("500", NOT_SENT, False, None),
        ("503 Retry-After: 120", NOT_SENT, False, 120.0),
        ("429 Retry-After: Tue, 01 Sep 2026 10:00:30 GMT", NOT_SENT, False, 30.0),
        ("429 Retry-After: soon", NOT_SENT, False, None),
        ("429 Retry-After: 999999999", NOT_SENT, False, 86_400.0),
        ("404", NOT_SENT, False, None),
        ("422", NOT_SENT, True, None),
        ("410", NOT_SENT, True, None),
        ("302 Location: http://169.254.169.254/latest/meta-data", NOT_SENT, True, None),
        ("308 Location: https://hooks.example.com/elsewhere", NOT_SENT, True, None),
        ("silent", AMBIGUOUS, False, None),
        ("drop", AMBIGUOUS, False, None),
        ("slow", AMBIGUOUS, False, None),
        ("babble", AMBIGUOUS, False, None),
        ("slow body", SENT, False, None),
        ("huge", SENT, False, None),
        ("bomb", SENT, False, None),
    ],
)
def test_the_verdict_says_what_is_certain(mode: str, state: DeliveryState, *, permanent: bool, wait: float) -> None:
    """P1: what may have arrived is not called unsent. Within the deadline, whatever the receiver does."""
    began = monotonic()
    with FaultyReceiver(mode) as receiver:
        found = call(receiver, seconds=0.5)
        assert monotonic() - began < 1.5
    assert (found.state, found.permanent, found.wait) == (state, permanent, wait), found.reason
    assert found.gone is (mode == "410")
    assert len(receiver.calls) == 1
    assert receiver.connections == 1, "a redirect is not followed"
    assert "whsec" not in found.reason


def test_nothing_is_kept_of_what_a_receiver_says() -> None:
    """Neither a body without end nor a compressed one takes memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for mode in ("huge", "bomb"):
        with FaultyReceiver(mode) as receiver:
            assert call(receiver).state is SENT
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 32 * 1024, "KiB"
    assert receiver.sent < 10_000_000


def test_a_receiver_that_does_not_read_cannot_stretch_the_deadline() -> None:
    with FaultyReceiver("stop reading") as receiver:
        egress = Egress(allowed=allowed_urls(receiver.url), seconds=0.4)
        began = monotonic()
        caller = Caller(egress, {"CRM_SECRET": SECRET})
        found = caller.call(connection(receiver.url), "msg_1", "x" * 20_000_000, AT)
        assert monotonic() - began < 1.5
    assert found.state is AMBIGUOUS


def test_where_nobody_listens_nothing_was_handed_over() -> None:
    with FaultyReceiver() as receiver:
        pass
    found = call(receiver)
    assert (found.state, found.permanent) == (NOT_SENT, False)
    assert found.reason.startswith("crm could not be reached: there was no connection")


def test_a_call_is_signed_as_standard_webhooks_says() -> None:
    with FaultyReceiver() as receiver:
        assert call(receiver).state is SENT
    [got] = receiver.calls
    assert got.line == "POST /hooks HTTP/1.1"
    assert got.body == BODY
    assert got.headers["content-type"] == "application/json"
    assert (got.headers["webhook-id"], got.headers["webhook-timestamp"]) == ("msg_1", str(int(AT.timestamp())))
    signed = f"msg_1.{int(AT.timestamp())}.{BODY}".encode()
    ours = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{ours}"
    assert got.headers["accept-encoding"] == "identity"


def test_the_signature_is_that_of_the_published_example() -> None:
    """The test vector of the specification's own libraries."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signature((key,), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_replaced_both_sign() -> None:
    """Whoever still knows the old one, and whoever knows the new one already, can check the call."""
    with FaultyReceiver() as receiver:
        assert call(receiver, CRM_SECRET_OLD=OLD).state is SENT
    signatures = receiver.calls[0].headers["webhook-signature"].split()
    expected = signature((b"k" * 32, b"o" * 32), "msg_1", int(AT.timestamp()), BODY)
    assert len(signatures) == 2
    assert " ".join(signatures) == expected


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("", "the variable CRM_SECRET is empty: it has to hold the secret of crm"),
        ("whsec_short", "the variable CRM_SECRET holds no secret: write whsec_ and 24 to 64 random bytes in base64"),
        (
            "not base64 at all!",
            "the variable CRM_SECRET holds no secret: write whsec_ and 24 to 64 random bytes in base64",
        ),
    ],
)
def test_without_a_secret_nothing_is_called_and_the_sentence_does_not_show_it(secret: str, says: str) -> None:
    with FaultyReceiver() as receiver:
        found = call(receiver, CRM_SECRET=secret)
    assert found == Told(NOT_SENT, says)
    assert receiver.connections == 0


def test_a_chat_is_called_without_a_signature_at_the_url_of_its_variable() -> None:
    with FaultyReceiver() as receiver:
        chat = Connection("team", "chat", Place("rules/connections.yaml"), url_from="TEAM_URL")
        egress = Egress(allowed=allowed_urls(receiver.url))
        assert Caller(egress, {}).call(chat, "msg_1", BODY, AT).reason == (
            "the variable TEAM_URL is empty: it has to hold the URL of team"
        )
        assert Caller(egress, {"TEAM_URL": receiver.url}).call(chat, "msg_1", BODY, AT).state is SENT
    assert "webhook-signature" not in receiver.calls[0].headers


def test_a_retry_after_without_a_zone_is_in_utc() -> None:
    text = format_datetime(AT.replace(minute=1, tzinfo=None)).replace("-0000", "")
    assert told("crm", Answer(503, text), AT).wait == 60.0
    assert told("crm", Answer(503, format_datetime(AT.replace(hour=1))), AT).wait == 0.0
