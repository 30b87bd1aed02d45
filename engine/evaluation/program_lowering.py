"""From typed trees to shared nodes: every condition becomes two flags, *certainly holds* and *possibly holds*.

Negation is pushed down to the leaves, so none is left above them. Where nothing a condition reads can be missing, both
flags are the same node and cost nothing more. What each tree means is said by `engine.evaluation.program`; this says
the same with fewer operations, and a property test holds them equal.
"""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Final, NamedTuple

import numpy as np

from engine.definitions.condition import (
    All,
    AnyOf,
    Arithmetic,
    Compare,
    If,
    In,
    Literal,
    Missing,
    Not,
    Tree,
    Var,
)
from engine.definitions.feature import ValueType
from engine.evaluation.program import folded, number_of
from engine.evaluation.program_nodes import FALSE, TRUE, Graph, Input, Node
from engine.evaluation.program_presence import Presence

_OPPOSITE: Final[Mapping[str, str]] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}

_MIRRORED: Final[Mapping[str, str]] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Pair(NamedTuple):
    """A condition: the flag that it certainly holds, and the flag that it possibly holds."""

    holds: int
    possible: int


KNOWN_FALSE: Final = Pair(FALSE, FALSE)
KNOWN_TRUE: Final = Pair(TRUE, TRUE)
UNKNOWN: Final = Pair(FALSE, TRUE)


