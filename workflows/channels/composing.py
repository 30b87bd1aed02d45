"""A letter as bytes. Whatever comes from data or templates is checked before, and read back after, it is a header.

The standard library refuses line breaks in a header's value, but lets NUL pass and encodes what looks encoded already;
so everything unusual is refused here, with the name of the field.
"""

import re
import unicodedata
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from html import escape
from typing import Any, Final

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from engine.errors import EngineError
from workflows.channels.letter import Letter

_ENCODED_WORD: Final = re.compile(r"=\?.*\?=", re.DOTALL)
_AS_THEY_ARE: Final = frozenset({"List-Unsubscribe", "List-Unsubscribe-Post", "Message-ID"})
_LONGEST: Final = 900
"""Bytes of one header's text; a line of an e-mail must stay below 998."""


class _Wire(EmailPolicy):
    """CRLF, and links as they are: the standard folding would encode a long one, and no mail program would find it."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        """One header as bytes."""
        if name in _AS_THEY_ARE:
            return f"{name}: {value}\r\n".encode("ascii")
        return super().fold_binary(name, value)


_WIRE: Final = _Wire(linesep="\r\n")


class Unsendable(EngineError):
    """A letter that cannot be an e-mail as it is; the sentence names the field."""


def compose(letter: Letter, at: datetime) -> bytes:
    """The e-mail as it goes over the wire (CRLF, no dot-stuffing). Raises `Unsendable`."""
    _check(letter)
    message = EmailMessage(policy=_WIRE)
    try:
        _fill(message, letter, at)
        data = message.as_bytes()
    except (MessageError, ValueError, UnicodeError, IndexError) as error:
        raise Unsendable(f"the message cannot be written as an e-mail: {error}") from error
    _compare(data, message, letter)
    return data


def _check(letter: Letter) -> None:
    values = {
        "subject": letter.subject,
        "recipient's name": letter.to_name,
        "recipient's address": letter.to_address,
        "sender": letter.sender,
        "sender's name": letter.sender_name,
        "reply address": letter.reply_to,
        "message id": letter.message_id,
        "unsubscribe link": letter.unsubscribe_url,
    }
    for name, value in values.items():
        if wrong := _wrong(value):
            raise Unsendable(f"the {name} {wrong}: {value[:80]!r}")
    for name in ("message id", "unsubscribe link"):
        if not values[name].isascii():
            raise Unsendable(f"the {name} has other letters than ASCII: {values[name][:80]!r}")
    if not letter.subject.strip():
        raise Unsendable("the subject is empty")
    for name, address in _addresses(letter).items():
        try:
            _validated(address)
        except EmailNotValidError as error:
            raise Unsendable(f"the {name} is not one e-mail address: {address[:80]!r} ({error})") from error


def on_wire(address: str) -> str:
    """An address that was checked, as every relay understands it: the domain in ASCII, whatever its letters."""
    return _validated(address).ascii_email or address


def _validated(address: str) -> ValidatedEmail:
    return validate_email(
        address,
        strict=True,
        allow_smtputf8=False,
        globally_deliverable=False,  # a relay inside a company may serve names of its own
        check_deliverability=False,  # the relay knows; asking the DNS would only slow down and fail
    )


def _addresses(letter: Letter) -> dict[str, str]:
    found = {"recipient's address": letter.to_address, "sender": letter.sender}
    return found | ({"reply address": letter.reply_to} if letter.reply_to else {})


def _wrong(value: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in value):
        return "contains a control character"
    if _ENCODED_WORD.search(value):
        return 'contains an encoded word ("=?…?="), which mail programs would decode'
    return "is too long" if len(value.encode()) > _LONGEST else ""


def _fill(message: EmailMessage, letter: Letter, at: datetime) -> None:
    message["From"] = Address(display_name=letter.sender_name, addr_spec=on_wire(letter.sender))
    message["To"] = Address(display_name=letter.to_name, addr_spec=on_wire(letter.to_address))
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = letter.message_id
    if letter.reply_to:
        message["Reply-To"] = Address(addr_spec=on_wire(letter.reply_to))
    text, html = letter.text, letter.html
    if letter.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        text, html = _with_link(text, html, letter.unsubscribe_url)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")


def _with_link(text: str, html: str, link: str) -> tuple[str, str]:
    """Both bodies with the unsubscribe link, where the author has not put it in already."""
    if link not in text:
        text += f"\n\n-- \nNo more messages like this: {link}\n"
    if escape(link) not in html:
        html += f'\n<p><small><a href="{escape(link)}">No more messages like this</a></small></p>\n'
    return text, html


def _compare(data: bytes, message: EmailMessage, letter: Letter) -> None:
    """Read the bytes back as the other side will, and refuse what came out different from what went in."""
    read = message_from_bytes(data, policy=policy.default)
    names = ["To", "From", *(["Reply-To"] if letter.reply_to else [])]
    addresses = [address.addr_spec for name in names for address in read[name].addresses]
    as_meant = (
        read.keys() == message.keys()
        and addresses == [on_wire(one) for one in _addresses(letter).values()]
        and str(read["Subject"]) == letter.subject
        and str(read["Message-ID"]) == letter.message_id
    )
    if not as_meant:
        raise Unsendable("the message would not be read as it was written; simplify its subject and names")
