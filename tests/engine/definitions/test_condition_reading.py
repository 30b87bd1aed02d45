"""Conditions: what is accepted says in the tree what the reference says of the text; the rest is refused."""

import math
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final

import pytest
from hypothesis import given, settings, strategies as st

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
    Scalar,
    Tree,
    Var,
    reference,
)
from engine.definitions.condition_reading import parse
from engine.definitions.feature import ValueType
from engine.definitions.problem import Place, Problem
from engine.definitions.reading import Ledger
from engine.definitions.scope import Scope
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode

NUMBER, SHARE, BOOLEAN, TEXT, DATE = ValueType
HERE: Final = Place("a.yaml")
SCOPE: Final = Scope(
    names={"yes": BOOLEAN, "no": BOOLEAN, "stage": TEXT, "city": TEXT, "since": DATE},
    metrics={"users": NUMBER, "seats": NUMBER, "usage": SHARE},
    words={"stage": frozenset({"value", "churned"})},
)
RECORD: Final[dict[str, Scalar]] = {
    "yes": True,
    "no": False,
    "stage": "value",
    "city": "Rome",
    "since": "2026-05-01",
    "users": 30.0,
    "seats": 120.0,
    "usage": 0.25,
    "users.mean_7d": 28.5,
}


def node_of(raw: Any) -> Node:
    """JSON as nodes. A share is written as text with a percent sign, as authors do."""
    if isinstance(raw, dict):
        return MapNode(tuple((ScalarNode(key, HERE), node_of(value)) for key, value in raw.items()), HERE)
    if isinstance(raw, list):
        return ListNode(tuple(node_of(item) for item in raw), HERE)
    text = "" if raw is None else str(raw).lower() if isinstance(raw, bool) else str(raw)
    return ScalarNode(text, HERE)


def read(raw: Any, *, numeric: bool = False) -> Condition | list[str]:
    problems: list[Problem] = []
    condition = parse(node_of(raw), SCOPE, Ledger("R", problems, []), numeric=numeric)
    assert (condition is None) == bool(problems)
    return condition or [problem.code for problem in problems]


def tree_of(raw: Any) -> Tree:
    condition = read(raw)
    assert isinstance(condition, Condition), condition
    return condition.tree


def value_of(tree: Tree) -> Any:
    """What a tree says of `RECORD`, as plainly as it can be written; complete records only."""
    match tree:
        case Literal():
            return tree.value
        case Var():
            return RECORD.get(tree.name, tree.default.value if tree.default else None)
        case Missing():
            return any(name not in RECORD for name in tree.names)
        case In():
            return value_of(tree.operand) in [member.value for member in tree.members]
        case Compare():
            return _compared(tree.operator, value_of(tree.left), value_of(tree.right))
        case Arithmetic():
            return _computed(tree.operator, [value_of(operand) for operand in tree.operands])
    return _decided(tree)


def _decided(tree: Not | All | AnyOf | If) -> Any:
    match tree:
        case Not():
            return not value_of(tree.operand)
        case All():
            return all(value_of(operand) for operand in tree.operands)
        case AnyOf():
            return any(value_of(operand) for operand in tree.operands)
        case If():
            return value_of(tree.then if value_of(tree.condition) else tree.otherwise)


def _compared(operator: str, left: Any, right: Any) -> bool:
    signs = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
    return bool(signs[operator](left, right))


def _computed(operator: str, values: list[float]) -> float:
    total = values[0]
    if operator in {"min", "max"}:
        return min(values) if operator == "min" else max(values)
    for value in values[1:]:
        match operator:
            case "+":
                total += value
            case "-":
                total -= value
            case "*":
                total *= value
            case "/":
                total /= value
            case "%":
                total %= value
    return total


