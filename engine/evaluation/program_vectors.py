"""Shared nodes as one straight-line function of NumPy calls over a chunk of rows.

Order: everything that looks at numbers or codes comes first, column by column, so that a column is read from memory
once and its comparisons find it in the cache; all limits of one column are compared in one call, a block of rows at a
time. Comparisons are packed to bits at once, so the connectives work on an eighth of the memory. Every call has
``out=``; buffers are handed on as soon as their value is not needed any more (linear scan), so a few of them serve
hundreds of nodes.

The function is made by ``exec`` of generated source. That is safe because nothing a person wrote is ever part of it:
the source consists of the templates below and of names counted up in here (``c0``, ``k1``, ``p2``). Names of metrics
are indices of columns, constants and words are values handed over by index.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from engine.evaluation.program_nodes import CONNECTIVES, FALSE, LEAVES, TRUE, Graph, Node, reachable

_UFUNCS: Final[Mapping[str, tuple[str, Any]]] = {
    "<": ("less", np.less),
    "<=": ("less_equal", np.less_equal),
    ">": ("greater", np.greater),
    ">=": ("greater_equal", np.greater_equal),
    "==": ("equal", np.equal),
    "!=": ("not_equal", np.not_equal),
    "same": ("equal", np.equal),
    "word": ("equal", np.equal),
    "nocode": ("less", np.less),
    "isnan": ("isnan", np.isnan),
    "+": ("add", np.add),
    "-": ("subtract", np.subtract),
    "*": ("multiply", np.multiply),
    "/": ("divide", np.divide),
    "%": ("mod", np.mod),
    "min": ("minimum", np.minimum),
    "max": ("maximum", np.maximum),
    "and": ("bitwise_and", np.bitwise_and),
    "or": ("bitwise_or", np.bitwise_or),
    "not": ("invert", np.invert),
}
_FLOAT, _PLAIN, _PACKED = "f", "b", "p"
BLOCK: Final = 16_384
"""Rows of a column that are compared with all its limits before the next ones: they stay in the smallest caches."""


class GapFound(Exception):
    """A column that was taken for complete is not."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """The function and what it must be given: buffers of each kind, and per word the column it is a code of.

    A word that is None stands for code 0: the codes below it are unknown.
    ``groups``: how many limits each of some columns is compared with. ``watched``: inputs that were said to be
    complete and are looked through while they are compared; a gap raises `GapFound`.
    ``run(columns, words, floats, plains, packed, groups, block, scratch, size, out)`` fills row i of ``out`` with root
    i, a bit a row of the chunk, highest bit first; rows of roots that are constants are left alone.
    """

    run: Callable[..., None]
    floats: int
    plains: int
    packed: int
    groups: tuple[int, ...]
    watched: frozenset[int]
    words: tuple[tuple[int, str | None], ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One call: what it makes (``target``), what it reads, its text with ``{0}`` for what is read."""

    text: str
    reads: tuple[str, ...]
    target: str = ""


