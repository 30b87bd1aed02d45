"""Compiled conditions say what the plain ones say: over many rows, over few, for one record, whatever is missing."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.condition import Arithmetic, Compare, If, In, Literal, Missing, Not, Scalar, Tree, Var
from engine.evaluation import compiled
from engine.evaluation.columns import Column, Numbers, Texts
from engine.evaluation.compiled import FEW, compile_conditions
from engine.evaluation.program import evaluate_condition
from tests.engine.evaluation.portfolio import numbers, texts
from tests.engine.evaluation.trees import FLAG, NAMES, NUMBER, PARTIAL, ROWS, TEXT, columns_of_all, conditions

X, Y, ONE, ZERO = Var("x", NUMBER), Var("y", NUMBER), Literal(1.0, NUMBER), Literal(0.0, NUMBER)
MANY = FEW * 2 + 3
CONDITIONS = st.lists(conditions(3), min_size=1, max_size=4)


def repeated(rows: Sequence[Mapping[str, Scalar]], size: int) -> dict[str, Column]:
    return columns_of_all([rows[i % len(rows)] for i in range(size)])


def said(trees: Sequence[Tree], columns: Mapping[str, Column], size: int) -> list[list[int]]:
    verdicts = compile_conditions(trees).verdicts(columns, size)
    for i in range(len(trees)):
        planes = verdicts.planes(i)
        assert not (planes.holds & ~planes.possible).any()
    return [verdicts.of(i).tolist() for i in range(len(trees))]


def plainly(trees: Sequence[Tree], columns: Mapping[str, Column], size: int) -> list[list[int]]:
    return [evaluate_condition(tree, columns, size).verdicts.tolist() for tree in trees]


@settings(max_examples=150, deadline=None)
@given(CONDITIONS, st.lists(PARTIAL, min_size=1, max_size=9))
def test_many_rows_get_the_plain_verdicts(trees: list[Tree], rows: list[Mapping[str, Scalar]]) -> None:
    columns = repeated(rows, MANY)
    assert said(trees, columns, MANY) == plainly(trees, columns, MANY)


@settings(max_examples=75, deadline=None)
@given(CONDITIONS, st.lists(ROWS, min_size=1, max_size=9), st.sets(st.sampled_from(list(NAMES))))
def test_so_do_columns_without_gaps_and_names_without_columns(
    trees: list[Tree], rows: list[Mapping[str, Scalar]], absent: set[str]
) -> None:
    columns = repeated(rows, MANY)
    present = {name: column for name, column in columns.items() if name not in absent}
    assert said(trees, columns, MANY) == plainly(trees, columns, MANY)
    assert said(trees, present, MANY) == plainly(trees, present, MANY)


@settings(max_examples=150, deadline=None)
@given(CONDITIONS, st.lists(PARTIAL, min_size=1, max_size=5))
def test_a_few_rows_and_single_records_get_them_too(trees: list[Tree], rows: list[Mapping[str, Scalar]]) -> None:
    columns, program = columns_of_all(rows), compile_conditions(trees)
    expected = plainly(trees, columns, len(rows))
    assert said(trees, columns, len(rows)) == expected
    for i, row in enumerate(rows):
        days = {name: float(column.values[i]) for name, column in columns.items() if isinstance(column, Numbers)}
        record = {name: days.get(name, value) for name, value in row.items()}
        assert list(program.verdicts_of(record)) == [verdicts[i] for verdicts in expected]


@settings(max_examples=25, deadline=None)
@given(CONDITIONS, st.lists(PARTIAL, min_size=1, max_size=9), st.integers(FEW, 200))
def test_where_chunks_end_makes_no_difference(trees: list[Tree], rows: list[Mapping[str, Scalar]], size: int) -> None:
    columns = repeated(rows, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "CHUNK", 24)
        assert said(trees, columns, size) == plainly(trees, columns, size)


def test_a_program_answers_again_and_again_whatever_is_missing_this_time() -> None:
    program = compile_conditions([Compare("<", X, ONE), Not(Missing(("x", "y"))), Compare("!=", X, Y)])
    rows: list[Mapping[str, Scalar]] = [{"x": 0.0, "y": 0.0}, {"x": 2.0}, {}, {"y": 1.0}]
    for chosen in ([0], [0, 1], [2], [0, 1, 2, 3], [0], [3]):
        columns = repeated([rows[i] for i in chosen], MANY)
        found = program.verdicts(columns, MANY)
        assert [found.of(i).tolist() for i in range(3)] == plainly(program.trees, columns, MANY)


def test_a_gap_that_shows_up_late_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "CHUNK", 32)
    trees: list[Tree] = [Compare("<", X, ONE), Compare("==", Var("word", TEXT), Literal("churned", TEXT))]
    whole: Mapping[str, Scalar] = {"x": 0.0, "word": "churned"}
    late = columns_of_all([whole] * 40 + [{"word": "churned"}] + [whole] * 60 + [{"x": 1.0}])
    for columns in (late, columns_of_all([whole] * 101 + [{"x": 1.0}])):
        assert said(trees, columns, 102) == plainly(trees, columns, 102)
        several = [*trees, *(Compare(sign, X, Literal(limit, NUMBER)) for sign in ("<", ">=") for limit in (0.5, 2.0))]
        assert said(several, columns, 102) == plainly(several, columns, 102)


def test_more_patterns_of_gaps_than_are_kept_are_answered_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_VARIANTS", 1)
    program = compile_conditions([Compare("<", X, ONE), Compare("==", Var("word", TEXT), Literal("churned", TEXT))])
    rows: list[Mapping[str, Scalar]] = [{"x": 0.0, "word": "churned"}, {"x": 0.0}, {"word": "adoption"}, {}]
    for row in rows:
        columns = repeated([row], MANY)
        found = program.verdicts(columns, MANY)
        assert [found.of(0).tolist(), found.of(1).tolist()] == plainly(program.trees, columns, MANY)


@pytest.mark.parametrize("size", [1, MANY])
def test_numbers_beyond_every_bound_are_unknown(size: int) -> None:
    huge = Arithmetic("*", (X, Literal(1e300, NUMBER), Literal(1e300, NUMBER)), NUMBER)
    columns: dict[str, Column] = {"x": numbers(*[3.0] * size)}
    trees: list[Tree] = [Compare(">", huge, ONE), Compare(">", X, ONE)]
    assert said(trees, columns, size) == [[0] * size, [1] * size]
    assert compile_conditions(trees).verdicts_of({"x": 3.0}) == (0, 1)


@pytest.mark.parametrize("size", [2, MANY])
def test_a_constant_zero_divisor_is_unknown(size: int) -> None:
    for operator in ("/", "%"):
        tree = Compare(">", Arithmetic(operator, (X, ZERO), NUMBER), ONE)
        assert said([tree], {"x": numbers(*[3.0] * size)}, size) == [[0] * size]


@pytest.mark.parametrize("size", [3, FEW * 3])
def test_words_of_two_columns_may_be_numbered_differently(size: int) -> None:
    columns = {
        "a": texts(*(["churned", "adoption", None] * (size // 3))),
        "b": texts(*(["churned", "value", "value"] * (size // 3))),
    }
    same = Compare("==", Var("a", TEXT), Var("b", TEXT))
    elsewhere = In(Var("b", TEXT), (Literal("nowhere", TEXT), Literal("value", TEXT)))
    assert said([same, elsewhere], columns, size) == [[1, -1, 0] * (size // 3), [-1, 1, 1] * (size // 3)]


def test_codes_may_be_as_narrow_as_their_words_allow() -> None:
    wide = texts(*["churned", "adoption", None] * 30)
    assert isinstance(wide, Texts)
    narrow = Texts(wide.codes.astype(np.int8), wide.words)
    trees: list[Tree] = [Compare("!=", Var("a", TEXT), Literal("churned", TEXT)), Missing(("a",))]
    assert said(trees, {"a": narrow}, 90) == said(trees, {"a": wide}, 90)


def test_conditions_share_what_they_have_in_common() -> None:
    below, flag = Compare("<", X, ONE), Var("flag", FLAG)
    trees: list[Tree] = [Not(below), If(below, flag, Not(flag), FLAG), Compare(">=", X, ONE)]
    columns = repeated([{"x": 0.0, "flag": True}, {"x": 5.0}, {"flag": False}], 90)
    found = compile_conditions(trees).verdicts(columns, 90)
    assert (found.holds[0] == found.holds[2]).all()
    assert [found.of(i).tolist() for i in range(3)] == plainly(trees, columns, 90)


def test_text_where_a_number_was_promised_is_an_error() -> None:
    with pytest.raises(TypeError, match="x: a text stands where"):
        compile_conditions([Compare("<", X, ONE)]).verdicts({"x": texts("churned")}, 1)
