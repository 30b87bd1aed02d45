"""A receiver of webhooks: the witness of calls, and the one that misbehaves, by the path that is called."""

import gzip
import http.server
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

_PIECE: Final = b"x" * 65_536
_GIGABYTE: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Signed:
    """One call as its receiver checks it: what was signed, and by how many keys with what result."""

    webhook_id: str
    timestamp: str
    body: str
    signatures: tuple[str, ...]


class Hooks:
    """Listens on the loopback from ``with`` to its end. ``/ok`` takes everything; another path fails as it is called.

    ``delivered``: calls that were taken in, by webhook-id; ``attempts``: moments (monotonic) of every call, by path;
    ``ids``: the webhook-ids seen, by path; ``canary``: calls where nobody may ever come; ``signed``: every call with
    what a receiver checks.
    """

    def __init__(self) -> None:
        self.delivered: Counter[str] = Counter()
        self.attempts: dict[str, list[float]] = {}
        self.ids: dict[str, set[str]] = {}
        self.canary = 0
        self.signed: list[Signed] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Call)
        self._server.hooks = self
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="hooks", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def hear(self, path: str, webhook_id: str) -> int:
        """Note a call; returns which one of its path it is, from 1."""
        with self._lock:
            self.canary += path == "canary"
            self.attempts.setdefault(path, []).append(time.monotonic())
            self.ids.setdefault(path, set()).add(webhook_id)
            return len(self.attempts[path])

    def take(self, webhook_id: str) -> None:
        """Count a call that was taken in."""
        with self._lock:
            self.delivered[webhook_id] += 1

    def wait(self, seconds: float) -> bool:
        """Wait, or until the end."""
        return self._ended.wait(seconds)


class _Server(http.server.ThreadingHTTPServer):
    hooks: Hooks
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A caller that goes away is none of our errors."""


class _Call(http.server.BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # the name http.server asks for
        """One call."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        path, webhook_id = self.path.strip("/"), self.headers.get("webhook-id", "")
        by = tuple(self.headers.get("webhook-signature", "").split())
        self.server.hooks.signed.append(Signed(webhook_id, self.headers.get("webhook-timestamp", ""), body, by))
        nth = self.server.hooks.hear(path, webhook_id)
        self.close_connection = True
        with suppress(ConnectionError, OSError):
            if self._misbehaves(path, nth):
                return
            self.server.hooks.take(webhook_id)
            self._say(200)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _misbehaves(self, path: str, nth: int) -> bool:
        """Fail as the path says; False where the call is to be taken in after all."""
        hooks = self.server.hooks
        if path in {"400", "410"} or (path in {"500", "429"} and nth == 1):
            self._say(int(path), {"Retry-After": "3"} if path == "429" else {})
        elif path == "redirect":
            self._say(302, {"Location": f"http://127.0.0.1:{hooks.port}/canary"})
        elif path == "silent" and nth == 1:
            hooks.wait(60.0)
        elif path == "drop" and nth == 1:
            hooks.take(self.headers.get("webhook-id", ""))
        elif path == "drip" and nth == 1:
            self._drip()
        elif path == "huge":
            hooks.take(self.headers.get("webhook-id", ""))
            self._pour()
        elif path == "bomb":
            hooks.take(self.headers.get("webhook-id", ""))
            self._say(200, {"Content-Encoding": "gzip"}, gzip.compress(b"\0" * 50_000_000))
        else:
            return False
        return True

    def _say(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body)), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        """A byte a second, and never a whole line."""
        for _ in range(60):
            self.wfile.write(b"H")
            if self.server.hooks.wait(1.0):
                return

    def _pour(self) -> None:
        """A good answer with a gigabyte behind it."""
        self.send_response(200)
        self.send_header("Content-Length", str(_GIGABYTE))
        self.end_headers()
        for _ in range(_GIGABYTE // len(_PIECE)):
            self.wfile.write(_PIECE)
