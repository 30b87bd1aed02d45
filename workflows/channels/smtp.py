"""E-mail by SMTP, phase by phase, so that "certainly not delivered" and "perhaps delivered" are told apart.

Until the final dot has been handed over nothing can have been accepted; from then on only a reply tells. Libraries that
send in one call raise the same error for both, so the conversation is spelled out here with the standard library's
`smtplib`.
"""

import re
import smtplib
import socket
import ssl
from datetime import UTC, datetime
from typing import Final

from engine.terms import DeliveryState
from workflows.channels.composing import Unsendable, compose, on_wire
from workflows.channels.letter import Letter, Verdict
from workflows.crash_points import pass_by

_SECONDS: Final = 30.0
_GO_AHEAD: Final = 354
TURNED_AWAY: Final = "the relay refused the recipient"
"""How the reason begins when a relay knows no such address."""


class SmtpChannel:
    """One relay. A connection per letter: a drop concerns one letter only. Thread-safe."""

    name = "smtp"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str = "",
        password: str = "",
        starttls: bool = False,
        seconds: float = _SECONDS,
    ) -> None:
        self._host = host
        self._port = port
        self._user = user
        self._password = password
        self._starttls = starttls
        self._seconds = seconds

    def send(self, letter: Letter) -> Verdict:
        """Carry the letter to its one recipient. Never raises for what the relay does."""
        try:
            data = compose(letter, datetime.now(UTC))
        except Unsendable as error:
            return _not_sent(str(error), permanent=True)
        try:
            relay = self._open()
        except (OSError, smtplib.SMTPException) as error:
            return _not_sent(f"no connection to the relay {self._host}:{self._port}: {_words(error)}")
        try:
            return _converse(relay, letter, data)
        finally:
            _close(relay)

    def _open(self) -> smtplib.SMTP:
        relay = smtplib.SMTP(self._host, self._port, local_hostname=socket.gethostname(), timeout=self._seconds)
        try:
            relay.ehlo_or_helo_if_needed()
            if self._starttls:
                relay.starttls(context=ssl.create_default_context())
                relay.ehlo()
            if self._user:
                relay.login(self._user, self._password)
        except BaseException:
            relay.close()
            raise
        return relay


def _converse(relay: smtplib.SMTP, letter: Letter, data: bytes) -> Verdict:
    """From the envelope to the verdict."""
    try:
        refusal = _envelope(relay, letter)
        if refusal is not None:
            return refusal
        relay.send(_stuffed(data))
    except (OSError, smtplib.SMTPException) as error:
        return _not_sent(f"the relay went away before the end of the message: {_words(error)}")
    pass_by("before_dot")
    try:
        relay.send(b".\r\n")
        pass_by("after_dot")
        code, words = relay.getreply()
        pass_by("after_reply")
    except (OSError, smtplib.SMTPException) as error:
        reason = f"the relay had the whole message but did not answer: {_words(error)}"
        return Verdict(DeliveryState.AMBIGUOUS, reason)
    return _verdict(code, words)


def _envelope(relay: smtplib.SMTP, letter: Letter) -> Verdict | None:
    """Sender, the one recipient, and DATA; the refusal of any of them, or None when the relay waits for the message."""
    for name, (code, words) in (
        ("the sender", relay.mail(on_wire(letter.sender))),
        ("the recipient", relay.rcpt(on_wire(letter.to_address))),
    ):
        if not _is_yes(code):
            return _refused(f"refused {name}", code, words)
    code, words = relay.docmd("DATA")
    return None if code == _GO_AHEAD else _refused("refused the message", code, words)


def _verdict(code: int, words: bytes) -> Verdict:
    """What the reply after the final dot means."""
    if _is_yes(code):
        return Verdict(DeliveryState.SENT, _said(code, words))
    if code >= 400:
        return _refused("refused the message", code, words)
    return Verdict(DeliveryState.AMBIGUOUS, f"the relay gave an answer that is none: {_said(code, words)}")


def _is_yes(code: int) -> bool:
    return 200 <= code < 300


def _refused(what: str, code: int, words: bytes) -> Verdict:
    permanent = 500 <= code < 600
    return _not_sent(f"the relay {what}: {_said(code, words)}", permanent=permanent)


def _not_sent(reason: str, *, permanent: bool = False) -> Verdict:
    return Verdict(DeliveryState.NOT_SENT, reason[:2000], permanent=permanent)


def _said(code: int, words: bytes) -> str:
    return f"{code} {words.decode(errors='replace')}"[:300]


def _words(error: Exception) -> str:
    return str(error)[:300] or type(error).__name__


def _stuffed(data: bytes) -> bytes:
    """With dots doubled at the start of a line, and a last line that is whole (RFC 5321, 4.5.2)."""
    doubled = re.sub(rb"(?m)^\.", b"..", data)
    return doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n"


def _close(relay: smtplib.SMTP) -> None:
    """Say goodbye; what happens now changes nothing about the letter."""
    try:
        relay.quit()
    except (OSError, smtplib.SMTPException):
        relay.close()
