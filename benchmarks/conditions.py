"""A hundred three-valued conditions over a million accounts, beside json-logic-qubit, Polars, Zen and datalogic-py.

    python -m benchmarks.conditions [--quick]

Rates are verdicts per CPU second. Before anything is timed, verdicts are compared: with json-logic-qubit, Zen and
datalogic-py on complete records, with the plain recursion and with Polars on all of them, gaps included.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from time import process_time
from typing import Any, Final

import json_logic
import numpy as np

from benchmarks.measuring import apart, interleaved, peak_mb
from benchmarks.other_engines import (
    absent,
    datalogic,
    polars_frame,
    polars_select,
    polars_verdicts,
    zen_expressions,
)
from benchmarks.sample_conditions import PARTIAL, WORDS, columns, conditions, records
from engine.evaluation.columns import Column, Texts
from engine.evaluation.compiled import Program, compile_conditions
from engine.evaluation.program import evaluate_condition
from engine.evaluation.tracing import as_logic

ACCOUNTS: Final = 1_000_000
COMPLETE: Final = 300
"""Complete records that the engines which judge one at a time are given."""

goals: Final[Mapping[str, tuple[str, float]]] = {
    "times_json_logic": (">=", 10_000),
    "times_polars_lazy": (">", 1),
    "peak_mb": ("<=", 300),
    "one_account_us": ("<=", 30),
}


def run(*, quick: bool = False) -> dict[str, Any]:
    """Check that all engines agree, then time them: rates (M verdicts per CPU second), ratios, memory, one account."""
    size, rounds = (50_000, 3) if quick else (ACCOUNTS, 9)
    trees, data = conditions(), columns(size)
    program = compile_conditions(trees)
    whole = complete_records(data, size)
    compared = check(program, data, size, whole[:60] if quick else whole)
    contenders, evaluated = _contenders(program, data, size, whole)
    for contender in contenders.values():
        contender()
    taken = interleaved(contenders, rounds)
    rates = {
        name: {kind: round(evaluated[name] / seconds / 1e6, 4) for kind, seconds in of.items()}
        for name, of in taken.items()
    }
    ours = rates["backcast"]
    found: dict[str, Any] = {
        "accounts": size,
        "conditions": len(trees),
        "rounds": rounds,
        "verdicts_compared": compared,
    }
    found["times_json_logic"] = round(ours["median"] / rates["json-logic-qubit"]["median"])
    found["times_json_logic_best"] = round(ours["best"] / rates["json-logic-qubit"]["best"])
    if "polars lazy" in rates:
        found["times_polars_lazy"] = round(ours["median"] / rates["polars lazy"]["median"], 2)
    found["peak_mb"] = apart("benchmarks.conditions", "--memory", str(size))["peak_mb"]
    found["one_account_us"] = one_account(program, whole)
    return found | {"million_verdicts_per_cpu_second": rates, "not_installed": absent()}


def complete_records(data: Mapping[str, Column], size: int) -> list[dict[str, float | bool | str]]:
    """The first records of the columns in which nothing is missing."""
    found = [record for record in records(data, range(min(size, COMPLETE * 12))) if len(record) == len(data)]
    return found[:COMPLETE]


def check(program: Program, data: Mapping[str, Column], size: int, whole: Sequence[Mapping[str, Any]]) -> int:
    """Compare verdicts of every engine with ours; how many were compared. Raises SystemExit where one differs."""
    trees = program.trees
    ours = [program.verdicts_of(_plain(record)) for record in whole]
    raws = [as_logic(tree) for tree in trees]
    _same("json-logic-qubit", ours, [[_said(json_logic.jsonLogic(raw, record)) for raw in raws] for record in whole])
    compared = len(whole) * len(trees)
    if "zen-engine" not in absent():
        expressions = zen_expressions(trees)
        _same("zen-engine", ours, [[_said(one.evaluate(record)) for one in expressions] for record in whole])
    if "datalogic-py" not in absent():
        session, rules, handles = datalogic(trees, whole)
        _same(
            "datalogic-py", ours, [[_said(json.loads(s)) for s in session.evaluate_many(rules, one)] for one in handles]
        )
    some = min(size, 20_000)
    part = {name: _first(column, some) for name, column in data.items()}
    verdicts = program.verdicts(part, some)
    for i, tree in enumerate(trees):
        _same("the plain recursion", verdicts.of(i), evaluate_condition(tree, part, some).verdicts)
    return compared + some * len(trees) + _check_polars(program, data, size)


def _check_polars(program: Program, data: Mapping[str, Column], size: int) -> int:
    if "polars" in absent():
        return 0
    verdicts = program.verdicts(data, size)
    result = polars_select(polars_frame(data), program.trees, _words(data)).collect()
    for i in range(len(program.trees)):
        _same("polars", verdicts.of(i), polars_verdicts(result, i))
    return size * len(program.trees)


def one_account(program: Program, whole: Sequence[Mapping[str, Any]]) -> float:
    """CPU microseconds for all conditions of one account, records with and without gaps in turn, median of 15."""
    given = [
        _plain({name: value for name, value in one.items() if name not in PARTIAL or i % 2})
        for i, one in enumerate(whole)
    ]
    taken = []
    for _ in range(15):
        started = process_time()
        for record in given:
            program.verdicts_of(record)
        taken.append((process_time() - started) / len(given))
    return round(median(taken) * 1e6, 1)


def memory(size: int) -> float:
    """Peak memory in MB of a process that holds the columns and judges them."""
    compile_conditions(conditions()).verdicts(columns(size), size)
    return peak_mb()


def _contenders(
    program: Program, data: Mapping[str, Column], size: int, whole: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Callable[[], object]], dict[str, int]]:
    """What is timed, and how many verdicts each gives."""
    trees = program.trees
    raws, some = [as_logic(tree) for tree in trees], min(size, 50_000)
    part = {name: _first(column, some) for name, column in data.items()}
    found: dict[str, Callable[[], object]] = {
        "backcast": partial(program.verdicts, data, size),
        "json-logic-qubit": lambda: [json_logic.jsonLogic(raw, record) for record in whole for raw in raws],
        "backcast, plain recursion": lambda: [evaluate_condition(tree, part, some) for tree in trees],
    }
    if "polars" not in absent():
        select = polars_select(polars_frame(data), trees, _words(data))
        found["polars lazy"] = select.collect
        found["polars streaming"] = partial(select.collect, engine="streaming")
    if "zen-engine" not in absent():
        expressions = zen_expressions(trees)
        found["zen-engine"] = lambda: [one.evaluate(record) for record in whole for one in expressions]
    if "datalogic-py" not in absent():
        session, rules, handles = datalogic(trees, whole)
        found["datalogic-py"] = lambda: [session.evaluate_many(rules, one) for one in handles]
    sizes = {"backcast": size, "polars lazy": size, "polars streaming": size, "backcast, plain recursion": some}
    return found, {name: sizes.get(name, len(whole)) * len(trees) for name in found}


def _words(data: Mapping[str, Column]) -> dict[str, tuple[str, ...]]:
    return {name: WORDS for name, column in data.items() if isinstance(column, Texts)}


def _first(column: Column, count: int) -> Column:
    if isinstance(column, Texts):
        return Texts(column.codes[:count], column.words)
    return type(column)(column.values[:count])


def _plain(record: Mapping[str, Any]) -> dict[str, float | str | None]:
    return {name: value if isinstance(value, str) else float(value) for name, value in record.items()}


def _said(answer: object) -> int:
    return 1 if answer else -1


def _same(engine: str, ours: object, theirs: object) -> None:
    differ = np.asarray(ours) != np.asarray(theirs)
    if differ.any():
        raise SystemExit(
            f"{engine} and backcast differ in {int(differ.sum())} of {differ.size} verdicts; nothing is timed"
        )


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--memory", type=int, metavar="ACCOUNTS", help="only the peak memory for so many accounts")
    wanted = parser.parse_args()
    print(json.dumps({"peak_mb": memory(wanted.memory)} if wanted.memory else run(quick=wanted.quick), indent=2))


if __name__ == "__main__":
    main()
