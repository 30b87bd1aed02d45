"""Conditions over columns: the laws that tie them to json-logic-qubit, and the meaning of unknown."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

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
    reference,
)
from engine.definitions.feature import ValueType
from engine.evaluation.columns import Column, Numbers, Texts
from engine.evaluation.program import compute, evaluate_condition
from engine.evaluation.tracing import as_logic
from engine.terms import Verdict
from tests.engine.evaluation.portfolio import numbers, texts

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


def verdict(tree: Tree, row: Mapping[str, Scalar]) -> Verdict:
    planes = evaluate_condition(tree, columns_of(row), 1)
    assert not (planes.holds & ~planes.possible).any()
    return Verdict(int(planes.verdicts[0]))


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


@settings(max_examples=150, deadline=None)
@given(conditions(3), ROWS)
def test_on_complete_rows_a_verdict_is_the_reference_s(tree: Tree, row: Mapping[str, Scalar]) -> None:
    try:
        expected = bool(reference(as_logic(tree), row))
    except ZeroDivisionError:
        return
    assert verdict(tree, row) is (Verdict.HOLDS if expected else Verdict.FAILS)


@settings(max_examples=150, deadline=None)
@given(conditions(3), PARTIAL, st.lists(ROWS, min_size=8, max_size=8))
def test_on_partial_rows_a_verdict_holds_for_every_completion(
    tree: Tree, row: Mapping[str, Scalar], completions: list[Mapping[str, Scalar]]
) -> None:
    said = verdict(tree, row)
    if said is Verdict.UNKNOWN:
        return
    known = settled(tree, row)
    for completion in completions:
        try:
            expected = bool(reference(as_logic(known), {**completion, **row}))
        except ZeroDivisionError:
            continue
        assert said is (Verdict.HOLDS if expected else Verdict.FAILS)


@settings(max_examples=100, deadline=None)
@given(arithmetics(3), ROWS)
def test_a_formula_is_what_the_reference_computes(tree: Tree, row: Mapping[str, Scalar]) -> None:
    try:
        expected = float(reference(as_logic(tree), row))
    except ZeroDivisionError:
        return
    column = compute(tree, columns_of(row), 1)
    assert isinstance(column, Numbers)
    assert column.values[0] == expected


@settings(max_examples=150, deadline=None)
@given(conditions(2), st.lists(PARTIAL, min_size=2, max_size=5))
def test_many_rows_at_once_say_what_each_says_alone(tree: Tree, rows: list[Mapping[str, Scalar]]) -> None:
    alone = [columns_of(row) for row in rows]
    together: dict[str, Column] = {}
    for name in NAMES:
        parts = [row[name] for row in alone]
        if isinstance(parts[0], Texts):
            codes = np.concatenate([part.codes for part in parts if isinstance(part, Texts)])
            together[name] = Texts(codes, WORDS)
        else:
            together[name] = Numbers(np.concatenate([part.values for part in parts if isinstance(part, Numbers)]))
    expected = [verdict(tree, row) for row in rows]
    assert evaluate_condition(tree, together, len(rows)).verdicts.tolist() == expected


X, ONE = Var("x", NUMBER), Literal(1.0, NUMBER)


def test_a_missing_operand_makes_the_node_unknown() -> None:
    assert verdict(Compare("<", X, ONE), {}) is Verdict.UNKNOWN
    assert verdict(Compare("!=", X, ONE), {}) is Verdict.UNKNOWN
    assert verdict(Not(Compare("<", X, ONE)), {}) is Verdict.UNKNOWN
    assert verdict(Compare("!=", Var("word", TEXT), Literal("churned", TEXT)), {}) is Verdict.UNKNOWN


def test_what_is_known_can_decide_without_the_rest() -> None:
    known = Compare("<", Var("y", NUMBER), ONE)
    assert verdict(AnyOf((Compare("<", X, ONE), known)), {"y": 0.0}) is Verdict.HOLDS
    assert verdict(All((Compare("<", X, ONE), known)), {"y": 2.0}) is Verdict.FAILS
    assert verdict(All((Compare("<", X, ONE), known)), {"y": 0.0}) is Verdict.UNKNOWN


@pytest.mark.parametrize("operator", ["/", "%"])
def test_a_zero_divisor_is_unknown_and_never_an_error(operator: str) -> None:
    """S0-33: no seats sold gives "no data"."""
    divided = Arithmetic(operator, (X, Var("y", NUMBER)), NUMBER)
    assert verdict(Compare("<", divided, ONE), {"x": 30.0, "y": 0.0}) is Verdict.UNKNOWN


def test_a_remainder_has_the_sign_of_its_divisor_as_in_python() -> None:
    column = compute(Arithmetic("%", (X, Var("y", NUMBER)), NUMBER), columns_of({"x": -7.0, "y": 3.0}), 1)
    assert isinstance(column, Numbers)
    assert column.values.tolist() == [2.0]


def test_an_unknown_condition_of_an_if_makes_it_unknown_whatever_its_branches_say() -> None:
    same = If(Compare("<", X, ONE), Literal(value=True, type=FLAG), Literal(value=True, type=FLAG), FLAG)
    assert verdict(same, {}) is Verdict.UNKNOWN
    assert verdict(same, {"x": 5.0}) is Verdict.HOLDS


def test_a_default_and_missing_are_facts_about_the_record_and_known() -> None:
    assert verdict(Compare("<", Var("x", NUMBER, Literal(0.0, NUMBER)), ONE), {}) is Verdict.HOLDS
    assert verdict(Missing(("x", "y")), {"y": 1.0}) is Verdict.HOLDS
    assert verdict(Missing(("x",)), {"x": 1.0}) is Verdict.FAILS


def test_texts_of_two_columns_are_compared_by_their_words() -> None:
    columns = {"a": texts("churned", "adoption", None), "b": texts("churned", "value", "value")}
    same = Compare("==", Var("a", TEXT), Var("b", TEXT))
    assert evaluate_condition(same, columns, 3).verdicts.tolist() == [1, -1, 0]


def test_a_name_nobody_knows_is_unknown_for_everybody() -> None:
    assert evaluate_condition(Compare("<", Var("nowhere", NUMBER), ONE), {}, 2).verdicts.tolist() == [0, 0]
