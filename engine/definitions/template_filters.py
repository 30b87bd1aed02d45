"""The filters of templates, and what each takes beside its value: few, plain and small arguments.

A filter's arguments are written by the author of a template, and some of Jinja's own can be made to walk attributes, to
call, or to compute for hours; so each is listed here with what it may be told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LONGEST_ARGUMENT: Final = 200
"""Characters of a text given to a filter."""
LARGEST_ARGUMENT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Parameter:
    """What may stand in one place: values of these types; a number at most ``most``."""

    kinds: tuple[type, ...]
    is_needed: bool = False
    most: int = LARGEST_ARGUMENT

    def takes(self, value: object) -> bool:
        """Whether a plain value may stand here."""
        if isinstance(value, bool) or value is None:
            return bool in self.kinds
        if isinstance(value, str):
            return str in self.kinds and len(value) <= LONGEST_ARGUMENT
        return isinstance(value, int | float) and type(value) in self.kinds and 0 <= value <= self.most


_NUMBER: Final = Parameter((int,))
_DECIMALS: Final = Parameter((int,), most=6)
_TEXT: Final = Parameter((str,))
_NEEDED_TEXT: Final = Parameter((str,), is_needed=True)
_TRUTH: Final = Parameter((bool,))
_ANYTHING: Final = Parameter((str, int, float, bool), is_needed=True, most=10**15)

FILTERS: Final[Mapping[str, tuple[Parameter, ...]]] = {
    "capitalize": (),
    "date": (),
    "default": (_ANYTHING, _TRUTH),
    "first": (),
    "int": (_NUMBER,),
    "join": (_TEXT,),
    "last": (),
    "length": (),
    "lower": (),
    "number": (_DECIMALS,),
    "percent": (),
    "replace": (_NEEDED_TEXT, _NEEDED_TEXT),
    "round": (_DECIMALS,),
    "sort": (),
    "title": (),
    "trim": (_TEXT,),
    "truncate": (_NUMBER, _TRUTH, _TEXT),
    "upper": (),
}
"""Filter → what it takes, in order."""
PASSING: Final = frozenset({"date", "first", "last", "number", "percent"})
"""Filters that leave a missing value missing, so that a default behind them still counts."""
EXAMPLES: Final[Mapping[str, str]] = {
    "default": 'write default("there")',
    "join": 'write join(", ")',
    "number": "write number(2)",
    "replace": 'write replace("a", "b")',
    "round": "write round(1)",
    "truncate": "write truncate(80)",
}
