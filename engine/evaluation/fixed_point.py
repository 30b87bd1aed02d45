"""Values as integers: sums of them depend neither on the order of the points nor on how they were cut into blocks."""

from typing import Final

import numpy as np

from engine.evaluation.columns import Floats, Ints

_LARGEST: Final = 2.0**53


def scaled(values: Floats, decimals: int) -> Ints:
    """Values in units of ``10**-decimals``, rounded half to even; what is unknown becomes 0."""
    found = values * 10.0**decimals
    np.rint(found, out=found)
    np.copyto(found, 0.0, where=np.isnan(found))
    return np.clip(found, -_LARGEST, _LARGEST, out=found).astype(np.int64)
