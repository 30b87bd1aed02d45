"""The reading kit: what every reader asks of a node, with one sentence for each way the answer can be wrong.

A reader never stops: a value that cannot be used is recorded as a problem and replaced by a harmless one, so that all
problems of a file are found in one go. Whoever asked for the file throws the result away if there was a problem.

The numbers mean the same in every kind of file: 001 missing key, 002 wrong kind of value, 003 not one of the allowed
words, 004 unknown key, 005 out of range, 006 bad name, 007 said twice. From 010 on each kind of file has its own.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from engine.definitions.problem import Place, Problem, one_line
from engine.definitions.quantities import MAX_DAYS, Length, parse_date, parse_length, parse_share
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode

Word = TypeVar("Word", bound=str)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(-[a-z0-9_]+)*")
MAX_TEXT: Final = 2_000


def suggest(word: str, options: Iterable[str]) -> str:
    """``did you mean "…"?`` for the nearest option, or an empty hint."""
    close = difflib.get_close_matches(word, list(options), n=1)
    return f'did you mean "{close[0]}"?' if close else ""


NAMED = 8
"""As many declared names stand in a hint."""


def listed(words: Iterable[str], joint: str = "or") -> str:
    """The words as a person would enumerate them: ``a, b or c``."""
    found = list(words)
    return f" {joint} ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


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
        self.problems.append(Problem(place, code, one_line(message), one_line(hint)))

    def note(self, at: Node | Place, number: int, message: str) -> None:
        """Record a sentence the author should know although nothing is wrong."""
        place = at if isinstance(at, Place) else at.place
        self.notes.append(Problem(place, f"{self.letter}{number:03}", one_line(message)))


def scalar(node: Node, ledger: Ledger, what: str) -> str | None:
    """The text of a single, non-empty value; otherwise a problem and None."""
    if isinstance(node, ScalarNode) and not node.is_empty and node.text.strip():
        if len(node.text) <= MAX_TEXT:
            return node.text
        ledger.problem(node, 5, f"{what} is longer than {MAX_TEXT:,} characters ({len(node.text):,})", "shorten it")
        return None
    kind = {ListNode: "a list", MapNode: "keys and values"}.get(type(node), "empty")
    hint = "write it after the colon" if kind == "empty" else ""
    ledger.problem(node, 2, f"{what} must be a text, not {kind}", hint)
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
        ledger.problem(node, 2, f"{what} must be a number{but(node)}", _number_hint(node))
    elif not low <= value <= high:
        ledger.problem(node, 5, f"{what} must be between {_plain(low)} and {_plain(high)}{but(node)}")
        return None
    return value


def _plain(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _number_hint(node: Node) -> str:
    """How a number that was written otherwise (``1_000``, ``0x11``, ``40%``, ``"5"``) would be written here."""
    text = node.text.strip() if isinstance(node, ScalarNode) else ""
    plain = text.replace("_", "").replace(" ", "").replace(",", "") if text[:1].isdigit() else text
    if isinstance(node, ScalarNode) and plain and (plain != node.text or node.quoted):
        found = ScalarNode(plain, node.place)
        if found.number is not None:
            return f"write {plain}"
    return "write it in digits, like 30"


def share(node: Node, ledger: Ledger, what: str, low: float = 0.0, high: float = 1.0) -> float | None:
    """A share written as ``40%``."""
    value = parse_share(node.text) if isinstance(node, ScalarNode) else None
    if value is None:
        ledger.problem(node, 2, f'{what} must be a share like "40%"{but(node)}', _share_hint(node))
    elif not low <= value <= high:
        ledger.problem(node, 5, f"{what} must be between {low * 100:g}% and {high * 100:g}%{but(node)}")
        return None
    return value


def _share_hint(node: Node) -> str:
    bare = node.number if isinstance(node, ScalarNode) else None
    return "" if bare is None else f'write "{bare:g}%"'


def amount(node: Node, ledger: Ledger, what: str, *, is_share: bool | None) -> float:
    """A value of a metric: a share for a share metric (0 and 1 may stand bare), else a number.

    ``is_share`` None: nothing is known of the metric, because it is not there; that has been said already.
    """
    text = node.text if isinstance(node, ScalarNode) else ""
    bare, percent = node.number if isinstance(node, ScalarNode) else None, parse_share(text)
    if is_share and bare is not None and abs(bare) > 1:
        ledger.problem(node, 2, f'{what} must be a share like "40%", not "{text}"', f'write "{text}%"')
    elif is_share is False and percent is not None:
        hint = f'write "{text.rstrip("% ")}"'
        ledger.problem(node, 2, f'{what} must be a number, not the share "{text}"', hint)
    elif bare is None and percent is None:
        wanted = 'a share like "40%"' if is_share else "a number"
        ledger.problem(node, 2, f"{what} must be {wanted}{but(node)}")
    return percent if percent is not None else bare or 0.0


def length(node: Node, ledger: Ledger, what: str) -> Length:
    """A length of time, more than nothing and at most ten years."""
    found = parse_length(node.text) if isinstance(node, ScalarNode) else None
    if found is None:
        hint = "write 7d, 36h, 3 working days or 4 working hours"
        ledger.problem(node, 2, f"{what} must be a length of time{but(node)}", hint)
        return Length(1.0, "d", working=False)
    if not 0 < found.days <= MAX_DAYS:
        ledger.problem(node, 5, f"{what} must be more than nothing and at most {MAX_DAYS} days{but(node)}")
        return Length(1.0, "d", working=False)
    return found


def days(node: Node, ledger: Ledger, what: str) -> int:
    """A length of time in whole calendar days."""
    found = length(node, ledger, what)
    if found.working or found.days != int(found.days):
        ledger.problem(node, 2, f"{what} must be whole days{but(node)}", "write 7d")
        return 1
    return int(found.days)


def day(node: Node, ledger: Ledger, what: str) -> str:
    """A date, as ISO text."""
    if isinstance(node, ScalarNode) and parse_date(node.text):
        return node.text
    ledger.problem(node, 2, f"{what} must be a date like 2027-03-01{but(node)}")
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
    hint = 'begin each entry with "- "' if isinstance(node, MapNode) else "write [a, b]"
    ledger.problem(node, 2, f"{what} must be a list{but(node)}", hint)
    return ()


def but(node: Node) -> str:
    """The end of a sentence about a wrong kind of value: what was written instead."""
    if isinstance(node, ScalarNode):
        return ", but nothing is written" if node.is_empty else f', not "{node.text[:60]}"'
    return ", not a list" if isinstance(node, ListNode) else ", not keys and values"


def texts_of(nodes: Iterable[ScalarNode]) -> tuple[str, ...]:
    """The bare texts of scalar nodes."""
    return tuple(node.text for node in nodes)


def known(node: Node, wanted: str, options: Iterable[str], ledger: Ledger, what: str, where: str = "") -> bool:
    """Whether a name is one of those declared; else the problem between files (B001) with the nearest name."""
    found = list(options)
    if wanted in found:
        return True
    hint = suggest(wanted, found) or (f"there is {_some(found)}" if found else f"no {what} is declared")
    ledger.coded(node, "B001", f'there is no {what} "{wanted}"{where}', hint)
    return False


def _some(names: Sequence[str]) -> str:
    """All of a few names, the first of many."""
    more = len(names) - NAMED
    return listed(names) if more <= 0 else f"{', '.join(names[:NAMED])} and {more} more"
