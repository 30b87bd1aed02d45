"""A mail relay that misbehaves in one chosen way, in every phase of the conversation, and remembers what it took."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self


class Hangs(Exception):  # it is no error: the relay is meant to hang
    """Say nothing more."""


@dataclass
class FaultyRelay:
    """Speaks SMTP on the loopback; ``fault`` names where and how it misbehaves.

    It is one of ``refuse`` (nobody listens), ``<phase>:drop``, ``<phase>:silent``, ``<phase>:<code>`` with the phases
    ``banner ehlo mail rcpt data body dot quit``; ``body:drop`` goes in the middle of the message, ``dot:…`` after the
    final dot. ``taken``: messages it would deliver (a drop or silence after the dot comes after it has taken one).
    """

    fault: str = ""
    taken: list[bytes] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = self._listener.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        if self.fault == "refuse":
            self._listener.close()
        else:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self.fault != "refuse":
            self._listener.close()
            self._thread.join(5)

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            try:
                self._converse(connection, lines.readline)
            except Hangs:
                self._stop.wait(10)
            except (OSError, EOFError):
                return

    def _converse(self, connection: socket.socket, read: Callable[[], bytes]) -> None:
        self._say(connection, "banner", "220 ready")
        while True:
            line = read()
            if not line:
                return
            verb = line[:4].strip().decode().lower()
            if verb == "data":
                if self._say(connection, "data", "354 go on"):
                    self._take(connection, read)
            elif verb in {"ehlo", "helo"}:
                self._say(connection, "ehlo", "250 hello")
            elif verb == "quit":
                self._say(connection, "quit", "221 bye")
                return
            else:
                self._say(connection, verb, "250 fine")

    def _take(self, connection: socket.socket, read: Callable[[], bytes]) -> None:
        body = b""
        if self.fault == "body:drop":
            read()
            raise EOFError
        while (line := read()) != b".\r\n":
            if not line:
                raise EOFError
            body += line[1:] if line.startswith(b"..") else line
        if not self.fault.startswith("dot:") or self.fault in {"dot:drop", "dot:silent", "dot:nonsense"}:
            self.taken.append(body)
        self._say(connection, "dot", "250 taken")

    def _say(self, connection: socket.socket, phase: str, words: str) -> bool:
        """Answer, or misbehave here. True when the answer was the usual one."""
        fault_phase, _, fault = self.fault.partition(":")
        if fault_phase != phase:
            connection.sendall(words.encode() + b"\r\n")
            return True
        if fault == "drop":
            raise EOFError
        if fault == "silent":
            raise Hangs
        connection.sendall(f"{fault} that is how it is\r\n".encode())
        return False
