"""Asking a row for a value of a kind. A value that is none of it is reported and replaced by nothing."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final

from engine.evaluation.incoming.faults import Faults, shortened
from engine.evaluation.incoming.rows import Row
from engine.evaluation.point_values import LARGEST, as_number, is_decimal_comma, read_day

FARTHEST: Final = date(2200, 1, 1).toordinal() - date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Values:
    """The values of one row. What is absent or empty is None, whatever is asked for."""

    def __init__(self, row: Row, faults: Faults) -> None:
        self.row = row
        self.faults = faults

    def fault(self, name: str, code: str, message: str) -> None:
        """Report something wrong in one column."""
        self.faults.add(self.row.place.bad(name, code, message))

    def has(self, name: str) -> bool:
        """Whether the row says anything about it, if only that there is nothing."""
        return name in self.row.values

    def text(self, name: str, longest: int = 300) -> str | None:
        """A text."""
        value = self.row.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.fault(name, "not_text", "a text belongs here; put it in quotes")
        elif any(c < " " or "\ud800" <= c <= "\udfff" for c in value):
            self.fault(
                name,
                "bad_text",
                f'"{shortened(value)}" holds a character that does not belong in a single line; take it out',
            )
        elif len(value) > longest:
            self.fault(name, "too_long", f'"{shortened(value)}" is longer than {longest} characters')
        else:
            return value.strip() or None
        return None

    def key(self, name: str) -> str:
        """A text that must be there; empty where it is not."""
        found = self.text(name, 200)
        value = self.row.values.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            self.fault(name, "missing_value", f'"{name}" is empty; fill it in')
        return found or ""

    def word(self, name: str, words: Sequence[str], what: str) -> str | None:
        """One word of a closed list."""
        found = self.text(name)
        if found is None or found in words:
            return found
        near = get_close_matches(found, words, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(words)}"
        self.fault(name, f"unknown_{what}", f'there is no {what} "{shortened(found)}"; {hint}')
        return None

    def number(self, name: str, low: float = -LARGEST, high: float = LARGEST) -> float | None:
        """A number within limits."""
        value = self.row.values.get(name)
        if value is None:
            return None
        found = as_number(value)
        if found is None or not low <= found <= high:
            least = "a number, 0 or more," if low == 0 else "a number"
            self.fault(name, "bad_value", f'"{shortened(str(value))}" stands where {least} belongs{_comma(value)}')
            return None
        return found

    def day(self, name: str, latest: int = FARTHEST) -> int | None:
        """A day since 1970-01-01."""
        value = self.row.values.get(name)
        if value is None:
            return None
        found = read_day(value if isinstance(value, str) else str(value), latest)
        if isinstance(found, int):
            return found
        self.fault(name, "bad_day", found)
        return None

    def flag(self, name: str) -> bool | None:
        """Yes or no."""
        value = self.row.values.get(name)
        known = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
        if value is None or isinstance(value, bool):
            return value
        found = known.get(str(value).lower())
        if found is None:
            self.fault(name, "bad_value", f'"{shortened(str(value))}" stands where true or false belongs')
        return found

    def words(self, name: str, known: Sequence[str], what: str) -> tuple[str, ...] | None:
        """Several words of a closed list: a list, or one text with ``;`` between them. Sorted, each once."""
        value = self.row.values.get(name)
        if value is None:
            return None
        given = value.split(";") if isinstance(value, str) else value
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            self.fault(name, "bad_value", f'write the {what}s as a list, or with ";" between them')
            return None
        found = {each.strip() for each in given} - {""}
        for word in sorted(found - {*known}):
            near = get_close_matches(word, known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"
            self.fault(name, f"unknown_{what}", f'there is no {what} "{shortened(word)}"; {hint}')
        return tuple(sorted(found & {*known}))

    def names(self, name: str, longest: int = 200) -> tuple[str, ...]:
        """Several names, written as `words` are, each once and in their order."""
        value = self.row.values.get(name)
        given = value.split(";") if isinstance(value, str) else value or []
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            self.fault(name, "bad_value", f'write the {name} as a list of texts, or with ";" between them')
            return ()
        found = tuple(dict.fromkeys(each.strip() for each in given if each.strip()))
        for each in found:
            if not each.isprintable():
                self.fault(name, "bad_text", f'"{shortened(each)}" holds a character that does not belong in a name')
            elif len(each) > longest:
                self.fault(name, "too_long", f'"{shortened(each)}" is longer than {longest} characters')
        return found

    def moment(self, name: str, now: datetime) -> datetime | None:
        """A moment with its zone, or a day (its first moment in UTC); not later than a day from ``now``."""
        value = self.row.values.get(name)
        if value is None:
            return None
        found = _moment(value) if isinstance(value, str) else None
        if found is None or found.tzinfo is None:
            zone = "; say the zone, for example with Z at the end" if found else "; write it as 2026-11-22T14:30:00Z"
            self.fault(name, "bad_moment", f'"{shortened(str(value))}" is not a moment in time{zone}')
        elif found > now + timedelta(days=1):
            self.fault(name, "bad_moment", f"{shortened(str(value))} lies in the future; an event has happened")
        elif found.year < 1990:
            self.fault(name, "bad_moment", f"{shortened(str(value))} lies before 1990-01-01; is the year right?")
        else:
            return found.astimezone(UTC)
        return None


def day_of(moment: datetime) -> int:
    """The day in UTC of a moment, since 1970-01-01."""
    return (moment - _EPOCH).days


def _comma(value: Any) -> str:
    return "; write a point, not a comma, before decimals" if is_decimal_comma(value) else ""


def _moment(text: str) -> datetime | None:
    try:
        if len(text) <= 10:
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), tzinfo=UTC)
        return datetime.fromisoformat(text)
    except ValueError:
        return None
