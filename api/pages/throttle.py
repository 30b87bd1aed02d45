"""A simple limit on how often one address may try tokens; in memory, per process."""

from threading import Lock
from time import monotonic

from fastapi import Request

from api.errors import TooMany

PER_MINUTE = 30
_REMEMBERED = 10_000


class Throttle:
    """``per_minute`` requests for each address, regained evenly."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.left: dict[str, tuple[float, float]] = {}
        self.lock = Lock()

    def spend(self, request: Request) -> None:
        """Count one request. Raises `TooMany`."""
        address = request.client.host if request.client else ""
        now = monotonic()
        with self.lock:
            tokens, since = self.left.get(address, (float(self.per_minute), now))
            tokens = min(self.per_minute, tokens + (now - since) * self.per_minute / 60)
            if tokens < 1:
                raise TooMany("Too many requests from this address. Please wait a minute.")
            if len(self.left) >= _REMEMBERED:
                self.left.clear()
            self.left[address] = (tokens - 1, now)


def slow_down(request: Request) -> None:
    """Count a try of a token against its address. Raises `TooMany`."""
    throttle: Throttle = request.app.state.throttle
    throttle.spend(request)
