"""A mail server that keeps nothing but the count of each Message-ID: the witness of a drill."""

import socketserver
import threading
from collections import Counter
from typing import Self


class Sink:
    """Listens on the loopback from ``with`` to its end. ``delivered`` counts what was taken, by Message-ID."""

    def __init__(self) -> None:
        self.delivered: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Conversation)
        self._server.sink = self
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="sink", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, message: bytes) -> None:
        """Count one message that has arrived whole."""
        with self._lock:
            self.delivered[_message_id(message)] += 1


class _Server(socketserver.ThreadingTCPServer):
    sink: Sink
    daemon_threads = True
    allow_reuse_address = True


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        """One connection. A client that is killed just goes away."""
        try:
            self._converse()
        except (TimeoutError, ConnectionError):
            return

    def _converse(self) -> None:
        self._say("220 sink")
        while line := self.rfile.readline():
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                self._say("354 go on")
                if not self._receive():
                    return
            self._say("221 bye" if verb == b"QUIT" else "250 fine")
            if verb == b"QUIT":
                return

    def _receive(self) -> bool:
        """Take a message; False when it ends before its final dot, and so was never there."""
        body = b""
        while line := self.rfile.readline():
            if line == b".\r\n":
                self.server.sink.take(body)
                return True
            body += line
        return False

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


def _message_id(message: bytes) -> str:
    for line in message.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"message-id":
            return value.strip().decode()
    return ""
