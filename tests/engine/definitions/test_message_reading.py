"""Messages: subject, body, and the same in other languages."""

import pytest

from tests.bad_files.workspace import BASE, MESSAGE, bundle_of, notes_of, sentences_of

FOLDER = "playbooks/messages/seat-activation/"
GERMAN = "Einige Plätze warten\n\nHallo {{ contact.first_name }}.\n"


def test_a_message_is_there_in_every_language_it_was_written_in() -> None:
    texts = {**BASE, f"{FOLDER}hello.de.md": GERMAN, f"{FOLDER}hello.pt-br.md": "Olá\n\nOlá.\n"}
    message = bundle_of(texts).messages["seat-activation", "hello"]
    assert set(message.variants) == {"de", "pt-br"}
    assert message.variants["de"].subject == "Einige Plätze warten"
    assert message.variants["de"].language == "de"
    assert set(message.variants["de"].names) == {"contact.first_name"}


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("de", "Einige Plätze warten"),
        ("de-AT", "Einige Plätze warten"),
        ("DE_ch", "Einige Plätze warten"),
        ("fr", "Some of your seats are waiting"),
        ("", "Some of your seats are waiting"),
    ],
)
def test_the_nearest_language_is_taken_and_otherwise_the_message_itself(language: str, subject: str) -> None:
    message = bundle_of({**BASE, f"{FOLDER}hello.de.md": GERMAN}).messages["seat-activation", "hello"]
    assert message.for_language(language).subject == subject


def test_a_variant_is_checked_like_the_message_itself() -> None:
    assert sentences_of({**BASE, f"{FOLDER}hello.de.md": "Hallo\n\n{{ account.nick }}\n"}) == [
        'M013 there is no "account.nick" to write'
    ]
    assert sentences_of({**BASE, "playbooks/messages/other/hello.de.md": GERMAN}) == [
        'M006 this is "hello" in another language, but there is no hello.md beside it'
    ]
    assert 'no step sends the message "hello"' not in notes_of({**BASE, f"{FOLDER}hello.de.md": GERMAN})


def test_a_subject_and_its_body_each_close_what_they_open() -> None:
    assert sentences_of({**BASE, MESSAGE: "Hello{% if account.arr %} again\n\nYou.{% endif %}\n"}) == [
        'M010 this "if" is never closed',
        'M010 there is no "if" that this could close',
    ]
