"""What a signal said before, as bits: one per known verdict, at most one a day; and whether it changes too often.

A history is bits under a leading 1, which says how many there are: 1 fires, 0 is clear, the newest is the lowest.
"""

from typing import Final

import numpy as np

from engine.definitions.measure import KNOWN_DAYS as KNOWN_DAYS
from engine.definitions.rule import Flapping
from engine.evaluation.columns import Bytes, Flags, Ints

LOOKED_AT: Final = 21
"""Whether a signal flaps is judged by so many known verdicts: twenty changes that can have been."""

_WEIGHTS: Final = tuple(range(114, 74, -2))
"""How much a change weighs, the newest first: from 1.2 down to 0.8 of the average, as Nagios has it, in 95ths."""

_BITS: Final = 10  # changes whose weights are looked up together
_HALF: Final = (1 << _BITS) - 1


def _weighed(weights: tuple[int, ...]) -> Ints:
    """The sum of the weights whose bits are set, by the bits."""
    bits = (np.arange(1 << _BITS)[:, np.newaxis] >> np.arange(_BITS)) & 1
    found: Ints = bits @ np.array(weights, dtype=np.int64)
    return found


_NEWER: Final = _weighed(_WEIGHTS[:_BITS])
_OLDER: Final = _weighed(_WEIGHTS[_BITS:])


def lengthened(history: Ints | None, verdicts: Bytes) -> Ints:
    """The history with the verdicts of one more day, where they are known, int64[N]."""
    known = np.ones(len(verdicts), dtype=np.int64) if history is None else np.maximum(history, 1)
    longer = (known << 1) | (verdicts > 0)
    kept = np.where(longer >> (KNOWN_DAYS + 1), (longer & ((1 << KNOWN_DAYS) - 1)) | (1 << KNOWN_DAYS), longer)
    found: Ints = np.where(verdicts == 0, known, kept)
    return found


def length(history: Ints) -> Ints:
    """How many verdicts a history has, int64[N]."""
    return np.frexp(np.maximum(history, 1).astype(np.float64))[1].astype(np.int64) - 1


def held(history: Ints | None, verdicts: Bytes, days: int) -> Bytes:
    """Whether today's verdicts, and the known ones before, held on each of the last ``days`` days that were known.

    One that failed decides; too short a history leaves it unknown, and so does an unknown today.
    """
    if history is None:
        return np.where(verdicts < 0, -1, np.zeros(len(verdicts))).astype(np.int8)
    before = days - 1
    seen = np.minimum(length(history), before)
    mask = (np.int64(1) << seen) - 1
    all_held = (history & mask) == mask
    earlier = np.where(all_held, np.where(seen >= before, 1, 0), -1)
    return np.where(verdicts == 0, 0, np.minimum(verdicts, earlier)).astype(np.int8)


def changes(history: Ints) -> Ints:
    """How often the verdict changed within the last `LOOKED_AT`, int64[N]."""
    seen = np.clip(length(history) - 1, 0, LOOKED_AT - 1)
    found: Ints = np.bitwise_count((history ^ (history >> 1)) & ((np.int64(1) << seen) - 1)).astype(np.int64)
    return found


def is_flapping(history: Ints, limits: Flapping) -> Flags:
    """Whether a signal changes too often to act on, bool[N]; with fewer than `LOOKED_AT` verdicts it does not.

    It begins to flap where the weighted share of changes reaches ``starts`` and settles below ``ends``: judged on each
    of the last days whose `LOOKED_AT` verdicts are still kept, the oldest first.
    """
    flapping = np.zeros(len(history), dtype=np.bool_)
    # Hardly any account's signal changes at all; the others need not be weighed.
    kept = (np.int64(1) << np.maximum(length(history) - 1, 0)) - 1
    rows = np.flatnonzero((history >> LOOKED_AT > 0) & ((history ^ (history >> 1)) & kept > 0))
    few = history[rows]
    known, changed = length(few), few ^ (few >> 1)
    now = np.zeros(len(rows), dtype=np.bool_)
    for back in range(KNOWN_DAYS - LOOKED_AT, -1, -1):
        weight = _NEWER[(changed >> back) & _HALF] + _OLDER[(changed >> (back + _BITS)) & _HALF]
        share = weight / sum(_WEIGHTS)
        now = np.where(known >= LOOKED_AT + back, np.where(now, share >= limits.ends, share >= limits.starts), now)
    flapping[rows] = now
    return flapping
