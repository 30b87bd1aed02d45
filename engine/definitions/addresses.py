"""Where a call may go: the rules of a URL that can be told without asking anybody. Pure; resolving is the channel's.

A URL is taken apart here and nowhere else, by a grammar that is stricter than any browser's: what two programs could
read differently is refused. No sentence repeats the URL, because the address of a chat is a secret.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from engine.errors import Refused

LONGEST: Final = 2_000
"""Characters of a URL."""
PORTS: Final = frozenset({443, 8443})
"""Ports of calls into the world. A connection marked internal may name another."""
_WORDS: Final = "443 and 8443"
NOT_PUBLIC: Final = (
    "the URL does not lead to a public address: "
    "if that is meant, the connection says internal: true and the operator allows this very URL"
)
"""The one sentence for every address inside, and for a name without an answer: nobody learns from it what is there."""

_PLAIN: Final = re.compile(r"[!$-;=?-Z_a-z~\[\]#%]*")
_URL: Final = re.compile(r"(https?)://([^/?#]*)(/[^?#]*)?(\?[^#]*)?", re.IGNORECASE)
_BRACKETS: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?")
_NAMED: Final = re.compile(r"([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_INSIDE: Final = frozenset(
    {"corp", "home", "home.arpa", "internal", "intranet", "lan", "local", "localdomain", "localhost", "private"}
)
_WORLD_6: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_DENIED_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_DENIED_6: Final = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
"""Teredo and its neighbours, examples, 6to4: inside the world's range, and not for calls."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. ``host`` is in small letters, an IPv6 address without brackets; ``path`` has the query."""

    scheme: str
    host: str
    port: int
    path: str


def read_target(url: str) -> Target:
    """Take a URL apart. Raises `Refused` with why it is none that a call can go to."""
    if len(url) > LONGEST:
        raise Refused(f"the URL has more than {LONGEST:,} characters: shorten it")
    if not url.isascii():
        raise Refused('the URL holds letters beyond a to z: write the name in its "xn--" form')
    if not _PLAIN.fullmatch(url):
        raise Refused(
            "the URL holds a character that none may have, such as a space, a quote or a backslash: write it with %"
        )
    if "#" in url:
        raise Refused('what stands after "#" in the URL is never sent: leave it out')
    found = _URL.fullmatch(url)
    if found is None:
        raise Refused("the URL does not begin with https:// and a host: write https://hooks.example.com/path")
    scheme, authority, path, query = found.groups(default="")
    if {".", ".."} & set(path.split("/")):
        raise Refused('the URL\'s path goes by way of "." or "..", which not all read alike: write where it ends')
    host, port = _host_and_port(authority)
    return Target(scheme.lower(), host, port or (443 if scheme.lower() == "https" else 80), (path or "/") + query)


def refusal(url: str, *, internal: bool = False) -> str:
    """Why calls may not go to a URL, as far as the URL itself says; empty when they may.

    ``internal``: the author means an address inside, so scheme, port and place are left to the operator.
    """
    try:
        target = read_target(url)
    except Refused as refused:
        return str(refused)
    if internal:
        return ""
    if target.scheme != "https":
        return "what is sent to an http:// URL can be read and changed on the way: write https://"
    if target.port not in PORTS:
        return f"port {target.port} is not called: ports are {_WORDS}; another with internal: true beside it"
    return "" if may_be_public(target.host) else NOT_PUBLIC


def refused(url: str, *, internal: bool = False) -> tuple[str, str]:
    """`refusal` for the author of a file: what is wrong, and what to write; both empty when calls may go there."""
    wrong, _, hint = refusal(url, internal=internal).partition(": ")
    return wrong, hint


def may_be_public(host: str) -> bool:
    """Whether a host is a public address, or a name that could have one."""
    literal = _literal(host)
    if literal is not None:
        return is_public(literal)
    labels = host.split(".")
    return len(labels) > 1 and not any(".".join(labels[-count:]) in _INSIDE for count in (1, 2))


def is_public(address: IPv4Address | IPv6Address | str) -> bool:
    """Whether an address is out in the world, whatever it is wrapped in. What is no address is not."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _DENIED_4)
    if found.ipv4_mapped is not None:
        return is_public(found.ipv4_mapped)
    if found in _NAT64:
        return is_public(IPv4Address(int(found) & 0xFFFF_FFFF))
    return found.scope_id is None and found in _WORLD_6 and not any(found in network for network in _DENIED_6)


def reads_as(url: str) -> str:
    """How a name with ``xn--`` reads, so that a person can see whether it is the one they mean; empty without one."""
    host = read_target(url).host
    if not any(label.startswith("xn--") for label in host.split(".")):
        return ""
    try:
        return ".".join(_shown(label) for label in host.split("."))
    except UnicodeError:
        return "nothing: it is not well-formed"


def _shown(label: str) -> str:
    return label[4:].encode().decode("punycode") if label.startswith("xn--") else label


def _host_and_port(authority: str) -> tuple[str, int]:
    if "@" in authority:
        raise Refused("the URL holds a user name or password: calls are signed, so write secret: env:NAME instead")
    if not authority:
        raise Refused("the URL has no host: write https://hooks.example.com/path")
    found = _BRACKETS.fullmatch(authority) or _NAMED.fullmatch(authority)
    if found is None:
        raise Refused(
            "the URL's host is no name and no address, perhaps with a port behind it: write hooks.example.com"
        )
    host, port = found.group(1).lower(), found.group(2)
    number = int(port) if port is not None else 0
    if port is not None and not 0 < number < 65_536:
        raise Refused(f"{port} is not a port: ports are {_WORDS}")
    if authority.startswith("["):
        return _address(host), number
    return _name(host), number


def _name(host: str) -> str:
    if host.endswith("."):
        raise Refused("the URL's host ends with a dot: leave it out")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused("the URL's host is no name: names are letters, digits and hyphens, with dots between")
    if not _NUMBER.fullmatch(labels[-1]):
        return host
    try:
        return str(IPv4Address(host))
    except ValueError:
        raise Refused("the URL's host is a number that programs read differently: write the host's name") from None


def _address(host: str) -> str:
    try:
        return str(IPv6Address(host))
    except ValueError:
        raise Refused("what stands in brackets in the URL is no IPv6 address: write the host's name") from None


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
