"""F36: the network between worker, Temporal and relay is slow, cut, half open, and gone."""

import socket
import threading
import time
from contextlib import suppress
from typing import Final, Self

from api.drills.ground import Ground
from api.drills.killing import Load
from api.drills.result import Found

_CHUNK: Final = 65_536
_FAULT: Final = 6.0
"""Seconds each fault lasts."""


class Proxy:
    """Passes bytes between whoever connects to ``port`` and the port behind it, and can be told not to.

    ``delay``: seconds each piece waits. ``stalled``: nothing passes and nothing is closed (half open). ``refusing``:
    new connections are closed at once. `cut` resets all that are open.
    """

    def __init__(self, behind: int) -> None:
        self.delay = 0.0
        self.stalled = self.refusing = False
        self.connections = 0
        self._behind = behind
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._door.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # a thread that waits in accept() wakes from this
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self.stalled = False
        self.cut()

    def cut(self) -> int:
        """Reset every open connection; returns how many."""
        with self._lock:
            found, self._open = self._open, set()
        for one in found:
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        return len(found)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            self.connections += 1
            if self.refusing:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._behind))
            except OSError:
                near.close()
                continue
            with self._lock:
                self._open |= {near, far}
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                time.sleep(self.delay)
                while self.stalled:
                    time.sleep(0.05)
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def faults_between(ground: Ground) -> Found:
    """Each fault between the worker and Temporal, then between the worker and the relay, while letters go out."""
    load = Load.prepare(ground, ground.pick(150, 8), ground.temporal().address)
    found, faults = Found(), ("slow", "cut", "half open", "gone")
    upstream = int(load.site.address.rpartition(":")[2])
    to_temporal, to_relay = ground.keep(Proxy(upstream)), ground.keep(Proxy(load.sink.port))
    load.site.address = f"127.0.0.1:{to_temporal.port}"
    load.site.relay = to_relay.port
    load.site.more = {"BACKCAST_SMTP_SECONDS": "3"}
    load.site.worker()
    load.begin()
    load.wait_for_more(0, 60.0)
    for place, proxy in (("Temporal", to_temporal), ("the relay", to_relay)):
        for fault in faults if not ground.small else ("cut", "half open"):
            before = load.taken
            _break(proxy, fault)
            load.watch.cut()
            time.sleep(_FAULT if not ground.small else 4.0)
            during = load.taken - before
            _mend(proxy)
            mended, before = time.monotonic(), load.taken
            load.wait_for_more(before, 60.0)
            found.rows.append(
                {
                    "between_the_worker_and": place,
                    "fault": fault,
                    "letters_meanwhile": during,
                    "seconds_until_the_next_letter": round(time.monotonic() - mended, 1),
                    "over": "yes" if load.site.is_over() else "no",
                }
            )
    load.finish(found)
    found.counts |= {"faults": len(found.rows), "connections": to_temporal.connections + to_relay.connections}
    slowest = max(float(row["seconds_until_the_next_letter"]) for row in found.rows)
    found.require(slowest <= 40.0, f"after a fault it took {slowest} s until the next letter")
    return found


def _break(proxy: Proxy, fault: str) -> None:
    if fault == "slow":
        proxy.delay = 0.3
    elif fault == "half open":
        proxy.stalled = True
    else:
        proxy.refusing = fault == "gone"
        proxy.cut()


def _mend(proxy: Proxy) -> None:
    proxy.delay, proxy.stalled, proxy.refusing = 0.0, False, False
