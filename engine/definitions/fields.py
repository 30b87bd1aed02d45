"""The keys of one mapping, taken one by one; what is missing and what nobody knows is reported at the end."""

from collections.abc import Sequence
from typing import Any, Final

from engine.definitions.problem import Place
from engine.definitions.reading import (
    Ledger,
    Word,
    but,
    days,
    items,
    listed,
    name,
    number,
    scalar,
    share,
    suggest,
    word,
)
from engine.definitions.source import MapNode, Node, ScalarNode

_EXAMPLES: Final = {
    "format": "format: 1",
    "within": "within: 45d",
    "over": "over: 30d",
    "at_most": "at_most: 7d",
    "expires": "expires: 2d",
    "every": "every: 3d",
    "to": "to: owner",
    "weight": "weight: 50%",
    "after": "after: 1 working day",
    "audience": "audience: user",
    "secret": "secret: env:CRM_SECRET",
    "country": "country: [DE, AT]",
}
"""How a key would be written whose value mostly looks like this."""


class Fields:
    """The keys of one mapping, taken one by one; `close` reports keys that are missing or that nobody knows."""

    def __init__(self, node: Node, ledger: Ledger, what: str) -> None:
        self.node, self.ledger, self.what, self.place = node, ledger, what, node.place
        self._values: dict[str, Node] = {}
        self._keys: dict[str, ScalarNode] = {}
        self._asked: list[str] = []
        self._missing: list[str] = []
        self._refused: set[str] = set()
        if isinstance(node, MapNode):
            self._values = {key.text: value for key, value in node.entries}
            self._keys = {key.text: key for key, _ in node.entries}
        else:
            ledger.problem(node, 2, f"{what} must have keys and values{but(node)}", "write each as key: value")

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
            self.ledger.problem(self._values[key], 2, f"{self._of(key)} must be a whole number{but(self._values[key])}")
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
            self.ledger.problem(node, 2, f"{self._of(key)} must be true or false{but(node)}")
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
                    self.ledger.problem(item, 7, f'"{text}" stands in the list twice', "leave one of them out")
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
        self.ledger.problem(node, 2, f"{self._of(key)} must have names and values{but(node)}")
        return ()

    def refuse(self, key: str, hint: str) -> None:
        """Say of a key that is not known here, but often tried, what to write instead."""
        if key in self._keys:
            self._refused.add(key)
            self.ledger.problem(self._keys[key], 4, f'unknown key "{key}"', hint)

    def close(self) -> None:
        """Report what is missing and what nobody asked for."""
        absent = [key for key in self._asked if key not in self._values]
        missing = list(dict.fromkeys(self._missing))
        for key, at in self._keys.items():
            if key not in self._asked and key not in self._refused:
                hint = suggest(key, absent) or _other_hint(self._values[key], absent)
                self.ledger.problem(at, 4, f'unknown key "{key}"', hint)
                missing = [other for other in missing if f'"{other}"?' not in hint]
        if missing and isinstance(self.node, MapNode):
            wanted = listed([f'"{key}"' for key in missing], "and")
            self.ledger.problem(self.place, 1, f"{self.what} needs {wanted}", _missing_hint(missing))

    def _node(self, key: str, default: Any) -> Node | None:
        return self.need(key) if default is None else self.find(key)

    def _of(self, key: str) -> str:
        return f'"{key}"'


def _missing_hint(missing: list[str]) -> str:
    found = [_EXAMPLES[key] for key in missing if key in _EXAMPLES]
    return f"for example {listed(found, 'and')}" if found and len(found) == len(missing) else ""


def _other_hint(value: Node, absent: list[str]) -> str:
    if isinstance(value, ScalarNode) and value.is_empty:
        return "inside braces a comma ends a value: put the whole text in quotes if it belongs to it"
    if not absent:
        return "remove it: everything that is known here is written already"
    return f"known here: {listed(absent)}" if len(absent) <= 12 else ""
