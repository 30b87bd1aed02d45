"""Rows on their way to the database come back sorted, whole and in order, whether or not they went to disk."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.evaluation.accepting import Accepted
from engine.store import spill
from engine.store.spill import Spill

Rows = list[tuple[int, int]]


def accepted(rows: Rows, first: int) -> Accepted:
    """Points on these days of these subjects, numbered as they come."""
    days, subjects = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    numbers = np.arange(first, first + len(rows))
    return Accepted(subjects, np.zeros(len(rows), dtype=np.int64), days, numbers.astype(np.float64))


blocks = st.lists(
    st.lists(st.tuples(st.integers(20_000, 20_006), st.integers(1, 9)), min_size=1, max_size=40), max_size=12
)


@settings(max_examples=150, deadline=None)
@given(given=blocks, rows=st.integers(1, 60), stride=st.integers(1, 8))
def test_all_rows_come_back_by_day_and_subject_in_the_order_they_came(
    given: list[Rows], rows: int, stride: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "ROWS", rows)
        patch.setattr(spill, "_STRIDE", stride)
        kept = Spill()
        number, expected = 0, []
        for block in given:
            kept.add(accepted(block, number))
            expected += [(day, subject, number + place) for place, (day, subject) in enumerate(block)]
            number += len(block)
        chunks = list(kept.chunks())
        kept.close()
    found = [
        row
        for chunk in chunks
        for row in zip(chunk.days.tolist(), chunk.subjects.tolist(), map(int, chunk.values), strict=True)
    ]
    assert found == sorted(expected)
    for one, next_one in pairwise(chunks):
        assert (one.days[-1], one.subjects[-1]) != (next_one.days[0], next_one.subjects[0])


def test_chunks_stay_as_small_as_runs_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "ROWS", 1_000)
    monkeypatch.setattr(spill, "_STRIDE", 16)
    kept = Spill()
    random = np.random.default_rng(1)
    for _ in range(50):
        kept.add(accepted(list(zip(random.integers(0, 90, 700), random.integers(1, 900, 700), strict=True)), 0))
    sizes = [len(chunk) for chunk in kept.chunks()]
    kept.close()
    assert sum(sizes) == 35_000
    assert max(sizes) < 2_500
