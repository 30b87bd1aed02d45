"""What a mail that comes in means, and that no mail at all can make reading it fail."""

import re
from email.message import EmailMessage

import pytest
from hypothesis import given, settings, strategies as st

from workflows.channels.incoming import Answered, Ignored, Returned, read
from workflows.channels.replying import address, delivery_of

SECRET = b"s" * 32
OURS = "<0123456789abcdef0123456789abcdef01234567@vendor.example>"
REPLY = address("reply+@vendor.example", SECRET, 4711)


def dsn(
    status: str, action: str = "failed", words: str = "smtp; 550 5.1.1 no such user", original: str = "rfc822"
) -> bytes:
    inner = f"Message-ID: {OURS}\r\nSubject: Hello\r\n\r\n"
    kind = "message/rfc822" if original == "rfc822" else "text/rfc822-headers"
    return (
        "From: MAILER-DAEMON@customer.example\r\nTo: cs@vendor.example\r\nSubject: Undelivered\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\nMIME-Version: 1.0\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.customer.example\r\n\r\n"
        f"Final-Recipient: rfc822; ann@customer.example\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: {words}\r\n\r\n"
        f"--b\r\nContent-Type: {kind}\r\n\r\n{inner}\r\n--b--\r\n"
    ).encode()


def answer(**headers: str) -> bytes:
    message = EmailMessage()
    given = {"From": "Ann <ann@customer.example>", "To": REPLY, "Subject": "Re: Hello", "Message-ID": "<x@y.example>"}
    for name, value in (given | headers).items():
        if value:
            message[name] = value
    message.set_content("Thank you, Tuesday is fine.\n\n> Hello Ann\n> are you there?\n")
    return message.as_bytes()


def test_a_token_fits_an_address_survives_other_letters_and_cannot_be_made_up() -> None:
    local = REPLY.partition("@")[0]
    assert len(local) <= 64
    assert re.fullmatch(r"reply\+[0-9a-f]+-[0-9a-f]{20}", local)
    assert delivery_of(SECRET, REPLY.upper()) == 4711
    assert delivery_of(b"other" * 7, REPLY) is None
    assert delivery_of(SECRET, "reply+1268-00000000000000000000@vendor.example") is None
    assert address("dana@vendor.example", SECRET, 1) == "dana@vendor.example"


@pytest.mark.parametrize(
    ("status", "hard"),
    [
        ("5.1.1", True),
        ("5.1.10", True),
        ("5.2.1", True),
        ("5.0.0", True),
        ("5.2.2", False),
        ("5.7.1", False),
        ("5.3.4", False),
        ("5.4.4", False),
        ("4.2.2", False),
        ("4.4.7", False),
    ],
)
@pytest.mark.parametrize("original", ["rfc822", "headers"])
def test_a_returned_letter_names_what_it_returns_and_whether_the_address_is_gone(
    status: str, hard: bool, original: str
) -> None:
    found = read(dsn(status, original=original), SECRET)
    assert found == Returned((OURS,), hard, status, "smtp; 550 5.1.1 no such user")


def test_a_delay_is_no_end_and_a_delivery_no_return() -> None:
    delayed = read(dsn("5.1.1", action="delayed"), SECRET)
    assert isinstance(delayed, Returned)
    assert not delayed.hard
    assert isinstance(read(dsn("2.0.0", action="delivered"), SECRET), Ignored)


def test_a_status_that_is_missing_is_looked_for_in_the_words_and_else_counts_as_passing() -> None:
    found = read(dsn("", words="smtp; 550 5.1.1 gone"), SECRET)
    assert isinstance(found, Returned)
    assert found.hard
    found = read(dsn("", words="x-nobody; no idea"), SECRET)
    assert isinstance(found, Returned)
    assert not found.hard


def test_an_answer_is_known_by_its_address_and_told_without_what_it_quotes() -> None:
    found = read(answer(), SECRET)
    assert isinstance(found, Answered)
    assert (found.delivery_id, found.sender, found.subject) == (4711, "ann@customer.example", "Re: Hello")
    assert found.text == "Thank you, Tuesday is fine."
    again = read(answer(Subject="Fwd: Hello"), SECRET)
    assert isinstance(again, Answered)
    assert again.key == found.key


@pytest.mark.parametrize("header", ["Cc", "Delivered-To", "X-Original-To"])
def test_an_answer_to_all_is_an_answer_too(header: str) -> None:
    assert isinstance(read(answer(To="dana@vendor.example", **{header: REPLY}), SECRET), Answered)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "auto-generated (out of office)"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X-Autoreply": "yes"},
    ],
)
def test_an_automatic_answer_is_nobodys(headers: dict[str, str]) -> None:
    found = read(answer(**headers), SECRET)
    assert isinstance(found, Ignored)
    assert "automatic answer" in found.why


def test_any_other_mail_is_ignored_with_a_sentence() -> None:
    found = read(answer(To="cs@vendor.example"), SECRET)
    assert found == Ignored("It is no answer to a message of ours: no address in it carries a token.")


BROKEN = {
    "nothing": b"",
    "no headers": b"\r\n\r\nhello",
    "nul": b"\0" * 50,
    "latin in a header": b"Subject: caf\xe9\r\nTo: \xff\xfe\r\n\r\n",
    "an endless header": b"To: " + b"a@b.example, " * 20_000 + b"\r\n\r\n",
    "no boundary": b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\nhello",
    "a boundary that never comes": b'Content-Type: multipart/report; boundary="x"\r\n\r\nhello',
    "status that is text": b"Content-Type: message/delivery-status\r\n\r\nAction failed, sorry",
    "a bad charset": b"To: " + REPLY.encode() + b"\r\nContent-Type: text/plain; charset=klingon\r\n\r\nhello",
    "bad base64": b"To: " + REPLY.encode() + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
    "a bad encoded word": b"To: " + REPLY.encode() + b"\r\nSubject: =?utf-8?b?=?= =?x?q?y?=\r\n\r\nhello",
    "brackets": b"To: <<<>>>((((@\r\nFrom: ,,,,;;;\r\n\r\n",
    "an empty from": b"To: " + REPLY.encode() + b"\r\nFrom:\r\n\r\nhello",
    "deep": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (number, number) for number in range(3_000)
    ),
}


@pytest.mark.parametrize("mail", BROKEN.values(), ids=BROKEN)
def test_bad_mail_is_read_as_far_as_it_goes(mail: bytes) -> None:
    read(mail, SECRET)


@settings(max_examples=200)
@given(st.binary(max_size=400), st.integers(0, 1_200), st.binary(max_size=5))
def test_no_mail_makes_reading_fail(noise: bytes, place: int, more: bytes) -> None:
    whole = dsn("5.1.1")
    read(noise, SECRET)
    read(whole[:place] + more + whole[place:], SECRET)
    read(answer()[:place] + more + noise, SECRET)
