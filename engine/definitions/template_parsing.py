"""The text of a template to Jinja's tree, whose every node knows where it stands.

Jinja counts lines only. Here its tokens are given their place in the text instead of their line, and it hands that on
to the nodes: the ``lineno`` of everything this module returns is an offset.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from engine.definitions.reading import listed, suggest

Tokens: TypeAlias = list[tuple[int, str, str]]
"""Offset, kind and text."""

TAGS: Final = ("if", "elif", "else", "endif", "for", "endfor")
_ENDS: Final = {"endif": "if", "endfor": "for"}
_JINJA: Final = Environment()  # noqa: S701 - parses only; nothing is rendered with it
_UNKNOWN_TAG: Final = re.compile(r"unknown tag '(\w+)'")
_BRACES: Final = re.compile(r"\{[{%].*?(?:[%}]\}|\Z)", re.DOTALL)
_EXPECTED: Final = re.compile(r"expected token '(.+?)', got '(.+?)'", re.DOTALL)
_SIGNS: Final = {"end of print statement": "}}", "end of statement block": "%}"}
_CHECK: Final = "check the braces on this line"
_LONG_NUMBER: Final = re.compile(r"[0-9_]{4000}")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text is no template, and where."""

    offset: int
    message: str
    hint: str


def parse_template(text: str) -> nodes.Template | Fault:
    """Parse a template. Anything that is wrong with it is a value, also what makes Jinja or Python give up."""
    tokens: Tokens = []
    try:
        tokens = list(_placed(text, _JINJA.lexer.tokeniter(text, None)))
        parser = Parser(_JINJA, "")
        parser.stream = TokenStream(_JINJA.lexer.wrap(iter(tokens)), None, None)
        return parser.parse()
    except TemplateSyntaxError as error:
        return _fault(text, tokens, error)
    except RecursionError:
        return Fault(_longest(text), "this template is nested too deeply to be read", "say it in fewer braces")
    except ValueError:  # Python reads no numbers of more than 4,300 digits
        long = _LONG_NUMBER.search(text)
        message = "there is a number here with thousands of digits"
        return Fault(long.start() if long else 0, message, "write a number that means something")


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Where an offset is, both counted from 1."""
    before = text[:offset].split("\n")
    return len(before), len(before[-1]) + 1


def offset_of(node: nodes.Node) -> int:
    """Where a node stands: for a chain of attributes where its name begins."""
    while isinstance(node, nodes.Getattr | nodes.Call | nodes.Getitem):
        node = node.node
    found: int | None = getattr(node, "lineno", None)
    if found is not None:
        return found
    return next((offset_of(child) for child in node.iter_child_nodes()), 0)


def _placed(text: str, tokens: Iterable[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
    at = 0
    for _, kind, value in tokens:
        # White space that {%- takes away is skipped; everything else follows one another.
        at = max(text.find(value, at), at)
        yield at, kind, value
        at += len(value)


def _longest(text: str) -> int:
    """Where the longest of all braces begins: the one that is too deep."""
    found = max(_BRACES.finditer(text), key=lambda braces: len(braces[0]), default=None)
    return found.start() if found else 0


def _fault(text: str, tokens: Tokens, error: TemplateSyntaxError) -> Fault:
    said = error.message or ""
    if not tokens:  # of the tokens themselves Jinja knows the line
        start = len("".join(line + "\n" for line in text.split("\n")[: error.lineno - 1]))
        brace = re.compile(r"\{[{%#]").search(text, start)
        if "comment" in said:
            return Fault(_last(text, "{#"), "this comment is never closed", "write #} where it ends")
        return Fault(brace.start() if brace else start, *_otherwise(said))
    if tag := _UNKNOWN_TAG.search(said):
        if tag[1] in _ENDS:
            return Fault(error.lineno, f'there is no "{_ENDS[tag[1]]}" that this could close', "take it away")
        hint = suggest(tag[1], TAGS) or f"there is {listed(TAGS)}"
        return Fault(error.lineno, f'"{tag[1]}" is not allowed in a message', hint)
    if "nexpected end of template" in said:
        return _never_closed(tokens) or Fault(error.lineno, *_otherwise(said))
    return Fault(error.lineno, *_otherwise(said))


def _never_closed(tokens: Tokens) -> Fault | None:
    begun = [(at, kind) for at, kind, _ in tokens if kind.endswith(("_begin", "_end")) and not kind.startswith("raw")]
    if begun and begun[-1][1].endswith("_begin"):
        sign, end = ("{{", "}}") if begun[-1][1].startswith("variable") else ("{%", "%}")
        return Fault(begun[-1][0], f'this "{sign}" is never closed', f"write {end} where it ends")
    still_open: list[tuple[int, str]] = []
    words = [(at, value) for at, kind, value in tokens if kind == "name" and value in {*_ENDS, *_ENDS.values()}]
    opening = {at for at, kind, _ in tokens if kind == "block_begin"}
    for at, word in words:
        if not any(at - 4 <= begin < at for begin in opening):
            continue  # the if of {{ a if b else c }}
        if word in _ENDS:
            still_open = still_open[:-1]
        else:
            still_open.append((at, word))
    if not still_open:
        return None
    at, word = still_open[-1]
    return Fault(at, f'this "{word}" is never closed', f"write {{% end{word} %}} where it ends")


def _otherwise(said: str) -> tuple[str, str]:
    if found := _EXPECTED.search(said):
        wanted, got = _SIGNS.get(found[1], found[1]), _SIGNS.get(found[2], found[2])
        return f'"{got}" cannot stand here', f"write {wanted} before it" if found[1] in _SIGNS else _CHECK
    return f"this template cannot be read: {said.rstrip('.')}", _CHECK


def _last(text: str, sign: str) -> int:
    return max(text.rfind(sign), 0)
