"""Reading a condition: JsonLogic with known operators, the right number of operands, and one static type each.

What json-logic-qubit would quietly accept and answer wrongly (two operators in one mapping, a text compared with a
number, a name nobody declared) is refused here, at its place. Codes: J001 not an operator, J002 more than one,
J003 unknown operator, J004 number of operands, J005 too large, J006 unknown name, J007 types, J008 not a plain name,
J009 a word that can never come.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from engine.definitions import operators
from engine.definitions.condition import (
    All,
    AnyOf,
    Arithmetic,
    Compare,
    Condition,
    If,
    In,
    Literal,
    Missing,
    Not,
    Tree,
    Var,
    names_of,
)
from engine.definitions.feature import ValueType
from engine.definitions.literal_reading import Wrong, read_literal, spoken
from engine.definitions.operators import ARITHMETIC, COMPARISONS, OPERANDS, operands_of, wrong_count
from engine.definitions.reading import Ledger, listed
from engine.definitions.scope import Scope
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode

MAX_DEPTH: Final = 32
MAX_NODES: Final = 500


class _Read(NamedTuple):
    """A node as read: the typed tree and the plain JsonLogic of the same node."""

    tree: Tree
    raw: Any


def parse(node: Node, scope: Scope, ledger: Ledger, *, numeric: bool = False) -> Condition | None:
    """Read and type a condition (or, ``numeric``, a formula); append every problem; None if there was one."""
    parser = _Parser(scope, ledger)
    read = parser.numeric(node, 1) if numeric else parser.truth(node, 1)
    if read is None or parser.failed:
        return None
    condition = Condition(read.raw, read.tree, names_of(read.tree), node.place)
    if not condition.names:
        ledger.note(node, 60, "this reads no value, so it is always the same")
    return condition


class _Parser:
    """Reads one condition; counts its nodes and remembers whether anything was wrong."""

    def __init__(self, scope: Scope, ledger: Ledger) -> None:
        self.scope, self.ledger = scope, ledger
        self.failed = self._too_large = False
        self._nodes = 0

    def truth(self, node: Node, depth: int) -> _Read | None:
        """A node that must say yes or no."""
        if isinstance(node, MapNode) and [key.text for key, _ in node.entries] == ["missing"]:
            key, named = node.entries[0]
            if wrong := wrong_count("missing", len(operands_of(named))):
                self._say(key, "J004", *wrong)
                return None
            return self._missing(operands_of(named))
        if isinstance(node, ScalarNode) and node.truth is None:
            message = "a condition must be an operator with its operands"
            self._say(node, "J001", message, self.scope.meant(node.text) or operators.EXAMPLE)
            return None
        read = self._any(node, ValueType.BOOLEAN, depth)
        if read and read.tree.type is not ValueType.BOOLEAN:
            message = f"this is {spoken(read.tree.type)}, but a yes or no is needed"
            self._say(node, "J007", message, "compare it with something")
            return None
        return read

    def numeric(self, node: Node, depth: int, expected: ValueType | None = None) -> _Read | None:
        """A node that must be a number or a share."""
        read = self._any(node, expected, depth)
        if read and not read.tree.type.is_numeric:
            hint = (self.scope.meant(node.text) or operators.FORMULA) if isinstance(node, ScalarNode) else ""
            self._say(node, "J007", f"this is {spoken(read.tree.type)}, but a number is needed", hint)
            return None
        return read

    def _any(self, node: Node, expected: ValueType | None, depth: int) -> _Read | None:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            limit = f"is more than {MAX_DEPTH} deep" if depth > MAX_DEPTH else f"has more than {MAX_NODES} nodes"
            if not self._too_large:
                self._say(node, "J005", f"this condition {limit}", "split it into several signals")
            self._too_large = True
            return None
        if isinstance(node, ScalarNode):
            return self._literal(node, expected)
        if isinstance(node, ListNode):
            self._say(node, "J001", "a list cannot stand here", operators.hint_for_list(node))
            return None
        return self._operation(node, expected, depth)

    def _operation(self, node: MapNode, expected: ValueType | None, depth: int) -> _Read | None:
        if len(node.entries) != 1:
            keys = listed([f'"{key.text}"' for key, _ in node.entries], "and")
            message = f"one mapping holds exactly one operator, not {keys}" if node.entries else "there is no operator"
            hint = "join conditions with and / or" if node.entries else operators.EXAMPLE
            self._say(node.entries[1][0] if node.entries else node, "J002", message, hint)
            return None
        key, value = node.entries[0]
        operator, operands = key.text, operands_of(value)
        if operator not in OPERANDS:
            self._say(key, "J003", f'unknown operator "{operator[:60]}"', operators.hint_for(operator))
            return None
        if wrong := wrong_count(operator, len(operands)):
            self._say(key, "J004", *wrong)
            return None
        return self._operate(key, operator, operands, expected, depth + 1)

    def _operate(
        self, key: ScalarNode, operator: str, operands: Sequence[Node], expected: ValueType | None, depth: int
    ) -> _Read | None:
        match operator:
            case "var":
                return self._var(operands)
            case "missing":
                message = '"missing" says yes or no; it cannot be compared or counted'
                self._say(key, "J007", message, 'use it with "and", "or", "!"')
                return None
            case "and" | "or" | "!" | "!!":
                return self._connective(operator, operands, depth)
            case "if":
                return self._if(operands, expected, depth)
            case "in":
                return self._in(operands, depth)
            case _ if operator in ARITHMETIC:
                return self._arithmetic(key, operator, operands, depth)
            case _:
                return self._comparison(key, operator, operands, depth)

    def _var(self, operands: Sequence[Node]) -> _Read | None:
        named = operands[0]
        if not isinstance(named, ScalarNode) or named.is_empty or not named.text or named.number is not None:
            self._say(named, "J008", "var takes the name of a value, written out", "for example {var: active_users}")
            return None
        type_ = self._type_of(named)
        if type_ is None:
            return None
        if len(operands) == 1:
            return _Read(Var(named.text, type_), {"var": named.text})
        default = self._literal(operands[1], type_, named.text)
        if default is None or not isinstance(default.tree, Literal):
            return None
        return _Read(Var(named.text, type_, default.tree), {"var": [named.text, default.raw]})

    def _type_of(self, named: ScalarNode) -> ValueType | None:
        type_ = self.scope.type_of(named.text)
        if type_ is None:
            self._say(named, "J006", f'there is no value "{named.text[:80]}" here', self.scope.hint(named.text))
        return type_

    def _missing(self, operands: Sequence[Node]) -> _Read | None:
        found: list[str] = []
        for operand in operands:
            if not isinstance(operand, ScalarNode) or operand.is_empty:
                self._say(operand, "J008", "missing takes names of values, written out", "for example {missing: [nps]}")
            elif self._type_of(operand) is not None:
                found.append(operand.text)
        return _Read(Missing(tuple(found)), {"missing": found}) if len(found) == len(operands) else None

    def _connective(self, operator: str, operands: Sequence[Node], depth: int) -> _Read | None:
        reads = [self.truth(operand, depth) for operand in operands]
        found = [read for read in reads if read]
        if len(found) != len(reads):
            return None
        trees, raw = tuple(read.tree for read in found), {operator: [read.raw for read in found]}
        if operator == "!!":
            return _Read(trees[0], raw)
        if operator == "!":
            return _Read(Not(trees[0]), raw)
        return _Read(All(trees) if operator == "and" else AnyOf(trees), raw)

    def _if(self, operands: Sequence[Node], expected: ValueType | None, depth: int) -> _Read | None:
        conditions = [self.truth(operand, depth) for operand in operands[:-1:2]]
        values = self._alike([*operands[1::2], operands[-1]], expected, depth)
        if values is None or any(condition is None for condition in conditions):
            return None
        tree, raws = values[-1].tree, [values[-1].raw]
        for condition, value in zip(reversed(conditions), reversed(values[:-1]), strict=True):
            if condition:
                tree = If(condition.tree, value.tree, tree, value.tree.type)
                raws = [condition.raw, value.raw, *raws]
        return _Read(tree, {"if": raws})

    def _in(self, operands: Sequence[Node], depth: int) -> _Read | None:
        read = self._any(operands[0], None, depth)
        if not isinstance(operands[1], ListNode) or not operands[1].items:
            hint = "for example {in: [{var: account.stage}, [value, renewal]]}"
            self._say(operands[1], "J007", '"in" needs a list of values written out', hint)
            return None
        if read is None:
            return None
        owner = read.tree.name if isinstance(read.tree, Var) else ""
        strict = isinstance(read.tree, Var)
        members = [self._literal(item, read.tree.type, owner, strict=strict) for item in operands[1].items]
        found = [member for member in members if member]
        trees = tuple(member.tree for member in found if isinstance(member.tree, Literal))
        if len(trees) != len(members):
            return None
        return _Read(In(read.tree, trees), {"in": [read.raw, [member.raw for member in found]]})

    def _arithmetic(self, key: ScalarNode, operator: str, operands: Sequence[Node], depth: int) -> _Read | None:
        if operator in {"*", "/"}:
            reads = [self.numeric(operand, depth) for operand in operands]
            found = [read for read in reads if read]
            if len(found) != len(reads):
                return None
            shares = operator == "*" and all(read.tree.type is ValueType.SHARE for read in found)
            type_ = ValueType.SHARE if shares else ValueType.NUMBER
        else:
            alike = self._alike(operands, None, depth)
            if alike is None:
                return None
            found, type_ = alike, alike[0].tree.type
            if not type_.is_numeric:
                hint = "use a number of days, such as account.renewal_in_days" if type_ is ValueType.DATE else ""
                self._say(key, "J007", f'"{operator}" needs numbers, not {spoken(type_)}', hint)
                return None
        trees, raw = tuple(read.tree for read in found), {operator: [read.raw for read in found]}
        if len(trees) == 1:  # a minus sign: the tree says it as a difference, so that there is one kind of minus
            trees = Literal(0.0, type_), trees[0]
        return _Read(Arithmetic(operator, trees, type_), raw)

    def _comparison(self, key: ScalarNode, operator: str, operands: Sequence[Node], depth: int) -> _Read | None:
        by_size = COMPARISONS[operator] not in {"==", "!="}
        found = self._alike(operands, None, depth, numbers_mix=by_size)
        if found is None:
            return None
        type_ = found[0].tree.type
        if by_size and type_ in {ValueType.TEXT, ValueType.BOOLEAN}:
            self._say(key, "J007", f'"{operator}" compares sizes, and {spoken(type_)} has none', 'use "==" or "in"')
            return None
        sign, trees = COMPARISONS[operator], [read.tree for read in found]
        pairs = tuple(Compare(sign, left, right) for left, right in pairwise(trees))
        return _Read(pairs[0] if len(pairs) == 1 else All(pairs), {operator: [read.raw for read in found]})

    def _alike(
        self, operands: Sequence[Node], expected: ValueType | None, depth: int, *, numbers_mix: bool = False
    ) -> list[_Read] | None:
        """Operands that must have one type; literals take the type of what they stand beside."""
        reads = {
            i: self._any(node, expected, depth) for i, node in enumerate(operands) if not isinstance(node, ScalarNode)
        }
        first = next((read for read in reads.values() if read), None)
        if any(read is None for read in reads.values()):
            return None
        typed = first.tree if first else None
        strict = not isinstance(typed, Arithmetic | If)
        owner = typed.name if isinstance(typed, Var) else ""
        for i, node in enumerate(operands):
            if isinstance(node, ScalarNode):
                self._nodes += 1
                reads[i] = self._literal(node, typed.type if typed else expected, owner, strict=strict)
                if typed is None and (read := reads[i]):
                    typed, strict = read.tree, False
        found = [read for i in range(len(operands)) if (read := reads[i])]
        if len(found) != len(operands) or not self._same_type(operands, found, numbers_mix=numbers_mix):
            return None
        return found

    def _same_type(self, operands: Sequence[Node], found: Sequence[_Read], *, numbers_mix: bool) -> bool:
        first = found[0].tree.type
        for node, read in zip(operands, found, strict=True):
            other = read.tree.type
            if other is not first and not (numbers_mix and first.is_numeric and other.is_numeric):
                hint = 'make one of them the other with "*" or "/"' if first.is_numeric and other.is_numeric else ""
                self._say(node, "J007", f"{spoken(first)} and {spoken(other)} cannot stand together here", hint)
                return False
        return True

    def _literal(self, node: Node, expected: ValueType | None, owner: str = "", *, strict: bool = True) -> _Read | None:
        read = read_literal(node, expected, owner, self.scope.words.get(owner), strict=strict)
        if isinstance(read, Wrong):
            self._say(node, *read)
            return None
        value = read.value
        return _Read(read, int(value) if isinstance(value, float) and value.is_integer() else value)

    def _say(self, node: Node, code: str, message: str, hint: str = "") -> None:
        self.failed = True
        self.ledger.coded(node, code, message, hint)
