"""One value, one day, one metric name of pushed data: what it is read as, or what is wrong with it in a sentence."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Final, cast

import numpy as np

from engine.definitions.catalog import Catalog, Metric
from engine.definitions.feature import ValueType
from engine.evaluation.columns import Floats

LARGEST: Final = 1e15
"""No number further from zero than this is a measurement."""

FIRST_DAY: Final = date(1990, 1, 1).toordinal() - date(1970, 1, 1).toordinal()

_NOT_PLAIN: Final = re.compile(r"[^0-9.eE+\-\n]")
_UNIX: Final = date(1970, 1, 1).toordinal()


LONGEST_WORD: Final = 200
"""So long at most is the value of a text metric: it is a category, not a note."""


def limits(kind: ValueType) -> tuple[float, float]:
    """The smallest and the largest number that is a value of a type, both included."""
    return _LIMITS.get(kind, (-LARGEST, LARGEST))


_LIMITS: Final[Mapping[ValueType, tuple[float, float]]] = {
    ValueType.SHARE: (0.0, 10.0),
    ValueType.BOOLEAN: (0.0, 1.0),
    ValueType.DATE: (float(FIRST_DAY), 200_000.0),
}


def metric_fault(catalog: Catalog, name: str) -> tuple[str, str] | None:
    """Why points of ``name`` cannot be pushed, as code and sentence; None where they can."""
    metric = catalog.metrics.get(name)
    if metric is None:
        return (
            "unknown_metric",
            f'there is no metric "{short(name)}" in the catalog{like(name, catalog.metrics) or "; declare it first"}',
        )
    if metric.formula is not None:
        return "derived_metric", f'"{name}" is computed by its formula; push the metrics it is made of'
    if metric.from_events is not None:
        events = ", ".join(metric.from_events.events)
        return "derived_metric", f'"{name}" is counted from events; push the events instead ({events})'
    if metric.from_contacts is not None:
        return "derived_metric", f'"{name}" is made of the contacts; push what is measured of each of them'
    return None


def read_day(text: str, at_day: int) -> int | str:
    """A day since 1970-01-01, or the sentence that says what is wrong with it."""
    try:
        found = date.fromisoformat(text.strip()).toordinal() - _UNIX
    except (ValueError, TypeError, AttributeError):
        return f'"{short(text)}" is not a day; write it as 2026-11-22'
    if found > at_day + 1:
        return f"{text} lies in the future; a point says what was measured"
    if found < FIRST_DAY:
        return f"{text} lies before 1990-01-01; is the year right?"
    return found


def read_value(value: object, kind: ValueType) -> float:
    """A value as the number it is stored as; NaN where it is none of its type. A text's number is its word's."""
    if isinstance(value, bool):
        return float(value) if kind is ValueType.BOOLEAN else math.nan
    if isinstance(value, (int, float)):
        return _float(value)
    if not isinstance(value, str):
        return math.nan
    text = value.strip()
    if kind is ValueType.DATE:
        return _date(text)
    if kind is ValueType.BOOLEAN and text.lower() in {"true", "false"}:
        return float(text.lower() == "true")
    if kind is ValueType.SHARE and text.endswith("%"):
        return _float(text[:-1]) / 100
    return _float(text)


def value_fault(value: object, kind: ValueType) -> str:
    """What is wrong with a value that was refused, and what to write instead."""
    written = int(value) if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST else value
    shown = "nothing" if value is None or value == "" else f'"{short(str(written))}"'
    if isinstance(value, bool):
        return f"{shown.lower()} stands where a {kind.value} belongs"
    if kind is ValueType.TEXT:
        return _word_fault(value, shown)
    if is_decimal_comma(value) and kind is not ValueType.DATE:
        return f"{shown} has a comma before its decimals; write a point"
    number = read_value(value, kind)
    if math.isnan(number) or math.isinf(number):
        hint = {ValueType.DATE: "a day such as 2026-11-22", ValueType.BOOLEAN: "true or false"}.get(kind, "a number")
        left_out = "; leave the row out where nothing was measured" if _is_nothing(value) else ""
        return f"{shown} stands where {hint} belongs{left_out}"
    if kind is ValueType.SHARE:
        return f'{shown} is no share between 0 and 10; 40 % is written 0.4 or "40%"'
    if kind is ValueType.BOOLEAN:
        return f"{shown} stands where true or false belongs"
    return f"{shown} is further from zero than any measurement (10 to the power of 15); is the unit right?"


def _word_fault(value: object, shown: str) -> str:
    if not isinstance(value, str):
        return f"{shown} stands where a text belongs; put it in quotes"
    if not value.strip():
        return "nothing stands where a text belongs; leave the row out where nothing is known"
    if len(value.strip()) > LONGEST_WORD:
        return f"{shown} is longer than {LONGEST_WORD} characters; a longer text is a field of an event"
    return f"{shown} holds a character that does not belong in a single line; take it out"


def is_word(value: object) -> bool:
    """Whether a value can be a text metric's."""
    return isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_WORD and value.isprintable()


def plain_numbers(values: Sequence[object]) -> Floats | None:
    """All values at once, where every one of them is a number or the plain text of one; else None."""
    kinds = set(map(type, values))
    if kinds <= {float, int}:
        return np.array(values, dtype=np.float64) if kinds == {float} else _all_floats(values)
    if kinds != {str} or _NOT_PLAIN.search("\n".join(cast("Sequence[str]", values))):
        return None
    return _all_floats(values)


def _all_floats(values: Sequence[object]) -> Floats | None:
    try:
        return np.array(list(map(float, cast("Sequence[str]", values))), dtype=np.float64)
    except (ValueError, OverflowError):
        return None


def as_number(value: object) -> float | None:
    """The finite number a value is, or is the text of; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def is_decimal_comma(value: object) -> bool:
    """Whether a text is a number as written with a comma before its decimals."""
    if not isinstance(value, str) or value.count(",") != 1:
        return False
    return as_number(value.replace(".", "").replace(",", ".")) is not None


def _is_nothing(value: object) -> bool:
    return (
        value is None or (isinstance(value, float) and math.isnan(value)) or str(value).strip().lower() in {"", "nan"}
    )


def _float(value: str | float) -> float:
    # Python also reads "1_000", "infinity" and the digits of other scripts; none is what somebody measured.
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def _date(text: str) -> float:
    try:
        return float(date.fromisoformat(text).toordinal() - _UNIX)
    except ValueError:
        return math.nan


def short(text: str) -> str:
    """A text somebody pushed, cut to what fits into a sentence."""
    return text if len(text) <= 60 else text[:57] + "..."


def like(name: str, known: Mapping[str, object]) -> str:
    """The end of a sentence that asks whether a known name was meant; empty where none is near."""
    # Comparing with a hundred thousand keys is slow; a slip of the pen mostly leaves the first letter alone.
    near = [each for each in known if each[:1] == name[:1]][:2000]
    found = get_close_matches(name[:60], near, n=1)
    return f'; did you mean "{found[0]}"?' if found else ""


def combine(metric: Metric, values: Sequence[float]) -> float:
    """Several values of one day as one: ``last``, ``sum``, ``max`` or ``mean`` (exact, whatever the order)."""
    match metric.combine:
        case "sum":
            return math.fsum(values)
        case "max":
            return max(values)
        case "mean":
            return math.fsum(values) / len(values)
    return values[-1]
