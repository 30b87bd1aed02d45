"""Bytes become lines with bounded memory, however they are cut and packed."""

import gzip
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from engine.evaluation.incoming.faults import TooLarge, Unreadable
from engine.evaluation.incoming.stream import limited, line_blocks, peeked, unzipped


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[a:b] for a, b in pairwise(edges)]


@given(
    body=st.binary(max_size=60).map(lambda b: b.replace(b"a", b"\n")), places=st.lists(st.integers(0, 99), max_size=5)
)
def test_lines_are_the_same_however_the_bytes_are_cut(body: bytes, places: list[int]) -> None:
    expected = body.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert [line for block in line_blocks(cut(body, places), 100) for line in block] == expected


@given(
    bodies=st.lists(st.binary(max_size=40), min_size=1, max_size=3), places=st.lists(st.integers(0, 200), max_size=5)
)
def test_what_was_packed_comes_out_also_in_several_members(bodies: list[bytes], places: list[int]) -> None:
    packed = b"".join(gzip.compress(body) for body in bodies)
    assert b"".join(unzipped(cut(packed, places))) == b"".join(bodies)


@given(body=st.binary(min_size=1, max_size=60), lost=st.integers(1, 60))
def test_whatever_is_missing_at_the_end_of_gzip_is_noticed(body: bytes, lost: int) -> None:
    packed = gzip.compress(body)
    with pytest.raises(Unreadable, match="ends too early"):
        list(unzipped([packed[: max(0, len(packed) - lost)]]))


def test_a_gzip_bomb_takes_no_memory() -> None:
    packed = gzip.compress(b"\0" * 300_000_000, compresslevel=9)
    tracemalloc.start()
    with pytest.raises(TooLarge, match="more than 100 MB"):
        for _ in limited(unzipped([packed]), 100_000_000):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_line_that_is_too_long_is_named() -> None:
    with pytest.raises(Unreadable) as caught:
        list(line_blocks([b"one\ntwo\n", b"thr" * 700, b"ee\nfour"], 2_000))
    assert caught.value.rows[0].line == 3


def test_looking_at_the_beginning_loses_nothing() -> None:
    first, chunks = peeked([b"ab", b"cd", b"ef"], 3)
    assert (first, b"".join(chunks)) == (b"abc", b"abcdef")
    assert peeked([])[0] == b""
