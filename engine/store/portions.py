"""Many values in parts that fit into one statement."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

Item = TypeVar("Item")
FEW: Final = 500
"""So many values at most go into one ``IN``."""


def parts(items: Sequence[Item], size: int = FEW) -> Iterator[Sequence[Item]]:
    """The items in parts that fit into one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
