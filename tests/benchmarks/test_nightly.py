"""The nightly cycle is measured where something happens, and only where the refresh equals the whole."""

from pathlib import Path

from benchmarks.nightly import goals, measure, prepare


def test_what_is_measured_decides_something_and_the_refresh_leaves_what_the_whole_leaves(tmp_path: Path) -> None:
    prepared = prepare(tmp_path, 300)
    found = measure(tmp_path)
    assert goals.keys() <= found.keys()
    assert prepared["columns_cpu_s"] > 0
    assert found["decisions"] > 0
    assert (found["part_accounts"], found["part_equals_whole"]) == (3, True)
