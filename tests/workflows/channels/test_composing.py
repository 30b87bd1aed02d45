"""What may stand in an e-mail's headers, and that it is read as it was written."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given, strategies as st

from workflows.channels.composing import Unsendable, compose, on_wire
from workflows.channels.letter import Letter

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LETTER = Letter(
    message_id="<a@example.com>",
    sender="success@example.com",
    to_name="Ann",
    to_address="ann@customer.example",
    subject="Hello",
    text="Text",
    html="<p>Text</p>",
)
HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": "Hello\r\nBcc: all@customer.example"}, "subject"),
        ({"subject": "Hello\nBcc: all@customer.example"}, "subject"),
        ({"subject": "Hel\0lo"}, "subject"),
        ({"subject": "=?utf-8?q?Bcc?="}, "subject"),
        ({"subject": "Hello\u2028there"}, "subject"),
        ({"subject": "Hello\x85there"}, "subject"),
        ({"subject": "lone \ud800"}, "subject"),
        ({"subject": " "}, "subject"),
        ({"subject": "x" * 2000}, "subject"),
        ({"to_name": "Ann\r\nBcc: x@y.example"}, "recipient's name"),
        ({"to_name": "=?utf-8?q?Ann?="}, "recipient's name"),
        ({"to_address": "ann@customer.example, bob@customer.example"}, "recipient's address"),
        ({"to_address": "Ann <ann@customer.example>"}, "recipient's address"),
        ({"to_address": "ann@customer.example\r\nRCPT TO:<bob@x.example>"}, "recipient's address"),
        ({"to_address": ""}, "recipient's address"),
        ({"to_address": "ann"}, "recipient's address"),
        ({"to_address": "ann@[127.0.0.1]"}, "recipient's address"),
        ({"to_address": "a" * 65 + "@customer.example"}, "recipient's address"),
        ({"to_address": "änn@customer.example"}, "recipient's address"),
        ({"sender": "nobody"}, "sender"),
        ({"message_id": "<a@example.com>\r\nX: y"}, "message id"),
        ({"unsubscribe_url": "https://x.example/u/\r\nX: y"}, "unsubscribe link"),
    ],
)
def test_a_header_that_is_more_than_a_value_is_refused_by_name(change: dict[str, str], field: str) -> None:
    with pytest.raises(Unsendable, match=field):
        compose(replace(LETTER, **change), AT)


@given(
    subject=st.text(max_size=200),
    name=st.text(max_size=100),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
)
def test_whatever_the_data_says_the_headers_are_ours(subject: str, name: str, text: str) -> None:
    letter = replace(LETTER, subject=subject, to_name=name, text=text, html=text)
    try:
        data = compose(letter, AT)
    except Unsendable:
        return
    read = message_from_bytes(data, policy=policy.default)
    assert read.keys() == HEADERS
    assert [address.addr_spec for address in read["To"].addresses] == ["ann@customer.example"]
    assert str(read["Subject"]) == subject
    assert all(len(line) < 1000 for line in data.split(b"\r\n"))


def test_names_with_commas_quotes_and_accents_stay_one_recipient() -> None:
    for name in ('Müller, "Ann"', "a@b.example", "Ann <ann@evil.example>", "名前", "", "O'Neil (Ann); Bob"):
        read = message_from_bytes(compose(replace(LETTER, to_name=name), AT), policy=policy.default)
        [address] = read["To"].addresses
        assert (address.display_name, address.addr_spec) == (name, "ann@customer.example")


def test_the_date_is_the_moment_of_sending() -> None:
    read = message_from_bytes(compose(LETTER, AT), policy=policy.default)
    assert read["Date"].datetime == AT


def test_a_long_unsubscribe_link_stands_in_its_header_as_it_is() -> None:
    link = "https://cs.example.com/u/" + "a" * 400
    data = compose(replace(LETTER, unsubscribe_url=link), AT)
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in data


def test_a_link_or_message_id_with_other_letters_than_ascii_is_refused() -> None:
    with pytest.raises(Unsendable):
        compose(replace(LETTER, unsubscribe_url="https://cs.example.com/ü"), AT)
    with pytest.raises(Unsendable):
        compose(replace(LETTER, message_id="<ü@example.com>"), AT)


def test_a_domain_of_other_letters_goes_as_every_relay_understands_it() -> None:
    letter = replace(LETTER, to_address="ann@bücher.example", reply_to="mia@bücher.example")
    data = compose(letter, AT)
    assert b"To: Ann <ann@xn--bcher-kva.example>" in data
    assert b"Reply-To: mia@xn--bcher-kva.example" in data
    assert on_wire("ann@bücher.example") == "ann@xn--bcher-kva.example"


def test_a_letter_carries_the_name_of_who_writes_and_where_answers_go() -> None:
    for name in ("Mia Owner", 'Müller, "Mia"', "a@b.example", "Mia <mia@evil.example>", "名前" * 30):
        letter = replace(LETTER, sender_name=name, reply_to="reply+1-ab@example.com")
        read = message_from_bytes(compose(letter, AT), policy=policy.default)
        assert [address.addr_spec for address in read["From"].addresses] == ["success@example.com"]
        assert [address.addr_spec for address in read["Reply-To"].addresses] == ["reply+1-ab@example.com"]


def test_the_one_click_headers_stand_once_each_where_a_signature_can_cover_them() -> None:
    """RFC 8058: one https link, and the header that says a bare POST is enough."""
    read = message_from_bytes(compose(replace(LETTER, unsubscribe_url="https://cs.example/u/abc"), AT))
    assert read.get_all("List-Unsubscribe") == ["<https://cs.example/u/abc>"]
    assert read.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
