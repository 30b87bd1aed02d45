"""How authors write lengths of time, shares and dates, and what they mean. Pure text to value; no places here."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

MAX_DAYS: Final = 3_650
"""Ten years: a longer time in a file is taken for a slip."""

_SPAN: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(d|h|days?|hours?|working days?|working hours?)")
_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]|24):([0-5][0-9])")
_SHARE: Final = re.compile(r"([-+]?[0-9]+(?:\.[0-9]+)?) ?%")


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time as written: ``amount`` of ``unit`` (``d`` or ``h``), in calendar or in working time."""

    amount: float
    unit: str
    working: bool

    @property
    def days(self) -> float:
        """Calendar days, or working days (a working day has 8 working hours)."""
        if self.unit == "d":
            return self.amount
        return self.amount / (8.0 if self.working else 24.0)


def parse_length(text: str) -> Length | None:
    """``7d``, ``36h``, ``3 working days``, ``4 working hours``; None if it is none of them."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        return None
    words = found[2].removeprefix("working ")
    return Length(float(found[1]), words[0], found[2].startswith("working"))


def parse_share(text: str) -> float | None:
    """``40%`` is 0.4, exactly the double that ``0.4`` is; None if it is not written with a percent sign."""
    found = _SHARE.fullmatch(text.strip())
    return float(f"{found[1]}e-2") if found else None


def parse_date(text: str) -> date | None:
    """An ISO date (``2027-03-01``); None if it is not one."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_hours(text: str) -> tuple[int, int] | None:
    """``09:00-17:00`` as minutes of the day, the second more than the first; None if it is not such hours."""
    found = _HOURS.fullmatch(text.strip())
    if not found:
        return None
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    return (start, end) if start < end <= 24 * 60 else None
