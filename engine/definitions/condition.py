"""JsonLogic conditions: checked, typed trees, and the one fence around json-logic-qubit.

`engine.definitions.condition_reading` reads a condition once, at load, against the names of its scope. What is
evaluated is the typed tree; `reference` asks json-logic-qubit, for complete records only. This is the only module
that imports ``json_logic``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import json_logic

from engine.definitions.feature import ValueType
from engine.definitions.problem import Place

Scalar: TypeAlias = float | bool | str


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. Shares are written ``"40%"`` and stand here as 0.4, dates as ``YYYY-MM-DD`` text."""

    value: Scalar
    type: ValueType


@dataclass(frozen=True, slots=True)
class Var:
    """A value of the record. ``default`` (JsonLogic's second argument) makes it known where it is missing."""

    name: str
    type: ValueType
    default: Literal | None = None


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``+ - * / % min max`` over numbers; a zero divisor makes it unknown."""

    operator: str
    operands: tuple["Tree", ...]
    type: ValueType


@dataclass(frozen=True, slots=True)
class Compare:
    """``< <= > >= == !=`` of equal types; ``between`` is two of them under `All`."""

    operator: str
    left: "Tree"
    right: "Tree"
    type: ValueType = ValueType.BOOLEAN


@dataclass(frozen=True, slots=True)
class In:
    """Membership in a literal list of one type."""

    operand: "Tree"
    members: tuple[Literal, ...]
    type: ValueType = ValueType.BOOLEAN


@dataclass(frozen=True, slots=True)
class All:
    """Kleene's ``and``."""

    operands: tuple["Tree", ...]
    type: ValueType = ValueType.BOOLEAN


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Kleene's ``or``."""

    operands: tuple["Tree", ...]
    type: ValueType = ValueType.BOOLEAN


@dataclass(frozen=True, slots=True)
class Not:
    """Kleene's ``!``."""

    operand: "Tree"
    type: ValueType = ValueType.BOOLEAN


@dataclass(frozen=True, slots=True)
class If:
    """``if``: unknown where its condition is unknown, whatever the branches say."""

    condition: "Tree"
    then: "Tree"
    otherwise: "Tree"
    type: ValueType


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether any of the named values is missing: a fact about the record, so always known."""

    names: tuple[str, ...]
    type: ValueType = ValueType.BOOLEAN


Tree: TypeAlias = Literal | Var | Arithmetic | Compare | In | All | AnyOf | Not | If | Missing


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition: its JsonLogic, its typed tree, the names it reads, and its place.

    ``raw`` is the JsonLogic as written, but with plain values: ``40%`` is 0.4 in it, so that `reference` can judge it.
    """

    raw: Any = field(compare=False)
    tree: Tree
    names: frozenset[str]
    place: Place = field(compare=False)


def names_of(tree: Tree) -> frozenset[str]:
    """All names a tree reads."""
    match tree:
        case Var(name):
            return frozenset({name})
        case Missing(names):
            return frozenset(names)
    return frozenset[str]().union(*(names_of(operand) for operand in _operands(tree)))


def typed_names(tree: Tree) -> Iterator[tuple[str, ValueType]]:
    """Every value a tree reads, with its static type, as often as it is read; `Missing` reads no value."""
    if isinstance(tree, Var):
        yield tree.name, tree.type
    for operand in _operands(tree):
        yield from typed_names(operand)


def _operands(tree: Tree) -> tuple[Tree, ...]:
    match tree:
        case Compare():
            return (tree.left, tree.right)
        case Arithmetic() | All() | AnyOf():
            return tree.operands
        case In() | Not():
            return (tree.operand,)
        case If():
            return (tree.condition, tree.then, tree.otherwise)
    return ()


def reference(raw: Any, record: Mapping[str, Scalar]) -> Any:
    """Ask json-logic-qubit what a complete record says; ``record`` maps whole names (dots and all) to values.

    The library reads a dot as a step into a nested object, and ``active_users`` may stand beside
    ``active_users.mean_7d``; so names are handed over with their dots replaced. Leave a missing name out of the
    record (never None): then defaults and ``missing`` mean what they say. It raises whatever the library raises where
    an operand is missing or a divisor is zero: those are not questions for the reference.
    """
    return json_logic.jsonLogic(_flat(raw), {_flat_name(name): value for name, value in record.items()})


def _flat(raw: Any) -> Any:
    if isinstance(raw, list):
        return [_flat(item) for item in raw]
    if not isinstance(raw, dict):
        return raw
    ((operator, operands),) = raw.items()
    if operator == "var":
        named = operands if isinstance(operands, list) else [operands]
        return {"var": [_flat_name(named[0]), *named[1:]]}
    if operator == "missing":
        return {"missing": [_flat_name(name) for name in (operands if isinstance(operands, list) else [operands])]}
    return {operator: _flat(operands)}


def _flat_name(name: str) -> str:
    return name.replace(".", "/")


def _left_fold(*operands: Any) -> float:
    """``+`` from left to right: the library's ``sum`` compensates from Python 3.12 on and would differ by an ulp."""
    total = float(operands[0]) if operands else 0.0
    for operand in operands[1:]:
        total += float(operand)
    return total


json_logic.add_operation("+", _left_fold)
