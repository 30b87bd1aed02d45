"""Conditions and formulas over columns: plain recursion over the typed tree, three-valued by two planes.

A missing operand or a zero divisor makes its node unknown. ``holds`` is the plain comparison (NaN compares false),
``possible`` is that or the missing mask; negation swaps the planes. A default and ``missing`` are facts about the
record and therefore known.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

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
from engine.evaluation.columns import Column, Flags, Floats, Ints, Numbers, Planes, Texts

_EPOCH: Final = date(1970, 1, 1).toordinal()
_ORDER: Final[Mapping[str, Callable[[Floats, Floats], Any]]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "===": np.equal,
    "!=": np.not_equal,
    "!==": np.not_equal,
}
_FOLDS: Final[Mapping[str, Callable[[Floats, Floats], Any]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.mod,
    "min": np.minimum,
    "max": np.maximum,
}


def evaluate_condition(tree: Tree, columns: Mapping[str, Column], size: int) -> Planes:
    """Judge a boolean ``tree`` over ``columns`` (length ``size`` each); a name without a column is unknown."""
    match tree:
        case All(operands):
            parts = [evaluate_condition(operand, columns, size) for operand in operands]
            return Planes(_every([part.holds for part in parts], size), _every([part.possible for part in parts], size))
        case AnyOf(operands):
            parts = [evaluate_condition(operand, columns, size) for operand in operands]
            return Planes(_some([part.holds for part in parts], size), _some([part.possible for part in parts], size))
        case Not(operand):
            inner = evaluate_condition(operand, columns, size)
            return Planes(~inner.possible, ~inner.holds)
        case Compare():
            return _compare(tree, columns, size)
        case In(operand, members):
            return _in(compute(operand, columns, size), members)
        case Missing(names):
            missing = _some([_missing_of(name, columns, size) for name in names], size)
            return Planes(missing, missing)
        case If(condition, then, otherwise):
            return _chosen(evaluate_condition(condition, columns, size), then, otherwise, columns, size)
    return _flag(compute(tree, columns, size))


def compute(tree: Tree, columns: Mapping[str, Column], size: int) -> Column:
    """The value of a ``tree`` for every row; NaN (or code -1) where it is unknown."""
    match tree:
        case Literal():
            return constant(tree, size)
        case Var(name, kind, default):
            return _defaulted(columns.get(name) or unknown(kind, size), default)
        case Arithmetic(operator, operands):
            values = [_numbers(compute(operand, columns, size)) for operand in operands]
            return Numbers(_arithmetic(operator, values))
        case If(condition, then, otherwise) if tree.type is not ValueType.BOOLEAN:
            chosen = evaluate_condition(condition, columns, size)
            return _pick(chosen, compute(then, columns, size), compute(otherwise, columns, size))
    planes = evaluate_condition(tree, columns, size)
    return Numbers(np.where(planes.holds == planes.possible, planes.holds.astype(np.float64), np.nan))


def constant(literal: Literal, size: int) -> Column:
    """A literal as a column of ``size`` equal values; a date becomes days since 1970-01-01."""
    if literal.type is ValueType.TEXT:
        return Texts(np.zeros(size, dtype=np.int64), (str(literal.value),))
    return Numbers(np.broadcast_to(np.float64(number_of(literal)), (size,)))


def number_of(literal: Literal) -> float:
    """The number that stands for a literal that is not a text."""
    if literal.type is ValueType.DATE and isinstance(literal.value, str):
        return float(date.fromisoformat(literal.value).toordinal() - _EPOCH)
    return float(literal.value)


def folded(operator: str, left: float, right: float) -> float:
    """What an arithmetic operator makes of two constants; NaN where it is unknown."""
    return float(_arithmetic(operator, [np.array([left]), np.array([right])])[0])


def unknown(kind: ValueType, size: int) -> Column:
    """A column in which nothing is known."""
    if kind is ValueType.TEXT:
        return Texts(np.full(size, -1, dtype=np.int64), ())
    return Numbers(np.full(size, np.nan))


def missing_of(column: Column) -> Flags:
    """Where a column is unknown, bool[N]."""
    return column.codes < 0 if isinstance(column, Texts) else np.isnan(column.values)


def _missing_of(name: str, columns: Mapping[str, Column], size: int) -> Flags:
    column = columns.get(name)
    return np.ones(size, dtype=np.bool_) if column is None else missing_of(column)


def _every(flags: list[Flags], size: int) -> Flags:
    found = np.ones(size, dtype=np.bool_)
    for flag in flags:
        found &= flag
    return found


def _some(flags: list[Flags], size: int) -> Flags:
    found = np.zeros(size, dtype=np.bool_)
    for flag in flags:
        found |= flag
    return found


def _flag(column: Column) -> Planes:
    values = _numbers(column)
    missing = np.isnan(values)
    holds = (values != 0) & ~missing
    return Planes(holds, holds | missing)


def _numbers(column: Column) -> Floats:
    if isinstance(column, Texts):
        raise TypeError("a text stands where the checked tree promised a number")
    return column.values


def _arithmetic(operator: str, values: list[Floats]) -> Floats:
    if operator == "-" and len(values) == 1:
        return -values[0]
    result = values[0]
    with np.errstate(all="ignore"):
        for value in values[1:]:
            result = _binary(operator, result, value)
    return np.where(np.isfinite(result), result, np.nan)


def _binary(operator: str, left: Floats, right: Floats) -> Floats:
    if operator in {"/", "%"}:
        right = np.where(right == 0, np.nan, right)
    return np.asarray(_FOLDS[operator](left, right))


def _compare(tree: Compare, columns: Mapping[str, Column], size: int) -> Planes:
    left, right = compute(tree.left, columns, size), compute(tree.right, columns, size)
    missing = missing_of(left) | missing_of(right)
    holds: Flags
    if isinstance(left, Texts) and isinstance(right, Texts):
        codes, others = same_words(left, right)
        holds = codes == others if tree.operator in {"==", "==="} else codes != others
    else:
        holds = _size(tree.operator, _numbers(left), _numbers(right))
    holds = holds & ~missing
    return Planes(holds, holds | missing)


def _size(operator: str, left: Floats, right: Floats) -> Flags:
    return np.asarray(_ORDER[operator](left, right))


def same_words(left: Texts, right: Texts) -> tuple[Ints, Ints]:
    """The codes of both texts as codes into one list of words; unknown stays -1."""
    if left.words == right.words:
        return left.codes, right.codes
    known = {word: code for code, word in enumerate(left.words)}
    table = [known.setdefault(word, len(known)) for word in right.words]
    return left.codes, _translated(right.codes, table)


def _translated(codes: Ints, table: list[int]) -> Ints:
    # The last entry answers code -1, which stays unknown.
    return np.array([*table, -1], dtype=np.int64)[codes]


def _in(column: Column, members: tuple[Literal, ...]) -> Planes:
    missing = missing_of(column)
    if isinstance(column, Texts):
        wanted = {str(member.value) for member in members}
        holds = np.array([*(word in wanted for word in column.words), False], dtype=np.bool_)[column.codes]
    else:
        holds = np.isin(column.values, [number_of(member) for member in members])
    return Planes(holds, holds | missing)


def _defaulted(column: Column, default: Literal | None) -> Column:
    if default is None:
        return column
    missing = missing_of(column)
    if isinstance(column, Numbers):
        return Numbers(np.where(missing, number_of(default), column.values))
    word = str(default.value)
    words = column.words if word in column.words else (*column.words, word)
    return Texts(np.where(missing, words.index(word), column.codes), words)


def _chosen(condition: Planes, then: Tree, otherwise: Tree, columns: Mapping[str, Column], size: int) -> Planes:
    yes, no = evaluate_condition(then, columns, size), evaluate_condition(otherwise, columns, size)
    certain_no = ~condition.possible
    holds = (condition.holds & yes.holds) | (certain_no & no.holds)
    undecided = condition.possible & ~condition.holds
    return Planes(holds, (condition.holds & yes.possible) | (certain_no & no.possible) | undecided)


def _pick(condition: Planes, then: Column, otherwise: Column) -> Column:
    if isinstance(then, Texts) and isinstance(otherwise, Texts):
        words = {word: code for code, word in enumerate(then.words)}
        table = [words.setdefault(word, len(words)) for word in otherwise.words]
        codes = np.where(condition.holds, then.codes, _translated(otherwise.codes, table))
        return Texts(np.where(condition.holds == condition.possible, codes, -1), tuple(words))
    values = np.where(condition.holds, _numbers(then), _numbers(otherwise))
    return Numbers(np.where(condition.holds == condition.possible, values, np.nan))
