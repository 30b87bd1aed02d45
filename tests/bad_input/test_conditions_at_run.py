"""What goes wrong while a condition is evaluated: it is unknown, its trace says what it read, and nothing raises."""

import json
import math
import warnings
from collections.abc import Mapping
from time import process_time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.condition import Scalar, Tree
from engine.definitions.condition_reading import parse
from engine.definitions.folder import read_folder
from engine.definitions.problem import Problem
from engine.definitions.reading import Ledger
from engine.definitions.source import read_source
from engine.evaluation.columns import Column, Numbers
from engine.evaluation.program import compute, evaluate_condition
from engine.evaluation.tracing import Node, trace
from engine.terms import Verdict
from tests.bad_files.workspace import BASE
from tests.bad_input.bodies import SECONDS
from tests.bad_input.files import read_condition, scope_of
from tests.engine.evaluation.portfolio import numbers, texts

SCOPE = scope_of()
CATALOG = read_folder(BASE).catalog
USERS, SEATS, ARR = {"var": "active_users"}, {"var": "seats_sold"}, {"var": "account.arr"}
FULL: Mapping[str, Scalar | None] = {
    "active_users": 30.0,
    "seats_sold": 0.0,
    "utilization": 0.4,
    "account.arr": 1e15,
    "account.stage": "adoption",
    "account.name": "Acme",
    "happy": None,
    "score.health": None,
}


def columns_of(row: Mapping[str, Scalar | None]) -> dict[str, Column]:
    wordy = {"account.stage", "account.name"}
    return {
        name: texts(value if isinstance(value, str) else None) if name in wordy else numbers(_number(value))
        for name, value in row.items()
    }


def _number(value: Scalar | None) -> float:
    return math.nan if value is None or isinstance(value, str) else float(value)


def read(condition: Any) -> Tree:
    found, problems = read_condition(json.dumps(condition), SCOPE)
    assert found is not None, problems
    return found.tree


def told(condition: Any, row: Mapping[str, Scalar | None] = FULL) -> Node:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return trace(CATALOG, read(condition), columns_of(row), 0)


def squared(value: Any, times: int) -> Any:
    for _ in range(times):
        value = {"*": [value, value]}
    return value


RUNS: list[tuple[str, Any, list[str]]] = [
    ("divided by nought", {">": [{"/": [USERS, SEATS]}, 1]}, ["Seats sold: 0", "Weekly active users: 30"]),
    ("nought divided by nought", {">": [{"/": [SEATS, SEATS]}, 1]}, ["Seats sold: 0"]),
    ("divided by a written nought", {">": [{"/": [USERS, 0]}, 1]}, ["Weekly active users: 30"]),
    ("a remainder by nought", {">": [{"%": [USERS, SEATS]}, 1]}, ["Seats sold: 0", "Weekly active users: 30"]),
    ("a remainder by a written nought", {">": [{"%": [USERS, 0]}, 1]}, ["Weekly active users: 30"]),
    (
        "divided by a difference of nothing",
        {">": [{"/": [USERS, {"-": [USERS, USERS]}]}, 1]},
        ["Weekly active users: 30"],
    ),
    (
        "divided by nought on both sides",
        {"==": [{"/": [USERS, SEATS]}, {"/": [USERS, SEATS]}]},
        ["Seats sold: 0", "Weekly active users: 30"],
    ),
    (
        "not equal to what is divided by nought",
        {"!=": [{"/": [USERS, SEATS]}, 1]},
        ["Seats sold: 0", "Weekly active users: 30"],
    ),
    (
        "not of what is divided by nought",
        {"!": [{">": [{"/": [USERS, SEATS]}, 1]}]},
        ["Seats sold: 0", "Weekly active users: 30"],
    ),
    (
        "between, of what is divided by nought",
        {"<": [0, {"/": [USERS, SEATS]}, 1]},
        ["Seats sold: 0", "Weekly active users: 30"],
    ),
    (
        "in a list, of what is divided by nought",
        {"in": [{"/": [USERS, SEATS]}, [1, 2]]},
        ["Seats sold: 0", "Weekly active users: 30"],
    ),
    (
        "the largest with something divided by nought",
        {">": [{"max": [USERS, {"/": [USERS, SEATS]}]}, 1]},
        ["Seats sold: 0", "Weekly active users: 30"],
    ),
    (
        "the smallest with something divided by nought",
        {">": [{"min": [USERS, {"/": [USERS, SEATS]}]}, 1]},
        ["Seats sold: 0", "Weekly active users: 30"],
    ),
    ("a number beyond all numbers", {">": [squared(ARR, 5), 1]}, ["the account's ARR: 1,000,000,000,000,000"]),
    (
        "beyond all numbers on both sides",
        {"==": [squared(ARR, 5), squared(ARR, 5)]},
        ["the account's ARR: 1,000,000,000,000,000"],
    ),
    (
        "the difference of two numbers beyond all numbers",
        {"==": [{"-": [squared(ARR, 5), squared(ARR, 5)]}, 0]},
        ["the account's ARR: 1,000,000,000,000,000"],
    ),
    (
        "beyond all numbers by a small divisor",
        {">": [{"/": [squared(ARR, 4), {"/": [1, squared(ARR, 4)]}]}, 1]},
        ["the account's ARR: 1,000,000,000,000,000"],
    ),
    ("a missing metric", {">": [{"var": "happy"}, 3]}, ["How happy are they?: not known"]),
    (
        "a missing metric on both sides",
        {"==": [{"var": "happy"}, {"var": "happy"}]},
        ["How happy are they?: not known"],
    ),
    ("not equal to a missing metric", {"!=": [{"var": "happy"}, 3]}, ["How happy are they?: not known"]),
    (
        "a missing metric in a sum",
        {">": [{"+": [{"var": "happy"}, USERS]}, 3]},
        ["How happy are they?: not known", "Weekly active users: 30"],
    ),
    ("a missing metric times nought", {"==": [{"*": [{"var": "happy"}, 0]}, 0]}, ["How happy are they?: not known"]),
    ("a missing metric in a list", {"in": [{"var": "happy"}, [1, 2, 3, 4, 5]]}, ["How happy are they?: not known"]),
    ("a missing score", {"<": [{"var": "score.health"}, 50]}, ["score.health: not known"]),
    (
        "a missing score beside what holds",
        {"and": [{">": [USERS, 1]}, {"<": [{"var": "score.health"}, 50]}]},
        ["Weekly active users: 30", "score.health: not known"],
    ),
    (
        "a missing score beside what fails",
        {"or": [{"<": [USERS, 1]}, {"<": [{"var": "score.health"}, 50]}]},
        ["Weekly active users: 30", "score.health: not known"],
    ),
    (
        "a choice by something missing",
        {"if": [{">": [{"var": "happy"}, 3]}, {">": [USERS, 1]}, {">": [USERS, 2]}]},
        ["How happy are they?: not known", "Weekly active users: 30"],
    ),
    (
        "a chosen value that is missing",
        {">": [{"if": [{">": [USERS, 1]}, {"var": "happy"}, USERS]}, 1]},
        ["How happy are they?: not known", "Weekly active users: 30"],
    ),
]


