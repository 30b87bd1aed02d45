"""Shared nodes as one generated Python function for a single row: below some fifty rows quicker than NumPy's calls.

A missing number is NaN, a missing text None; a verdict is ``1 if holds else 0 if possible else -1``. Numbers that
are read more than once become local variables; short flags stand where they are read. As in
`engine.evaluation.program_vectors`, the source is made of the templates in here and of counted names only; constants
and words are handed over by index, so generating it is safe.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, nan
from typing import Any, Final, TypeAlias

from engine.evaluation.program_nodes import CONNECTIVES, FALSE, LEAVES, TRUE, Graph, Node, reachable

Value: TypeAlias = float | str | None

_TEMPLATES: Final[Mapping[str, str]] = {
    "same": "({0} == {1})",
    "nocode": "({0} is None)",
    "isnan": "({0} != {0})",
    "+": "finite({0} + {1})",
    "-": "finite({0} - {1})",
    "*": "finite({0} * {1})",
    "/": "quotient({0}, {1})",
    "%": "remainder({0}, {1})",
    "min": "least({0}, {1})",
    "max": "most({0}, {1})",
    "where": "({1} if {0} else {2})",
    "and": "({0} and {1})",
    "or": "({0} or {1})",
    "not": "(not {0})",
    "but not": "({0} and not {1})",
    "false": "False",
    "true": "True",
}
_DEEP: Final = 12
"""More deeply nested than this, an expression gets a name: Python's parser counts brackets."""
_SHORT: Final = 80
"""A flag in fewer characters is asked again where it is needed: mostly it is not, because another decided before."""


@dataclass(slots=True)
class _Source:
    """Expressions by node, the lines that name some of them, and the constants."""

    graph: Graph
    reads: Counter[int]
    lines: list[str] = field(default_factory=list)
    constants: dict[str, Value] = field(default_factory=dict)
    _written: dict[int, tuple[str, int]] = field(default_factory=dict)

    def write(self, index: int) -> None:
        """Remember how a node is written; as a local variable where it is read often or stands deep."""
        node = self.graph.nodes[index]
        if node.op in {"column", "codes"}:
            self._written[index] = f"c{node.source}", 0
            return
        if node.op == "constant":
            self._written[index] = self._constant(float(node.value)), 0
            return
        text, depth = self._expression(node)
        short = node.op in LEAVES | CONNECTIVES and len(text) < _SHORT
        if depth > _DEEP or (self.reads[index] > 1 and not short):
            self.lines.append(f"v{index} = {text}")
            text, depth = f"v{index}", 0
        self._written[index] = text, depth

    def read(self, index: int) -> str:
        """How a node is written."""
        return _TEMPLATES[self.graph.nodes[index].op] if index in {TRUE, FALSE} else self._written[index][0]

    def _expression(self, node: Node) -> tuple[str, int]:
        parts = [self.read(arg) for arg in node.args]
        depth = 1 + max(self._written[arg][1] for arg in node.args)
        if node.op == "word":
            return f"({parts[0]} == {self._constant(str(node.value))})", depth
        template = _TEMPLATES.get(node.op, f"({{0}} {node.op} {{1}})")
        return template.format(*parts), depth

    def _constant(self, value: Value) -> str:
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name


def compile_scalars(graph: Graph, roots: Sequence[tuple[int, int]]) -> Callable[[Sequence[Value]], tuple[int, ...]]:
    """A function from one row (a value per input of the graph) to the verdict of each of ``roots``: 1, 0 or -1.

    It raises FloatingPointError where a number grows beyond every bound.
    """
    flags = [flag for pair in roots for flag in dict.fromkeys(pair)]
    wanted = reachable(graph, flags)
    reads = Counter(arg for index in wanted for arg in graph.nodes[index].args)
    reads.update(flags)
    source = _Source(graph, reads)
    for index in wanted:
        source.write(index)
    verdicts = "".join(f"{_verdict(source, holds, possible)}, " for holds, possible in roots)
    head = f"{''.join(f'c{i}, ' for i in range(len(graph.inputs)))} = row" if graph.inputs else "pass"
    text = "\n    ".join(["def run(row):", head, *source.lines, f"return ({verdicts})"])
    known: dict[str, Any] = {"finite": _finite, "quotient": _quotient, "remainder": _remainder}
    known |= {"least": _least, "most": _most, **source.constants}
    exec(compile(text, "<conditions>", "exec"), known)  # noqa: S102 # see the docstring of this module
    return known["run"]  # type: ignore[no-any-return] # exec cannot say what it defined


def _verdict(source: _Source, holds: int, possible: int) -> str:
    if holds == possible:
        return f"1 if {source.read(holds)} else -1"
    return f"1 if {source.read(holds)} else 0 if {source.read(possible)} else -1"


def _finite(value: float) -> float:
    if value in {inf, -inf}:
        raise FloatingPointError("a number grew beyond every bound")
    return value


def _quotient(left: float, right: float) -> float:
    return _finite(left / right) if right else nan


def _remainder(left: float, right: float) -> float:
    return left % right if right and isfinite(left) else nan


def _least(left: float, right: float) -> float:
    return left + right if left != left or right != right else min(left, right)  # noqa: PLR0124 # NaN


def _most(left: float, right: float) -> float:
    return left + right if left != left or right != right else max(left, right)  # noqa: PLR0124 # NaN
