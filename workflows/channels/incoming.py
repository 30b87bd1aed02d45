"""Mail that comes in, read for what it means: an answer to a message of ours, a letter that came back, or neither.

An answer is known by the token in the address it was sent to, a returned letter by the Message-ID it quotes; both only
this installation can make. Nobody is believed for their words alone, and nothing in a mail can make reading it fail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from hashlib import sha256
from typing import Final, TypeAlias

from workflows.channels.replying import delivery_of

_TO: Final = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
_ID: Final = re.compile(r"<[^<>\s]{1,250}>")
_STATUS: Final = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_AUTOMATIC: Final = frozenset({"bulk", "junk", "auto_reply", "list"})
_NOT_THE_ADDRESS: Final = re.compile(r"2\.2|3\.\d+|4\.\d+|7\.\d+")
"""Permanent refusals that say nothing about the address: a full mailbox, a relay's limits and routes, its policy."""
_MOST_PARTS: Final = 200
_MOST_TEXT: Final = 2_000
_BROKEN: Final = (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError, AssertionError)
"""What the standard library's parser is known to raise on mail that no mail program would write."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A letter that came back. ``message_ids``: whatever it quotes; ``hard``: there is no such address."""

    message_ids: tuple[str, ...]
    hard: bool
    status: str
    words: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody answered the message of a delivery. ``key`` names the answer, however often it is passed on."""

    delivery_id: int
    sender: str
    subject: str
    text: str
    key: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A mail that changes nothing, and why."""

    why: str


Incoming: TypeAlias = Returned | Answered | Ignored


def read(data: bytes, secret: bytes) -> Incoming:
    """What a mail (RFC 822) means. Never raises."""
    try:
        mail = message_from_bytes(data)
        return _returned(mail) if _is_report(mail) else _answered(mail, data, secret)
    except _BROKEN:
        return Ignored("The mail is written in a way that nobody can read; nothing was changed.")


def _is_report(mail: Message) -> bool:
    return mail.get_content_type() == "multipart/report" or any(
        part.get_content_type() == "message/delivery-status" for part in _parts(mail)
    )


def _returned(mail: Message) -> Incoming:
    fields = [block for part in _parts(mail) for block in _status_blocks(part)]
    actions = {_text(block, "Action").lower() for block in fields} - {""}
    if not actions & {"failed", "delayed"}:
        return Ignored("It reports that a message was taken or passed on; nothing was changed.")
    failed = next(block for block in fields if _text(block, "Action").lower() in {"failed", "delayed"})
    words = _text(failed, "Diagnostic-Code")
    status = _STATUS.search(_text(failed, "Status")) or _STATUS.search(words)
    number = status[0] if status else ""
    is_address = status is not None and status[1] == "5" and not _NOT_THE_ADDRESS.fullmatch(f"{status[2]}.{status[3]}")
    return Returned(_quoted(mail), is_address and "failed" in actions, number, _one_line(words)[:200])


def _answered(mail: Message, data: bytes, secret: bytes) -> Incoming:
    addresses = [address for name in _TO for _, address in getaddresses([str(one) for one in mail.get_all(name, [])])]
    found = next((number for address in addresses if (number := delivery_of(secret, address)) is not None), None)
    if found is None:
        return Ignored("It is no answer to a message of ours: no address in it carries a token.")
    automatic = _text(mail, "Auto-Submitted").lower() not in {"", "no"} or mail.get("X-Autoreply") is not None
    if automatic or _text(mail, "Precedence").lower() in _AUTOMATIC:
        return Ignored("It is an automatic answer (out of office, or a list); nobody has written.")
    [(_, sender), *_] = getaddresses([str(mail.get("From", ""))]) or [("", "")]
    identity = _text(mail, "Message-ID").encode("utf-8", "replace") or data
    return Answered(
        found, sender.strip()[:320], _decoded(mail, "Subject"), _body(mail), sha256(identity).hexdigest()[:64]
    )


def _quoted(mail: Message) -> tuple[str, ...]:
    """Every Message-ID the report quotes: of the letter itself first."""
    inner = [original for part in _parts(mail) for original in _originals(part)]
    texts = [_text(one, "Message-ID") for one in inner] + [_text(mail, "In-Reply-To"), _text(mail, "References")]
    return tuple(dict.fromkeys(found for text in texts for found in _ID.findall(text)))[:20]


def _originals(part: Message) -> Iterator[Message]:
    kind, payload = part.get_content_type(), part.get_payload()
    if kind == "message/rfc822" and isinstance(payload, list):
        yield from (one for one in payload if isinstance(one, Message))
    elif kind == "text/rfc822-headers":
        yield message_from_string(_words(part))


def _status_blocks(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if part.get_content_type() == "message/delivery-status" and isinstance(payload, list):
        yield from (one for one in payload if isinstance(one, Message))


def _parts(mail: Message) -> Iterator[Message]:
    for number, part in enumerate(mail.walk()):
        if number >= _MOST_PARTS:
            return
        yield part


def _body(mail: Message) -> str:
    """The first plain text, without what it quotes."""
    plain = next((part for part in _parts(mail) if part.get_content_type() == "text/plain"), None)
    if plain is None:
        return ""
    lines = [line for line in _words(plain).splitlines() if not line.startswith(">")]
    return "\n".join(_one_line(line) for line in lines).strip()[:_MOST_TEXT]


def _words(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:  # a charset nobody knows
        return payload.decode("utf-8", "replace")


def _decoded(mail: Message, name: str) -> str:
    text = _text(mail, name)
    try:
        return _one_line(str(make_header(decode_header(text))))[:200]
    except _BROKEN:
        return _one_line(text)[:200]


def _text(mail: Message, name: str) -> str:
    return str(mail.get(name, "")).strip()


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text).strip()
