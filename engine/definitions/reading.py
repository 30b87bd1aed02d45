"""The reading kit: what every reader asks of a node, with one sentence for each way the answer can be wrong.

A reader never stops: a value that cannot be used is recorded as a problem and replaced by a harmless one, so that all
problems of a file are found in one go. Whoever asked for the file throws the result away if there was a problem.

The numbers mean the same in every kind of file: 001 missing key, 002 wrong kind of value, 003 not one of the allowed
words, 004 unknown key, 005 out of range, 006 bad name, 007 said twice. From 010 on each kind of file has its own.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from engine.definitions.problem import Place, Problem
from engine.definitions.quantities import MAX_DAYS, Length, parse_date, parse_length, parse_share
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode

Word = TypeVar("Word", bound=str)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(-[a-z0-9_]+)*")
MAX_TEXT: Final = 2_000


def suggest(word: str, options: Iterable[str]) -> str:
    """``did you mean "…"?`` for the nearest option, or an empty hint."""
    close = difflib.get_close_matches(word, list(options), n=1)
    return f'did you mean "{close[0]}"?' if close else ""


def listed(words: Iterable[str]) -> str:
    """The words as a person would enumerate them: ``a, b or c``."""
    found = list(words)
    return " or ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


class Ledger:
    """The problems and notes of one kind of file, as they are found. ``letter`` starts its codes."""

    def __init__(self, letter: str, problems: list[Problem], notes: list[Problem]) -> None:
        self.letter, self.problems, self.notes = letter, problems, notes

    def problem(self, at: Node | Place, number: int, message: str, hint: str = "") -> None:
        """Record a problem under this file's letter."""
        self.coded(at, f"{self.letter}{number:03}", message, hint)

    def coded(self, at: Node | Place, code: str, message: str, hint: str = "") -> None:
        """Record a problem whose code belongs to another family (J, B)."""
        place = at if isinstance(at, Place) else at.place
        self.problems.append(Problem(place, code, message, hint))

    def note(self, at: Node | Place, number: int, message: str) -> None:
        """Record a sentence the author should know although nothing is wrong."""
        place = at if isinstance(at, Place) else at.place
        self.notes.append(Problem(place, f"{self.letter}{number:03}", message))


def scalar(node: Node, ledger: Ledger, what: str) -> str | None:
    """The text of a single, non-empty value; otherwise a problem and None."""
    if isinstance(node, ScalarNode) and not node.is_empty and node.text.strip():
        if len(node.text) <= MAX_TEXT:
            return node.text
        ledger.problem(node, 5, f"{what} is longer than {MAX_TEXT:,} characters")
        return None
    kind = {ListNode: "a list", MapNode: "keys and values"}.get(type(node), "empty")
    ledger.problem(node, 2, f"{what} must be a text, not {kind}")
    return None


def name(node: Node, ledger: Ledger, what: str) -> str:
    """A name: small letters, digits, ``_`` and ``-``, starting with a letter, at most 60 characters."""
    text = scalar(node, ledger, what)
    if text is not None and (not _NAME.fullmatch(text) or len(text) > 60):
        hint = "use small letters, digits, _ and -, and start with a letter"
        ledger.problem(node, 6, f'{what} cannot be called "{text[:70]}"', hint)
    return text or ""


def number(node: Node, ledger: Ledger, what: str, low: float = -1e15, high: float = 1e15) -> float | None:
    """A plain number between ``low`` and ``high``."""
    value = node.number if isinstance(node, ScalarNode) else None
    if value is None:
        ledger.problem(node, 2, f"{what} must be a number{_but(node)}")
    elif not low <= value <= high:
        ledger.problem(node, 5, f"{what} must be between {low:,g} and {high:,g}{_but(node)}")
        return None
    return value


def share(node: Node, ledger: Ledger, what: str, low: float = 0.0, high: float = 1.0) -> float | None:
    """A share written as ``40%``."""
    value = parse_share(node.text) if isinstance(node, ScalarNode) else None
    if value is None:
        ledger.problem(node, 2, f'{what} must be a share like "40%"{_but(node)}')
    elif not low <= value <= high:
        ledger.problem(node, 5, f"{what} must be between {low:.0%} and {high:.0%}{_but(node)}")
        return None
    return value


