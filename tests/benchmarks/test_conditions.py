"""What is timed says the same first: tiny versions of the benchmark's own checks, and no timings."""

import pytest

from benchmarks import conditions as benchmark, sample_conditions
from benchmarks.conditions import check, complete_records
from engine.definitions.condition import typed_names
from engine.evaluation.compiled import compile_conditions

SIZE = 3000


def test_all_engines_agree_on_the_benchmark_s_conditions() -> None:
    data = sample_conditions.columns(SIZE)
    program = compile_conditions(sample_conditions.conditions())
    whole = complete_records(data, SIZE)[:10]
    assert len(whole) == 10
    assert check(program, data, SIZE, whole) >= 10 * 100 + SIZE * 100


def test_a_difference_ends_the_benchmark() -> None:
    trees = sample_conditions.conditions(2)
    data = sample_conditions.columns(SIZE)
    program = compile_conditions(trees)
    program.verdicts_of({})  # from here on it answers for the conditions in this order
    program.trees = (trees[1], trees[0])
    with pytest.raises(SystemExit, match="differ"):
        check(program, data, SIZE, complete_records(data, SIZE)[:20])


def test_the_conditions_are_the_ones_described() -> None:
    trees, data = sample_conditions.conditions(), sample_conditions.columns(SIZE)
    read = {name for tree in trees for name, _ in typed_names(tree)}
    assert len(set(trees)) == 100
    assert read == data.keys()
    assert (len(sample_conditions.NUMBERS), len(sample_conditions.TEXTS), len(sample_conditions.FLAGS)) == (20, 6, 4)
    assert len(sample_conditions.PARTIAL) == 12
    verdicts = compile_conditions(trees).verdicts(data, SIZE)
    share = sum(float((verdicts.of(i) == 1).mean()) for i in range(100)) / 100
    assert 0.3 < share < 0.4


def test_one_account_is_timed_with_and_without_gaps() -> None:
    data = sample_conditions.columns(SIZE)
    program = compile_conditions(sample_conditions.conditions(5))
    assert benchmark.one_account(program, complete_records(data, SIZE)[:4]) > 0
