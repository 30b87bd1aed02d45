"""What the benchmark of measures compares before it times anything."""

from benchmarks import measures


def test_every_measure_is_timed_after_three_of_them_were_worked_out_by_hand() -> None:
    found = measures.run(quick=True)
    assert found["verdicts_compared"] == 3 * measures.SAMPLE
    assert {f"of_it_{name}" for name in measures.MEASURES} <= found.keys()
