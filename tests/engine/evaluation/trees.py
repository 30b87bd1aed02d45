"""Well-typed conditions and records for laws about them: hypothesis strategies, and records as columns."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from hypothesis import strategies as st

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
    Scalar,
    Tree,
    Var,
)
from engine.definitions.feature import ValueType
from engine.evaluation.columns import Column, Numbers, Texts
from tests.engine.evaluation.portfolio import numbers

NUMBER, TEXT, FLAG, DAY = ValueType.NUMBER, ValueType.TEXT, ValueType.BOOLEAN, ValueType.DATE
NAMES: Mapping[str, ValueType] = {
    "x": NUMBER,
    "y": NUMBER,
    "z": NUMBER,
    "account.stage": TEXT,
    "word": TEXT,
    "flag": FLAG,
    "signal.rule.low": FLAG,
    "account.renewal_on": DAY,
}
WORDS = ("adoption", "churned", "")
VALUES: Mapping[ValueType, st.SearchStrategy[Scalar]] = {
    NUMBER: st.integers(-6, 6).map(float) | st.sampled_from([0.5, -2.5, 0.1]),
    TEXT: st.sampled_from(WORDS[:2]),
    FLAG: st.booleans(),
    DAY: st.integers(0, 5).map(lambda days: (date(2026, 1, 1) + timedelta(days=days)).isoformat()),
}
ROWS = st.fixed_dictionaries({name: VALUES[kind] for name, kind in NAMES.items()})
PARTIAL = st.fixed_dictionaries({}, optional={name: VALUES[kind] for name, kind in NAMES.items()})


def literals(kind: ValueType) -> st.SearchStrategy[Tree]:
    return VALUES[kind].map(lambda value: Literal(value, kind))


def variables(kind: ValueType) -> st.SearchStrategy[Tree]:
    names = st.sampled_from([name for name, of in NAMES.items() if of is kind])
    defaults = st.none() | VALUES[kind].map(lambda value: Literal(value, kind))
    return st.builds(Var, names, st.just(kind), defaults)


def arithmetics(depth: int) -> st.SearchStrategy[Tree]:
    leaves = literals(NUMBER) | variables(NUMBER)
    if not depth:
        return leaves
    inner = arithmetics(depth - 1)
    several = st.tuples(inner, inner) | st.tuples(inner, inner, inner)
    return st.one_of(
        leaves,
        st.builds(Arithmetic, st.sampled_from(["+", "*", "min", "max"]), several, st.just(NUMBER)),
        st.builds(Arithmetic, st.sampled_from(["-", "/", "%"]), st.tuples(inner, inner), st.just(NUMBER)),
        st.builds(If, conditions(depth - 1), inner, inner, st.just(NUMBER)),
    )


def comparisons(depth: int) -> st.SearchStrategy[Tree]:
    sizes = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    equal = st.sampled_from(["==", "!="])
    return st.one_of(
        st.builds(Compare, sizes, arithmetics(depth), arithmetics(depth)),
        st.builds(Compare, sizes, variables(DAY), literals(DAY) | variables(DAY)),
        st.builds(Compare, equal, variables(TEXT), literals(TEXT) | variables(TEXT)),
        st.builds(Compare, equal, variables(FLAG), literals(FLAG) | variables(FLAG)),
        st.builds(In, variables(TEXT), st.lists(literals(TEXT), min_size=1, max_size=2).map(tuple)),
        st.builds(In, variables(NUMBER), st.lists(literals(NUMBER), min_size=1, max_size=3).map(tuple)),
        st.builds(Missing, st.lists(st.sampled_from(list(NAMES)), min_size=1, max_size=2).map(tuple)),
        variables(FLAG),
    )


def conditions(depth: int) -> st.SearchStrategy[Tree]:
    if not depth:
        return comparisons(0)
    inner = conditions(depth - 1)
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        comparisons(depth - 1),
        st.builds(All, several),
        st.builds(AnyOf, several),
        st.builds(Not, inner),
        st.builds(If, inner, inner, inner, st.just(FLAG)),
    )


def columns_of(row: Mapping[str, Scalar]) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for name, kind in NAMES.items():
        value = row.get(name)
        if kind is TEXT:
            found[name] = Texts(np.array([-1 if value is None else WORDS.index(str(value))]), WORDS)
        elif kind is DAY and value is not None:
            found[name] = numbers((date.fromisoformat(str(value)) - date(1970, 1, 1)).days)
        else:
            found[name] = numbers(np.nan if value is None else float(value))
    return found


def columns_of_all(rows: Sequence[Mapping[str, Scalar]]) -> dict[str, Column]:
    """Several records as columns of that length."""
    alone = [columns_of(row) for row in rows]
    together: dict[str, Column] = {}
    for name in NAMES:
        parts = [row[name] for row in alone]
        if isinstance(parts[0], Texts):
            codes = np.concatenate([part.codes for part in parts if isinstance(part, Texts)])
            together[name] = Texts(codes, WORDS)
        else:
            together[name] = Numbers(np.concatenate([part.values for part in parts if isinstance(part, Numbers)]))
    return together


def settled(tree: Tree, row: Mapping[str, Scalar]) -> Tree:
    """The tree with what is known about the record as it is: defaults that apply, and which names are missing."""
    match tree:
        case Var(name, _, default) if default is not None and name not in row:
            return default
        case Missing(names):
            return Literal(value=any(name not in row for name in names), type=FLAG)
        case Arithmetic(operator, operands, kind):
            return Arithmetic(operator, tuple(settled(each, row) for each in operands), kind)
        case Compare(operator, left, right):
            return Compare(operator, settled(left, row), settled(right, row))
        case In(operand, members):
            return In(settled(operand, row), members)
        case All(operands):
            return All(tuple(settled(each, row) for each in operands))
        case AnyOf(operands):
            return AnyOf(tuple(settled(each, row) for each in operands))
        case Not(operand):
            return Not(settled(operand, row))
        case If(condition, then, otherwise, kind):
            return If(settled(condition, row), settled(then, row), settled(otherwise, row), kind)
    return tree
