"""A mail server that keeps nothing but who was sent what: the witness of a drill, and the one that misbehaves."""

import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self, TypeAlias, get_args

Opening: TypeAlias = Literal["", "silent", "421", "drop", "mail_451", "mail_550"]
"""What goes wrong before the recipient is known."""

Fault: TypeAlias = Literal[
    "",
    "rcpt_451",
    "rcpt_550",
    "data_451",
    "data_554",
    "drop_at_data",
    "drop_in_body",
    "drop_after_dot",
    "silent_after_dot",
    "lose_after_dot",
    "dot_451",
    "dot_554",
    "drop_at_quit",
    "slow",
]
"""What goes wrong with one recipient. With ``drop_after_dot`` and ``silent_after_dot`` the letter has been taken, with
``lose_after_dot`` it has not."""

OPENINGS: Final[tuple[Opening, ...]] = get_args(Opening)[1:]
FAULTS: Final[tuple[Fault, ...]] = tuple(one for one in get_args(Fault) if one not in {"", "slow"})

_SILENCE: Final = 3_600.0
_NO: Final = {
    "mail_451": "451 try later",
    "mail_550": "550 no",
    "rcpt_451": "451 try later",
    "rcpt_550": "550 nobody of that name",
    "data_451": "451 try later",
    "data_554": "554 no",
    "dot_451": "451 try later",
    "dot_554": "554 no",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """One letter that has arrived whole. ``at`` is monotonic."""

    message_id: str
    to: str
    subject: str
    at: float


class Sink:
    """Listens on the loopback from ``with`` to its end. ``delivered`` counts what was taken, by Message-ID.

    ``fault`` says what goes wrong with a recipient's nth letter (from 1); ``opening`` what goes wrong with every
    connection, and may be changed at any time. ``pace``: seconds between two bytes of a slow answer.
    """

    def __init__(self, fault: Callable[[str, int], Fault] | None = None, *, pace: float = 1.0) -> None:
        self.delivered: Counter[str] = Counter()
        self.taken: list[Taken] = []
        self.asked: Counter[str] = Counter()
        self.opening: Opening = ""
        self.pace = pace
        self._fault = fault
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Conversation)
        self._server.sink = self
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sink", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def take(self, to: str, message: bytes) -> None:
        """Count one message that has arrived whole."""
        found = Taken(_header(message, b"message-id"), to, _header(message, b"subject"), time.monotonic())
        with self._lock:
            self.delivered[found.message_id] += 1
            self.taken.append(found)

    def fault_of(self, recipient: str) -> Fault:
        """What goes wrong with the letter that is offered to this recipient now."""
        with self._lock:
            self.asked[recipient] += 1
            return self._fault(recipient, self.asked[recipient]) if self._fault else ""

    def be_silent(self, seconds: float = _SILENCE) -> None:
        """Say nothing, until so much later or the end."""
        self._ended.wait(seconds)

    def subjects(self) -> Sequence[str]:
        """The subject of every letter taken, in order."""
        with self._lock:
            return [one.subject for one in self.taken]


class _Server(socketserver.ThreadingTCPServer):
    sink: Sink
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        """One connection. A client that is killed just goes away."""
        try:
            self._converse()
        except (TimeoutError, ConnectionError, ValueError):
            return

    def _converse(self) -> None:
        sink, opening = self.server.sink, self.server.sink.opening
        if opening == "silent":
            sink.be_silent()
        if opening in {"silent", "drop"}:
            return
        self._say("421 not now" if opening == "421" else "220 sink")
        recipient, fault = "", ""
        while line := self.rfile.readline():
            verb = line[:4].upper().strip()
            if verb == b"RCPT":
                recipient = line.decode(errors="replace").partition("<")[2].partition(">")[0]
                fault = sink.fault_of(recipient)
            if verb == b"DATA":
                if not self._data(recipient, fault):
                    return
                continue
            if verb == b"QUIT":
                if fault != "drop_at_quit":
                    self._say("221 bye")
                return
            self._say(_NO.get(opening if verb == b"MAIL" else fault if verb == b"RCPT" else "", "250 fine"))

    def _data(self, recipient: str, fault: str) -> bool:
        """From DATA to the answer to the final dot; False when the connection is to be dropped."""
        if fault.startswith("data_"):
            self._say(_NO[fault])
            return True
        if fault == "drop_at_data":
            return False
        self._say("354 go on")
        if fault == "drop_in_body":
            self.rfile.readline()
            return False
        body = self._receive()
        if body is None:
            return False
        if fault in _NO:
            self._say(_NO[fault])
            return True
        if fault == "lose_after_dot":
            return False
        self.server.sink.take(recipient, body)
        if fault == "silent_after_dot":
            self.server.sink.be_silent()
        if fault in {"drop_after_dot", "silent_after_dot"}:
            return False
        self._say("250 fine", slowly=fault == "slow")
        return True

    def _receive(self) -> bytes | None:
        """A message; None when it ends before its final dot, and so was never there."""
        body = b""
        while line := self.rfile.readline():
            if line == b".\r\n":
                return body
            body += line
        return None

    def _say(self, words: str, *, slowly: bool = False) -> None:
        line = words.encode() + b"\r\n"
        if not slowly:
            self.wfile.write(line)
            return
        for byte in line:
            self.wfile.write(bytes([byte]))
            self.server.sink.be_silent(self.server.sink.pace)


def _header(message: bytes, wanted: bytes) -> str:
    for line in message.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == wanted:
            return value.strip().decode(errors="replace")
        if not line:
            break
    return ""
