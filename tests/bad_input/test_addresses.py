"""Every bad address and every header that is more than a value is refused, with its place and in words.

``addresses/``: what the ``email`` of a contact must not be; ``headers/``: what a field of a letter must not be.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.definitions.bundle import Bundle
from engine.errors import BadData
from engine.evaluation.incoming.contacts import read_contacts
from engine.evaluation.incoming.faults import Faults
from engine.evaluation.incoming.rows import Format
from workflows.channels.composing import Unsendable, compose
from workflows.channels.letter import Letter

HERE = Path(__file__).parent
ADDRESSES = sorted((HERE / "addresses").glob("*.json"))
HEADERS = sorted((HERE / "headers").glob("*.json"))
AT = datetime(2026, 3, 2, tzinfo=UTC)
LETTER = Letter(
    message_id="<a@example.com>",
    sender="success@example.com",
    to_name="Ann",
    to_address="ann@customer.example",
    subject="Hello",
    text="Text",
    html="<p>Text</p>",
    unsubscribe_url="https://x.example/u/abc",
    sender_name="Mia",
    reply_to="mia@example.com",
)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_there_are_as_many_cases_as_were_promised() -> None:
    assert len(ADDRESSES) >= 40
    assert len(HEADERS) >= 40


@pytest.mark.parametrize("path", ADDRESSES, ids=lambda path: path.stem)
def test_a_contact_with_a_bad_address_is_refused_at_its_place(path: Path, small_bundle: Bundle) -> None:
    """P14."""
    case, faults = read(path), Faults()
    body = json.dumps({"contacts": [{"key": "ann", "account": "acme", "email": case["email"]}]}).encode()
    list(read_contacts([body], Format.JSON, small_bundle.catalog, faults))
    with pytest.raises(BadData) as refused:
        faults.refuse()
    [row] = refused.value.rows
    assert (row.pointer, row.code, row.message) == (case["pointer"], case["code"], case["detail"])


@pytest.mark.parametrize("path", HEADERS, ids=lambda path: path.stem)
def test_a_header_that_is_more_than_a_value_is_refused_in_words(path: Path) -> None:
    """P14: whatever a template or the data put there."""
    case = read(path)
    with pytest.raises(Unsendable) as refused:
        compose(replace(LETTER, **{case["field"]: case["value"]}), AT)
    assert str(refused.value) == case["sentence"]
