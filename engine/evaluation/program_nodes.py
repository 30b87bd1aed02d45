"""The nodes that all conditions of a program share: one table, each node once, arguments before what reads them.

A node is a number, the codes of a text, or a flag (one plane). Equal nodes are one node (hash-consing), constants are
folded, and a node is named by its index. There is no third value in here: a condition is two flags.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

FALSE: Final = 0
TRUE: Final = 1
COMPARED: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
FOLDED: Final = frozenset({"+", "-", "*", "/", "%", "min", "max"})
NUMBERS: Final = frozenset({"column", "constant", "where", *FOLDED})
LEAVES: Final = frozenset({"isnan", "word", "same", "nocode", *COMPARED})
"""Flags that look at numbers or codes."""
CONNECTIVES: Final = frozenset({"and", "or", "not", "but not"})
"""Flags that look at flags."""

_COMMUTATIVE: Final = frozenset({"and", "or", "==", "!=", "same"})


@dataclass(frozen=True, slots=True)
class Input:
    """A column that a program reads; ``into`` names the text column whose words its codes are translated into."""

    name: str
    text: bool
    into: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """An operation on the nodes ``args``. ``value``: a constant, the word a text is compared with; ``source``: an
    index into the inputs (-1: none)."""

    op: str
    args: tuple[int, ...] = ()
    value: float | str = 0.0
    source: int = -1


@dataclass(slots=True)
class Graph:
    """The table. ``nullable``: which number nodes can be NaN; the other nodes have no entry in it."""

    nodes: list[Node] = field(default_factory=lambda: [Node("false"), Node("true")])
    inputs: list[Input] = field(default_factory=list)
    nullable: set[int] = field(default_factory=set)
    _known: dict[Node, int] = field(default_factory=dict)

    def add(self, node: Node, *, nullable: bool = False) -> int:
        """The index of this node, which is made when there is none like it."""
        if node.op in _COMMUTATIVE:
            node = Node(node.op, tuple(sorted(node.args)), node.value, node.source)
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = len(self.nodes)
            self.nodes.append(node)
            if nullable:
                self.nullable.add(found)
        return found

    def read(self, column: Input, *, nullable: bool) -> int:
        """The node of a column: a number, or the codes of a text."""
        if column not in self.inputs:
            self.inputs.append(column)
        source = self.inputs.index(column)
        return self.add(Node("codes" if column.text else "column", source=source), nullable=nullable)

    def number(self, value: float) -> int:
        """A constant; NaN is one that is unknown."""
        if np.isnan(value):
            return self.add(Node("constant", value="nan"), nullable=True)
        return self.add(Node("constant", value=float(value)))

    def constant(self, index: int) -> float | None:
        """The value of a constant (NaN too), None for every other node."""
        node = self.nodes[index]
        return float(node.value) if node.op == "constant" else None

    def both(self, left: int, right: int) -> int:
        """``and`` of two flags."""
        if FALSE in {left, right}:
            return FALSE
        if right in {left, TRUE}:
            return left
        return right if left == TRUE else self.add(Node("and", (left, right)))

    def either(self, left: int, right: int) -> int:
        """``or`` of two flags."""
        if TRUE in {left, right}:
            return TRUE
        if right in {left, FALSE}:
            return left
        return right if left == FALSE else self.add(Node("or", (left, right)))

    def inverse(self, flag: int) -> int:
        """``not`` of a flag."""
        if flag in {TRUE, FALSE}:
            return TRUE + FALSE - flag
        node = self.nodes[flag]
        return node.args[0] if node.op == "not" else self.add(Node("not", (flag,)))

    def without(self, flag: int, excluded: int) -> int:
        """``flag`` and not ``excluded``."""
        if excluded in {TRUE, FALSE} or flag in {TRUE, FALSE} or flag == excluded:
            return FALSE if flag == excluded else self.both(flag, self.inverse(excluded))
        return self.add(Node("but not", (flag, excluded)))

    def known(self, node: Node) -> int | None:
        """The index of a node that is there already."""
        return self._known.get(node)

    def every(self, flags: Iterable[int]) -> int:
        """``and`` of all, from left to right, so that equal beginnings are shared."""
        found = TRUE
        for flag in flags:
            found = self.both(found, flag)
        return found

    def some(self, flags: Iterable[int]) -> int:
        """``or`` of all, from left to right."""
        found = FALSE
        for flag in flags:
            found = self.either(found, flag)
        return found


def reachable(graph: Graph, roots: Iterable[int]) -> list[int]:
    """The nodes that ``roots`` need, arguments first."""
    wanted: set[int] = set()
    waiting = [root for root in roots if root not in {TRUE, FALSE}]
    while waiting:
        index = waiting.pop()
        if index not in wanted:
            wanted.add(index)
            waiting.extend(graph.nodes[index].args)
    return sorted(wanted)
