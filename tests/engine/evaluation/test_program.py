"""Conditions over columns: the laws that tie them to json-logic-qubit, and the meaning of unknown."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.condition import (
    All,
    AnyOf,
    Arithmetic,
    Compare,
    If,
    Literal,
    Missing,
    Not,
    Scalar,
    Tree,
    Var,
    reference,
)
from engine.evaluation.columns import Numbers
from engine.evaluation.program import compute, evaluate_condition
from engine.evaluation.tracing import as_logic
from engine.terms import Verdict
from tests.engine.evaluation.portfolio import texts
from tests.engine.evaluation.trees import (
    FLAG,
    NUMBER,
    PARTIAL,
    ROWS,
    TEXT,
    arithmetics,
    columns_of,
    columns_of_all,
    conditions,
    settled,
)


def verdict(tree: Tree, row: Mapping[str, Scalar]) -> Verdict:
    planes = evaluate_condition(tree, columns_of(row), 1)
    assert not (planes.holds & ~planes.possible).any()
    return Verdict(int(planes.verdicts[0]))


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
    expected = [verdict(tree, row) for row in rows]
    assert evaluate_condition(tree, columns_of_all(rows), len(rows)).verdicts.tolist() == expected


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
