"""Packed columns: the lines of a score as bytes, a fifth of what they are as text, and read without parsing."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LINE: Final = 4
"""Numbers a line has: value, normalised, share, contribution."""


def pack_lines(lines: NDArray[np.float64]) -> list[bytes]:
    """float64[N, M, 4] (value, normalised, share, contribution) as the packed lines of N scores."""
    return rows_of_bytes(np.ascontiguousarray(lines, dtype="<f8"))


def lines_table(packed: Sequence[bytes]) -> NDArray[np.float64]:
    """The counterpart of `pack_lines` for scores of the same M metrics: float64[N, M, 4]."""
    return (
        np.frombuffer(b"".join(packed), dtype="<f8").reshape(len(packed), -1, _LINE) if packed else np.zeros((0, 0, 4))
    )


def unpack_lines(names: Sequence[str], packed: bytes) -> list[tuple[str, float | None, float | None, float, int]]:
    """Per metric ``(name, value, normalised, share, contribution)``; what is unknown is None."""
    return [
        (name, _known(value), _known(normalised), share, int(contribution))
        for name, (value, normalised, share, contribution) in zip(names, lines_table([packed])[0].tolist(), strict=True)
    ]


def rows_of_bytes(table: NDArray[np.generic]) -> list[bytes]:
    """The bytes of each row of an array."""
    whole, width = table.tobytes(), table[:1].nbytes
    return [whole[row * width : (row + 1) * width] for row in range(len(table))]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
