"""A receiver of webhooks that misbehaves in one chosen way, and remembers what it was sent."""

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Self

BOMB: Final = gzip.compress(b"\0" * 50_000_000)
_HEAD: Final = "HTTP/1.1 {} Whatever\r\n{}Connection: close\r\n\r\n"


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    line: str
    headers: Mapping[str, str]
    body: str


@dataclass
class FaultyReceiver:
    """Speaks HTTP on the loopback, one connection after another.

    ``mode``: a status (``200``, ``429 Retry-After: 7``: with a header), or ``silent``, ``drop`` (after the request),
    ``slow`` (the head of an answer, byte by byte), ``slow body``, ``huge`` (a body without end), ``bomb`` (a compressed
    one), ``babble`` (no HTTP), ``stop reading``. ``modes`` are used up first, one per connection. ``tls``: a context of
    the server's.
    """

    mode: str = "200"
    modes: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    calls: list[Call] = field(default_factory=list)
    connections: int = 0
    sent: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self._listener.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hooks"

    def wait(self) -> None:
        """Do nothing until it is over."""
        self._stop.wait(5)

    def _serve(self) -> None:
        while not self._stop.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                self.connections += 1
                with connection, suppress(OSError, EOFError, ValueError):
                    connection.settimeout(5)
                    self._answer(self.tls.wrap_socket(connection, server_side=True) if self.tls else connection)

    def _answer(self, connection: socket.socket) -> None:
        mode = self.modes.pop(0) if self.modes else self.mode
        if mode == "stop reading":
            self.wait()
            return
        self.calls.append(_read(connection))
        status, _, header = mode.partition(" ")
        if status.isdigit():
            connection.sendall(_HEAD.format(status, f"{header}\r\n" if header else "").encode())
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)
        else:
            _FAULTS[mode](self, connection)


def _read(connection: socket.socket) -> Call:
    with connection.makefile("rb") as lines:
        first = lines.readline().decode().strip()
        headers: dict[str, str] = {}
        while line := lines.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Call(first, headers, lines.read(int(headers["content-length"])).decode())


def _slowly(text: str) -> Callable[[FaultyReceiver, socket.socket], None]:
    def answer(receiver: FaultyReceiver, connection: socket.socket) -> None:
        connection.sendall(text.encode())
        while not receiver._stop.wait(0.02):
            connection.sendall(b"x")
            receiver.sent += 1

    return answer


def _endless(receiver: FaultyReceiver, connection: socket.socket) -> None:
    connection.sendall(_HEAD.format(200, "Content-Length: 1000000000\r\n").encode())
    while not receiver._stop.is_set():
        receiver.sent += connection.send(b"\0" * 65_536)


def _bomb(receiver: FaultyReceiver, connection: socket.socket) -> None:
    head = _HEAD.format(200, f"Content-Encoding: gzip\r\nContent-Length: {len(BOMB)}\r\n")
    connection.sendall(head.encode() + BOMB)
    receiver.sent += len(BOMB)


_FAULTS: Final[Mapping[str, Callable[[FaultyReceiver, socket.socket], None]]] = {
    "silent": lambda receiver, _: receiver.wait(),
    "drop": lambda _, connection: connection.close(),
    "slow": _slowly("HTTP/1.1 200 Fi"),
    "slow body": _slowly(_HEAD.format(200, "Content-Length: 1000\r\n")),
    "huge": _endless,
    "bomb": _bomb,
    "babble": lambda _, connection: connection.sendall(b"220 ready\r\n\r\n"),
}