def amount(node: Node, ledger: Ledger, what: str, *, is_share: bool) -> float:
    """A value of a metric: a share for a share metric (0 and 1 may stand bare), else a number."""
    text = node.text if isinstance(node, ScalarNode) else ""
    bare, percent = node.number if isinstance(node, ScalarNode) else None, parse_share(text)
    if is_share and bare is not None and abs(bare) > 1:
        ledger.problem(node, 2, f"{what} is compared with a share, not with {text}", f'write "{text}%"')
    elif not is_share and percent is not None:
        hint = f'write "{text.rstrip("% ")}"'
        ledger.problem(node, 2, f"{what} is compared with a number, not with a share", hint)
    elif bare is None and percent is None:
        wanted = 'a share like "40%"' if is_share else "a number"
        ledger.problem(node, 2, f"{what} must be {wanted}{_but(node)}")
    return percent if percent is not None else bare or 0.0


def length(node: Node, ledger: Ledger, what: str) -> Length:
    """A length of time, more than nothing and at most ten years."""
    found = parse_length(node.text) if isinstance(node, ScalarNode) else None
    if found is None:
        hint = "write 7d, 36h, 3 working days or 4 working hours"
        ledger.problem(node, 2, f"{what} must be a length of time{_but(node)}", hint)
        return Length(1.0, "d", working=False)
    if not 0 < found.days <= MAX_DAYS:
        ledger.problem(node, 5, f"{what} must be more than nothing and at most {MAX_DAYS} days{_but(node)}")
        return Length(1.0, "d", working=False)
    return found


def days(node: Node, ledger: Ledger, what: str) -> int:
    """A length of time in whole calendar days."""
    found = length(node, ledger, what)
    if found.working or found.days != int(found.days):
        ledger.problem(node, 2, f"{what} must be whole days{_but(node)}", "write 7d")
        return 1
    return int(found.days)


def day(node: Node, ledger: Ledger, what: str) -> str:
    """A date, as ISO text."""
    if isinstance(node, ScalarNode) and parse_date(node.text):
        return node.text
    ledger.problem(node, 2, f"{what} must be a date like 2027-03-01{_but(node)}")
    return "1970-01-01"


def word(node: Node, options: Sequence[Word], ledger: Ledger, what: str) -> Word:
    """One of a closed list of words; the first of them where it is not."""
    text = scalar(node, ledger, what)
    for option in options:
        if text == option:
            return option
    if text is not None:
        hint = suggest(text, options)
        ledger.problem(node, 3, f'{what} must be {listed(options)}, not "{text[:60]}"', hint)
    return options[0]


def items(node: Node, ledger: Ledger, what: str, *, one_may_stand_alone: bool = False) -> tuple[Node, ...]:
    """The entries of a list; a single text counts as a list of one where that is allowed."""
    if isinstance(node, ListNode):
        return node.items
    if one_may_stand_alone and isinstance(node, ScalarNode) and not node.is_empty:
        return (node,)
    ledger.problem(node, 2, f"{what} must be a list{_but(node)}", "write [a, b]")
    return ()


