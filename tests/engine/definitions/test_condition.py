"""The fence around json-logic-qubit: the right library, its official cases, and how we ask it."""

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import json_logic
import pytest

from engine.definitions.condition import (
    All,
    Arithmetic,
    Compare,
    If,
    In,
    Literal,
    Missing,
    Not,
    Var,
    names_of,
    reference,
)
from engine.definitions.feature import ValueType

OFFICIAL = Path(__file__).parents[4] / "shared" / "data" / "jsonlogic_tests.json"


def test_the_module_belongs_to_json_logic_qubit_and_to_nothing_else() -> None:
    """Four distributions install a package of this name and overwrite one another."""
    assert importlib.metadata.packages_distributions()["json_logic"] == ["json-logic-qubit"]
    files = importlib.metadata.files("json-logic-qubit") or []
    located = {Path(str(file.locate())).resolve() for file in files}
    assert Path(json_logic.__file__).resolve() in located


def test_the_official_cases_pass() -> None:
    if not OFFICIAL.exists():
        print(f"the official JsonLogic cases are not here ({OFFICIAL.name}): not run")  # noqa: T201 - said, not hid
        return
    cases = [case for case in json.loads(OFFICIAL.read_text()) if isinstance(case, list)]
    wrong = [rule for rule, data, expected in cases if json_logic.jsonLogic(rule, data) != expected]
    assert (len(cases), wrong) == (277, [])


@pytest.mark.parametrize(
    ("raw", "record", "answer"),
    [
        ({">": [{"var": "a"}, 5]}, {"a": 6.0}, True),
        ({">": [{"var": "a.mean_7d"}, {"var": "a"}]}, {"a": 5.0, "a.mean_7d": 6.0}, True),
        ({"var": "signal.champion-left.left"}, {"signal.champion-left.left": True}, True),
        ({"var": ["a.b", 7]}, {"a": 1.0}, 7),
        ({"missing": ["a.b", "a"]}, {"a": 1.0}, ["a/b"]),
        ({"<": [1, {"var": "a"}, 3]}, {"a": 2.0}, True),
        ({"in": [{"var": "account.stage"}, ["value", "renewal"]]}, {"account.stage": "renewal"}, True),
        ({"<=": [{"var": "d"}, "2027-01-01"]}, {"d": "2026-12-31"}, True),
    ],
)
def test_names_with_dots_are_names_and_no_steps_into_something(
    raw: Any, record: dict[str, Any], answer: object
) -> None:
    assert reference(raw, record) == answer


def test_sums_are_folded_from_the_left() -> None:
    """The library's own sum is compensated from Python 3.12 on, and would differ from a fold by an ulp."""
    values = [0.1, 0.2, 0.3, 1e16, -1e16, 0.7]
    folded = 0.1
    for value in values[1:]:
        folded += value
    assert reference({"+": values}, {}) == folded


def test_the_names_of_a_tree_are_all_that_it_reads() -> None:
    number, share = ValueType.NUMBER, ValueType.SHARE
    a, b, c = Var("a", number), Var("b", share), Var("c", ValueType.TEXT, Literal("x", ValueType.TEXT))
    tree = If(
        Missing(("d", "e")),
        Compare("<", Arithmetic("+", (a, Literal(1.0, number)), number), b),
        All((Not(In(c, (Literal("x", ValueType.TEXT),))),)),
        ValueType.BOOLEAN,
    )
    assert names_of(tree) == {"a", "b", "c", "d", "e"}