NUMBERS: Final = st.recursive(
    st.one_of(
        st.sampled_from([{"var": "users"}, {"var": "seats"}, {"var": "users.mean_7d"}, {"var": ["seats", 3]}]),
        st.integers(-50, 50),
        st.sampled_from([0.5, 2.25, -1.75]),
    ),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "*", "min", "max"]), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("-"), st.lists(inner, min_size=1, max_size=2)),
        st.tuples(st.sampled_from(["/", "%"]), st.tuples(inner, st.sampled_from([3, 7.5])).map(list)),
    ).map(lambda pair: {pair[0]: pair[1]}),
    max_leaves=6,
)
SHARES: Final = st.sampled_from([{"var": "usage"}, "40%", "-25%", {"+": [{"var": "usage"}, "10%"]}])
SIGNS: Final = st.sampled_from(["<", "<=", ">", ">="])
TRUTHS: Final = st.recursive(
    st.one_of(
        st.sampled_from([{"var": "yes"}, {"var": "no"}, {"missing": ["users"]}, {"missing": ["usage.mean_9d", "no"]}]),
        st.tuples(SIGNS, st.tuples(NUMBERS, NUMBERS).map(list)).map(lambda pair: {pair[0]: pair[1]}),
        st.tuples(SIGNS, st.tuples(st.just({"var": "usage"}), SHARES).map(list)).map(lambda pair: {pair[0]: pair[1]}),
        st.tuples(st.sampled_from(["<", "<="]), st.tuples(NUMBERS, NUMBERS, NUMBERS).map(list)).map(
            lambda pair: {pair[0]: pair[1]}
        ),
        st.sampled_from(
            [
                {"==": [{"var": "stage"}, "value"]},
                {"!=": [{"var": "city"}, "Oslo"]},
                {"===": [{"var": "users"}, 30]},
                {"in": [{"var": "stage"}, ["value", "churned"]]},
                {"in": [{"var": "users"}, [1, 30]]},
                {"<": [{"var": "since"}, "2027-01-01"]},
                {"==": [{"var": "yes"}, {"var": "no"}]},
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.sampled_from(["!", "!!"]), inner.map(lambda one: [one])),
        st.tuples(st.just("if"), st.tuples(inner, st.just({"var": "yes"}), st.just({"var": "no"})).map(list)),
    ).map(lambda pair: {pair[0]: pair[1]}),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(TRUTHS)
def test_the_tree_says_what_the_reference_says_of_the_text(raw: Any) -> None:
    condition = read(raw)
    assert isinstance(condition, Condition), condition
    assert bool(reference(condition.raw, RECORD)) == value_of(condition.tree)


@settings(max_examples=200, deadline=None)
@given(NUMBERS)
def test_a_formula_computes_what_the_reference_computes(raw: Any) -> None:
    condition = read(raw, numeric=True)
    assert isinstance(condition, Condition), condition
    assert math.isclose(reference(condition.raw, RECORD), value_of(condition.tree), rel_tol=1e-12, abs_tol=1e-12)


JSON: Final = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-9, 9),
        st.sampled_from(["users", "usage", "40%", "", "stage", "yes", "2026-01-01", "__class__", "a..b"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["var", "<", "==", "and", "!", "if", "in", "+", "/", "missing", "method", "x", "-"]),
            inner,
            max_size=2,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(JSON, st.booleans())
def test_any_json_is_a_condition_or_a_list_of_problems(raw: Any, numeric: bool) -> None:
    condition = read(raw, numeric=numeric)
    if isinstance(condition, Condition):
        assert condition.tree.type.is_numeric if numeric else condition.tree.type is BOOLEAN


def test_shares_are_written_with_a_percent_sign_and_mean_a_number_between_0_and_1() -> None:
    condition = read({"<": [{"var": "usage"}, "40%"]})
    assert isinstance(condition, Condition)
    assert condition.tree == Compare("<", Var("usage", SHARE), Literal(0.4, SHARE))
    assert condition.raw == {"<": [{"var": "usage"}, 0.4]}
    assert tree_of({"<": [{"var": "usage"}, 1]}) == Compare("<", Var("usage", SHARE), Literal(1.0, SHARE))


def test_a_ratio_may_be_compared_with_a_share() -> None:
    ratio = {"/": [{"var": "users"}, {"var": "seats"}]}
    assert isinstance(tree_of({">": [ratio, "40%"]}), Compare)


def test_a_chain_of_comparisons_is_two_of_them() -> None:
    tree = tree_of({"<": [1, {"var": "users"}, 50]})
    users = Var("users", NUMBER)
    assert tree == All((Compare("<", Literal(1.0, NUMBER), users), Compare("<", users, Literal(50.0, NUMBER))))


def test_a_default_has_the_type_of_its_value() -> None:
    assert tree_of({"==": [{"var": ["stage", "churned"]}, "value"]}) == Compare(
        "==", Var("stage", TEXT, Literal("churned", TEXT)), Literal("value", TEXT)
    )
    assert read({">": [{"var": ["users", "many"]}, 3]}) == ["J007"]


def test_text_that_looks_like_a_number_must_be_in_quotes() -> None:
    quoted = MapNode(
        (
            (
                ScalarNode("==", HERE),
                ListNode((node_of({"var": "city"}), ScalarNode("5", HERE, quoted=True)), HERE),
            ),
        ),
        HERE,
    )
    assert parse(quoted, SCOPE, Ledger("R", [], [])) is not None
    assert read({"==": [{"var": "city"}, 5]}) == ["J007"]


@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        ("users", ["J001"]),
        ([{"var": "yes"}], ["J001"]),
        ({}, ["J002"]),
        ({"<": [1, {"var": "users"}], ">": [1, 2]}, ["J002"]),
        ({"=>": [1, {"var": "users"}]}, ["J003"]),
        ({"log": "x"}, ["J003"]),
        ({"method": [{"var": "city"}, "__class__"]}, ["J003"]),
        ({"map": [{"var": "city"}, 1]}, ["J003"]),
        ({"cat": ["a", "b"]}, ["J003"]),
        ({">": [1, {"var": "users"}, 3]}, ["J004"]),
        ({"!": []}, ["J004"]),
        ({"if": [{"var": "yes"}, {"var": "no"}]}, ["J004"]),
        ({"/": [1, 2, 3]}, ["J004"]),
        ({"var": "nobody"}, ["J006"]),
        ({"var": "__class__"}, ["J006"]),
        ({"var": ""}, ["J008"]),
        ({"var": 1}, ["J008"]),
        ({"var": {"var": "yes"}}, ["J008"]),
        ({"missing": [["users"]]}, ["J008"]),
        ({"missing": ["user"]}, ["J006"]),
        ({"==": [{"missing": ["users"]}, True]}, ["J007"]),
        ({"==": [{"var": "users"}, {"var": "usage"}]}, ["J007"]),
        ({"==": [{"var": "yes"}, 1]}, ["J007"]),
        ({"==": [{"var": "city"}, {"var": "yes"}]}, ["J007"]),
        ({"==": [{"var": "users"}, None]}, ["J007"]),
        ({"<": [{"var": "city"}, "Rome"]}, ["J007"]),
        ({"<": [{"var": "since"}, "soon"]}, ["J007"]),
        ({"<": [{"var": "usage"}, 40]}, ["J007"]),
        ({"<": [{"var": "users"}, "40%"]}, ["J007"]),
        ({"+": [{"var": "users"}, 1]}, ["J007"]),
        ({"and": [{"var": "users"}]}, ["J007"]),
        ({"<": [{"+": [{"var": "users"}, {"var": "usage"}]}, 1]}, ["J007"]),
        ({"<": [{"*": [{"var": "city"}, 2]}, 1]}, ["J007"]),
        ({"if": [{"var": "yes"}, {"var": "no"}, {"var": "users"}]}, ["J007"]),
        ({"in": [{"var": "city"}, "Rome"]}, ["J007"]),
        ({"in": [{"var": "city"}, []]}, ["J007"]),
        ({"in": [{"var": "users"}, [1, "two"]]}, ["J007"]),
        ({"in": [{"var": "users"}, [[1]]]}, ["J007"]),
        ({"==": [{"var": "stage"}, "vlaue"]}, ["J009"]),
        ({"in": [{"var": "stage"}, ["value", "renewal"]]}, ["J009"]),
    ],
)
def test_what_the_library_would_answer_wrongly_is_refused(raw: Any, codes: list[str]) -> None:
    assert read(raw) == codes


def test_a_condition_is_at_most_32_deep_and_has_at_most_500_nodes() -> None:
    deep: Any = {"var": "yes"}
    for _ in range(31):
        deep = {"!": [deep]}
    assert isinstance(read(deep), Condition)
    assert read({"!": [deep]}) == ["J005"]
    wide = {"or": [{"and": [{"var": "yes"}] * 60}] * 8}
    assert isinstance(read(wide), Condition)
    assert read({"or": [{"and": [{"var": "yes"}] * 70}] * 8}) == ["J005"]


def test_a_formula_is_a_number_and_nothing_else() -> None:
    assert isinstance(read({"/": [{"var": "users"}, {"var": "seats"}]}, numeric=True), Condition)
    assert read({"<": [{"var": "users"}, 3]}, numeric=True) == ["J007"]
