"""What observing a signal gives, and limits held against values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine.definitions.measure import Limit
from engine.evaluation.columns import Bytes, Flags, Floats, Ints, Planes

_BOUNDS: Final[Mapping[str, Callable[[Floats, float], Flags]]] = {
    "below": lambda values, limit: values < limit,
    "at_most": lambda values, limit: values <= limit,
    "above": lambda values, limit: values > limit,
    "at_least": lambda values, limit: values >= limit,
}


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """One signal over all accounts: ``verdicts`` int8[N]; ``values`` float64[N], what was measured (NaN unknown);
    ``sources`` int64[N]: the event that made it fire, -1 none.

    ``parts`` float64[N] each: what the value was made of, by name. ``people`` bool[C]: the contacts it names, where it
    looks at contacts. ``steady`` int8[N]: the verdicts that its history remembers: whether or not it is ``flapping``
    (bool[N]), in which case the verdict is unknown; None: the same as the verdicts.
    """

    verdicts: Bytes
    values: Floats
    sources: Ints
    parts: Mapping[str, Floats] = field(default_factory=dict)
    people: Flags | None = None
    steady: Bytes | None = None
    flapping: Flags | None = None

    @property
    def remembered(self) -> Bytes:
        """The verdicts that the signal's history remembers, int8[N]."""
        return self.verdicts if self.steady is None else self.steady


def against(limit: Limit, values: Floats) -> Bytes:
    """Verdicts int8[N] of values against a limit; NaN is unknown."""
    holds = _BOUNDS[limit.bound](values, limit.value)
    return Planes(holds, holds | np.isnan(values)).verdicts


def plain(
    verdicts: Bytes, values: Floats, parts: Mapping[str, Floats] | None = None, people: Flags | None = None
) -> Observed:
    """An observation that rests on no single event."""
    return Observed(verdicts, values, np.full(len(values), -1, dtype=np.int64), parts or {}, people)
