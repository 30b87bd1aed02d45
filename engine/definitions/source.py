"""YAML text to nodes that remember their place; everything YAML can do that a definition must not is refused here.

Files are YAML 1.2 without anchors, aliases, tags, merge keys, several documents or keys that are not text. The
checks look at the parser's events, before anything is built, so that a hostile file costs nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from engine.definitions.problem import Place, Problem, one_line
from engine.definitions.syntax import place_of, syntax_problem

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 32
MAX_NODES: Final = 5_000

_NUMBER: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_FORBIDDEN: Final = re.compile(  # what cannot be stored or seen; also what turns the direction of the text around it
    "[^\t\n\r\x20-\x7e\x85\xa0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_BIG_ESCAPE: Final = re.compile(r"\\U(?!0010|000[0-9A-Fa-f])[0-9A-Fa-f]{8}")
_LINE_END: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value as written. ``quoted`` text is never a number, a truth value or nothing."""

    text: str
    place: Place
    quoted: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written (``key:``, ``~`` or ``null``)."""
        return not self.quoted and self.text in {"", "~", "null", "Null", "NULL"}

    @property
    def truth(self) -> bool | None:
        """The truth value it is, if it is one (``true`` and ``false`` only: ``no`` is a text)."""
        if self.quoted or self.text not in {"true", "True", "TRUE", "false", "False", "FALSE"}:
            return None
        return self.text.lower() == "true"

    @property
    def number(self) -> float | None:
        """The number it is, if it is one and finite."""
        if self.quoted or not _NUMBER.fullmatch(self.text):
            return None
        value = float(self.text)
        return value if abs(value) <= 1e15 else None


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list of nodes."""

    items: tuple["Node", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class MapNode:
    """Keys with values, in the order of the file; no key twice."""

    entries: tuple[tuple[ScalarNode, "Node"], ...]
    place: Place

    def get(self, key: str) -> "Node | None":
        """The value of a key, or None where the key is absent."""
        return next((value for name, value in self.entries if name.text == key), None)


Node: TypeAlias = ScalarNode | ListNode | MapNode


def read_source(path: str, text: str, problems: list[Problem]) -> Node | None:
    """Read one file. Every problem is appended; None where there is nothing that could be read further."""
    node, found = _read(path, text)
    problems += found
    return node


@lru_cache(maxsize=1024)
def _read(path: str, text: str) -> tuple[Node | None, tuple[Problem, ...]]:
    # Nine tenths of checking is this, and the same files are checked again and again: by plan, by a start, by tests.
    if found := _unreadable(path, text):
        return None, (found,)
    problems: list[Problem] = []
    builder = _Builder(path, problems)
    try:
        whole = all(builder.take(event) for event in _events(text))
    except MarkedYAMLError as error:
        return None, (*problems, syntax_problem(path, text, error, builder.long_quote))
    except (YAMLError, ValueError, OverflowError) as error:  # an escape beyond Unicode is a ValueError
        return None, (*problems, _unmarked(path, text, error))
    if builder.root is None and whole:
        problems.append(Problem(Place(path), "Y001", "the file is empty", 'start it with "format: 1"'))
    return builder.root if whole else None, tuple(problems)


def _unmarked(path: str, text: str, error: Exception) -> Problem:
    if escape := _BIG_ESCAPE.search(text):
        message = f"{escape[0]} stands for no character"
        return Problem(_place_at(path, text, escape.start()), "Y020", message, "write the character itself")
    said = str(error).partition("\n")[0]
    return Problem(Place(path), "Y002", f"this is not YAML: {said}", "write it as the examples of the manual are")


def _place_at(path: str, text: str, index: int) -> Place:
    before = _LINE_END.split(text[:index])
    return Place(path, len(before), len(before[-1]) + 1)


def _events(text: str) -> Iterator[Event]:
    yaml = YAML(typ="safe", pure=True)
    events: Iterator[Event] = yaml.parse(text)
    return events


def _unreadable(path: str, text: str) -> Problem | None:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return Problem(Place(path), "Y003", "the file is larger than 256 KiB", "split it into several files")
    if text.startswith("\ufeff"):
        return Problem(Place(path), "Y004", "the file starts with a byte order mark", 'save it as "UTF-8" without one')
    if bad := _FORBIDDEN.search(text):
        message = f"there is a character here that no text has (U+{ord(bad[0]):04X})"
        return Problem(_place_at(path, text, bad.start()), "Y005", message, "remove it")
    if not text.strip():
        return Problem(Place(path), "Y001", "the file is empty", 'start it with "format: 1"')
    return None


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet; in a mapping, keys and values alternate in ``nodes``."""

    place: Place
    is_map: bool
    nodes: list[Node]


class _Builder:
    """Puts events together to nodes and refuses what a definition must not use."""

    def __init__(self, path: str, problems: list[Problem]) -> None:
        self.path, self.problems = path, problems
        self.root: Node | None = None
        self.long_quote: Place | None = None  # where the last value starts, if it is in quotes and over several lines
        self._stack: list[_Open] = []
        self._end: Place | None = None  # where the last value ended
        self._count = self._documents = 0

    def take(self, event: Event) -> bool:
        """Take the next event; False where reading on makes no sense."""
        if isinstance(event, ScalarEvent):
            self._decoration(event)
            node = ScalarNode(event.value, self._place_of_scalar(event), quoted=event.style is not None)
            self._end = Place(self.path, event.end_mark.line + 1, event.end_mark.column + 1)
            if bad := _FORBIDDEN.search(event.value):
                message = f"an escape in this text stands for a character that no text has (U+{ord(bad[0]):04X})"
                self._say(event, "Y005", message, "remove it")
            several_lines = event.end_mark.line > event.start_mark.line
            self.long_quote = node.place if several_lines and event.style in {"'", '"'} else None
            self._add(node)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._decoration(event)
            self._stack.append(_Open(self._at(event), isinstance(event, MappingStartEvent), []))
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._close()
        elif isinstance(event, AliasEvent):
            hint = "write the value out; a text that begins with * belongs in quotes"
            self._say(event, "Y012", f"aliases (*{event.anchor}) are not read", hint)
            self._add(ScalarNode("", self._at(event)))
        elif isinstance(event, DocumentStartEvent):
            self._documents += 1
            if event.version or event.tags:
                self._say(
                    event,
                    "Y021",
                    "directives (lines that begin with %) are not read",
                    "remove the lines above this one",
                )
            if self._documents > 1:
                self._say(event, "Y013", "a second document starts here", "make it a file of its own")
                return False
        return self._within_limits(event)

    def _within_limits(self, event: Event) -> bool:
        if len(self._stack) > MAX_DEPTH:
            self._say(event, "Y014", f"this is nested more than {MAX_DEPTH} deep", "say it in fewer levels")
            return False
        if self._count > MAX_NODES:
            self._say(event, "Y015", f"the file has more than {MAX_NODES:,} values", "split it into several files")
            return False
        return True

    def _decoration(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        if event.anchor is not None:
            hint = "write the value out where it is needed; a text that begins with & belongs in quotes"
            self._say(event, "Y011", f"anchors (&{event.anchor}) are not read", hint)
        if event.ctag is not None:
            self._say(
                event,
                "Y016",
                f"tags ({_tag(event)}) are not read",
                "remove the tag; a text that begins with ! belongs in quotes",
            )

    def _close(self) -> None:
        done = self._stack.pop()
        if done.is_map:
            self._add(MapNode(self._entries(done.nodes), done.place))
        else:
            self._add(ListNode(tuple(done.nodes), done.place))

    def _entries(self, nodes: list[Node]) -> tuple[tuple[ScalarNode, Node], ...]:
        found: dict[str, tuple[ScalarNode, Node]] = {}
        for key, value in zip(nodes[::2], nodes[1::2], strict=True):
            if not isinstance(key, ScalarNode) or not _is_text(key):
                hint = "put it in quotes" if isinstance(key, ScalarNode) else "a key is a single text"
                if isinstance(key, MapNode):
                    hint = "a text with {{ … }} belongs in quotes"
                elif isinstance(key, ScalarNode) and key.quoted:
                    hint = "write a name: it is empty"
                self.problems.append(Problem(key.place, "Y017", "this key is not a text", hint))
            elif key.text == "<<" and not key.quoted:
                self.problems.append(Problem(key.place, "Y018", "merge keys (<<) are not read", "write the keys out"))
            elif key.text in found:
                first = found[key.text][0].place
                message = f'the key "{key.text}" is written twice'
                self.problems.append(
                    Problem(key.place, "Y019", one_line(message), f"it also stands in line {first.line}")
                )
            else:
                found[key.text] = key, value
        return tuple(found.values())

    def _add(self, node: Node) -> None:
        self._count += 1
        if self._stack:
            self._stack[-1].nodes.append(node)
        else:
            self.root = node

    def _place_of_scalar(self, event: ScalarEvent) -> Place:
        # Where a key has no value, the parser points at whatever comes next, many lines below perhaps.
        in_map = event.ctag is None and self._stack and self._stack[-1].is_map and len(self._stack[-1].nodes) % 2
        return self._end if in_map and self._end and not event.value and event.style is None else self._at(event)

    def _at(self, event: Event) -> Place:
        return place_of(self.path, event.start_mark)

    def _say(self, event: Event, code: str, message: str, hint: str) -> None:
        self.problems.append(Problem(self._at(event), code, one_line(message), hint))


def _tag(event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> str:
    return str(event.ctag).replace("tag:yaml.org,2002:", "!!")


def _is_text(key: ScalarNode) -> bool:
    return bool(key.text) and not key.is_empty and key.truth is None and not _is_number_like(key)


def _is_number_like(key: ScalarNode) -> bool:
    return not key.quoted and _NUMBER.fullmatch(key.text) is not None
