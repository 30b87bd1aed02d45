"""The benchmark of "why" compares traces before it times them."""

from pathlib import Path

from benchmarks import why
from workflows.activities.cycle import run_cycle


def test_traces_of_one_account_are_those_of_all(tmp_path: Path) -> None:
    store = why.filled(tmp_path, 6)
    try:
        definitions = why.bundle(4)
        run_cycle(store, definitions, why.AT, day_seconds=None)
        assert why.check(store, definitions, 4) == 4
    finally:
        store.close()
