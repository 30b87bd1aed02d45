"""What Markdown would make of a message beside its words: links that lead elsewhere, and HTML that is not read."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from engine.definitions.problem import Place
from engine.definitions.reading import Ledger, listed

SCHEMES: Final = ("https", "http", "mailto")
LINKS: Final = ("report_url", "unsubscribe_url")
"""Variables that are whole addresses: a link may be one of them, or begin with one."""
_TARGET: Final = re.compile(r"\]\(\s*<?\s*|^ {0,3}\[[^\]\n]+\]:\s*<?|<(?=[A-Za-z][A-Za-z0-9+.-]*:)", re.MULTILINE)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_VARIABLE: Final = re.compile(r"\{\{-?\s*([\w.]+)")
_TAG: Final = re.compile(r"<(?:[A-Za-z][A-Za-z0-9-]*(?=[\s/>])|!--|!\[CDATA\[|\?)")
_CODE: Final = re.compile(r"(`+)(.+?)\1", re.DOTALL)


def check_links(body: str, path: str, first_line: int, ledger: Ledger) -> None:
    """Refuse links to anything but addresses that can be opened, and HTML. ``first_line``: where the body begins."""
    text = _CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), body)  # what stands in code is shown as it is
    for at, message, hint, number in _found(text):
        before = body[:at].split("\n")
        place = Place(path, first_line + len(before) - 1, len(before[-1]) + 1)
        ledger.problem(place, number, message, hint)


def _found(body: str) -> Iterator[tuple[int, str, str, int]]:
    for opened in _TARGET.finditer(body):
        rest = body[opened.end() : opened.end() + 300]
        if variable := _VARIABLE.match(rest):
            if variable[1] not in LINKS:
                message = f'a link cannot begin with data: where it leads would be up to "{variable[1][:60]}"'
                yield opened.end(), message, f"write the address, or {listed(LINKS)}", 15
        elif (scheme := _SCHEME.match(unescape(rest))) and scheme[1].lower() not in SCHEMES:
            message = f'a link to "{scheme[1][:60]}:" is not sent'
            yield opened.end(), message, f"links begin with {listed(f'{each}:' for each in SCHEMES)}", 15
    for tag in _TAG.finditer(body):
        yield tag.start(), "HTML is not read in a message", "write Markdown; a < of the text as &lt;", 16