class Lowering:
    """Puts conditions into one graph. ``present``: what is known of every column that the conditions name.

    ``spoiled``: numbers that mean nothing where a flag holds, because a divisor was zero there; whoever compares them
    leaves these rows out. It is cheaper by far than putting NaN into them.
    """

    def __init__(self, graph: Graph, present: Mapping[str, Presence]) -> None:
        self.graph = graph
        self.present = present
        self.spoiled: dict[int, int] = {}

    def truth(self, tree: Tree, *, negated: bool = False) -> Pair:
        """The two flags of a boolean tree, or of its negation."""
        match tree:
            case All(operands) | AnyOf(operands):
                pairs = [self.truth(operand, negated=negated) for operand in operands]
                return self._joined(pairs, every=isinstance(tree, All) is not negated)
            case Not(operand):
                return self.truth(operand, negated=not negated)
            case Compare(operator, left, right):
                return self._compare(operator[:2], left, right, negated=negated)
            case In(operand, members):
                return self._turned(
                    self._joined([self._same(operand, one) for one in members], every=False), negated=negated
                )
            case Missing(names):
                missing = self.graph.some(self._missing_name(name) for name in names)
                return self._turned(Pair(missing, missing), negated=negated)
            case If(condition, then, otherwise):
                yes, no = self.truth(then, negated=negated), self.truth(otherwise, negated=negated)
                return self._chosen(self.truth(condition), yes, no)
        return self._turned(self._flag(self.number(tree)), negated=negated)

    def number(self, tree: Tree) -> int:
        """The node of a numeric tree, a date (days), or a yes or no (1 and 0); NaN where it is unknown."""
        match tree:
            case Literal():
                return self.graph.number(number_of(tree))
            case Var(name, _, default):
                column = self._column(name)
                if default is None:
                    return column
                return self._where(self._missing(column), self.graph.number(number_of(default)), column, known=True)
            case Arithmetic(operator, operands):
                return self._arithmetic(operator, [self.number(operand) for operand in operands])
            case If(condition, then, otherwise) if tree.type is not ValueType.BOOLEAN:
                return self._picked(self.truth(condition), self.number(then), self.number(otherwise))
        return self._picked(self.truth(tree), self.graph.number(1.0), self.graph.number(0.0))

    def _turned(self, pair: Pair, *, negated: bool) -> Pair:
        if not negated:
            return pair
        holds = self.graph.inverse(pair.possible)
        return Pair(holds, holds if pair.holds == pair.possible else self.graph.inverse(pair.holds))

    def _joined(self, pairs: Sequence[Pair], *, every: bool) -> Pair:
        # Known operands come first, so that both planes begin with the same nodes.
        ordered = sorted(pairs, key=lambda pair: pair.holds != pair.possible)
        join = self.graph.every if every else self.graph.some
        return Pair(join(pair.holds for pair in ordered), join(pair.possible for pair in ordered))

    def _chosen(self, condition: Pair, yes: Pair, no: Pair) -> Pair:
        graph, otherwise = self.graph, self._turned(condition, negated=True)
        holds = graph.either(graph.both(condition.holds, yes.holds), graph.both(otherwise.holds, no.holds))
        first, second = graph.both(condition.holds, yes.possible), graph.both(otherwise.holds, no.possible)
        undecided = (
            FALSE if condition.holds == condition.possible else graph.both(condition.possible, otherwise.possible)
        )
        return Pair(holds, graph.either(graph.either(first, second), undecided))

    def _compare(self, operator: str, left: Tree, right: Tree, *, negated: bool = False) -> Pair:
        if ValueType.TEXT in {left.type, right.type}:
            return self._turned(self._same(left, right), negated=negated is not (operator == "!="))
        sign = _OPPOSITE[operator] if negated else operator
        if isinstance(left, Var) and left.default is not None:
            # Asking what is missing first costs bits; filling the gaps of a column would cost numbers.
            missing = self._missing_name(left.name)
            given, other = self._compare(sign, left.default, right), Var(left.name, left.type)
            return self._chosen(Pair(missing, missing), given, self._compare(sign, other, right))
        return self._sized(sign, self.number(left), self.number(right))

    def _sized(self, operator: str, left: int, right: int) -> Pair:
        graph = self.graph
        one, other = graph.constant(left), graph.constant(right)
        if one is not None and other is not None and not np.isnan(one + other):
            return KNOWN_TRUE if _compared(operator, one, other) else KNOWN_FALSE
        missing = graph.either(self._missing(left), self._missing(right))
        if missing == TRUE:
            return UNKNOWN
        spoiled = graph.either(self.spoiled.get(left, FALSE), self.spoiled.get(right, FALSE))
        if operator in _MIRRORED and spoiled == FALSE and (one is not None or other is not None):
            return (
                self._below(operator, left, right, missing)
                if one is None
                else self._below(_MIRRORED[operator], right, left, missing)
            )
        opposite = graph.known(Node(_OPPOSITE[operator], (left, right)))
        if opposite is not None:
            return self._turned(self._certain(_OPPOSITE[operator], opposite, missing, spoiled), negated=True)
        return self._certain(operator, graph.add(Node(operator, (left, right))), missing, spoiled)

    def _below(self, operator: str, left: int, right: int, missing: int) -> Pair:
        """A number against a limit, always as ``<``: up to a limit is below the next number after it, and at least a
        limit is not below it. So all limits of a column can be compared in one call, and opposites share it."""
        graph = self.graph
        limit = float(graph.constant(right) or 0.0)
        below = limit if operator in {"<", ">="} else float(np.nextafter(limit, np.inf))
        plain = graph.add(Node("<", (left, graph.number(below))))
        pair = Pair(plain, graph.either(plain, missing))
        return pair if operator in {"<", "<="} else self._turned(pair, negated=True)

    def _certain(self, operator: str, plain: int, missing: int, spoiled: int) -> Pair:
        # Not equal is the only comparison that NaN passes.
        excluded = missing if operator == "!=" else spoiled
        return Pair(self.graph.without(plain, excluded), self.graph.either(plain, missing))

    def _flag(self, number: int) -> Pair:
        return self._sized("!=", number, self.graph.number(0.0))

    def _same(self, left: Tree, right: Tree) -> Pair:
        """``==`` of two texts or, for `in`, of two numbers: what decides which text it is, is asked first."""
        if left.type is not ValueType.TEXT:
            return self._sized("==", self.number(left), self.number(right))
        for this, other in ((left, right), (right, left)):
            match this:
                case If(condition, then, otherwise):
                    return self._chosen(self.truth(condition), self._same(then, other), self._same(otherwise, other))
                case Var(name, kind, Literal() as default):
                    missing = self._missing_name(name)
                    plain = self._same(Var(name, kind), other)
                    return self._chosen(Pair(missing, missing), self._same(default, other), plain)
        if isinstance(left, Literal) and isinstance(right, Literal):
            return KNOWN_TRUE if left.value == right.value else KNOWN_FALSE
        return self._words(left, right) if isinstance(left, Var) else self._words(right, left)

    def _words(self, left: Tree, right: Tree) -> Pair:
        graph = self.graph
        names = [each.name for each in (left, right) if isinstance(each, Var)]
        missing = graph.some(self._missing_name(name) for name in names)
        if any(self.present[name] is Presence.ABSENT for name in names):
            return UNKNOWN
        codes = self._column(names[0], text=True)
        if isinstance(right, Literal):
            plain = graph.add(Node("word", (codes,), str(right.value)))
        else:
            plain = self._words_of_two(names)
        # Codes of two texts are both -1 where both are missing, so sameness alone would not be certain.
        holds = plain if isinstance(right, Literal) else graph.without(plain, missing)
        return Pair(holds, graph.either(holds, missing))

    def _words_of_two(self, names: Sequence[str]) -> int:
        first, second = names
        codes = self._column(first, text=True)
        if first == second:
            return TRUE
        translated = Input(second, text=True, into=first)
        return self.graph.add(Node("same", (codes, self.graph.read(translated, nullable=False))))

    def _column(self, name: str, *, text: bool = False) -> int:
        presence = self.present[name]
        if presence is Presence.ABSENT:
            return self.graph.number(nan)
        if text is not (presence in {Presence.TEXTS, Presence.SOME_TEXTS}):
            raise TypeError(f"{name}: a text stands where the checked tree promised a number, or the other way round")
        return self.graph.read(Input(name, text), nullable=presence is Presence.SOME_NUMBERS)

    def _missing_name(self, name: str) -> int:
        presence = self.present[name]
        if presence is Presence.ABSENT:
            return TRUE
        if presence is Presence.SOME_TEXTS:
            return self.graph.add(Node("nocode", (self._column(name, text=True),)))
        return self._missing(self._column(name)) if presence is Presence.SOME_NUMBERS else FALSE

    def _missing(self, number: int) -> int:
        """The flag that a number is unknown. NaN passes through sums and products, so the columns' masks will do."""
        graph = self.graph
        if number not in graph.nullable:
            return FALSE
        node = graph.nodes[number]
        if node.op == "constant":
            return TRUE
        if node.op in {"+", "-", "*", "/", "min", "max"}:
            return graph.some([*(self._missing(arg) for arg in node.args), self.spoiled.get(number, FALSE)])
        return graph.add(Node("isnan", (number,)))

    def _arithmetic(self, operator: str, operands: Sequence[int]) -> int:
        found = operands[0]
        if len(operands) == 1 and operator == "-":
            return self._fold("-", self.graph.number(0.0), found)
        for operand in operands[1:]:
            found = self._fold(operator, found, operand)
        return found

    def _fold(self, operator: str, left: int, right: int) -> int:
        graph = self.graph
        one, other = graph.constant(left), graph.constant(right)
        if one is not None and other is not None:
            return graph.number(folded(operator, one, other))
        if operator in {"/", "%"} and other == 0:
            return graph.number(nan)
        by_number = operator in {"/", "%"} and other is None
        nullable = by_number or left in graph.nullable or right in graph.nullable
        found = graph.add(Node(operator, (left, right)), nullable=nullable)
        spoiled = [self.spoiled.get(left, FALSE), self.spoiled.get(right, FALSE)]
        if operator == "/" and by_number:
            spoiled.append(graph.add(Node("==", (right, graph.number(0.0)))))
        if (flag := graph.some(spoiled)) != FALSE:
            self.spoiled[found] = flag
        return found

    def _clean(self, number: int) -> int:
        return self._where(self.spoiled.get(number, FALSE), self.graph.number(nan), number)

    def _picked(self, condition: Pair, dirty_then: int, dirty_otherwise: int) -> int:
        then, otherwise = self._clean(dirty_then), self._clean(dirty_otherwise)
        if condition.holds == condition.possible:
            return self._where(condition.holds, then, otherwise)
        inner = self._where(condition.possible, self.graph.number(nan), otherwise)
        return self._where(condition.holds, then, inner)

    def _where(self, flag: int, then: int, otherwise: int, *, known: bool = False) -> int:
        if flag in {TRUE, FALSE}:
            return then if flag == TRUE else otherwise
        nullable = not known and (then in self.graph.nullable or otherwise in self.graph.nullable)
        return self.graph.add(Node("where", (flag, then, otherwise)), nullable=nullable)


def _compared(operator: str, left: float, right: float) -> bool:
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "==": left == right,
        "!=": left != right,
    }[operator]
