"""Reading message files (codes M): the first line is the subject, the rest is Markdown with a little Jinja."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from engine.definitions.catalog import Catalog
from engine.definitions.message import Message
from engine.definitions.message_links import check_links
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger
from engine.definitions.template_checking import check_template

MAX_BYTES: Final = 64 * 1024
MAX_SUBJECT: Final = 200
_ENCODED_WORD: Final = re.compile(r"=\?")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})?")
_FORBIDDEN: Final = re.compile(  # what cannot be sent or seen; also what turns the direction of the text around it
    "[^\t\n -~\u00a0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def read_message(path: str, text: str, playbook: str, name: str, catalog: Catalog, ledger: Ledger) -> Message:
    """Read one message file; every variable in it is checked against the catalog."""
    start, text = Place(path), text.replace("\r\n", "\n")
    subject, _, body = text.partition("\n")
    if not _can_be_read(text, start, ledger):
        return Message(playbook, name, "", "", frozenset(), start)
    if not subject.strip():
        ledger.problem(start, 3, "the first line is the subject of the mail, and it is empty")
    elif len(subject) > MAX_SUBJECT:
        ledger.problem(start, 3, f"the subject is longer than {MAX_SUBJECT} characters")
    if word := _ENCODED_WORD.search(subject):
        place = Place(path, 1, word.start() + 1)
        ledger.problem(
            place, 3, 'no subject holds "=?": mail programs read what follows as other letters', "leave it out"
        )
    if not body.strip():
        ledger.problem(start, 4, "there is a subject, but no message below it")
    # Both are rendered by themselves: what opens in one of them must close there.
    names = check_template(subject, start, catalog, ledger) | check_template(body, Place(path, 2), catalog, ledger)
    check_links(body, path, 2, ledger)
    return Message(playbook, name, subject.strip(), body.strip("\n"), names, start)


def read_messages(
    plain: Mapping[tuple[str, str], str],
    variants: Mapping[tuple[str, str, str], str],
    texts: Mapping[str, str],
    catalog: Catalog,
    ledger: Ledger,
) -> dict[tuple[str, str], Message]:
    """Read all messages with their variants in other languages.

    ``plain``: playbook and name → path; ``variants``: playbook, name and language → path.
    """
    found = {key: read_message(path, texts[path], *key, catalog, ledger) for key, path in plain.items()}
    others: dict[tuple[str, str], dict[str, Message]] = {}
    for (playbook, name, language), path in variants.items():
        if not _LANGUAGE.fullmatch(language):
            message = f'"{language[:60]}" is no language: a message has one dot more only for that'
            ledger.problem(Place(path), 5, message, "name it like welcome.de.md or welcome.pt-br.md")
        elif (playbook, name) not in found:
            message = f'this is "{name}" in another language, but there is no {name}.md beside it'
            hint = "for whoever speaks none of the languages there is the one without"
            ledger.problem(Place(path), 6, message, hint)
        read = read_message(path, texts[path], playbook, name, catalog, ledger)
        others.setdefault((playbook, name), {})[language] = replace(read, language=language)
    return {key: replace(message, variants=others.get(key, {})) for key, message in found.items()}


def _can_be_read(text: str, start: Place, ledger: Ledger) -> bool:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        ledger.problem(start, 1, "the message is larger than 64 KiB", "a mail that long is not read")
        return False
    if bad := _FORBIDDEN.search(text):
        before = text[: bad.start()].split("\n")
        place = Place(start.path, len(before), len(before[-1]) + 1)
        ledger.problem(place, 2, f"there is a character here that no text has (U+{ord(bad[0]):04X})", "remove it")
        return False
    return True
