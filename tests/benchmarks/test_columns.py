"""What the benchmark of the packed columns compares before it times anything."""

import pytest

from benchmarks import columns as bench
from engine.evaluation import windows_grid


def test_columns_and_database_are_compared_before_anything_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "DAYS", 33)
    found = bench.run(accounts=60)
    assert found["windows_compared"] == 50 * bench.METRICS * 3
    assert found["one_day_points"] == 60 * bench.METRICS
    assert 0.9 < found["points"] / (60 * bench.METRICS * 33) < 1


def test_a_difference_ends_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = windows_grid.total
    monkeypatch.setattr(bench, "DAYS", 33)
    monkeypatch.setattr(windows_grid, "total", lambda *given: (whole(*given)[0] + 1, whole(*given)[1]))
    with pytest.raises(SystemExit, match="differ"):
        bench.run(accounts=60)
