"""The one way out over HTTP, and its guard: no packet leaves for an address that is not public.

A URL is taken apart by `engine.definitions.addresses`, its name is resolved once, *every* answer must be public, and
the connection goes to an answer that was checked, with the name still in ``Host`` and in TLS. There are no redirects,
no proxies from the environment, no decompression; a deadline holds over everything together, and of an answer no more
than the status, one header and 64 KiB are read. Only what the operator allows word for word may lead inside.

This is `httpcore`, the transport beneath httpx, because what is dialled is decided there: nothing above can dial
something else.
"""

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, TypeAlias

import httpcore

from engine.definitions.addresses import NOT_PUBLIC, Target, is_public, read_target, refusal
from engine.errors import EngineError

SECONDS: Final = 20.0
"""From resolving the name to the end of the answer."""
MOST: Final = 64 * 1024
"""Bytes of an answer's body that are taken before the connection is closed."""
_CHUNK: Final = 16 * 1024
_USUAL: Final = {"http": 80, "https": 443}
_FIXED: Final = (("Accept-Encoding", "identity"), ("Connection", "close"), ("User-Agent", "Backcast"))
_NO_ANSWER: Final = "it did not answer within {:g} seconds"

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]


class Forbidden(EngineError):
    """A call was not made, because it must not go there. The sentence says why, not what is there.

    ``permanent``: it is the URL itself, so trying again changes nothing.
    """

    def __init__(self, sentence: str, *, permanent: bool) -> None:
        super().__init__(sentence)
        self.permanent = permanent


class Unreached(EngineError):
    """Nothing was handed over: there was no connection."""


class Unanswered(EngineError):
    """A call was handed over, at least in part, and no answer came: it may have arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said: the status, and how long to wait (the header as it stands; empty without one)."""

    status: int
    retry_after: str = ""


def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a host; none where it has no name. Asks the system."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True, eq=False)
class Egress:
    """Calls out of the building. Thread-safe; a connection per call.

    ``allowed``: URLs the operator allows although they lead inside, each compared as a whole. ``own``: hosts of this
    installation, which it does not call. ``resolver`` and ``tls`` are the system's unless given.
    """

    allowed: frozenset[Target] = frozenset()
    own: frozenset[str] = frozenset()
    resolver: Resolver = resolve
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    seconds: float = SECONDS

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Hand ``body`` over, once. Raises `Forbidden`, `Unreached` or `Unanswered`."""
        clock = _Clock(monotonic() + self.seconds, self.seconds)
        target = self._target(url)
        dialled = _Dialled(self._addresses(target, clock), clock)
        pool = httpcore.ConnectionPool(ssl_context=self.tls, max_connections=1, network_backend=dialled)
        host = f"[{target.host}]" if ":" in target.host else target.host
        named = host if target.port == _USUAL[target.scheme] else f"{host}:{target.port}"
        request = httpcore.Request(
            "POST",
            httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path),
            headers=[("Host", named), *headers.items(), *_FIXED, ("Content-Length", str(len(body)))],
            content=body,
        )
        try:
            with pool:
                return _said(pool.handle_request(request))
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            why = _words(error, clock)
            raise (Unanswered if dialled.handed_over else Unreached)(why) from None

    def refusal(self, url: str, *, internal: bool = False) -> str:
        """Why no call goes to a URL, as far as that can be told without asking for its name; empty when one may."""
        if why := refusal(url, internal=True):
            return why
        target = read_target(url)
        if target in self.allowed:
            return ""
        if internal:
            return "the operator has not allowed this URL: BACKCAST_ALLOW_EGRESS has to hold it, word for word"
        if target.host in self.own:
            return "the URL leads back to this installation"
        return refusal(url)

    def _target(self, url: str) -> Target:
        if why := self.refusal(url):
            raise Forbidden(why, permanent=True)
        return read_target(url)

    def _addresses(self, target: Target, clock: "_Clock") -> Sequence[str]:
        found = _in_time(lambda: self.resolver(target.host, target.port), clock)
        if found is None:
            raise Unreached(f"the name could not be resolved within {self.seconds:g} seconds")
        if target in self.allowed:
            if not found:
                raise Unreached("the name could not be resolved")
            return found
        if not found or not all(is_public(address) for address in found):
            raise Forbidden(NOT_PUBLIC, permanent=False)
        return found


def allowed_urls(text: str) -> frozenset[Target]:
    """The URLs of a setting, with spaces or commas between. Raises `Refused` for one that is none."""
    return frozenset(read_target(url) for url in text.replace(",", " ").split())


@dataclass(frozen=True, slots=True)
class _Clock:
    """When a call has to be over."""

    end: float
    seconds: float

    def left(self) -> float:
        """Seconds left. Raises the transport's time-out when there are none."""
        left = self.end - monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left


@dataclass(slots=True, eq=False)
class _Dialled(httpcore.NetworkBackend):
    """Connects to addresses that were checked, whatever it is asked for."""

    addresses: Sequence[str]
    clock: _Clock
    handed_over: bool = False

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 # the name was resolved and checked already, once
        port: int,
        timeout: float | None = None,  # noqa: ARG002 # one deadline holds over everything
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers."""
        inner = httpcore.SyncBackend()
        for address in self.addresses[:-1]:
            # A fair share each, so that one dead address does not use up the time of the others.
            share = self.clock.left() / len(self.addresses)
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return _Timed(inner.connect_tcp(address, port, share, local_address, socket_options), self)
        last = inner.connect_tcp(self.addresses[-1], port, self.clock.left(), local_address, socket_options)
        return _Timed(last, self)


@dataclass(slots=True, eq=False)
class _Timed(httpcore.NetworkStream):
    """A connection whose every operation ends at the call's deadline, and that knows whether anything was said."""

    inner: httpcore.NetworkStream
    dialled: _Dialled

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Read what is there by the deadline."""
        return self.inner.read(max_bytes, self.dialled.clock.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Write by the deadline, piece by piece, so that a slow reader cannot stretch it."""
        for start in range(0, len(buffer), _CHUNK):
            left = self.dialled.clock.left()
            self.dialled.handed_over = True
            self.inner.write(buffer[start : start + _CHUNK], left)

    def close(self) -> None:
        """Hang up."""
        self.inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Speak TLS with whom the name in the URL names, not with the address."""
        inner = self.inner.start_tls(ssl_context, server_hostname, self.dialled.clock.left())
        return _Timed(inner, self.dialled)

    def get_extra_info(self, info: str) -> Any:
        """What the connection knows of itself."""
        return self.inner.get_extra_info(info)


def _said(response: httpcore.Response) -> Answer:
    """The status; the body is taken, up to a limit, only so that the other side may finish."""
    later = next((value for name, value in response.headers if name.lower() == b"retry-after"), b"")
    taken = 0
    with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError):
        for part in response.iter_stream():
            taken += len(part)
            if taken > MOST:
                break
    return Answer(response.status, later.decode("ascii", "replace")[:100])


def _in_time(ask: Callable[[], Sequence[str]], clock: _Clock) -> Sequence[str] | None:
    """What ``ask`` comes to, or None when that takes too long: the system's resolver knows no deadline."""
    answers: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(ask()), daemon=True, name="resolve").start()
    try:
        return answers.get(timeout=clock.left())
    except queue.Empty:
        return None


def _words(error: Exception, clock: _Clock) -> str:
    if isinstance(error, httpcore.TimeoutException):
        return _NO_ANSWER.format(clock.seconds)
    if isinstance(error, httpcore.ProtocolError):
        return f"it hung up or does not speak HTTP: {error}"[:300]
    return f"there was no connection: {error}"[:300]
