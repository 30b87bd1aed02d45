"""JsonLogic conditions: checked, typed trees, and the one fence around json-logic-qubit.

A condition is parsed once, at load, against the names of its scope (metrics and features, ``account.…``,
``contact.…``, ``event.…``, ``signal.…``, ``score.…``, ``tier.…``). What is evaluated is the typed tree
(`engine.evaluation.program`); `reference` asks json-logic-qubit, for complete records only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.definitions.feature import ValueType
from engine.definitions.problem import Place

type Scalar = float | bool | str


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


type Tree = Literal | Var | Arithmetic | Compare | In | All | AnyOf | Not | If | Missing


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition: the JsonLogic as written, its typed tree, the names it reads, and its place."""

    raw: Any = field(compare=False)
    tree: Tree
    names: frozenset[str]
    place: Place = field(compare=False)


def reference(raw: Any, record: Mapping[str, Scalar]) -> Any:
    """Ask json-logic-qubit what a complete record says. Names with dots are nested for it."""
    raise NotImplementedError


def names_of(tree: Tree) -> frozenset[str]:
    """All names a tree reads."""
    raise NotImplementedError


def parse(node: Any, scope: Any, problems: list[Any]) -> Condition | None:
    """Read and type a condition; append every problem; None if there was one."""
    raise NotImplementedError


__all__: Sequence[str] = ()