@pytest.mark.parametrize(("condition", "said"), [run[1:] for run in RUNS], ids=[run[0] for run in RUNS])
def test_what_cannot_be_computed_is_unknown_and_its_trace_says_what_it_read(condition: Any, said: list[str]) -> None:
    """S0-33: a division by nought, a number beyond all numbers and a missing value are no data, not an error."""
    found = told(condition)
    assert found.verdict is Verdict.UNKNOWN
    assert found.reference is None
    assert sorted(read_by(found)) == sorted(said)


def read_by(node: Node) -> set[str]:
    """Every value that a node and those below it read, in words."""
    own = {f"{name}: {value}" for name, value in node.values}
    return own.union(*(read_by(child) for child in node.children))


def test_a_name_no_column_has_is_unknown_for_everybody() -> None:
    assert told({">": [USERS, 1]}, {}).verdict is Verdict.UNKNOWN
    assert told({"==": [{"var": "account.stage"}, "adoption"]}, {}).verdict is Verdict.UNKNOWN


def test_squaring_again_and_again_takes_no_time() -> None:
    """Whole numbers of any length would be multiplied for seconds; these are numbers of 64 bits."""
    begun = process_time()
    assert told({">": [squared(99_999, 6), 1]}).verdict is Verdict.UNKNOWN
    assert process_time() - begun < SECONDS


def test_a_formula_is_never_infinite_and_never_no_number_where_it_is_known() -> None:
    problems: list[Problem] = []
    node = read_source("formula", json.dumps({"/": [USERS, SEATS]}), problems)
    assert node is not None
    formula = parse(node, SCOPE, Ledger("J", problems, []), numeric=True)
    assert formula is not None
    column = compute(formula.tree, columns_of(FULL), 1)
    assert isinstance(column, Numbers)
    assert np.isnan(column.values).all()


floats = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.0, -0.0, 5e-324, 1.7e308, -1.7e308, 1e-300])
)
operators = st.sampled_from(["+", "-", "*", "/", "%", "min", "max"])


@settings(max_examples=200, deadline=None)
@given(left=floats, right=floats, third=floats | st.none(), first=operators, second=operators)
def test_no_numbers_make_a_comparison_raise(
    left: float, right: float, third: float | None, first: str, second: str
) -> None:
    """Of the largest, the smallest and no numbers: a verdict, and it is unknown where the result is no number."""
    row = {"active_users": left, "seats_sold": right, "account.arr": third}
    condition = {">": [{first: [{second: [USERS, SEATS]}, ARR]}, 5]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        planes = evaluate_condition(read(condition), columns_of(row), 1)
    assert third is not None or Verdict(int(planes.verdicts[0])) is Verdict.UNKNOWN
    assert not (planes.holds & ~planes.possible).any()
    assert math.isfinite(left)
