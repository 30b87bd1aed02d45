"""The currency of evaluation: one value per account, with *unknown* as a value of its own.

A column has N entries, one per account (or contact) row, in the order of its `Subjects`. Numbers, shares, booleans
(0/1) and dates (days since 1970-01-01) are float64 with NaN for unknown; texts are codes with -1 for unknown.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.int8]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A numeric column: ``values`` float64[N], NaN where unknown."""

    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A text column: ``codes`` int64[N] (or narrower) into ``words``, -1 where unknown."""

    codes: Ints
    words: tuple[str, ...]


Column: TypeAlias = Numbers | Texts


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """Verdicts of one condition: ``holds`` certainly, ``possible`` possibly (bool[N] each, holds implies possible)."""

    holds: Flags
    possible: Flags

    @property
    def verdicts(self) -> Bytes:
        """int8[N] of `engine.terms.Verdict`: holds + possible - 1."""
        return (self.holds.astype(np.int8) + self.possible.astype(np.int8) - 1).astype(np.int8)
