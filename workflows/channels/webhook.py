"""A call to a connection, signed after Standard Webhooks, and what its answer means.

The id is the delivery's and the same on every attempt, so that a receiver tells a repetition from something new; that
is why a call that may have arrived may be repeated. A chat knows no ids: there it may not. Secrets come from the
environment by the name the file gives, and stand in no sentence, no log and no row. While a secret is replaced the
variable of the same name with ``_OLD`` behind it signs too.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from engine.definitions.connection import Connection
from engine.errors import Refused
from engine.terms import DeliveryState
from workflows.channels.egress import Answer, Egress, Forbidden, Unanswered, Unreached
from workflows.channels.turns import Turns
from workflows.crash_points import pass_by

OLD: Final = "_OLD"
_PREFIX: Final = "whsec_"
_SHORTEST, _MOST = 24, 64
_LONGEST_WAIT: Final = 86_400.0
_NEVER: Final = frozenset({400, 405, 413, 414, 415, 422})
"""What says that this very call will never be taken."""
_GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one attempt. ``permanent``: another one would not help; ``wait``: seconds the receiver asked for;
    ``gone``: it wants no calls any more."""

    state: DeliveryState
    reason: str
    permanent: bool = False
    wait: float | None = None
    gone: bool = False


class Caller:
    """Calls connections. Thread-safe. ``environment`` holds the secrets that the files name; ``turns``: who may call
    whom just now."""

    def __init__(self, egress: Egress, environment: Mapping[str, str]) -> None:
        self.turns = Turns()
        self._egress = egress
        self._environment = environment

    def problem(self, connection: Connection) -> str:
        """Why a connection cannot be called as things are; empty when it can, as far as nobody has to be asked."""
        try:
            url = self.url(connection)
            self._keys(connection)
        except Refused as refused:
            return str(refused)
        return self._egress.refusal(url, internal=connection.internal)

    def call(self, connection: Connection, message_id: str, body: str, at: datetime) -> Told:
        """Make one attempt. Never raises for what the other side does, nor for what is missing here."""
        try:
            url = self.url(connection)
            headers = _headers(self._keys(connection), message_id, body, at)
        except Refused as refused:
            return Told(DeliveryState.NOT_SENT, str(refused))
        if why := self._egress.refusal(url, internal=connection.internal):
            return Told(DeliveryState.NOT_SENT, why, permanent=True)
        try:
            pass_by("before_dot")
            answer = self._egress.post(url, body.encode(), headers)
            pass_by("after_dot")
        except Forbidden as forbidden:
            return Told(DeliveryState.NOT_SENT, str(forbidden), permanent=forbidden.permanent)
        except Unreached as error:
            return Told(DeliveryState.NOT_SENT, f"{connection.name} could not be reached: {error}")
        except Unanswered as error:
            reason = f"{connection.name} was called and may have taken it: {error}"
            return Told(DeliveryState.AMBIGUOUS, reason)
        pass_by("after_reply")
        return told(connection.name, answer, at)

    def url(self, connection: Connection) -> str:
        """Where a connection leads. Raises `Refused` where its variable is empty."""
        if not connection.url_from:
            return connection.url
        url = self._environment.get(connection.url_from, "").strip()
        if not url:
            raise Refused(f"the variable {connection.url_from} is empty: it has to hold the URL of {connection.name}")
        return url

    def _keys(self, connection: Connection) -> tuple[bytes, ...]:
        """The keys to sign with, the present one first. Raises `Refused` where there should be one and is none."""
        if not connection.secret:
            return ()
        names = (connection.secret, connection.secret + OLD)
        texts = [(name, self._environment.get(name, "").strip()) for name in names]
        if not texts[0][1]:
            raise Refused(f"the variable {connection.secret} is empty: it has to hold the secret of {connection.name}")
        return tuple(_key(name, text) for name, text in texts if text)


def told(name: str, answer: Answer, at: datetime) -> Told:
    """What an answer means. Nothing but its status and ``Retry-After`` is looked at."""
    status, said = answer.status, f"{name} answered {answer.status}"
    if 200 <= status < 300:
        return Told(DeliveryState.SENT, said)
    if 300 <= status < 400:
        reason = f"{said}, which leads elsewhere, and redirects are not followed: correct its URL"
        return Told(DeliveryState.NOT_SENT, reason, permanent=True)
    if status == _GONE:
        return Told(DeliveryState.NOT_SENT, f"{said}: it wants no calls any more", permanent=True, gone=True)
    if status in _NEVER:
        return Told(DeliveryState.NOT_SENT, f"{said}: it cannot read what it was sent", permanent=True)
    return Told(DeliveryState.NOT_SENT, said, wait=_wait(answer.retry_after, at))


def signature(keys: tuple[bytes, ...], message_id: str, timestamp: int, body: str) -> str:
    """The signatures of one call, by every key, as the receiver's header has them."""
    signed = f"{message_id}.{timestamp}.{body}".encode()
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _headers(keys: tuple[bytes, ...], message_id: str, body: str, at: datetime) -> dict[str, str]:
    timestamp = int(at.timestamp())
    headers = {"Content-Type": "application/json", "webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    return headers | ({"webhook-signature": signature(keys, message_id, timestamp, body)} if keys else {})


def _key(name: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _SHORTEST <= len(key) <= _MOST:
        raise Refused(
            f"the variable {name} holds no secret: write {_PREFIX} and {_SHORTEST} to {_MOST} random bytes in base64"
        )
    return key


def _wait(text: str, at: datetime) -> float | None:
    """Seconds of a ``Retry-After``, as a number or a date; at most a day. None without one that can be read."""
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return min(float(text), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - at).total_seconds(), 0.0), _LONGEST_WAIT)
