"""Nothing leaves for an address that is not public: by name, by number, or by a name that changes its mind."""

import json
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest
import trustme
from hypothesis import given, settings, strategies as st

from engine.definitions.addresses import NOT_PUBLIC, is_public, read_target, refusal
from engine.errors import Refused
from tests.workflows.channels.faulty_receiver import FaultyReceiver
from workflows.channels.egress import Egress, Forbidden, Unanswered, Unreached, allowed_urls

CASES = sorted((Path(__file__).parents[2] / "bad_input" / "webhook_urls").glob("*.json"))
OWN = "cs.example.com"
_FILL = 10_000


@dataclass
class Resolver:
    """Answers what it is told to, one list after another, and remembers what it was asked."""

    answers: list[Sequence[str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1] if self.answers else ()


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every connection that anything tries to make."""
    tried: list[object] = []

    def connect(address: object, *_: object, **__: object) -> socket.socket:
        tried.append(address)
        raise OSError("the canary")

    monkeypatch.setattr(socket, "create_connection", connect)
    return tried


def test_there_are_enough_hostile_urls() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_hostile_url_is_refused_with_its_sentence_and_no_packet_leaves(path: Path, canary: list[object]) -> None:
    """P8, P14. When the file is checked, and again when it would be called."""
    case = json.loads(path.read_text(encoding="utf-8"))
    url = case["url"].replace("{many}", "a" * _FILL)
    resolver = Resolver([case.get("answers", ["8.8.8.8"])])
    egress = Egress(own=frozenset({OWN}), resolver=resolver)
    with pytest.raises(Forbidden) as forbidden:
        egress.post(url, b"{}", {})
    said = f"check: {refusal(url) or 'nothing'}\ncall: {forbidden.value}\n"
    assert said == path.with_suffix(".problem").read_text(encoding="utf-8")
    assert canary == []
    assert len(resolver.asked) <= 1
    assert forbidden.value.permanent is (not resolver.asked)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/backcast?team=1",
        "https://8.8.8.8/hook",
        "https://[2606:4700:4700::1111]/",
        "https://[64:ff9b::808:808]:8443/",
        "https://xn--bcher-kva.example.com/",
        "HTTPS://Hooks.Example.com",
    ],
)
def test_a_public_address_is_called_at_the_address_that_was_checked(url: str, canary: list[object]) -> None:
    resolver = Resolver([["8.8.8.8", "2606:4700:4700::1111"]])
    with pytest.raises(Unreached, match="there was no connection"):
        Egress(resolver=resolver).post(url, b"{}", {})
    port = 8443 if ":8443" in url else 443
    assert canary == [("8.8.8.8", port), ("2606:4700:4700::1111", port)]


def test_a_name_is_asked_for_once_so_it_cannot_change_its_mind(canary: list[object]) -> None:
    """Rebinding: the second answer would be the metadata service."""
    resolver = Resolver([["8.8.8.8"], ["169.254.169.254"]])
    with pytest.raises(Unreached):
        Egress(resolver=resolver).post("https://hooks.example.com/", b"{}", {})
    assert resolver.asked == ["hooks.example.com"]
    assert canary == [("8.8.8.8", 443)]
    with pytest.raises(Forbidden):
        Egress(resolver=resolver).post("https://hooks.example.com/", b"{}", {})
    assert canary == [("8.8.8.8", 443)]


def test_a_name_without_an_answer_and_one_that_leads_inside_sound_the_same() -> None:
    """Nobody learns from us which names there are inside."""
    said = set()
    for answers in ([], ["10.0.0.7"], ["8.8.8.8", "10.0.0.7"], ["::1"]):
        with pytest.raises(Forbidden) as forbidden:
            Egress(resolver=Resolver([answers])).post("https://crm.example.com/", b"{}", {})
        said.add(str(forbidden.value))
    assert said == {NOT_PUBLIC}


def test_what_the_operator_allows_is_compared_as_a_whole() -> None:
    egress = Egress(allowed=allowed_urls("http://10.0.0.7:9000/hooks, https://crm.internal/a"))
    assert egress.refusal("http://10.0.0.7:9000/hooks", internal=True) == ""
    assert egress.refusal("HTTPS://CRM.internal/a") == ""
    for url in (
        "http://10.0.0.7:9000/hooks/",
        "http://10.0.0.7:9000/",
        "http://10.0.0.7/hooks",
        "https://crm.internal",
    ):
        said = egress.refusal(url, internal=True)
        assert said == "the operator has not allowed this URL: BACKCAST_ALLOW_EGRESS has to hold it, word for word"
    with pytest.raises(Refused, match="does not begin with https"):
        allowed_urls("https://crm.internal/a 10.0.0.7")


@given(st.integers(0, 2**32 - 1))
def test_an_address_wrapped_in_another_is_judged_by_what_is_inside(number: int) -> None:
    """Mapped and NAT64 addresses lead where the address inside them leads; nothing else that wraps one is public."""
    inside = IPv4Address(number)
    for wrapped in (0xFFFF << 32, 0x0064_FF9B << 96):
        assert is_public(IPv6Address(wrapped | number)) is is_public(inside)
    for wrapped in (0, 0xFFFF << 48, (0x2002 << 112) | (number << 80), (0x0064_FF9B_0001 << 80)):
        assert not is_public(IPv6Address(wrapped | number))


@given(st.integers(0, 2**32 - 1))
def test_no_private_address_is_public(number: int) -> None:
    """The standard library knows most of them; we refuse more, never fewer."""
    address = IPv4Address(number)
    assert address.is_global or not is_public(address)


@given(st.integers(0, 2**128 - 1))
def test_no_private_address_of_the_long_kind_is_public(number: int) -> None:
    address = IPv6Address(number)
    assert address.is_global or not is_public(address)


SIGNS = ("://", ":", "//", "/", "@", "?", "#", "[", "]", "%", "\\", ".", "..", "-", "_", "~", " ", "\n", "é")
WORDS = ("https", "hooks", "com", "127.0.0.1", "0x7f", "1", "443", "8443", "::1", "localhost", "xn--", "2130706433")


@settings(max_examples=500)
@given(st.lists(st.sampled_from(SIGNS + WORDS), max_size=10).map("".join))
def test_what_is_not_refused_another_program_reads_in_the_same_way(rest: str) -> None:
    """Where two programs could read a URL differently, one of them could be led inside."""
    url = f"https://hooks.example.com{rest}" if rest[:1] in "/?:" else f"https://{rest}"
    if refusal(url) == "":
        target, other = read_target(url), httpx.URL(url)
        assert (target.host, target.port) == (other.host, other.port or 443)
        assert target.path == other.raw_path.decode()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server(authority: trustme.CA, name: str, names: list[str | None]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    context.set_servername_callback(lambda _socket, asked, _context: names.append(asked))
    return context


def secure(authority: trustme.CA, receiver: FaultyReceiver) -> tuple[Egress, str]:
    """An egress that trusts the authority and finds hooks.example.com on the loopback."""
    url = f"https://hooks.example.com:{receiver.port}/hooks"
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return Egress(allowed_urls(url), resolver=Resolver([["127.0.0.1"]]), tls=trusting, seconds=5), url


def test_tls_is_spoken_with_the_name_at_the_address_that_was_checked(authority: trustme.CA) -> None:
    names: list[str | None] = []
    with FaultyReceiver(tls=server(authority, "hooks.example.com", names)) as receiver:
        egress, url = secure(authority, receiver)
        assert egress.post(url, b"{}", {"webhook-id": "msg_1"}).status == 200
    assert names == ["hooks.example.com"]
    assert receiver.calls[0].headers["host"] == f"hooks.example.com:{receiver.port}"


@pytest.mark.parametrize("fault", ["another name", "another authority", "no TLS"])
def test_with_a_certificate_that_does_not_fit_nothing_is_handed_over(authority: trustme.CA, fault: str) -> None:
    issuer = trustme.CA() if fault == "another authority" else authority
    name = "elsewhere.example.com" if fault == "another name" else "hooks.example.com"
    with FaultyReceiver(tls=None if fault == "no TLS" else server(issuer, name, [])) as receiver:
        egress, url = secure(authority, receiver)
        with pytest.raises(Unreached, match="there was no connection"):
            egress.post(url, b"{}", {})
    assert receiver.calls == []


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyReceiver() as proxy, FaultyReceiver() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert Egress(allowed_urls(receiver.url)).post(receiver.url, b"{}", {}).status == 200
    assert proxy.connections == 0


def test_a_name_that_takes_too_long_to_resolve_is_given_up_in_time() -> None:
    def slow(_host: str, _port: int) -> Sequence[str]:
        sleep(1)
        return ["8.8.8.8"]

    began = monotonic()
    with pytest.raises(Unreached, match=r"could not be resolved within 0\.1 seconds"):
        Egress(resolver=slow, seconds=0.1).post("https://hooks.example.com/", b"{}", {})
    assert monotonic() - began < 0.8


def test_an_address_that_is_dead_leaves_time_for_the_next(authority: trustme.CA) -> None:
    with FaultyReceiver() as dead:
        pass
    with FaultyReceiver() as receiver:
        url = receiver.url.replace("127.0.0.1", "hooks.example.com")
        egress = Egress(allowed_urls(url), resolver=Resolver([["127.0.0.2", "127.0.0.1"]]), seconds=5)
        assert egress.post(url, b"{}", {}).status == 200
    assert dead.connections == 0


def test_an_answer_that_comes_too_late_may_have_been_a_yes() -> None:
    with FaultyReceiver("silent") as receiver, pytest.raises(Unanswered, match=r"did not answer within 0\.3 seconds"):
        Egress(allowed_urls(receiver.url), seconds=0.3).post(receiver.url, b"{}", {})