@dataclass(slots=True)
class _Source:
    """The lines of one program in the order they run, and the constants they name."""

    graph: Graph
    lines: list[_Line] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)
    words: dict[tuple[int, str | None], str] = field(default_factory=dict)
    rows: dict[int, str] = field(default_factory=dict)

    def flag(self, index: int) -> str:
        """What the bits of a flag are called where they are read."""
        return self.rows.get(index, f"p{index}")

    def write(self, index: int, *, plain: bool, packed: bool) -> None:
        """The lines of one node; a flag is needed ``plain`` (a byte a row), ``packed`` (a bit a row), or both."""
        node = self.graph.nodes[index]
        if node.op in LEAVES:
            self._leaf(index, node, plain=plain, packed=packed)
        elif node.op in CONNECTIVES:
            self._connective(index, node)
            if plain:
                self.lines.append(_Line("{out} = unpack({0}, count=size).view(plain)", (f"p{index}",), f"b{index}"))
        elif node.op == "where":
            flag, then, otherwise = node.args
            reads = (f"b{flag}", self.number(then), self.number(otherwise))
            self.lines.append(_Line("{out} = where({0}, {1}, {2})", reads, f"f{index}"))
        elif node.op not in {"column", "codes", "constant"}:
            name = _UFUNCS[node.op][0]
            self.lines.append(_Line(f"{name}({{0}}, {{1}}, out={{out}})", self._numbers(node), f"f{index}"))

    def number(self, index: int) -> str:
        """What a number node is called where it is read."""
        node = self.graph.nodes[index]
        if node.op in {"column", "codes"}:
            return f"c{node.source}"
        if node.op == "constant":
            return self.constants.setdefault(repr(float(node.value)), f"k{len(self.constants)}")
        return f"f{index}"

    def _numbers(self, node: Node) -> tuple[str, ...]:
        return tuple(self.number(arg) for arg in node.args)

    def _leaf(self, index: int, node: Node, *, plain: bool, packed: bool) -> None:
        reads, name = self._numbers(node), _UFUNCS[node.op][0]
        if node.op in {"word", "nocode"}:
            asked = self.graph.nodes[node.args[0]].source, str(node.value) if node.op == "word" else None
            reads = (*reads, self.words.setdefault(asked, f"w{len(self.words)}"))
        call = f"{name}({', '.join(f'{{{i}}}' for i in range(len(reads)))}, out="
        if plain:
            self.lines.append(_Line(call + "{out})", reads, f"b{index}"))
            if packed:
                self.lines.append(_Line("{out} = pack({0})", (f"b{index}",), f"p{index}"))
        else:
            self.lines.append(_Line(call + "scratch); {out} = pack(scratch)", reads, f"p{index}"))

    def _connective(self, index: int, node: Node) -> None:
        reads = tuple(self.flag(arg) for arg in node.args)
        if node.op == "but not":
            # Of two bits, the first without the second: the only use that needs an order of two calls.
            self.lines.append(_Line("{out} = bitwise_and({0}, invert({1}))", reads, f"p{index}"))
            return
        holes = ", ".join(f"{{{i}}}" for i in range(len(reads)))
        self.lines.append(_Line(f"{_UFUNCS[node.op][0]}({holes}, out={{out}})", reads, f"p{index}"))


def compile_vectors(graph: Graph, roots: Sequence[int]) -> Vectors:
    """The straight-line function that fills one row of bits for each of ``roots``."""
    wanted = reachable(graph, roots)
    plain, packed, stored = _uses(graph, wanted, roots)
    groups = _grouped(graph, wanted, plain)
    source = _Source(graph)
    source.rows = {index: f"r{index}" for group in groups for index in group}
    for index in _ordered(graph, wanted):
        if index not in source.rows:
            source.write(index, plain=index in plain, packed=index in packed)
        source.lines += [_Line(f"out[{row}] = {{0}}", (source.flag(index),)) for row in stored[index]]
    body, slots = _allocated(source.lines)
    head = [_unpacked("c", len(graph.inputs), "columns"), _unpacked("w", len(source.words), "words")]
    names = ((_FLOAT, "floats"), (_PLAIN, "plains"), (_PACKED, "packed"))
    head += [_unpacked(kind, slots[kind], given) for kind, given in names]
    head += [_unpacked("g", len(groups), "groups"), *_blocks(graph, groups)]
    given = "columns, words, floats, plains, packed, groups, block, scratch, size, out"
    text = "\n    ".join([f"def run({given}):", *head, *body, "return"])
    known: dict[str, Any] = dict(_UFUNCS.values())
    known |= {"total": np.add.reduce, "finite": math.isfinite, "GapFound": GapFound}
    known |= {"where": np.where, "pack": np.packbits, "unpack": np.unpackbits, "plain": np.bool_}
    known |= {name: np.array(float(value)) for value, name in source.constants.items()}
    known |= {f"t{at}": np.array([[_limit(graph, index)] for index in group]) for at, group in enumerate(groups)}
    exec(compile(text, "<conditions>", "exec"), known)  # noqa: S102 # see the docstring of this module
    counts = slots[_FLOAT], slots[_PLAIN], slots[_PACKED]
    sizes, watched = tuple(len(group) for group in groups), frozenset(_watched(graph, groups).values())
    return Vectors(known["run"], *counts, sizes, watched, tuple(source.words))


