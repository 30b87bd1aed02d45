"""What is known of a column before a program reads it: its kind, and whether anything in it is missing."""

from enum import Enum

import numpy as np

from engine.evaluation.columns import Column, Texts


class Presence(Enum):
    """What is known of a column before it is read: its kind and whether anything is missing; or there is no column."""

    NUMBERS = 0
    SOME_NUMBERS = 1
    TEXTS = 2
    SOME_TEXTS = 3
    ABSENT = 4

    @property
    def partial(self) -> "Presence":
        """The same where something may be missing, which is never wrong."""
        return {Presence.NUMBERS: Presence.SOME_NUMBERS, Presence.TEXTS: Presence.SOME_TEXTS}.get(self, self)

    @property
    def complete(self) -> "Presence":
        """The same where nothing is."""
        return {Presence.SOME_NUMBERS: Presence.NUMBERS, Presence.SOME_TEXTS: Presence.TEXTS}.get(self, self)


def kind_of(column: Column | None) -> Presence:
    """What is known of a column without looking at its values: its kind, and that something may be missing."""
    if column is None:
        return Presence.ABSENT
    return Presence.SOME_TEXTS if isinstance(column, Texts) else Presence.SOME_NUMBERS


def has_gaps(column: Column, start: int, stop: int) -> bool:
    """Whether anything is missing between these rows."""
    if isinstance(column, Texts):
        codes = column.codes[start:stop]
        return bool(len(codes)) and bool(codes.min() < 0)
    # A sum is NaN as soon as one value is; where it overflows, "yes" is never wrong.
    return not np.isfinite(np.add.reduce(column.values[start:stop]))