def _but(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return ", but nothing is written" if node.is_empty else f', not "{node.text[:60]}"'
    return ", not a list" if isinstance(node, ListNode) else ", not keys and values"


class Fields:
    """The keys of one mapping, taken one by one; `close` reports keys that are missing or that nobody knows."""

    def __init__(self, node: Node, ledger: Ledger, what: str) -> None:
        self.node, self.ledger, self.what, self.place = node, ledger, what, node.place
        self._values: dict[str, Node] = {}
        self._keys: dict[str, ScalarNode] = {}
        self._asked: list[str] = []
        self._missing: list[str] = []
        if isinstance(node, MapNode):
            self._values = {key.text: value for key, value in node.entries}
            self._keys = {key.text: key for key, _ in node.entries}
        else:
            ledger.problem(node, 2, f"{what} must have keys and values{_but(node)}")

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def find(self, key: str) -> Node | None:
        """The value of a key that may be absent."""
        self._asked.append(key)
        return self._values.get(key)

    def need(self, key: str) -> Node | None:
        """The value of a key that must be there."""
        found = self.find(key)
        if found is None:
            self._missing.append(key)
        return found

    def key_place(self, key: str) -> Place:
        """Where a key stands, or the mapping itself where it does not."""
        return self._keys[key].place if key in self._keys else self.place

    def text(self, key: str, default: str | None = None) -> str:
        """A text; required where no default is given."""
        node = self._node(key, default)
        return (default or "") if node is None else scalar(node, self.ledger, self._of(key)) or ""

    def name(self, key: str) -> str:
        """A required name."""
        node = self.need(key)
        return "" if node is None else name(node, self.ledger, self._of(key))

    def word(self, key: str, options: Sequence[Word], default: Word | None = None) -> Word:
        """One of a closed list of words."""
        node = self._node(key, default)
        return (default or options[0]) if node is None else word(node, options, self.ledger, self._of(key))

    def number(self, key: str, default: float | None, low: float = -1e15, high: float = 1e15) -> float:
        """A number; required where the default is None."""
        node = self._node(key, default)
        found = None if node is None else number(node, self.ledger, self._of(key), low, high)
        return found if found is not None else default if default is not None else low

    def whole(self, key: str, default: int | None, low: int = 0, high: int = 1_000_000) -> int:
        """A whole number."""
        found = self.number(key, default, low, high)
        if found != int(found):
            self.ledger.problem(self._values[key], 2, f"{self._of(key)} must be a whole number")
        return int(found)

    def share(self, key: str, default: float | None, low: float = 0.0, high: float = 1.0) -> float:
        """A share written as ``40%``."""
        node = self._node(key, default)
        found = None if node is None else share(node, self.ledger, self._of(key), low, high)
        return found if found is not None else default if default is not None else low

    def days(self, key: str, default: int | None = None) -> int:
        """Whole days."""
        node = self._node(key, default)
        return (default or 0) if node is None else days(node, self.ledger, self._of(key))

    def truth(self, key: str, *, default: bool) -> bool:
        """``true`` or ``false``."""
        node = self.find(key)
        if node is None:
            return default
        value = node.truth if isinstance(node, ScalarNode) else None
        if value is None:
            self.ledger.problem(node, 2, f"{self._of(key)} must be true or false{_but(node)}")
        return bool(value)

    def texts(self, key: str, *, required: bool = False) -> tuple[ScalarNode, ...]:
        """A list of texts as nodes, so that each keeps its place; none twice."""
        node = self.need(key) if required else self.find(key)
        if node is None:
            return ()
        found: dict[str, ScalarNode] = {}
        for item in items(node, self.ledger, self._of(key), one_may_stand_alone=True):
            text = scalar(item, self.ledger, f"an entry of {self._of(key)}")
            if text is not None and isinstance(item, ScalarNode):
                if text in found:
                    self.ledger.problem(item, 7, f'"{text}" stands in the list twice')
                found[text] = item
        return tuple(found.values())

    def fields(self, key: str, *, required: bool = False) -> "Fields | None":
        """A mapping inside."""
        node = self.need(key) if required else self.find(key)
        return None if node is None else Fields(node, self.ledger, self._of(key))

    def entries(self, key: str, *, required: bool = False) -> tuple[tuple[ScalarNode, Node], ...]:
        """The entries of a mapping whose keys are names the author chose."""
        node = self.need(key) if required else self.find(key)
        if node is None or (isinstance(node, ScalarNode) and node.is_empty and not required):
            return ()
        if isinstance(node, MapNode):
            return node.entries
        self.ledger.problem(node, 2, f"{self._of(key)} must have names and values{_but(node)}")
        return ()

    def close(self) -> None:
        """Report what is missing and what nobody asked for."""
        absent = [key for key in self._asked if key not in self._values]
        missing = list(dict.fromkeys(self._missing))
        for key, at in self._keys.items():
            if key not in self._asked:
                hint = suggest(key, absent) or (f"known here: {listed(absent)}" if 0 < len(absent) <= 12 else "")
                self.ledger.problem(at, 4, f'unknown key "{key}"', hint)
                missing = [other for other in missing if f'"{other}"?' not in hint]
        if isinstance(self.node, MapNode):
            for key in missing:
                self.ledger.problem(self.place, 1, f'{self.what} needs "{key}"')

    def _node(self, key: str, default: Any) -> Node | None:
        return self.need(key) if default is None else self.find(key)

    def _of(self, key: str) -> str:
        return f'"{key}"'


def texts_of(nodes: Iterable[ScalarNode]) -> tuple[str, ...]:
    """The bare texts of scalar nodes."""
    return tuple(node.text for node in nodes)


def known(node: Node, wanted: str, options: Iterable[str] | Mapping[str, Any], ledger: Ledger, what: str) -> bool:
    """Whether a name is one of those declared; else the problem between files (B001) with the nearest name."""
    found = list(options)
    if wanted in found:
        return True
    hint = suggest(wanted, found) or (f"there is {listed(found)}" if 0 < len(found) <= 8 else "")
    ledger.coded(node, "B001", f'there is no {what} "{wanted}"', hint or f"no {what} is declared")
    return False