def _grouped(graph: Graph, wanted: Sequence[int], plain: set[int]) -> list[list[int]]:
    """Comparisons of one column with several constants, which are made in one call."""
    found: dict[int, list[int]] = defaultdict(list)
    for index in wanted:
        node = graph.nodes[index]
        if node.op != "<" or index in plain:
            continue
        left, right = node.args
        if graph.nodes[left].op == "column" and graph.constant(right) is not None:
            found[left].append(index)
    return [group for group in found.values() if len(group) > 1]


def _watched(graph: Graph, groups: Sequence[Sequence[int]]) -> dict[int, int]:
    """The groups whose column cannot have gaps, as was said, with its input."""
    columns = {at: graph.nodes[group[0]].args[0] for at, group in enumerate(groups)}
    return {at: graph.nodes[column].source for at, column in columns.items() if column not in graph.nullable}


def _limit(graph: Graph, index: int) -> float | None:
    return graph.constant(graph.nodes[index].args[1])


def _blocks(graph: Graph, groups: Sequence[Sequence[int]]) -> list[str]:
    """The lines that compare columns with all their limits, block by block, and name the rows of bits."""
    if not groups:
        return []
    lines = [
        f"for low in range(0, size, {BLOCK}):",
        f"    high = min(low + {BLOCK}, size)",
        "    bits = slice(low // 8, (high + 7) // 8)",
    ]
    watched = _watched(graph, groups)
    for at, group in enumerate(groups):
        source = graph.nodes[graph.nodes[group[0]].args[0]].source
        if at in watched:  # a sum is NaN as soon as one value is
            lines += [f"    if not finite(total(c{source}[low:high])):", "        raise GapFound"]
        flags = f"less(c{source}[low:high], t{at}, out=block[:{len(group)}, : high - low])"
        lines.append(f"    g{at}[:, bits] = pack({flags}, axis=1)")
    return lines + [f"{''.join(f'r{index}, ' for index in group)} = g{at}" for at, group in enumerate(groups)]


def _uses(
    graph: Graph, wanted: Sequence[int], roots: Sequence[int]
) -> tuple[set[int], set[int], Mapping[int, list[int]]]:
    """Flags that `where` asks for, flags that connectives or the result ask for, and the rows each root fills."""
    stored: dict[int, list[int]] = defaultdict(list)
    for row, root in enumerate(roots):
        if root not in {TRUE, FALSE}:
            stored[root].append(row)
    plain: set[int] = set()
    packed = set(stored)
    for index in wanted:
        node = graph.nodes[index]
        if node.op == "where":
            plain.add(node.args[0])
        elif node.op in CONNECTIVES:
            packed.update(node.args)
            packed.add(index)
    return plain, packed, stored


def _ordered(graph: Graph, wanted: Sequence[int]) -> list[int]:
    """Numbers and leaves by the last column they read, then what stands on connectives, in the order it was made."""
    last: dict[int, int] = {}
    for index in wanted:
        node = graph.nodes[index]
        below = [last.get(arg, -1) for arg in node.args]
        on_connectives = node.op in CONNECTIVES or len(graph.inputs) in below
        last[index] = len(graph.inputs) if on_connectives else max([node.source, *below])
    return sorted(wanted, key=lambda index: (last[index], index))


def _allocated(lines: Sequence[_Line]) -> tuple[list[str], Mapping[str, int]]:
    """The lines with buffers for what they make, and how many of each kind there are."""
    last_use = {name: place for place, line in enumerate(lines) for name in line.reads}
    free: Mapping[str, list[str]] = {kind: [] for kind in (_FLOAT, _PLAIN, _PACKED)}
    counts = dict.fromkeys(free, 0)
    slot: dict[str, str] = {}
    body: list[str] = []
    for place, line in enumerate(lines):
        reads = [slot.get(name, name) for name in line.reads]
        for name in dict.fromkeys(line.reads):
            if name in slot and last_use[name] == place:
                free[name[0]].append(slot.pop(name))
        target = ""
        if line.target:
            kind = line.target[0]
            if not free[kind]:
                free[kind].append(f"{kind}{counts[kind]}")
                counts[kind] += 1
            target = free[kind].pop()
            if line.target in last_use:
                slot[line.target] = target
            else:
                free[kind].append(target)
        body.append(line.text.format(*reads, out=target))
    return body, counts


def _unpacked(kind: str, count: int, given: str) -> str:
    return f"{''.join(f'{kind}{i}, ' for i in range(count))} = {given}" if count else "pass"
