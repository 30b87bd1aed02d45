"""The shipped messages read well with every figure there, and with none."""

from typing import Any

import pytest

from engine.definitions.message import Message
from engine.running.rendering import RenderedMessage, render_message
from tests.starter.pack import PACK

LITTLE: dict[str, Any] = {"account": {"name": "Acme"}, "contact": {"email": "ada@acme.example"}}
MUCH: dict[str, Any] = {
    "account": {"name": "Acme"},
    "contact": {"first_name": "Ada", "email": "ada@acme.example"},
    "owner": {"name": "Kim Lee"},
    "metrics": {"active_users": 1_030.0, "seats_sold": 2_000.0, "license_utilization": 0.515},
    "goals": {"tickets_deflected": {"actual": 600.0, "expected": 1_800.0, "target": 5_400.0}},
}


def name_of(message: Message) -> str:
    """Name a parametrised test."""
    return f"{message.playbook}/{message.name}"


@pytest.mark.parametrize("context", [LITTLE, MUCH], ids=["little is known", "much is known"])
@pytest.mark.parametrize("message", PACK.messages.values(), ids=name_of)
def test_a_message_is_whole_whatever_is_known(message: Message, context: dict[str, Any]) -> None:
    written = render_message(message, context)
    for text in (written.subject, written.text, written.html):
        assert not [mark for mark in ("{{", "{%", "None", "nan", " .", "  ,") if mark in text]
    assert written.text.splitlines()[0] == ("Hello Ada," if context is MUCH else "Hello there,")
    assert written.text.rstrip().splitlines()[-1] == ("Kim Lee" if context is MUCH else "Your customer success team")


def seats_waiting(context: dict[str, Any]) -> RenderedMessage:
    """Render the first mail of seat-activation."""
    return render_message(PACK.messages["seat-activation", "seats-waiting"], context)


def test_figures_are_written_as_people_write_them() -> None:
    assert "Of the 2,000 seats in Acme's plan, 1,030 were in use last week." in seats_waiting(MUCH).text
    done = render_message(PACK.messages["seat-activation", "well-done"], MUCH)
    assert "52% of Acme's seats are now in use" in done.text
    review = render_message(PACK.messages["goal-review", "review-together"], MUCH)
    assert "600, where we hoped for 1,800 by now" in review.text


def test_without_figures_the_sentence_does_without() -> None:
    assert "Some of the seats in Acme's plan have not been used lately." in seats_waiting(LITTLE).text


def test_a_list_stays_a_list_in_html() -> None:
    assert seats_waiting(MUCH).html.count("<li>") == 2
