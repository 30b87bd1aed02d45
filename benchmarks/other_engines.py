"""The same conditions for other engines: Polars expressions, Zen expressions, compiled JsonLogic of datalogic-py.

They come with ``uv sync --group benchmarks`` (or `requirements/benchmarks.txt`); whatever is not installed is left out
of a benchmark. Polars has Kleene nulls and so says all three values. The two others have rules of their own for
missing values and are compared on complete records only.
"""

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from engine.definitions.condition import All, AnyOf, Arithmetic, Compare, In, Literal, Missing, Not, Tree, Var
from engine.evaluation.columns import Column, Texts
from engine.evaluation.tracing import as_logic

MODULES: Final[Mapping[str, str]] = {"polars": "polars", "zen-engine": "zen", "datalogic-py": "datalogic_py"}


def absent() -> list[str]:
    """The engines that are not installed."""
    return [name for name, module in MODULES.items() if find_spec(module) is None]


def polars_frame(columns: Mapping[str, Column]) -> Any:
    """The columns as a data frame; missing is null, texts are categories as codes (as ours are)."""
    import polars as pl

    found = {}
    for name, column in columns.items():
        if isinstance(column, Texts):
            found[name] = pl.Series(name, column.codes).set(pl.Series(column.codes < 0), None)
        else:
            found[name] = pl.Series(name, column.values).fill_nan(None)
    return pl.DataFrame(found)


def polars_select(frame: Any, trees: Sequence[Tree], words: Mapping[str, tuple[str, ...]]) -> Any:
    """A lazy select of all conditions: true, false or null each."""
    return frame.lazy().select([_polars(tree, words).alias(str(i)) for i, tree in enumerate(trees)])


def _polars(tree: Tree, words: Mapping[str, tuple[str, ...]]) -> Any:  # noqa: C901 # one case a kind of node
    import polars as pl

    match tree:
        case All(operands):
            return pl.all_horizontal([_polars(operand, words) for operand in operands])
        case AnyOf(operands):
            return pl.any_horizontal([_polars(operand, words) for operand in operands])
        case Not(operand):
            return ~_polars(operand, words)
        case Missing(names):
            return pl.any_horizontal([pl.col(name).is_null() for name in names])
        case In(Var(name), members):
            codes = [words[name].index(str(member.value)) for member in members]
            return pl.any_horizontal([pl.col(name) == pl.lit(code, pl.Int16) for code in codes])
        case Compare(operator, Var(name), Literal(str() as word)):
            code = pl.lit(words[name].index(word), pl.Int16)
            return pl.col(name) == code if operator == "==" else pl.col(name) != code
        case Compare(operator, left, right):
            return _sign(operator, _polars(left, words), _polars(right, words))
        case Arithmetic(operator, operands):
            return _reckoned(operator, operands, [_polars(operand, words) for operand in operands])
        case Var(name, _, default):
            column = pl.col(name) if default is None else pl.col(name).fill_null(default.value)
            return column if tree.type.is_numeric else column != 0
        case Literal(value):
            return pl.lit(value)
    raise TypeError(f"no benchmark condition has {tree}")


def _sign(operator: str, left: Any, right: Any) -> Any:
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]


def _reckoned(operator: str, operands: Sequence[Tree], parts: Sequence[Any]) -> Any:
    import polars as pl

    one, other = parts
    if operator == "-":
        return one - other
    if operator == "/":
        return one / (other if isinstance(operands[1], Literal) else pl.when(other != 0).then(other))
    # Polars' max leaves nulls out; ours is unknown where one of the two is.
    return pl.when(one.is_not_null() & other.is_not_null()).then(pl.max_horizontal(parts))


def polars_verdicts(result: Any, condition: int) -> Any:
    """int8[N] of one condition of a collected select."""
    series = result[str(condition)]
    return np.where(series.is_null().to_numpy(), 0, np.where(series.fill_null(value=False).to_numpy(), 1, -1))


def zen_expressions(trees: Sequence[Tree]) -> list[Any]:
    """The conditions as compiled expressions of GoRules' engine."""
    import zen

    return [zen.compile_expression(_zen(tree)) for tree in trees]


def _zen(tree: Tree) -> str:  # noqa: C901 # one case a kind of node
    match tree:
        case All(operands):
            return "(" + " and ".join(_zen(operand) for operand in operands) + ")"
        case AnyOf(operands):
            return "(" + " or ".join(_zen(operand) for operand in operands) + ")"
        case Not(operand):
            return f"not({_zen(operand)})"
        case Missing(names):
            return "(" + " or ".join(f"{name} == null" for name in names) + ")"
        case In(operand, members):
            return f"({_zen(operand)} in [{', '.join(_zen(member) for member in members)}])"
        case Compare(operator, left, right):
            return f"({_zen(left)} {operator} {_zen(right)})"
        case Arithmetic("max", operands):
            return f"max([{', '.join(_zen(operand) for operand in operands)}])"
        case Arithmetic(operator, operands):
            return "(" + f" {operator} ".join(_zen(operand) for operand in operands) + ")"
        case Var(name):
            return name
        case Literal(value):
            return json.dumps(value)
    raise TypeError(f"no benchmark condition has {tree}")


def datalogic(trees: Sequence[Tree], records: Sequence[Mapping[str, Any]]) -> tuple[Any, list[Any], list[Any]]:
    """A session of datalogic-py, the compiled conditions, and the records as parsed data."""
    import datalogic_py

    engine = datalogic_py.Engine()
    rules = [engine.compile(as_logic(tree)) for tree in trees]
    return engine.session(), rules, [datalogic_py.DataHandle(json.dumps(record)) for record in records]
